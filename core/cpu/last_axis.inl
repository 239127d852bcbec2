// Softmax and choices along the last axis; part of kernels.inl. A line is the channels of one position.

template <class T>
GS_INLINE T largest(const T* x, int64_t n) {
    constexpr int64_t lanes = 16;
    T most[lanes];
    for (int64_t lane = 0; lane < lanes; ++lane) most[lane] = x[lane < n ? lane : 0];
    int64_t i = lanes;
    for (; i + lanes <= n; i += lanes)
        for (int64_t lane = 0; lane < lanes; ++lane)
            most[lane] = x[i + lane] > most[lane] ? x[i + lane] : most[lane];
    for (int64_t lane = 0; i + lane < n; ++lane)
        most[lane] = x[i + lane] > most[lane] ? x[i + lane] : most[lane];
    for (int64_t width = lanes / 2; width > 0; width /= 2)
        for (int64_t lane = 0; lane < width; ++lane)
            most[lane] = most[lane + width] > most[lane] ? most[lane + width] : most[lane];
    return most[0];
}

template <class T>
void softmax(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t n = call.extents.channels, positions = call.extents.positions();
    for (int64_t line = begin * positions; line < end * positions; ++line) {
        const T* x = call.in[0] + line * n;
        T* y = call.out + line * n;
        const int64_t t = line % call.extents.width, seen = call.causal && t + 1 < n ? t + 1 : n;
        const T top = largest(x, seen);
        for (int64_t i = 0; i < seen; ++i) y[i] = math::exp(x[i] - top);
        const T scale = T(1) / laneSum(y, seen);
        for (int64_t i = 0; i < seen; ++i) y[i] *= scale;
        zeroRun(y + seen, n - seen);
    }
}

// dx = y (dy - <dy, y>)
template <class T>
void softmaxGradient(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t n = call.extents.channels, positions = call.extents.positions();
    for (int64_t line = begin * positions; line < end * positions; ++line) {
        const T *dy = call.in[0] + line * n, *y = call.in[1] + line * n;
        T* dx = call.out + line * n;
        const T mean = laneSumOf<T>(n, [dy, y](T total, int64_t i) { return math::fma(dy[i], y[i], total); });
        for (int64_t i = 0; i < n; ++i) dx[i] = y[i] * (dy[i] - mean);
    }
}

template <class T>
void logSumExp(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t n = call.inExtents[0].channels, positions = call.extents.positions();
    for (int64_t line = begin * positions; line < end * positions; ++line) {
        const T* x = call.in[0] + line * n;
        const T top = largest(x, n);
        const T total = laneSumOf<T>(n, [x, top](T sum, int64_t i) { return sum + math::exp(x[i] - top); });
        call.out[line] = top + math::log(total);
    }
}

template <class T>
void argmax(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t n = call.inExtents[0].channels, positions = call.extents.positions();
    for (int64_t line = begin * positions; line < end * positions; ++line) {
        const T* x = call.in[0] + line * n;
        const T top = largest(x, n);
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
