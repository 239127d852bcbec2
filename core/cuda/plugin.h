// The CUDA plugin, found beside the program and loaded when a card is asked for: one program for machines
// with and without a card.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/cuda/abi.h"

namespace core::cuda {

struct Availability {
    bool there = false;
    std::string text;  // the card's name, or one sentence on why there is none
};

// Whether this machine runs plans on a card. `path` as for Card::open.
Availability availability(const std::string& path = {});

// One opened card. Every function throws Error with one sentence where the card refuses.
class Card : public std::enable_shared_from_this<Card> {
  public:
    // The plugin at `path`; empty: GENSCOPE_CUDA_PLUGIN, or genscope_cuda.so beside the program.
    static std::shared_ptr<Card> open(const std::string& path = {});
    ~Card();
    Card(const Card&) = delete;
    Card& operator=(const Card&) = delete;

    std::string name() const { return m_table->name(m_device); }
    void upload(void* to, const void* from, size_t bytes) const;
    void download(void* to, const void* from, size_t bytes) const;
    void copy(void* to, const void* from, size_t bytes) const;
    void fill(void* memory, int byte, size_t bytes) const;
    void wait() const;
    // Pinned memory of the host; whoever holds it last, on whatever thread, gives it back for the next one.
    std::shared_ptr<float> lend(size_t floats);

    const Table& table() const { return *m_table; }
    Device* device() const { return m_device; }
    void check(int result, const char* what) const;

  private:
    Card() = default;
    void takeBack(float* memory, size_t floats);

    struct Spare {
        float* memory;
        size_t floats;
    };
    std::mutex m_mutex;  // of what was given back
    std::vector<Spare> m_spare;
    void* m_library = nullptr;
    const Table* m_table = nullptr;
    Device* m_device = nullptr;
};

using CardPtr = std::shared_ptr<Card>;

// Memory of a card, or pinned memory of the host.
class Memory {
  public:
    Memory() = default;
    // Filled with zeros.
    Memory(CardPtr card, size_t bytes, bool pinned = false);
    ~Memory();
    Memory(Memory&& other) noexcept { *this = std::move(other); }
    Memory& operator=(Memory&& other) noexcept;

    float* floats() const { return static_cast<float*>(m_data); }
    void* data() const { return m_data; }
    size_t bytes() const { return m_bytes; }

  private:
    CardPtr m_card;
    void* m_data = nullptr;
    size_t m_bytes = 0;
    bool m_pinned = false;
};

}  // namespace core::cuda
