// Two operands element by element; part of kernels.inl. Along samples, positions or
// channels an operand may have extent 1 and stand for all. The output may be the very buffer of an operand
// that has its extents, hence ivdep.

// An operand beside a matrix of the output: rows lie `step` apart, and a row is whole or one number repeated.
template <class T>
struct Beside {
    const T* at;
    int64_t step;
    bool repeat;
};

// The samples [begin, end) of an output as `count` matrices, every operand being regular beside each: as few
// and as large ones as there can be.
struct Matrices {
    int64_t count, rows, columns;
    bool bySample, byPosition;  // a row is a sample; a position of any sample; else a position of its matrix
};

GS_INLINE Matrices matricesOf(const Extents& out, const Extents* in, int inputs, int64_t begin, int64_t end) {
    bool bySample = true, byPosition = true;
    for (int k = 0; k < inputs; ++k) {
        const bool samples = in[k].samples == out.samples, positions = in[k].positions() == out.positions(),
                   channels = in[k].channels == out.channels;
        bySample = bySample && ((positions && channels) || (in[k].positions() == 1 && in[k].channels == 1));
        byPosition = byPosition && ((samples && positions) || (in[k].samples == 1 && in[k].positions() == 1));
    }
    if (bySample) return {1, end - begin, out.positions() * out.channels, true, false};
    if (byPosition) return {1, (end - begin) * out.positions(), out.channels, false, true};
    return {end - begin, out.positions(), out.channels, false, false};
}

// Operand `in` beside the matrix that begins at `sample`.
template <class T>
GS_INLINE Beside<T> beside(const Matrices& m, const T* x, const Extents& in, int64_t sample) {
    const int64_t all = in.positions() * in.channels;
    const T* at = x + (in.samples == 1 ? 0 : sample * all);
    if (m.bySample) return {at, in.samples == 1 ? 0 : all, all == 1 && m.columns != 1};
    const bool one = in.positions() == 1 && (in.samples == 1 || !m.byPosition);
    return {at, one ? 0 : in.channels, in.channels == 1 && m.columns != 1};
}

// One row (or one long run) of a binary operation; a step of 0 repeats a single value.
template <class T, class F>
GS_INLINE void eachPair(T* out, const T* a, const T* b, bool repeatA, bool repeatB, int64_t n, F f) {
    if (repeatA && repeatB) {
        const T value = f(*a, *b);
        for (int64_t i = 0; i < n; ++i) out[i] = value;
    } else if (repeatA) {
        const T value = *a;
#pragma GCC ivdep
        for (int64_t i = 0; i < n; ++i) out[i] = f(value, b[i]);
    } else if (repeatB) {
        const T value = *b;
#pragma GCC ivdep
        for (int64_t i = 0; i < n; ++i) out[i] = f(a[i], value);
    } else {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; ++i) out[i] = f(a[i], b[i]);
    }
}

// An operand's rows as they stand beside the output's.
template <class T>
GS_INLINE void spread(T* to, const T* from, int64_t step, bool repeat, int64_t rows, int64_t columns) {
    for (int64_t row = 0; row < rows; ++row, from += step, to += columns)
        for (int64_t column = 0; column < columns; ++column) to[column] = from[repeat ? 0 : column];
}

template <class T, class F>
GS_INLINE void eachPairOfRows(T* out, Beside<T> a, Beside<T> b, int64_t rows, int64_t columns, F f) {
    const bool wholeA = a.step == columns && !a.repeat, wholeB = b.step == columns && !b.repeat;
    const bool singleA = a.step == 0 && (a.repeat || columns == 1),
               singleB = b.step == 0 && (b.repeat || columns == 1);
    if ((wholeA || singleA) && (wholeB || singleB)) {  // no rows to tell apart
        eachPair(out, a.at, b.at, !wholeA, !wholeB, rows * columns, f);
        return;
    }
    constexpr int64_t room = 512;
    if (columns > room / 16) {
        for (int64_t row = 0; row < rows; ++row)
            eachPair(out + row * columns, a.at + row * a.step, b.at + row * b.step, a.repeat, b.repeat,
                     columns, f);
        return;
    }
    // Rows too short for registers: several are written out side by side and run as one.
    T left[room], right[room];
    const int64_t many = room / columns;
    for (int64_t row = 0; row < rows; row += many) {
        const int64_t taken = many < rows - row ? many : rows - row;
        if (!wholeA && (a.step > 0 || row == 0))
            spread(left, a.at + row * a.step, a.step, a.repeat, taken, columns);
        if (!wholeB && (b.step > 0 || row == 0))
            spread(right, b.at + row * b.step, b.step, b.repeat, taken, columns);
        eachPair(out + row * columns, wholeA ? a.at + row * columns : left,
                 wholeB ? b.at + row * columns : right, false, false, taken * columns, f);
    }
}

template <class T, class F>
GS_INLINE void binary(const Call<T>& call, int64_t begin, int64_t end, F f) {
    const Matrices m = matricesOf(call.extents, call.inExtents, 2, begin, end);
    for (int64_t i = 0; i < m.count; ++i)
        eachPairOfRows(call.out + begin * call.columns + i * m.rows * m.columns,
                       beside(m, call.in[0], call.inExtents[0], begin + i),
                       beside(m, call.in[1], call.inExtents[1], begin + i), m.rows, m.columns, f);
}

template <class T>
void add(const Call<T>& call, int64_t begin, int64_t end) {
    binary(call, begin, end, [](T x, T y) { return x + y; });
}
template <class T>
void subtract(const Call<T>& call, int64_t begin, int64_t end) {
    binary(call, begin, end, [](T x, T y) { return x - y; });
}
template <class T>
void multiply(const Call<T>& call, int64_t begin, int64_t end) {
    binary(call, begin, end, [](T x, T y) { return x * y; });
}
template <class T>
void divide(const Call<T>& call, int64_t begin, int64_t end) {
    binary(call, begin, end, [](T x, T y) { return x / y; });
}
