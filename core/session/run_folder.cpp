// The folder of a saved run on disk: written so that a crash leaves the old one or the new one.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <system_error>

#include "core/base/error.h"
#include "core/session/saved_run.h"

namespace core {
namespace {

namespace fs = std::filesystem;

constexpr const char* names[] = {"run.json", "journal.jsonl", "model.safetensors", "ema.safetensors",
                                 "optimizer.safetensors"};

// Of a file of a run; 0 of any other.
int64_t limitOf(const std::string& name, const RunLimits& limits) {
    if (std::find(std::begin(names), std::end(names), name) == std::end(names)) return 0;
    return name == "run.json"        ? limits.textBytes
           : name == "journal.jsonl" ? limits.journalBytes
                                     : limits.weightBytes;
}

[[noreturn]] void refuse(const fs::path& place, const char* expected, int code) {
    throw Error(fmt::format("{}: expected {}, got: {}", place.string(), expected, std::strerror(code)));
}

class Descriptor {
  public:
    Descriptor(const fs::path& path, int flags, const char* expected)
        : Descriptor(path, path, flags, expected) {}
    Descriptor(const fs::path& path, const fs::path& known, int flags, const char* expected)
        : m_fd(open(path.c_str(), flags | O_CLOEXEC, 0644)) {
        if (m_fd < 0) refuse(known, expected, errno);
    }
    ~Descriptor() { close(m_fd); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return m_fd; }

  private:
    int m_fd;
};

void syncFolder(const fs::path& folder) {
    const Descriptor d(folder, O_RDONLY | O_DIRECTORY, "a folder");
    if (fsync(d.get()) != 0) refuse(folder, "a folder that can be synced", errno);
}

// What goes wrong is said of `known`, the place that the user has named, as the file is to stand there.
void writeFile(const fs::path& path, const fs::path& known, const std::vector<uint8_t>& bytes) {
    const Descriptor d(path, known, O_WRONLY | O_CREAT | O_EXCL, "a file to write");
    for (size_t done = 0; done < bytes.size();) {
        const ssize_t n = write(d.get(), bytes.data() + done, bytes.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) refuse(known, "room for the file", n < 0 ? errno : ENOSPC);
        done += size_t(n);
    }
    if (fsync(d.get()) != 0) refuse(known, "a file that can be synced", errno);
}

// Regular files only: a FIFO would wait for ever, and /dev/zero never ends.
std::vector<uint8_t> readFile(const fs::path& path, int64_t limit) {
    const Descriptor d(path, O_RDONLY | O_NONBLOCK, "a file to read");
    struct stat status {};
    if (fstat(d.get(), &status) != 0) refuse(path, "a file to read", errno);
    CHECK(S_ISREG(status.st_mode), "{}: expected a regular file, got something else", path.string());
    CHECK(status.st_size <= limit, "{}: expected at most {} MB, got {}", path.string(), limit >> 20,
          status.st_size >> 20);
    std::vector<uint8_t> bytes(static_cast<size_t>(status.st_size));
    size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t n = read(d.get(), bytes.data() + done, bytes.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) refuse(path, "a file to read", errno);
        if (n == 0) break;
        done += size_t(n);
    }
    bytes.resize(done);
    return bytes;
}

// ".<target>.<process>.new"
fs::path besideOf(const fs::path& target, const std::string& process) {
    return target.parent_path() / fmt::format(".{}.{}.new", target.filename().string(), process);
}

// What programs that were killed while they wrote have left beside the target.
void sweepBeside(const fs::path& target) {
    std::error_code ignored;
    std::vector<fs::path> left;
    for (const fs::directory_entry& entry : fs::directory_iterator(target.parent_path(), ignored)) {
        const std::string name = entry.path().filename().string();
        const std::string before = fmt::format(".{}.", target.filename().string()), after = ".new";
        if (!name.starts_with(before) || !name.ends_with(after) || name.size() < before.size() + after.size())
            continue;
        const char *from = name.data() + before.size(), *to = name.data() + name.size() - after.size();
        pid_t process = 0;
        const auto [end, code] = std::from_chars(from, to, process);
        if (code == std::errc() && end == to && process > 0 && kill(process, 0) != 0 && errno == ESRCH)
            left.push_back(entry.path());
    }
    for (const fs::path& folder : left) fs::remove_all(folder, ignored);
}

// An empty folder beside the target, which is then to take its place.
fs::path freshBeside(const fs::path& target) {
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(target, ignored))) {
        CHECK(fs::is_directory(target, ignored), "{}: expected a folder to write, got a file",
              target.string());
        // Whatever else somebody put there would go with it.
        for (const fs::directory_entry& entry : fs::directory_iterator(target, ignored))
            CHECK(limitOf(entry.path().filename().string(), {}) > 0,
                  "{}: expected an empty folder or one with nothing but a run, found {} in it",
                  target.string(), entry.path().filename().string());
    }
    fs::path fresh = besideOf(target, std::to_string(getpid()));
    fs::remove_all(fresh, ignored);
    if (mkdir(fresh.c_str(), 0755) != 0) refuse(target, "a place for a folder", errno);
    return fresh;
}

fs::path withoutSlash(const fs::path& folder) {
    const fs::path target = fs::absolute(folder).lexically_normal();
    return target.has_filename() ? target : target.parent_path();
}

}  // namespace

void checkFolder(const fs::path& folder) {
    const fs::path target = withoutSlash(folder);
    std::error_code ignored;
    fs::remove(freshBeside(target), ignored);
    sweepBeside(target);
}

void writeFolder(const fs::path& folder, const RunFiles& files) {
    const fs::path target = withoutSlash(folder), fresh = freshBeside(target);
    std::error_code ignored;
    const bool there = fs::exists(target, ignored);
    try {
        for (const auto& [name, bytes] : files) writeFile(fresh / name, target / name, bytes);
        syncFolder(fresh);
        // At no moment is there no run: the two folders change places.
        const int changed =
            there ? renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE)
                  : rename(fresh.c_str(), target.c_str());
        if (changed != 0) refuse(target, "a folder that can be replaced", errno);
        syncFolder(target.parent_path());
    } catch (const Error&) {
        fs::remove_all(fresh, ignored);
        throw;
    }
    if (there) fs::remove_all(fresh, ignored);
}

RunFiles readFolder(const fs::path& folder, const RunLimits& limits) {
    std::error_code ignored;
    CHECK(fs::is_directory(folder, ignored), "{}: expected the folder of a run, found none", folder.string());
    RunFiles files;
    for (const char* name : names)
        if (fs::exists(folder / name, ignored)) files[name] = readFile(folder / name, limitOf(name, limits));
    return files;
}

}  // namespace core
