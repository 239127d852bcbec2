#include "core/data/idx.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "core/base/error.h"

namespace core {
namespace {

namespace fs = std::filesystem;

// Reads bytes one after another, through gzip where the file begins as gzip does. Never unpacks more than
// asked.
class ByteStream {
  public:
    explicit ByteStream(std::span<const uint8_t> file) : m_rest(file) {
        m_packed = file.size() >= 2 && file[0] == 0x1f && file[1] == 0x8b;
        if (m_packed) CHECK(inflateInit2(&m_zlib, 15 + 16) == Z_OK, "idx: zlib could not be started");
    }
    ~ByteStream() {
        if (m_packed) inflateEnd(&m_zlib);
    }
    ByteStream(const ByteStream&) = delete;
    ByteStream& operator=(const ByteStream&) = delete;

    // As many bytes as there are, at most count.
    int64_t read(uint8_t* to, int64_t count) {
        if (!m_packed) {
            const int64_t got = std::min<int64_t>(count, m_rest.size());
            if (got) std::memcpy(to, m_rest.data(), got);
            m_rest = m_rest.subspan(got);
            return got;
        }
        int64_t got = 0;
        while (got < count && !m_ended) got += inflateSome(to + got, count - got);
        return got;
    }

    // The most bytes that can still follow: deflate spends at least two bits on 258 bytes.
    int64_t atMost() const {
        const int64_t rest = int64_t(m_rest.size());
        return m_packed ? 1032 * (rest + 8) : rest;
    }
    bool packed() const { return m_packed; }
    // Whether nothing at all follows, not even after the end of the packed part.
    bool exhausted() const { return m_rest.empty() && (m_ended || !m_packed); }

  private:
    int64_t inflateSome(uint8_t* to, int64_t count) {
        constexpr int64_t piece = 1 << 30;  // zlib counts in 32 bits
        const auto in = uInt(std::min<int64_t>(piece, m_rest.size()));
        const auto out = uInt(std::min<int64_t>(piece, count));
        m_zlib.next_in = const_cast<Bytef*>(m_rest.data());
        m_zlib.avail_in = in;
        m_zlib.next_out = to;
        m_zlib.avail_out = out;
        const int result = inflate(&m_zlib, Z_NO_FLUSH);
        m_rest = m_rest.subspan(in - m_zlib.avail_in);
        m_ended = result == Z_STREAM_END;
        CHECK(m_ended || result == Z_OK || result == Z_BUF_ERROR, "idx: expected sound gzip data, got {}",
              m_zlib.msg ? m_zlib.msg : "an unknown error");
        const int64_t got = out - m_zlib.avail_out;
        CHECK(m_ended || got > 0 || !m_rest.empty(),
              "idx: expected more gzip data, but the file ends too early");
        return got;
    }

    std::span<const uint8_t> m_rest;
    bool m_packed = false, m_ended = false;
    z_stream m_zlib{};
};

const char* typeName(uint8_t type) {
    switch (type) {
        case 0x09:
            return "signed bytes";
        case 0x0b:
            return "16-bit integers";
        case 0x0c:
            return "32-bit integers";
        case 0x0d:
            return "32-bit floats";
        case 0x0e:
            return "64-bit floats";
        default:
            return "no type that IDX knows";
    }
}

}  // namespace

Idx readIdx(std::span<const uint8_t> file, const IdxLimits& limits) {
    CHECK(!file.empty(), "idx: expected an IDX file, got an empty one");
    ByteStream stream(file);

    uint8_t magic[4] = {};
    const int64_t got = stream.read(magic, 4);
    CHECK(got == 4, "idx: expected at least 4 bytes of header, got {}", got);
    CHECK(magic[0] == 0 && magic[1] == 0,
          "idx: expected two zero bytes first, as IDX files begin, got {:02x} {:02x}", magic[0], magic[1]);
    CHECK(magic[2] == 0x08, "idx: expected unsigned bytes (type 0x08), got {} (0x{:02x})", typeName(magic[2]),
          magic[2]);
    const int rank = magic[3];
    CHECK(rank >= 1 && rank <= limits.rank, "idx: expected 1 to {} axes, got {}", limits.rank, rank);

    Idx idx;
    int64_t elements = 1;
    for (int axis = 0; axis < rank; ++axis) {
        uint8_t b[4] = {};
        CHECK(stream.read(b, 4) == 4, "idx: expected {} extents in the header, but the file ends too early",
              rank);
        const int64_t extent = int64_t(b[0]) << 24 | b[1] << 16 | b[2] << 8 | b[3];
        CHECK(extent > 0, "idx: expected extents above zero, got 0 for axis {}", axis);
        // Divides instead of multiplying, so that no product can overflow.
        CHECK(extent <= limits.elements / elements, "idx: expected at most {} elements, got more",
              limits.elements);
        elements *= extent;
        idx.extents.push_back(extent);
    }

    // Before anything is allocated: a short file cannot ask for much memory.
    CHECK(elements <= stream.atMost(), "idx: expected {} elements, but the file is too short for them",
          elements);
    idx.bytes.resize(elements);
    const int64_t read = stream.read(idx.bytes.data(), elements);
    CHECK(read == elements, "idx: expected {} elements, but the file ends after {}", elements, read);
    uint8_t beyond;
    CHECK(stream.read(&beyond, 1) == 0 && stream.exhausted(),
          "idx: expected the file to end after {} elements, but more bytes follow", elements);
    return idx;
}

std::vector<uint8_t> readFile(const fs::path& path, int64_t limit) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    CHECK(fs::exists(status), "{}: expected a file, but there is none", path.string());
    // A pipe or a device would block or never end.
    CHECK(fs::is_regular_file(status), "{}: expected a regular file, got {}", path.string(),
          fs::is_directory(status) ? "a folder" : "something else");
    const auto size = int64_t(fs::file_size(path, error));
    CHECK(!error, "{}: expected a size, got: {}", path.string(), error.message());
    CHECK(size <= limit, "{}: expected at most {} bytes, got {}", path.string(), limit, size);

    std::ifstream stream(path, std::ios::binary);
    CHECK(stream.is_open(), "{}: the file could not be opened for reading", path.string());
    std::vector<uint8_t> bytes(size);
    stream.read(reinterpret_cast<char*>(bytes.data()), size);
    CHECK(stream.gcount() == size, "{}: expected {} bytes, got {}", path.string(), size, stream.gcount());
    return bytes;
}

Idx readIdxFile(const fs::path& path, const IdxLimits& limits) {
    // Stored without gain, gzip adds five bytes per block of at least a few thousand, and its own header.
    const std::vector<uint8_t> bytes = readFile(path, limits.elements + limits.elements / 100 + 4096);
    try {
        return readIdx(bytes, limits);
    } catch (const Error& error) {
        throw Error(fmt::format("{}: {}", path.string(), error.what()));
    }
}

}  // namespace core
