// Arithmetic element by element; part of kernels.inl. The output may be the very buffer of an
// operand that has the output's extents, hence ivdep.

template <class T, class F>
GS_INLINE void eachElement(const Call<T>& call, int64_t begin, int64_t end, F f) {
    const int64_t first = begin * call.columns, last = end * call.columns;
    const T* x = call.in[0];
    T* y = call.out;
#pragma GCC ivdep
    for (int64_t i = first; i < last; ++i) y[i] = f(x[i]);
}

template <class T>
void affine(const Call<T>& call, int64_t begin, int64_t end) {
    const T a = call.a, b = call.b;
    eachElement(call, begin, end, [a, b](T x) { return math::fma(a, x, b); });
}
template <class T>
void exponential(const Call<T>& call, int64_t begin, int64_t end) {
    eachElement(call, begin, end, [](T x) { return math::exp(x); });
}
template <class T>
void logarithm(const Call<T>& call, int64_t begin, int64_t end) {
    eachElement(call, begin, end, [](T x) { return math::log(x); });
}
template <class T>
void squareRoot(const Call<T>& call, int64_t begin, int64_t end) {
    eachElement(call, begin, end, [](T x) { return math::sqrt(x); });
}
template <class T>
void square(const Call<T>& call, int64_t begin, int64_t end) {
    eachElement(call, begin, end, [](T x) { return x * x; });
}
template <class T>
void magnitude(const Call<T>& call, int64_t begin, int64_t end) {
    eachElement(call, begin, end, [](T x) { return x < T(0) ? -x : x + T(0); });  // -0 becomes 0
}
template <class T>
void reciprocal(const Call<T>& call, int64_t begin, int64_t end) {
    eachElement(call, begin, end, [](T x) { return T(1) / x; });
}
template <class T>
void hyperbolicTangent(const Call<T>& call, int64_t begin, int64_t end) {
    eachElement(call, begin, end, [](T x) { return math::tanh(x); });
}
template <class T>
void sigmoid(const Call<T>& call, int64_t begin, int64_t end) {
    eachElement(call, begin, end, [](T x) { return math::sigmoid(x); });
}
template <class T>
void softplus(const Call<T>& call, int64_t begin, int64_t end) {
    eachElement(call, begin, end, [](T x) { return math::softplus(x); });
}
template <class T>
void leakyRelu(const Call<T>& call, int64_t begin, int64_t end) {
    const T a = call.a;
    eachElement(call, begin, end, [a](T x) { return x > T(0) ? x : a * x; });
}
template <class T>
void leakyStep(const Call<T>& call, int64_t begin, int64_t end) {
    const T a = call.a;
    eachElement(call, begin, end, [a](T x) { return x > T(0) ? T(1) : a; });
}
template <class T>
void sign(const Call<T>& call, int64_t begin, int64_t end) {
    eachElement(call, begin, end, [](T x) { return x > T(0) ? T(1) : (x < T(0) ? T(-1) : x); });
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
GS_INLINE void binary(const Call<T>& call, int64_t begin, int64_t end, F f) {
    const int64_t columns = call.columns;
    bool whole[2], single[2];
    for (int k = 0; k < 2; ++k) {
        whole[k] = call.inRows[k] == call.rows && call.inColumns[k] == columns;
        single[k] = call.inRows[k] == 1 && call.inColumns[k] == 1;
    }
    const T *a = call.in[0], *b = call.in[1];
    if ((whole[0] || single[0]) && (whole[1] || single[1])) {  // no rows to tell apart
        eachPair(call.out + begin * columns, whole[0] ? a + begin * columns : a,
                 whole[1] ? b + begin * columns : b, !whole[0], !whole[1], (end - begin) * columns, f);
        return;
    }
    const int64_t stepA = call.inRows[0] == 1 ? 0 : call.inColumns[0];
    const int64_t stepB = call.inRows[1] == 1 ? 0 : call.inColumns[1];
    const bool repeatA = call.inColumns[0] == 1 && columns != 1;
    const bool repeatB = call.inColumns[1] == 1 && columns != 1;
    constexpr int64_t room = 512;
    if (columns > room / 16) {
        for (int64_t row = begin; row < end; ++row)
            eachPair(call.out + row * columns, a + row * stepA, b + row * stepB, repeatA, repeatB, columns,
                     f);
        return;
    }
    // Rows too short for registers: several are written out side by side and run as one.
    T left[room], right[room];
    const int64_t many = room / columns;
    for (int64_t row = begin; row < end; row += many) {
        const int64_t rows = many < end - row ? many : end - row;
        if (!whole[0] && (stepA > 0 || row == begin))
            spread(left, a + row * stepA, stepA, repeatA, rows, columns);
        if (!whole[1] && (stepB > 0 || row == begin))
            spread(right, b + row * stepB, stepB, repeatB, rows, columns);
        eachPair(call.out + row * columns, whole[0] ? a + row * columns : left,
                 whole[1] ? b + row * columns : right, false, false, rows * columns, f);
    }
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
