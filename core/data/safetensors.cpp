#include "core/data/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/error.h"

namespace core {
namespace {

using nlohmann::json;
static_assert(std::endian::native == std::endian::little,
              "the format is little-endian, and so are its readers");

constexpr size_t lengthBytes = 8, line = 64;
constexpr const char* metadataKey = "__metadata__";

// The header's JSON; a name that stands there twice is refused, where a plain parser would keep the last.
json parseHeader(std::string_view text, const SafetensorsLimits& limits) {
    std::vector<std::set<std::string>> open;
    std::string fault;
    const auto watch = [&](int depth, json::parse_event_t event, json& value) {
        if (depth > 4 && fault.empty()) fault = "nesting of at most 3, got more";
        if (event == json::parse_event_t::object_start) {
            open.emplace_back();
        } else if (event == json::parse_event_t::object_end) {
            open.pop_back();
        } else if (event == json::parse_event_t::key) {
            const std::string name = value.get<std::string>();
            if (!open.back().insert(name).second && fault.empty())
                fault = fmt::format("each name once, got '{}' again", name);
            if (int64_t(open.back().size()) > limits.tensors + 1 && fault.empty())
                fault = fmt::format("at most {} tensors, got more", limits.tensors);
        }
        return fault.empty();
    };
    json header = json::parse(text, watch, false);
    CHECK(fault.empty(), "safetensors: expected {}", fault);
    CHECK(header.is_object(), "safetensors: expected a JSON object as the header, got {}",
          header.is_discarded() ? "something else" : header.type_name());
    return header;
}

int64_t wholeNumber(const json& value, const std::string& name) {
    CHECK(value.is_number_unsigned() && value.get<uint64_t>() <= uint64_t(INT64_MAX),
          "safetensors: {}: expected whole numbers in its header, got {}", name, value.dump());
    return value.get<int64_t>();
}

struct Entry {
    std::string name;
    std::vector<int64_t> extents;
    int64_t begin = 0, end = 0;
};

Entry parseEntry(const std::string& name, const json& value, int64_t dataBytes,
                 const SafetensorsLimits& limits) {
    CHECK(value.is_object() && value.size() == 3 && value.contains("dtype") && value.contains("shape") &&
              value.contains("data_offsets"),
          "safetensors: {}: expected dtype, shape and data_offsets, got others", name);
    CHECK(value["dtype"] == "F32", "safetensors: {}: expected the type F32, got {}", name,
          value["dtype"].dump());
    const json &shape = value["shape"], &offsets = value["data_offsets"];
    CHECK(shape.is_array() && int64_t(shape.size()) <= limits.rank,
          "safetensors: {}: expected a shape of at most {} axes, got another", name, limits.rank);
    CHECK(offsets.is_array() && offsets.size() == 2, "safetensors: {}: expected two offsets, got others",
          name);
    Entry out{name, {}, wholeNumber(offsets[0], name), wholeNumber(offsets[1], name)};
    CHECK(out.begin <= out.end && out.end <= dataBytes,
          "safetensors: {}: expected offsets within {} bytes, got {} to {}", name, dataBytes, out.begin,
          out.end);
    int64_t size = sizeof(float);
    for (const json& extent : shape) {
        out.extents.push_back(wholeNumber(extent, name));
        CHECK(!__builtin_mul_overflow(size, out.extents.back(), &size),
              "safetensors: {}: expected a shape that fits {} bytes, got {}", name, dataBytes, shape.dump());
    }
    CHECK(size == out.end - out.begin, "safetensors: {}: expected {} bytes for {}, got {}", name, size,
          shape.dump(), out.end - out.begin);
    return out;
}

void checkCover(std::vector<Entry> entries, int64_t dataBytes) {
    std::sort(entries.begin(), entries.end(), [](const Entry& x, const Entry& y) {
        return std::pair(x.begin, x.end) < std::pair(y.begin, y.end);
    });
    int64_t at = 0;
    for (const Entry& e : entries) {
        CHECK(e.begin == at, "safetensors: {}: expected its data at byte {}, got {}", e.name, at, e.begin);
        at = e.end;
    }
    CHECK(at == dataBytes, "safetensors: expected {} bytes of data, got {}", at, dataBytes);
}

}  // namespace

Safetensors readSafetensors(std::span<const uint8_t> file, const SafetensorsLimits& limits) {
    CHECK(file.size() >= lengthBytes, "safetensors: expected at least {} bytes, got {}", lengthBytes,
          file.size());
    uint64_t length = 0;
    std::memcpy(&length, file.data(), lengthBytes);
    CHECK(length <= uint64_t(limits.headerBytes) && length <= file.size() - lengthBytes,
          "safetensors: expected a header of at most {} bytes, got {}",
          std::min<uint64_t>(uint64_t(limits.headerBytes), file.size() - lengthBytes), length);
    const auto* text = reinterpret_cast<const char*>(file.data()) + lengthBytes;
    CHECK(length > 0 && text[0] == '{', "safetensors: expected a header that begins with '{{', got another");
    const json header = parseHeader({text, size_t(length)}, limits);
    const std::span<const uint8_t> data = file.subspan(lengthBytes + size_t(length));

    Safetensors out;
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
        if (name == metadataKey) {
            CHECK(value.is_object(), "safetensors: expected an object as metadata, got {}",
                  value.type_name());
            for (const auto& [key, word] : value.items()) {
                CHECK(word.is_string(), "safetensors: metadata {}: expected a string, got {}", key,
                      word.type_name());
                out.metadata[key] = word.get<std::string>();
            }
            continue;
        }
        entries.push_back(parseEntry(name, value, int64_t(data.size()), limits));
    }
    checkCover(entries, int64_t(data.size()));
    for (Entry& e : entries) {
        NamedTensor& tensor = out.tensors[e.name];
        tensor.values.resize(size_t(e.end - e.begin) / sizeof(float));
        if (!tensor.values.empty())
            std::memcpy(tensor.values.data(), data.data() + e.begin, size_t(e.end - e.begin));
        tensor.extents = std::move(e.extents);
    }
    return out;
}

std::vector<uint8_t> writeSafetensors(const Safetensors& content) {
    json header = json::object();
    if (!content.metadata.empty()) header[metadataKey] = content.metadata;
    size_t at = 0;
    for (const auto& [name, tensor] : content.tensors) {
        size_t size = 1;
        for (int64_t extent : tensor.extents) size *= size_t(extent);
        CHECK(name != metadataKey && size == tensor.values.size(),
              "safetensors: {}: expected {} numbers for its shape, got {}", name, size, tensor.values.size());
        const size_t end = at + size * sizeof(float);
        header[name] = {{"dtype", "F32"}, {"shape", tensor.extents}, {"data_offsets", {at, end}}};
        at = end;
    }
    std::string text = header.dump();
    text.resize((lengthBytes + text.size() + line - 1) / line * line - lengthBytes, ' ');

    std::vector<uint8_t> file(lengthBytes + text.size() + at);
    const uint64_t length = text.size();
    std::memcpy(file.data(), &length, lengthBytes);
    std::memcpy(file.data() + lengthBytes, text.data(), text.size());
    uint8_t* data = file.data() + lengthBytes + text.size();
    for (const auto& [name, tensor] : content.tensors) {
        if (!tensor.values.empty())
            std::memcpy(data, tensor.values.data(), tensor.values.size() * sizeof(float));
        data += tensor.values.size() * sizeof(float);
    }
    return file;
}

}  // namespace core
