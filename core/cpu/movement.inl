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

template <class T>
void sum(const Call<T>& call, int64_t begin, int64_t end) {
    const T* x = call.in[0];
    const int64_t inRows = call.inRows[0], inColumns = call.inColumns[0];
    if (call.rows == 1 && call.columns == 1) {
        if (begin == 0 && end > 0) call.out[0] = laneSum(x, inRows * inColumns);
    } else if (call.columns == 1) {
        for (int64_t row = begin; row < end; ++row) call.out[row] = laneSum(x + row * inColumns, inColumns);
    } else if (begin == 0 && end > 0) {
        T* y = call.out;
        copyRun(y, x, inColumns);
        for (int64_t row = 1; row < inRows; ++row) {
            const T* from = x + row * inColumns;
#pragma GCC ivdep
            for (int64_t column = 0; column < inColumns; ++column) y[column] += from[column];
        }
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
