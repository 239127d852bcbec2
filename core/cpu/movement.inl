// Copies, transposition, slices and padding; part of kernels.inl.

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

template <class T>
void sliceRows(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t columns = call.columns;
    copyRun(call.out + begin * columns, call.in[0] + (begin + call.offset) * columns,
            (end - begin) * columns);
}

template <class T>
void sliceColumns(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t positions = call.extents.positions(), n = call.extents.channels,
                  width = call.inExtents[0].channels;
    for (int64_t line = begin * positions; line < end * positions; ++line)
        copyRun(call.out + line * n, call.in[0] + line * width + call.offset, n);
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

// The operands may come in any order; they do not overlap.
template <class T>
void padColumns(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t positions = call.extents.positions(), n = call.extents.channels;
    int64_t filled = 0;
    for (int k = 0; k < call.inputs; ++k) filled += call.inExtents[k].channels;
    for (int64_t line = begin * positions; line < end * positions; ++line) {
        T* y = call.out + line * n;
        if (filled < n) zeroRun(y, n);
        for (int k = 0; k < call.inputs; ++k) {
            const int64_t width = call.inExtents[k].channels;
            copyRun(y + call.offsets[k], call.in[k] + line * width, width);
        }
    }
}
