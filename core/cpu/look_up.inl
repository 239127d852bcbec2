// Rows by their index and the nearest row; part of kernels.inl.

// The row that a float names, within a table of `rows`. What is not a number names the first, to stay within
// the table; what is looked up by it is not a number either, so that it does not vanish.
template <class T>
GS_INLINE int64_t rowNamed(T index, int64_t rows) {
    if (!(index > T(0))) return 0;
    return index < T(rows - 1) ? int64_t(index) : rows - 1;
}

template <class T>
void gatherRows(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t positions = call.extents.positions(), n = call.extents.channels, rows = call.inRows[0];
    for (int64_t line = begin * positions; line < end * positions; ++line) {
        const T index = call.in[1][line];
        T* y = call.out + line * n;
        copyRun(y, call.in[0] + rowNamed(index, rows) * n, n);
        if (index != index)
            for (int64_t c = 0; c < n; ++c) y[c] = index;
    }
}

// Each row of the output adds up its lines in ascending order, whatever else is computed beside it.
template <class T>
void scatterRows(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t n = call.columns, lines = call.inExtents[0].samples * call.inExtents[0].positions();
    zeroRun(call.out + begin * n, (end - begin) * n);
    for (int64_t line = 0; line < lines; ++line) {
        const int64_t row = rowNamed(call.in[1][line], call.rows);
        if (row < begin || row >= end) continue;
        const T* x = call.in[0] + line * n;
        T* y = call.out + row * n;
#pragma GCC ivdep
        for (int64_t c = 0; c < n; ++c) y[c] += x[c];
    }
}

template <class T>
void pick(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t positions = call.extents.positions(), n = call.inExtents[0].channels;
    for (int64_t line = begin * positions; line < end * positions; ++line) {
        const T index = call.in[1][line];
        call.out[line] = index != index ? index : call.in[0][line * n + rowNamed(index, n)];
    }
}

template <class T>
void place(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t positions = call.extents.positions(), n = call.extents.channels;
    for (int64_t line = begin * positions; line < end * positions; ++line) {
        zeroRun(call.out + line * n, n);
        call.out[line * n + rowNamed(call.in[1][line], n)] = call.in[0][line];
    }
}

// Sixteen lines side by side, so that every squared distance is one chain of fma over ascending d. A distance
// that is not a number counts as the least: it must not vanish.
template <class T>
void nearestRow(const Call<T>& call, int64_t begin, int64_t end) {
    constexpr int64_t lanes = 16, depth = 64;
    const int64_t positions = call.extents.positions(), D = call.inExtents[0].channels, K = call.inRows[1];
    for (int64_t line = begin * positions; line < end * positions; line += lanes) {
        const int64_t rest = end * positions - line, taken = rest < lanes ? rest : lanes;
        const T* x = call.in[0] + line * D;
        T turned[depth][lanes] = {}, least[lanes] = {}, index[lanes] = {};
        for (int64_t row = 0; row < K; ++row) {
            const T* candidate = call.in[1] + row * D;
            T distance[lanes] = {};
            for (int64_t d0 = 0; d0 < D; d0 += depth) {
                const int64_t n = D - d0 < depth ? D - d0 : depth;
                if (row == 0 || D > depth)
                    for (int64_t lane = 0; lane < taken; ++lane)
                        for (int64_t d = 0; d < n; ++d) turned[d][lane] = x[lane * D + d0 + d];
                for (int64_t d = 0; d < n; ++d) {
                    const T value = candidate[d0 + d];
                    for (int64_t lane = 0; lane < lanes; ++lane) {
                        const T apart = turned[d][lane] - value;
                        distance[lane] = math::fma(apart, apart, distance[lane]);
                    }
                }
            }
            for (int64_t lane = 0; lane < lanes; ++lane) {
                const bool nearer = row == 0 || distance[lane] < least[lane];
                least[lane] = nearer ? distance[lane] : least[lane];
                index[lane] = nearer ? T(row) : index[lane];
            }
        }
        copyRun(call.out + line, index, taken);
    }
}
