// Sixteen numbers side by side, in as many registers as they need; part of kernels.inl. What is added up lane
// by lane and then in a fixed tree has the same bits whatever the width of the registers.

#if defined(__AVX512F__)
constexpr int64_t registerBytes = 64;
#elif defined(__AVX__)
constexpr int64_t registerBytes = 32;
#else
constexpr int64_t registerBytes = 16;
#endif

template <class T>
struct Lanes {
    static constexpr int64_t width = registerBytes / int64_t(sizeof(T)), count = 16 / width;
    typedef T Register __attribute__((vector_size(registerBytes)));
    Register part[count];
};

template <class T, class F>
GS_INLINE Lanes<T> eachLane(F f) {  // f: the number of a register -> the register
    Lanes<T> out;
#pragma GCC unroll 8
    for (int64_t i = 0; i < Lanes<T>::count; ++i) out.part[i] = f(i);
    return out;
}
template <class T>
GS_INLINE Lanes<T> operator+(const Lanes<T>& a, const Lanes<T>& b) {
    return eachLane<T>([&](int64_t i) { return a.part[i] + b.part[i]; });
}
template <class T>
GS_INLINE Lanes<T> operator-(const Lanes<T>& a, const Lanes<T>& b) {
    return eachLane<T>([&](int64_t i) { return a.part[i] - b.part[i]; });
}
template <class T>
GS_INLINE Lanes<T> operator*(const Lanes<T>& a, const Lanes<T>& b) {
    return eachLane<T>([&](int64_t i) { return a.part[i] * b.part[i]; });
}
template <class T>
GS_INLINE Lanes<T> larger(const Lanes<T>& a, const Lanes<T>& b) {
    return eachLane<T>([&](int64_t i) { return b.part[i] > a.part[i] ? b.part[i] : a.part[i]; });
}
template <class T>
GS_INLINE Lanes<T> lanesOf(T value) {
    return eachLane<T>([value](int64_t) { return typename Lanes<T>::Register{} + value; });
}
template <class T>
GS_INLINE Lanes<T> lanesAt(const T* x) {
    return eachLane<T>([x](int64_t i) {
        typename Lanes<T>::Register part;
        __builtin_memcpy(&part, x + i * Lanes<T>::width, registerBytes);
        return part;
    });
}
template <class T>
GS_INLINE void store(T* x, const Lanes<T>& lanes) {
#pragma GCC unroll 8
    for (int64_t i = 0; i < Lanes<T>::count; ++i)
        __builtin_memcpy(x + i * Lanes<T>::width, &lanes.part[i], registerBytes);
}

// The first n < 16 only: the others read as `rest`, and are not written.
template <class T>
GS_INLINE Lanes<T> lanesAt(const T* x, int64_t n, T rest) {
    T all[16];
    for (int64_t i = 0; i < 16; ++i) all[i] = i < n ? x[i] : rest;
    return lanesAt(all);
}
template <class T>
GS_INLINE void store(T* x, int64_t n, const Lanes<T>& lanes) {
    T all[16];
    store(all, lanes);
    for (int64_t i = 0; i < n; ++i) x[i] = all[i];
}
#if defined(__AVX512F__)
GS_INLINE Lanes<float> lanesAt(const float* x, int64_t n, float rest) {
    return {{_mm512_mask_loadu_ps(_mm512_set1_ps(rest), __mmask16((1u << n) - 1u), x)}};
}
GS_INLINE void store(float* x, int64_t n, const Lanes<float>& lanes) {
    _mm512_mask_storeu_ps(x, __mmask16((1u << n) - 1u), lanes.part[0]);
}
#endif

// One number from sixteen: halves against halves.
template <class T, class F>
GS_INLINE T fold(const Lanes<T>& lanes, F f) {
    T all[16];
    store(all, lanes);
    for (int64_t width = 8; width > 0; width /= 2)
        for (int64_t i = 0; i < width; ++i) all[i] = f(all[i], all[i + width]);
    return all[0];
}
template <class T>
GS_INLINE T total(const Lanes<T>& lanes) {
    return fold(lanes, [](T a, T b) { return a + b; });
}
template <class T>
GS_INLINE T largest(const Lanes<T>& lanes) {
    return fold(lanes, [](T a, T b) { return b > a ? b : a; });
}
#if defined(__AVX512F__)
GS_INLINE __m256 upperHalf(__m512 x) {
    return _mm512_extractf32x8_ps(x, 1);
}
GS_INLINE float total(const Lanes<float>& lanes) {
    const __m512 x = lanes.part[0];
    const __m256 y = _mm512_castps512_ps256(x) + upperHalf(x);
    const __m128 z = _mm256_castps256_ps128(y) + _mm256_extractf128_ps(y, 1);
    const __m128 w = z + _mm_movehl_ps(z, z);
    return w[0] + w[1];
}
GS_INLINE float largest(const Lanes<float>& lanes) {
    const __m512 x = lanes.part[0];
    const __m256 y = _mm256_max_ps(_mm512_castps512_ps256(x), upperHalf(x));
    const __m128 z = _mm_max_ps(_mm256_castps256_ps128(y), _mm256_extractf128_ps(y, 1));
    const __m128 w = _mm_max_ps(z, _mm_movehl_ps(z, z));
    return w[0] > w[1] ? w[0] : w[1];
}
#endif

// For each of MANY lines side by side the sum of f(line, at) over its n elements: at(x) gives those of x that
// are due.
template <int MANY, class T, class F>
GS_INLINE void laneSums(T (&sums)[MANY], int64_t n, F f) {
    const int64_t whole = n & ~int64_t(15);
    Lanes<T> running[MANY];
#pragma GCC unroll 4
    for (int k = 0; k < MANY; ++k) running[k] = lanesOf(T(0));
    for (int64_t i = 0; i < whole; i += 16)
#pragma GCC unroll 4
        for (int k = 0; k < MANY; ++k)
            running[k] = running[k] + f(k, [i](const T* x) { return lanesAt(x + i); });
    if (n > whole) {
#pragma GCC unroll 4
        for (int k = 0; k < MANY; ++k)
            running[k] =
                running[k] + f(k, [whole, n](const T* x) { return lanesAt(x + whole, n - whole, T(0)); });
    }
#pragma GCC unroll 4
    for (int k = 0; k < MANY; ++k) sums[k] = total(running[k]);
}

template <class T>
GS_INLINE T laneSum(const T* x, int64_t n) {
    T sum[1];
    laneSums<1, T>(sum, n, [x](int, auto at) { return at(x); });
    return sum[0];
}

// Lines four at a time, so that one does not wait for the sums of another, then one by one.
template <class F>
GS_INLINE void eachFewLines(int64_t line, int64_t end, F f) {
    for (; line + 4 <= end; line += 4) f.template operator()<4>(line);
    for (; line < end; ++line) f.template operator()<1>(line);
}
