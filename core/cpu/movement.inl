// Transposition, sums, their converse, slices and padding; part of kernels.inl.

template <class T>
GS_INLINE void copyRun(T* to, const T* from, int64_t n) {
    for (int64_t i = 0; i < n; ++i) to[i] = from[i];
}
template <class T>
GS_INLINE void zeroRun(T* to, int64_t n) {
    for (int64_t i = 0; i < n; ++i) to[i] = T(0);
}

template <class T>
void copy(const Call<T>& call, int64_t begin, int64_t end) {
    copyRun(call.out + begin * call.columns, call.in[0] + begin * call.columns, (end - begin) * call.columns);
}

template <class T>
void transpose(const Call<T>& call, int64_t begin, int64_t end) {
    constexpr int64_t tile = 16;
    const int64_t columns = call.columns, stride = call.inColumns[0];
    for (int64_t r0 = begin; r0 < end; r0 += tile)
        for (int64_t c0 = 0; c0 < columns; c0 += tile) {
            const int64_t r1 = r0 + tile < end ? r0 + tile : end;
            const int64_t c1 = c0 + tile < columns ? c0 + tile : columns;
            for (int64_t r = r0; r < r1; ++r)
                for (int64_t c = c0; c < c1; ++c) call.out[r * columns + c] = call.in[0][c * stride + r];
        }
}

// Sixteen partial sums, element i going to lane i mod 16, then a fixed tree: the same bits
// whatever the width of the registers.
template <class T>
GS_INLINE T laneSum(const T* x, int64_t n) {
    constexpr int64_t lanes = 16;
    T partial[lanes] = {};
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes)
        for (int64_t lane = 0; lane < lanes; ++lane) partial[lane] += x[i + lane];
    for (int64_t lane = 0; i + lane < n; ++lane) partial[lane] += x[i + lane];
    for (int64_t width = lanes / 2; width > 0; width /= 2)
        for (int64_t lane = 0; lane < width; ++lane) partial[lane] += partial[lane + width];
    return partial[0];
}

// The same sums for rows shorter than the lanes, sixteen rows side by side.
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

#if defined(__AVX512F__)
constexpr int64_t registerBytes = 64;
#elif defined(__AVX__)
constexpr int64_t registerBytes = 32;
#else
constexpr int64_t registerBytes = 16;
#endif

// COUNT times WIDTH columns added up in registers, row after row.
template <int COUNT, int64_t WIDTH, class T>
GS_INLINE void columnSums(T* y, const T* x, int64_t rows, int64_t step) {
    typedef T Lanes __attribute__((vector_size(WIDTH * sizeof(T))));
    Lanes total[COUNT];
#pragma GCC unroll 4
    for (int i = 0; i < COUNT; ++i) __builtin_memcpy(&total[i], x + i * WIDTH, sizeof(Lanes));
    for (int64_t row = 1; row < rows; ++row) {
        x += step;
#pragma GCC unroll 4
        for (int i = 0; i < COUNT; ++i) {
            Lanes next;
            __builtin_memcpy(&next, x + i * WIDTH, sizeof(Lanes));
            total[i] += next;
        }
    }
#pragma GCC unroll 4
    for (int i = 0; i < COUNT; ++i) __builtin_memcpy(y + i * WIDTH, &total[i], sizeof(Lanes));
}

template <class T>
void sum(const Call<T>& call, int64_t begin, int64_t end) {
    const T* x = call.in[0];
    T* y = call.out;
    const int64_t inRows = call.inRows[0], inColumns = call.inColumns[0];
    if (call.rows == 1 && call.columns == 1) {
        if (begin == 0 && end > 0) y[0] = laneSum(x, inRows * inColumns);
    } else if (call.columns == 1 && inColumns < 16) {
        shortSums(y + begin, x + begin * inColumns, end - begin, inColumns);
    } else if (call.columns == 1) {
        for (int64_t row = begin; row < end; ++row) y[row] = laneSum(x + row * inColumns, inColumns);
    } else if (begin == 0 && end > 0) {
        constexpr int64_t width = registerBytes / int64_t(sizeof(T));
        int64_t c = 0;
        for (; c + 4 * width <= inColumns; c += 4 * width)
            columnSums<4, width>(y + c, x + c, inRows, inColumns);
        for (; c + width <= inColumns; c += width) columnSums<1, width>(y + c, x + c, inRows, inColumns);
        if constexpr (width > 8)
            if (c + 8 <= inColumns) columnSums<1, 8>(y + c, x + c, inRows, inColumns), c += 8;
        if constexpr (width > 4)
            if (c + 4 <= inColumns) columnSums<1, 4>(y + c, x + c, inRows, inColumns), c += 4;
        if constexpr (width > 2)
            if (c + 2 <= inColumns) columnSums<1, 2>(y + c, x + c, inRows, inColumns), c += 2;
        for (; c < inColumns; ++c) columnSums<1, 1>(y + c, x + c, inRows, inColumns);
    }
}

template <class T>
void broadcast(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t columns = call.columns;
    for (int64_t row = begin; row < end; ++row) {
        const T* x = call.in[0] + (call.inRows[0] == 1 ? 0 : row * call.inColumns[0]);
        T* y = call.out + row * columns;
        if (call.inColumns[0] == 1) {
            const T value = *x;
            for (int64_t column = 0; column < columns; ++column) y[column] = value;
        } else {
            copyRun(y, x, columns);
        }
    }
}

template <class T>
void sliceRows(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t columns = call.columns;
    copyRun(call.out + begin * columns, call.in[0] + (begin + call.offset) * columns,
            (end - begin) * columns);
}

template <class T>
void sliceColumns(const Call<T>& call, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
        copyRun(call.out + row * call.columns, call.in[0] + row * call.inColumns[0] + call.offset,
                call.columns);
}

template <class T>
void padRows(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t columns = call.columns;
    for (int64_t row = begin; row < end; ++row) {
        const int64_t from = row - call.offset;
        if (from >= 0 && from < call.inRows[0])
            copyRun(call.out + row * columns, call.in[0] + from * columns, columns);
        else
            zeroRun(call.out + row * columns, columns);
    }
}

template <class T>
void padColumns(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t columns = call.columns, width = call.inColumns[0];
    for (int64_t row = begin; row < end; ++row) {
        T* y = call.out + row * columns;
        zeroRun(y, call.offset);
        copyRun(y + call.offset, call.in[0] + row * width, width);
        zeroRun(y + call.offset + width, columns - call.offset - width);
    }
}
