// Sums along samples, positions or channels, and their converse; part of kernels.inl.

// The sums that laneSum gives, of rows shorter than the lanes, sixteen rows side by side.
template <class T>
GS_INLINE void shortSums(T* y, const T* x, int64_t rows, int64_t n) {
    constexpr int64_t lanes = 16, many = 16;
    T partial[lanes][many] = {};
    for (int64_t row = 0; row < rows; row += many) {
        const int64_t r = many < rows - row ? many : rows - row;
        for (int64_t i = 0; i < r; ++i)
            for (int64_t lane = 0; lane < n; ++lane) partial[lane][i] = T(0) + x[(row + i) * n + lane];
        int64_t filled = n;
        for (int64_t width = lanes / 2; width > 0; width /= 2) {
            for (int64_t lane = 0; lane + width < filled; ++lane)
                for (int64_t i = 0; i < many; ++i) partial[lane][i] += partial[lane + width][i];
            filled = filled < width ? filled : width;
        }
        copyRun(y + row, partial[0], r);
    }
}

// COUNT times WIDTH columns added up in registers, row after row.
template <int COUNT, int64_t WIDTH, class T>
GS_INLINE void columnSums(T* y, const T* x, int64_t rows, int64_t step) {
    typedef T Columns __attribute__((vector_size(WIDTH * sizeof(T))));
    Columns total[COUNT];
#pragma GCC unroll 4
    for (int i = 0; i < COUNT; ++i) __builtin_memcpy(&total[i], x + i * WIDTH, sizeof(Columns));
    for (int64_t row = 1; row < rows; ++row) {
        x += step;
#pragma GCC unroll 4
        for (int i = 0; i < COUNT; ++i) {
            Columns next;
            __builtin_memcpy(&next, x + i * WIDTH, sizeof(Columns));
            total[i] += next;
        }
    }
#pragma GCC unroll 4
    for (int i = 0; i < COUNT; ++i) __builtin_memcpy(y + i * WIDTH, &total[i], sizeof(Columns));
}

// Many running sums over positions at once: total[c] = sum over p of f(p, c), four positions at a time.
template <class T, class F>
GS_INLINE void addPositions(T* total, int64_t positions, int64_t channels, F f) {
    for (int64_t c = 0; c < channels; ++c) total[c] = T(0);
    int64_t p = 0;
    for (; p + 4 <= positions; p += 4)
#pragma GCC ivdep
        for (int64_t c = 0; c < channels; ++c)
            total[c] += (f(p, c) + f(p + 1, c)) + (f(p + 2, c) + f(p + 3, c));
    for (; p < positions; ++p)
#pragma GCC ivdep
        for (int64_t c = 0; c < channels; ++c) total[c] += f(p, c);
}

// Rows added up, every column for itself.
template <class T>
GS_INLINE void sumOfRows(T* y, const T* x, int64_t rows, int64_t columns) {
    constexpr int64_t width = registerBytes / int64_t(sizeof(T));
    int64_t c = 0;
    for (; c + 4 * width <= columns; c += 4 * width) columnSums<4, width>(y + c, x + c, rows, columns);
    for (; c + width <= columns; c += width) columnSums<1, width>(y + c, x + c, rows, columns);
    if constexpr (width > 8)
        if (c + 8 <= columns) columnSums<1, 8>(y + c, x + c, rows, columns), c += 8;
    if constexpr (width > 4)
        if (c + 4 <= columns) columnSums<1, 4>(y + c, x + c, rows, columns), c += 4;
    if constexpr (width > 2)
        if (c + 2 <= columns) columnSums<1, 2>(y + c, x + c, rows, columns), c += 2;
    for (; c < columns; ++c) columnSums<1, 1>(y + c, x + c, rows, columns);
}

// Over channels, positions or both of each sample; over samples; over samples and positions; or over all.
template <class T>
void sum(const Call<T>& call, int64_t begin, int64_t end) {
    const Extents &from = call.inExtents[0], &to = call.extents;
    const int64_t P = from.positions(), C = from.channels;
    const bool positionsKept = to.positions() == P, channelsKept = to.channels == C;
    const T* x = call.in[0] + begin * P * C;
    T* y = call.out + begin * call.columns;
    if (call.rows == 1 && call.columns == 1) {
        if (begin < end) y[0] = laneSum(x, from.samples * P * C);
    } else if (to.samples != from.samples) {
        if (begin < end) sumOfRows(y, x, positionsKept ? from.samples : from.samples * P, call.columns);
    } else if (channelsKept && C > 1) {
        for (int64_t row = begin; row < end; ++row, x += P * C, y += C)
            addPositions(y, P, C, [x, C](int64_t p, int64_t c) { return x[p * C + c]; });
    } else {
        const int64_t n = positionsKept ? C : P * C, runs = (end - begin) * (positionsKept ? P : 1);
        if (n < 16)
            shortSums(y, x, runs, n);
        else
            for (int64_t run = 0; run < runs; ++run) y[run] = laneSum(x + run * n, n);
    }
}

template <class T>
void broadcast(const Call<T>& call, int64_t begin, int64_t end) {
    const Matrices m = matricesOf(call.extents, call.inExtents, 1, begin, end);
    T* y = call.out + begin * call.columns;
    for (int64_t i = 0; i < m.count; ++i) {
        const Beside<T> x = beside(m, call.in[0], call.inExtents[0], begin + i);
        for (int64_t row = 0; row < m.rows; ++row, y += m.columns) {
            const T* from = x.at + row * x.step;
            if (x.repeat) {
                const T value = *from;
                for (int64_t c = 0; c < m.columns; ++c) y[c] = value;
            } else {
                copyRun(y, from, m.columns);
            }
        }
    }
}
