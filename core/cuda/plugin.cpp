#include "core/cuda/plugin.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace core::cuda {
namespace {

std::string pathOf(const std::string& path) {
    if (!path.empty()) return path;
    if (const char* named = std::getenv("GENSCOPE_CUDA_PLUGIN")) return named;
    char program[4096];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    std::string folder(program, length > 0 ? size_t(length) : 0);
    return folder.substr(0, folder.rfind('/') + 1) + "genscope_cuda.so";
}

struct Library {
    void* handle = nullptr;
    const Table* table = nullptr;
    std::string text;
};

Library load(const std::string& path) {
    Library out;
    const std::string from = pathOf(path);
    if (access(from.c_str(), R_OK) != 0) {
        out.text = "this build of Genscope has no CUDA plugin (genscope_cuda.so)";
        return out;
    }
    void* const handle = dlopen(from.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        out.text = fmt::format("the CUDA plugin cannot be loaded: {}", dlerror());
        return out;
    }
    const auto create = reinterpret_cast<GenscopeCudaCreate>(dlsym(handle, "genscopeCudaCreate"));
    const auto probe = reinterpret_cast<GenscopeCudaProbe>(dlsym(handle, "genscopeCudaProbe"));
    out.table = create ? create(abiVersion) : nullptr;
    char reason[512] = "";
    if (!probe || !out.table)
        out.text = "genscope_cuda.so is of another build than the program; build both again";
    else if (probe(reason, sizeof reason))
        out.handle = handle;
    out.text = out.text.empty() ? reason : out.text;
    if (!out.handle) dlclose(handle);
    return out;
}

}  // namespace

Availability availability(const std::string& path) {
    const Library library = load(path);
    if (library.handle) dlclose(library.handle);
    return {library.handle != nullptr, library.text};
}

std::shared_ptr<Card> Card::open(const std::string& path) {
    const Library library = load(path);
    if (!library.handle) throw DeviceError(library.text);
    std::shared_ptr<Card> card(new Card);
    card->m_library = library.handle;
    card->m_table = library.table;
    card->check(library.table->open(&card->m_device), "open");
    return card;
}

Card::~Card() {
    for (const Spare& spare : m_spare) m_table->releaseHost(m_device, spare.memory);
    if (m_device) m_table->close(m_device);
    // The CUDA runtime stays loaded: unloading it while the driver's threads run is not safe.
}

void Card::check(int result, const char* what) const {
    if (result != 0) throw DeviceError(fmt::format("The card failed ({}): {}.", what, m_table->problem()));
}
void Card::upload(void* to, const void* from, size_t bytes) const {
    check(m_table->upload(m_device, to, from, bytes), "upload");
}
void Card::download(void* to, const void* from, size_t bytes) const {
    check(m_table->download(m_device, to, from, bytes), "download");
}
void Card::copy(void* to, const void* from, size_t bytes) const {
    check(m_table->copy(m_device, to, from, bytes), "copy");
}
void Card::fill(void* memory, int byte, size_t bytes) const {
    check(m_table->fill(m_device, memory, byte, bytes), "fill");
}
void Card::wait() const {
    check(m_table->wait(m_device), "wait");
}

// The least that is large enough, and not many times too large.
std::shared_ptr<float> Card::lend(size_t floats) {
    constexpr size_t least = size_t(1) << 18;
    floats = std::max(floats, least);
    float* memory = nullptr;
    {
        const std::lock_guard lock(m_mutex);
        auto best = m_spare.end();
        for (auto s = m_spare.begin(); s != m_spare.end(); ++s)
            if (s->floats >= floats && s->floats <= 4 * floats &&
                (best == m_spare.end() || s->floats < best->floats))
                best = s;
        if (best != m_spare.end()) {
            memory = best->memory, floats = best->floats;
            m_spare.erase(best);
        }
    }
    if (!memory) {
        void* fresh = nullptr;
        check(m_table->allocateHost(m_device, floats * sizeof(float), &fresh), "allocate");
        memory = static_cast<float*>(fresh);
    }
    return {memory, [card = shared_from_this(), floats](float* p) { card->takeBack(p, floats); }};
}

// Little is held back: what was given back first goes.
void Card::takeBack(float* memory, size_t floats) {
    constexpr size_t most = size_t(1) << 24;
    std::vector<Spare> gone;
    {
        const std::lock_guard lock(m_mutex);
        m_spare.push_back({memory, floats});
        size_t all = 0;
        for (const Spare& spare : m_spare) all += spare.floats;
        while (all > most) {
            gone.push_back(m_spare.front());
            all -= m_spare.front().floats;
            m_spare.erase(m_spare.begin());
        }
    }
    for (const Spare& spare : gone) m_table->releaseHost(m_device, spare.memory);
}

// What is allocated is freed also where filling it fails: the object is whole before.
Memory::Memory(CardPtr card, size_t bytes, bool pinned) : Memory() {
    m_card = std::move(card);
    m_bytes = bytes;
    m_pinned = pinned;
    const Table& t = m_card->table();
    m_card->check((pinned ? t.allocateHost : t.allocate)(m_card->device(), bytes, &m_data), "allocate");
    if (pinned)
        std::memset(m_data, 0, bytes);
    else if (bytes)
        m_card->fill(m_data, 0, bytes);
}

Memory::~Memory() {
    if (!m_data) return;
    const Table& t = m_card->table();
    (m_pinned ? t.releaseHost : t.release)(m_card->device(), m_data);
}

Memory& Memory::operator=(Memory&& other) noexcept {
    std::swap(m_card, other.m_card);
    std::swap(m_data, other.m_data);
    std::swap(m_bytes, other.m_bytes);
    std::swap(m_pinned, other.m_pinned);
    return *this;
}

}  // namespace core::cuda
