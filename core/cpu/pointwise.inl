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

template <class T>
void silu(const Call<T>& call, int64_t begin, int64_t end) {
    eachElement(call, begin, end, [](T x) { return x * math::sigmoid(x); });
}
template <class T>
void siluSlope(const Call<T>& call, int64_t begin, int64_t end) {
    eachElement(call, begin, end, [](T x) {
        const T s = math::sigmoid(x);
        return s * math::fma(x, T(1) - s, T(1));
    });
}
// (1 + tanh(u)) / 2 is the sigmoid of 2 u, for u = sqrt(2 / pi) (x + 0.044715 x^3).
template <class T>
void gelu(const Call<T>& call, int64_t begin, int64_t end) {
    eachElement(call, begin, end, [](T x) {
        const T u = math::fma(x * x, T(0.0713548162726002527), T(1.59576912160573071));
        return x * math::sigmoid(x * u);
    });
}
template <class T>
void geluSlope(const Call<T>& call, int64_t begin, int64_t end) {
    eachElement(call, begin, end, [](T x) {
        const T square = x * x, z = square < T(900) ? square : T(900);  // no infinity times 0
        const T s = math::sigmoid(x * math::fma(z, T(0.0713548162726002527), T(1.59576912160573071)));
        const T slope = math::fma(z, T(0.214064448817800758), T(1.59576912160573071));
        return math::fma(x * s * (T(1) - s), slope, s);
    });
}
template <class T>
GS_INLINE T normalBelow(T x) {  // Phi
    return math::fma(math::erf(x * T(0.707106781186547524)), T(0.5), T(0.5));
}
template <class T>
void erfGelu(const Call<T>& call, int64_t begin, int64_t end) {
    eachElement(call, begin, end, [](T x) { return x * normalBelow(x); });
}
template <class T>
void erfGeluSlope(const Call<T>& call, int64_t begin, int64_t end) {
    eachElement(call, begin, end, [](T x) {
        return math::fma(x * T(0.398942280401432678), math::exp(T(-0.5) * x * x), normalBelow(x));
    });
}
template <class T>
void sine(const Call<T>& call, int64_t begin, int64_t end) {
    eachElement(call, begin, end, [](T x) { return math::sin(x); });
}
template <class T>
void cosine(const Call<T>& call, int64_t begin, int64_t end) {
    eachElement(call, begin, end, [](T x) { return math::cos(x); });
}
template <class T>
void floor(const Call<T>& call, int64_t begin, int64_t end) {
    eachElement(call, begin, end, [](T x) { return math::floor(x); });
}
