// Softmax and choices along the last axis; part of kernels.inl. A line is the channels of one position.

template <class T>
GS_INLINE T largestOf(const T* x, int64_t n) {
    const int64_t whole = n & ~int64_t(15);
    Lanes<T> most = lanesOf(-std::numeric_limits<T>::infinity());
    for (int64_t i = 0; i < whole; i += 16) most = larger(most, lanesAt(x + i));
    if (n > whole) most = larger(most, lanesAt(x + whole, n - whole, -std::numeric_limits<T>::infinity()));
    return largest(most);
}

// y = exp(x - top) for n elements, those of the last, partial sixteen into `rest`; their sum.
template <class T>
GS_INLINE T exponentials(T* y, T (&rest)[16], const T* x, int64_t n, T top) {
    const int64_t whole = n & ~int64_t(15);
    Lanes<T> sum = lanesOf(T(0));
    if (n > whole) {
        store(rest, lanesAt(x + whole, n - whole, -std::numeric_limits<T>::infinity()));
        for (int64_t i = 0; i < 16; ++i) rest[i] = math::exp(rest[i] - top);
    }
#pragma GCC ivdep
    for (int64_t i = 0; i < whole; ++i) y[i] = math::exp(x[i] - top);
    for (int64_t i = 0; i < whole; i += 16) sum = sum + lanesAt(y + i);
    if (n > whole) sum = sum + lanesAt(rest);
    return total(sum);
}

template <class T>
void softmax(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t n = call.extents.channels, positions = call.extents.positions();
    int64_t t = 0;
    for (int64_t line = begin * positions; line < end * positions; ++line) {
        const T* x = call.in[0] + line * n;
        T* y = call.out + line * n;
        const int64_t seen = call.causal && t + 1 < n ? t + 1 : n, whole = seen & ~int64_t(15);
        T rest[16];
        const Lanes<T> scale = lanesOf(T(1) / exponentials(y, rest, x, seen, largestOf(x, seen)));
        for (int64_t i = 0; i < whole; i += 16) store(y + i, scale * lanesAt(y + i));
        if (seen > whole) store(y + whole, seen - whole, scale * lanesAt(rest));
        if (seen < n) zeroRun(y + seen, n - seen);
        if (++t == call.extents.width) t = 0;
    }
}

// dx = y (dy - <dy, y>)
template <class T>
void softmaxGradient(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t n = call.extents.channels, positions = call.extents.positions(), whole = n & ~int64_t(15);
    const auto lines = [&]<int MANY>(int64_t line) __attribute__((always_inline)) {
        const T *dy = call.in[0] + line * n, *y = call.in[1] + line * n;
        T* dx = call.out + line * n;
        T means[MANY];
        laneSums<MANY, T>(means, n, [dy, y, n](int k, auto at) { return at(dy + k * n) * at(y + k * n); });
        for (int k = 0; k < MANY; ++k, dy += n, y += n, dx += n) {
            const Lanes<T> mean = lanesOf(means[k]);
            for (int64_t i = 0; i < whole; i += 16) store(dx + i, lanesAt(y + i) * (lanesAt(dy + i) - mean));
            if (n > whole)
                store(dx + whole, n - whole,
                      lanesAt(y + whole, n - whole, T(0)) * (lanesAt(dy + whole, n - whole, T(0)) - mean));
        }
    };
    eachFewLines(begin * positions, end * positions, lines);
}

template <class T>
void logSumExp(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t n = call.inExtents[0].channels, positions = call.extents.positions();
    for (int64_t line = begin * positions; line < end * positions; ++line) {
        const T* x = call.in[0] + line * n;
        const T top = largestOf(x, n);
        constexpr int64_t block = 256;
        T sum = T(0), powers[block], rest[16];
        for (int64_t i = 0; i < n; i += block)
            sum += exponentials(powers, rest, x + i, block < n - i ? block : n - i, top);
        call.out[line] = top + math::log(sum);
    }
}

template <class T>
void argmax(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t n = call.inExtents[0].channels, positions = call.extents.positions();
    for (int64_t line = begin * positions; line < end * positions; ++line) {
        const T* x = call.in[0] + line * n;
        const T top = largestOf(x, n);
        int64_t first = 0;
        while (first + 1 < n && x[first] != top) ++first;
        call.out[line] = T(first);
    }
}

// An element stays if fewer than k are before it in the order of falling value, equals in their own order.
template <class T>
void topK(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t n = call.extents.channels, positions = call.extents.positions();
    for (int64_t line = begin * positions; line < end * positions; ++line) {
        const T* x = call.in[0] + line * n;
        T* y = call.out + line * n;
        for (int64_t i = 0; i < n; ++i) {
            const T value = x[i];
            int32_t before = 0;
            for (int64_t j = 0; j < i; ++j) before += x[j] >= value ? 1 : 0;
            for (int64_t j = i + 1; j < n; ++j) before += x[j] > value ? 1 : 0;
            y[i] = before < call.window ? value : T(-1e30);
        }
    }
}
