// Matrix products, convolutions and attention in their plainest form, which says what they mean; part of
// kernels.inl. Every output is one chain of fma, starting from 0, over the summed index in the order that
// its loops show: gemm.inl, convolution.inl and attention.inl keep that order for the same bits.

// What computes the products of one number type.
template <class T>
struct Products {
    Kernel<T> matmul, convolution, convolutionTransposed, convolutionWeight, headScores, headMix,
        headMixTransposed;
};

// y += value x, of n numbers.
template <class T>
GS_INLINE void addScaled(T* y, T value, const T* x, int64_t n) {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = math::fma(value, x[i], y[i]);
}

template <class T>
void chainMatmul(const Call<T>& call, int64_t begin, int64_t end) {
    const Extents& a = call.inExtents[0];
    const int64_t C = call.extents.channels, rows = call.columns / C, vectors = a.samples * a.positions();
    const int64_t K = call.transposed ? vectors : a.channels, step = a.channels;
    for (int64_t row = begin * rows; row < end * rows; ++row) {
        T* y = call.out + row * C;
        zeroRun(y, C);
        for (int64_t k = 0; k < K; ++k)
            addScaled(y, call.in[0][call.transposed ? k * step + row : row * step + k], call.in[1] + k * C,
                      C);
    }
}

// ---- convolutions: x [B, H, W, I], w [k, k, I, O], y [B, H', W', O]

template <class T>
void chainConvolution(const Call<T>& call, int64_t begin, int64_t end) {
    const Extents &x = call.inExtents[0], &y = call.extents;
    const int64_t k = call.window, I = x.channels, O = y.channels;
    for (int64_t pixel = begin * y.positions(); pixel < end * y.positions(); ++pixel) {
        T* out = call.out + pixel * O;
        zeroRun(out, O);
        const T* image = call.in[0] + pixel / y.positions() * x.positions() * I;
        const int64_t top = pixel % y.positions() / y.width * call.stride - call.offset;
        const int64_t left = pixel % y.width * call.stride - call.offset;
        for (int64_t u = 0; u < k; ++u)
            for (int64_t v = 0; v < k; ++v) {
                if (top + u < 0 || top + u >= x.height || left + v < 0 || left + v >= x.width) continue;
                const T* from = image + ((top + u) * x.width + left + v) * I;
                const T* w = call.in[1] + (u * k + v) * I * O;
                for (int64_t i = 0; i < I; ++i) addScaled(out, from[i], w + i * O, O);
            }
    }
}

// Pixel (i, j) of x adds to the pixels (s i - p + u, s j - p + v) of y, through tap (u, v).
template <class T>
void chainConvolutionTransposed(const Call<T>& call, int64_t begin, int64_t end) {
    const Extents &x = call.inExtents[0], &y = call.extents;
    const int64_t k = call.window, I = x.channels, O = y.channels;
    for (int64_t pixel = begin * y.positions(); pixel < end * y.positions(); ++pixel) {
        T* out = call.out + pixel * O;
        zeroRun(out, O);
        const T* image = call.in[0] + pixel / y.positions() * x.positions() * I;
        const int64_t bottom = pixel % y.positions() / y.width + call.offset;
        const int64_t right = pixel % y.width + call.offset;
        for (int64_t i = 0; i < x.height; ++i)
            for (int64_t j = 0; j < x.width; ++j) {
                const int64_t u = bottom - call.stride * i, v = right - call.stride * j;
                if (u < 0 || u >= k || v < 0 || v >= k) continue;
                const T* from = image + (i * x.width + j) * I;
                const T* w = call.in[1] + (u * k + v) * I * O;
                for (int64_t c = 0; c < I; ++c) addScaled(out, from[c], w + c * O, O);
            }
    }
}

// x, dy -> dw, summed over the pixels of dy, image after image.
template <class T>
void chainConvolutionWeight(const Call<T>& call, int64_t begin, int64_t end) {
    const Extents &x = call.inExtents[0], &y = call.inExtents[1];
    const int64_t k = call.window, I = x.channels, O = y.channels, perRow = call.columns / O;
    for (int64_t row = begin * perRow; row < end * perRow; ++row) {
        T* dw = call.out + row * O;
        zeroRun(dw, O);
        const int64_t u = row / I / k - call.offset, v = row / I % k - call.offset;
        for (int64_t pixel = 0; pixel < y.samples * y.positions(); ++pixel) {
            const int64_t i = pixel % y.positions() / y.width * call.stride + u;
            const int64_t j = pixel % y.width * call.stride + v;
            if (i < 0 || i >= x.height || j < 0 || j >= x.width) continue;
            const int64_t from = (pixel / y.positions() * x.height + i) * x.width + j;
            addScaled(dw, call.in[0][from * I + row % I], call.in[1] + pixel * O, O);
        }
    }
}

template <class T>
void turnTaps(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t I = call.extents.width, O = call.extents.channels, taps = call.extents.height;
    for (int64_t tap = begin * taps; tap < end * taps; ++tap)
        for (int64_t i = 0; i < I; ++i)
            for (int64_t o = 0; o < O; ++o)
                call.out[(tap * I + i) * O + o] = call.in[0][(tap * O + o) * I + i];
}

// ---- attention: q [B, T, D], k and v [B, S, D], scores and P [B, heads, T, S]; head h has channels
// h d ... (h + 1) d

template <class T>
void chainHeadScores(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t D = call.inExtents[0].channels, d = D / call.parts;
    const int64_t steps = call.extents.width, keys = call.extents.channels;
    for (int64_t sample = begin; sample < end; ++sample)
        for (int64_t h = 0; h < call.parts; ++h)
            for (int64_t t = 0; t < steps; ++t) {
                T* y = call.out + ((sample * call.parts + h) * steps + t) * keys;
                const T* q = call.in[0] + (sample * steps + t) * D + h * d;
                for (int64_t s = 0; s < keys; ++s) {
                    const T* key = call.in[1] + (sample * keys + s) * D + h * d;
                    T total = 0;
                    for (int64_t c = 0; c < d; ++c) total = math::fma(q[c], key[c], total);
                    y[s] = call.a * total;
                }
            }
}

template <class T>
void chainHeadMix(const Call<T>& call, int64_t begin, int64_t end) {
    const Extents& P = call.inExtents[0];
    const int64_t D = call.extents.channels, d = D / call.parts, steps = P.width, keys = P.channels;
    for (int64_t sample = begin; sample < end; ++sample)
        for (int64_t h = 0; h < call.parts; ++h)
            for (int64_t t = 0; t < steps; ++t) {
                T* y = call.out + (sample * steps + t) * D + h * d;
                zeroRun(y, d);
                const T* p = call.in[0] + ((sample * call.parts + h) * steps + t) * keys;
                for (int64_t s = 0; s < keys; ++s)
                    addScaled(y, p[s], call.in[1] + (sample * keys + s) * D + h * d, d);
            }
}

template <class T>
void chainHeadMixTransposed(const Call<T>& call, int64_t begin, int64_t end) {
    const Extents& P = call.inExtents[0];
    const int64_t D = call.extents.channels, d = D / call.parts, steps = P.width, keys = P.channels;
    for (int64_t sample = begin; sample < end; ++sample)
        for (int64_t h = 0; h < call.parts; ++h)
            for (int64_t s = 0; s < keys; ++s) {
                T* y = call.out + (sample * keys + s) * D + h * d;
                zeroRun(y, d);
                const T* p = call.in[0] + (sample * call.parts + h) * steps * keys + s;
                for (int64_t t = 0; t < steps; ++t)
                    addScaled(y, p[t * keys], call.in[1] + (sample * steps + t) * D + h * d, d);
            }
}
