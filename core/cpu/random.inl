// Random numbers and minibatches; part of kernels.inl. An element's number depends on its flat
// index only, so neither slabs nor vectors show in the result.

template <class T>
void fill(const Call<T>& call, int64_t begin, int64_t end) {
    const T value = call.a;
    T* y = call.out;
    for (int64_t i = begin * call.columns; i < end * call.columns; ++i) y[i] = value;
}

// Sixteen blocks of Philox at a time, in arrays that the compiler turns into registers; `f` makes four
// numbers of a block's four words.
template <class T, class F>
GS_INLINE void eachDrawn(const Call<T>& call, int64_t first, int64_t last, F f) {
    constexpr int64_t lanes = 16;
    int64_t i = first;
    while (i < last) {
        const int64_t block = i / 4;
        if (i % 4 == 0 && i + 4 * lanes <= last) {
            float value[4][lanes];
            for (int64_t lane = 0; lane < lanes; ++lane) {
                const philox::Block drawn = philox::draw(call.at, uint32_t(block) + uint32_t(lane));
                f(drawn.word[0], drawn.word[1], value[0][lane], value[1][lane]);
                f(drawn.word[2], drawn.word[3], value[2][lane], value[3][lane]);
            }
            for (int64_t lane = 0; lane < lanes; ++lane)
                for (int64_t k = 0; k < 4; ++k) call.out[i + 4 * lane + k] = T(value[k][lane]);
            i += 4 * lanes;
            continue;
        }
        float value[4];
        const philox::Block drawn = philox::draw(call.at, uint32_t(block));
        f(drawn.word[0], drawn.word[1], value[0], value[1]);
        f(drawn.word[2], drawn.word[3], value[2], value[3]);
        for (; i < last && i / 4 == block; ++i) call.out[i] = T(value[i % 4]);
    }
}

template <class T>
void uniform(const Call<T>& call, int64_t begin, int64_t end) {
    const float low = float(call.a), width = float(call.b - call.a);
    eachDrawn(call, begin * call.columns, end * call.columns,
              [low, width](uint32_t p, uint32_t q, float& first, float& second) {
                  first = math::fma(width, philox::uniform(p), low);
                  second = math::fma(width, philox::uniform(q), low);
              });
}

template <class T>
void normal(const Call<T>& call, int64_t begin, int64_t end) {
    const float mean = float(call.a), deviation = float(call.b);
    eachDrawn(call, begin * call.columns, end * call.columns,
              [mean, deviation](uint32_t p, uint32_t q, float& first, float& second) {
                  philox::normalPair(p, q, first, second);
                  first = math::fma(deviation, first, mean);
                  second = math::fma(deviation, second, mean);
              });
}

// x / (1 - p) where the element's uniform number is at least p, else 0: forward and backward draw the same.
template <class T>
void dropout(const Call<T>& call, int64_t begin, int64_t end) {
    const float p = float(call.in[1][0]);
    const T scale = T(1) / (T(1) - call.in[1][0]);
    constexpr int64_t lanes = 64;  // a whole number of blocks
    const int64_t last = end * call.columns;
    for (int64_t i = begin * call.columns; i < last;) {
        const int64_t base = i / lanes * lanes;
        float drawn[lanes];
        for (int64_t block = 0; block < lanes / 4; ++block) {
            const philox::Block words = philox::draw(call.at, uint32_t(base / 4 + block));
            for (int64_t k = 0; k < 4; ++k) drawn[4 * block + k] = philox::uniform(words.word[k]);
        }
        const int64_t stop = base + lanes < last ? base + lanes : last;
#pragma GCC ivdep
        for (; i < stop; ++i) call.out[i] = drawn[i - base] >= p ? call.in[0][i] * scale : T(0);
    }
}

// A keyed permutation of [0, size): a Feistel network on two digits, the lesser of base `low` and the
// greater of base `high`, walked on in the rare case that it leaves the range (Black and Rogaway 2002).
struct Permutation {
    uint32_t key[8] = {};
    uint32_t size = 1, low = 1, high = 1;
};

GS_INLINE Permutation permutationOf(const philox::Position& at, uint32_t size) {
    Permutation permutation;
    permutation.size = size;
    while (uint64_t(permutation.low) * permutation.low < size) ++permutation.low;
    permutation.high = (size + permutation.low - 1) / permutation.low;
    for (uint32_t half = 0; half < 2; ++half) {
        const philox::Block drawn = philox::draw(at, half);
        for (uint32_t i = 0; i < 4; ++i) permutation.key[4 * half + i] = drawn.word[i];
    }
    return permutation;
}

GS_INLINE uint32_t shifted(uint32_t digit, uint32_t other, uint32_t key, uint32_t base) {
    uint32_t h = (other ^ key) * 0x85EBCA6Bu;  // MurmurHash3's finish
    h = (h ^ (h >> 13)) * 0xC2B2AE35u;
    h ^= h >> 16;
    const uint32_t sum = digit + uint32_t(uint64_t(h) * base >> 32);
    return sum >= base ? sum - base : sum;
}

GS_INLINE uint32_t permuted(const Permutation& p, uint32_t index) {
    do {
        uint32_t lesser = index % p.low, greater = index / p.low;
        for (int round = 0; round < 8; round += 2) {
            lesser = shifted(lesser, greater, p.key[round], p.low);
            greater = shifted(greater, lesser, p.key[round + 1], p.high);
        }
        index = greater * p.low + lesser;
    } while (index >= p.size);
    return index;
}

// Row r of step s stands at s R + r in an endless sequence of shuffled epochs.
template <class T>
void drawRows(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t columns = call.columns;
    const uint64_t size = uint64_t(call.tableRows);
    const uint64_t position = call.at.step * uint64_t(call.rows) + uint64_t(begin);
    philox::Position at = call.at;
    at.step = position / size;
    uint64_t inEpoch = position % size;
    Permutation permutation = permutationOf(at, uint32_t(size));
    for (int64_t row = begin; row < end; ++row, ++inEpoch) {
        if (inEpoch == size) {
            inEpoch = 0;
            ++at.step;
            permutation = permutationOf(at, uint32_t(size));
        }
        const int64_t from = int64_t(permuted(permutation, uint32_t(inEpoch))) * columns;
        T* y = call.out + row * columns;
        if (call.tableBytes) {
            const uint8_t* x = call.tableBytes + from;
            for (int64_t i = 0; i < columns; ++i) y[i] = T(x[i]) / T(255);
        } else {
            const float* x = call.tableValues + from;
            for (int64_t i = 0; i < columns; ++i) y[i] = T(x[i]);
        }
    }
}
