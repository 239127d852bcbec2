// Normalisation over channels, or over positions and groups of channels; part of kernels.inl. Moments are a
// mean and the reciprocal of a deviation.

// Channels that are taken at a time where every channel has numbers of its own.
constexpr int64_t channelBlock = 256;

// Runs f(part, from, to) for the channels c0 .. c0 + n that lie in one group, `from` and `to` counted from
// c0.
template <class F>
GS_INLINE void eachPart(int64_t c0, int64_t n, int64_t group, F f) {
    int64_t part = c0 / group, from = 0;
    while (from < n) {
        const int64_t end = (part + 1) * group - c0, to = end < n ? end : n;
        f(part, from, to);
        from = to;
        ++part;
    }
}

// Sums of (x - mean)^2 of lines of n. What lies beyond a line's end counts as its mean.
template <int MANY, class T>
GS_INLINE void centredSquares(T (&squares)[MANY], const T (&mean)[MANY], const T* x, int64_t n) {
    const int64_t whole = n & ~int64_t(15);
    Lanes<T> running[MANY];
#pragma GCC unroll 4
    for (int k = 0; k < MANY; ++k) running[k] = lanesOf(T(0));
    for (int64_t i = 0; i < whole; i += 16)
#pragma GCC unroll 4
        for (int k = 0; k < MANY; ++k) {
            const Lanes<T> d = lanesAt(x + k * n + i) - lanesOf(mean[k]);
            running[k] = running[k] + d * d;
        }
#pragma GCC unroll 4
    for (int k = 0; k < MANY; ++k) {
        if (n > whole) {
            const Lanes<T> d = lanesAt(x + k * n + whole, n - whole, mean[k]) - lanesOf(mean[k]);
            running[k] = running[k] + d * d;
        }
        squares[k] = total(running[k]);
    }
}

template <class T>
void moments(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t P = call.inExtents[0].positions(), C = call.inExtents[0].channels, parts = call.parts;
    if (parts == 0) {
        eachFewLines(
            begin * P, end * P, [&]<int MANY>(int64_t line) __attribute__((always_inline)) {
                const T* x = call.in[0] + line * C;
                T mean[MANY], squares[MANY];
                laneSums<MANY, T>(mean, C, [=](int k, auto at) { return at(x + k * C); });
                for (int k = 0; k < MANY; ++k) mean[k] /= T(C);
                centredSquares<MANY, T>(squares, mean, x, C);
                for (int k = 0; k < MANY; ++k) {
                    call.out[2 * (line + k)] = mean[k];
                    call.out[2 * (line + k) + 1] = T(1) / math::sqrt(squares[k] / T(C) + call.a);
                }
            });
        return;
    }
    const int64_t group = C / parts;
    const T count = T(P * group);
    T total[channelBlock], mean[channelBlock];
    for (int64_t sample = begin; sample < end; ++sample) {
        const T* x = call.in[0] + sample * P * C;
        T* out = call.out + sample * parts * 2;
        zeroRun(out, 2 * parts);
        for (int64_t c0 = 0; c0 < C; c0 += channelBlock) {
            const int64_t n = C - c0 < channelBlock ? C - c0 : channelBlock;
            addPositions(total, P, n, [x, c0, C](int64_t p, int64_t c) { return x[p * C + c0 + c]; });
            eachPart(c0, n, group, [&](int64_t part, int64_t from, int64_t to) {
                for (int64_t c = from; c < to; ++c) out[2 * part] += total[c];
            });
        }
        for (int64_t part = 0; part < parts; ++part) out[2 * part] /= count;
        for (int64_t c0 = 0; c0 < C; c0 += channelBlock) {
            const int64_t n = C - c0 < channelBlock ? C - c0 : channelBlock;
            eachPart(c0, n, group, [&](int64_t part, int64_t from, int64_t to) {
                for (int64_t c = from; c < to; ++c) mean[c] = out[2 * part];
            });
            addPositions(total, P, n, [x, c0, C, &mean](int64_t p, int64_t c) {
                const T d = x[p * C + c0 + c] - mean[c];
                return d * d;
            });
            eachPart(c0, n, group, [&](int64_t part, int64_t from, int64_t to) {
                for (int64_t c = from; c < to; ++c) out[2 * part + 1] += total[c];
            });
        }
        for (int64_t part = 0; part < parts; ++part)
            out[2 * part + 1] = T(1) / math::sqrt(out[2 * part + 1] / count + call.a);
    }
}

// Operand k's numbers for the channels of a sample: one row for all samples or one for each.
template <class T>
GS_INLINE const T* perChannel(const Call<T>& call, int k, int64_t sample) {
    const Extents& e = call.inExtents[k];
    return call.in[k] + (e.samples == 1 ? 0 : sample * e.channels);
}

template <class T>
void normalise(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t P = call.extents.positions(), C = call.extents.channels, parts = call.parts;
    const bool scaled = call.inputs > 2;
    T mean[channelBlock], slope[channelBlock], shift[channelBlock];
    for (int64_t sample = begin; sample < end; ++sample) {
        const T* x = call.in[0] + sample * P * C;
        T* y = call.out + sample * P * C;
        const T* scales = scaled ? perChannel(call, 2, sample) : nullptr;
        const T* shifts = scaled ? perChannel(call, 3, sample) : nullptr;
        if (parts == 0) {
            const T* moments = call.in[1] + sample * P * 2;
            for (int64_t p = 0; p < P; ++p, x += C, y += C) {
                const T centre = moments[2 * p], deviation = moments[2 * p + 1];
                if (scaled) {
                    for (int64_t c = 0; c < C; ++c)
                        y[c] = math::fma((x[c] - centre) * deviation, scales[c], shifts[c]);
                } else {
                    for (int64_t c = 0; c < C; ++c) y[c] = (x[c] - centre) * deviation;
                }
            }
            continue;
        }
        const int64_t group = C / parts;
        const T* moments = call.in[1] + sample * parts * 2;
        for (int64_t c0 = 0; c0 < C; c0 += channelBlock) {
            const int64_t n = C - c0 < channelBlock ? C - c0 : channelBlock;
            eachPart(c0, n, group, [&](int64_t part, int64_t from, int64_t to) {
                const T centre = moments[2 * part], deviation = moments[2 * part + 1];
                for (int64_t c = from; c < to; ++c) {
                    mean[c] = centre;
                    slope[c] = scaled ? deviation * scales[c0 + c] : deviation;
                    shift[c] = scaled ? shifts[c0 + c] : T(0);
                }
            });
            for (int64_t p = 0; p < P; ++p) {
                const T* from = x + p * C + c0;
                T* to = y + p * C + c0;
                for (int64_t c = 0; c < n; ++c) to[c] = math::fma(from[c] - mean[c], slope[c], shift[c]);
            }
        }
    }
}

// The gradients of lines side by side; `scales`, if any, are those of all of them.
template <int MANY, bool SCALED, class T>
GS_INLINE void lineGradient(const T* moments, const T* scales, const T* dy, const T* x, T* dx, int64_t C) {
    T sum[MANY], product[MANY];
    laneSums<MANY, T>(sum, C, [=](int k, auto at) {
        if constexpr (SCALED)
            return at(dy + k * C) * at(scales);
        else
            return at(dy + k * C);
    });
    laneSums<MANY, T>(product, C, [=](int k, auto at) {
        const Lanes<T> d = at(x + k * C) - lanesOf(moments[2 * k]);
        if constexpr (SCALED)
            return at(dy + k * C) * at(scales) * d;
        else
            return at(dy + k * C) * d;
    });
    const T share = T(1) / T(C);
    for (int k = 0; k < MANY; ++k, dy += C, x += C, dx += C, moments += 2) {
        // dx = deviation g - (x - mean) falling - level
        const T mean = moments[0], deviation = moments[1];
        const T level = sum[k] * share * deviation,
                falling = product[k] * share * deviation * deviation * deviation;
#pragma GCC ivdep
        for (int64_t c = 0; c < C; ++c) {
            const T g = SCALED ? dy[c] * scales[c] : dy[c];
            dx[c] = math::fma(deviation, g, -math::fma(x[c] - mean, falling, level));
        }
    }
}

// level[c] = the sum over positions of dy, falling[c] = that of dy (x - mean[c]).
template <class T>
GS_INLINE void addBoth(T* level, T* falling, const T* mean, const T* dy, const T* x, int64_t positions,
                       int64_t channels, int64_t step) {
    zeroRun(level, channels);
    zeroRun(falling, channels);
    int64_t p = 0;
    for (; p + 4 <= positions; p += 4, dy += 4 * step, x += 4 * step)
#pragma GCC ivdep
        for (int64_t c = 0; c < channels; ++c) {
            const T d0 = dy[c], d1 = dy[c + step], d2 = dy[c + 2 * step], d3 = dy[c + 3 * step], m = mean[c];
            level[c] += (d0 + d1) + (d2 + d3);
            falling[c] += math::fma(d0, x[c] - m, d1 * (x[c + step] - m)) +
                          math::fma(d2, x[c + 2 * step] - m, d3 * (x[c + 3 * step] - m));
        }
    for (; p < positions; ++p, dy += step, x += step)
#pragma GCC ivdep
        for (int64_t c = 0; c < channels; ++c) {
            level[c] += dy[c];
            falling[c] = math::fma(dy[c], x[c] - mean[c], falling[c]);
        }
}

template <class T>
GS_INLINE void groupGradient(const T* moments, const T* scales, const T* dy, const T* x, T* dx, int64_t P,
                             int64_t C, int64_t parts) {
    const int64_t group = C / parts, together = group < channelBlock ? channelBlock / group : 1;
    const T share = T(1) / T(P * group);
    T mean[channelBlock], slope[channelBlock], falling[channelBlock], level[channelBlock];
    T sum[channelBlock], product[channelBlock];  // by group
    for (int64_t first = 0; first < parts; first += together) {
        const int64_t last = first + together < parts ? first + together : parts;
        zeroRun(sum, last - first);
        zeroRun(product, last - first);
        for (int64_t c0 = first * group; c0 < last * group; c0 += channelBlock) {
            const int64_t n = last * group - c0 < channelBlock ? last * group - c0 : channelBlock;
            eachPart(c0, n, group, [&](int64_t part, int64_t from, int64_t to) {
                for (int64_t c = from; c < to; ++c) mean[c] = moments[2 * part];
            });
            addBoth(level, falling, mean, dy + c0, x + c0, P, n, C);
            eachPart(c0, n, group, [&](int64_t part, int64_t from, int64_t to) {
                for (int64_t c = from; c < to; ++c) {
                    const T scale = scales ? scales[c0 + c] : T(1);
                    sum[part - first] = math::fma(level[c], scale, sum[part - first]);
                    product[part - first] = math::fma(falling[c], scale, product[part - first]);
                }
            });
        }
        for (int64_t c0 = first * group; c0 < last * group; c0 += channelBlock) {
            const int64_t n = last * group - c0 < channelBlock ? last * group - c0 : channelBlock;
            eachPart(c0, n, group, [&](int64_t part, int64_t from, int64_t to) {
                const T centre = moments[2 * part], deviation = moments[2 * part + 1];
                const T offset = sum[part - first] * share * deviation;
                const T fall = product[part - first] * share * deviation * deviation * deviation;
                for (int64_t c = from; c < to; ++c) {
                    mean[c] = centre;
                    slope[c] = scales ? deviation * scales[c0 + c] : deviation;
                    level[c] = offset;
                    falling[c] = fall;
                }
            });
            for (int64_t p = 0; p < P; ++p) {
                const int64_t at = p * C + c0;
                for (int64_t c = 0; c < n; ++c)
                    dx[at + c] = math::fma(slope[c], dy[at + c],
                                           -math::fma(x[at + c] - mean[c], falling[c], level[c]));
            }
        }
    }
}

// With g = dy scale, z the normalised x and means taken over what the moments were taken over:
// dx = (g - mean(g) - z mean(g z)) / deviation.
template <class T>
void normaliseGradient(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t P = call.extents.positions(), C = call.extents.channels, parts = call.parts;
    for (int64_t sample = begin; sample < end; ++sample) {
        const T *dy = call.in[0] + sample * P * C, *x = call.in[1] + sample * P * C;
        T* dx = call.out + sample * P * C;
        const T* scales = call.inputs > 3 ? perChannel(call, 3, sample) : nullptr;
        const T* moments = call.in[2] + sample * P * 2;
        if (parts == 0)
            eachFewLines(
                0, P, [&]<int MANY>(int64_t p) __attribute__((always_inline)) {
                    if (scales)
                        lineGradient<MANY, true>(moments + 2 * p, scales, dy + p * C, x + p * C, dx + p * C,
                                                 C);
                    else
                        lineGradient<MANY, false>(moments + 2 * p, scales, dy + p * C, x + p * C, dx + p * C,
                                                  C);
                });
        else
            groupGradient(call.in[2] + sample * parts * 2, scales, dy, x, dx, P, C, parts);
    }
}

// The gradient of a scale: the sum over positions of dy times the normalised x.
template <class T>
void normaliseScaleGradient(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t P = call.inExtents[0].positions(), C = call.extents.channels, parts = call.parts;
    for (int64_t sample = begin; sample < end; ++sample) {
        const T *dy = call.in[0] + sample * P * C, *x = call.in[1] + sample * P * C;
        T* out = call.out + sample * C;
        if (parts == 0) {
            const T* moments = call.in[2] + sample * P * 2;
            addPositions(out, P, C, [dy, x, moments, C](int64_t p, int64_t c) {
                return dy[p * C + c] * ((x[p * C + c] - moments[2 * p]) * moments[2 * p + 1]);
            });
            continue;
        }
        const int64_t group = C / parts;
        const T* moments = call.in[2] + sample * parts * 2;
        T mean[channelBlock];
        for (int64_t c0 = 0; c0 < C; c0 += channelBlock) {
            const int64_t n = C - c0 < channelBlock ? C - c0 : channelBlock;
            eachPart(c0, n, group, [&](int64_t part, int64_t from, int64_t to) {
                for (int64_t c = from; c < to; ++c) mean[c] = moments[2 * part];
            });
            addPositions(out + c0, P, n, [dy, x, c0, C, &mean](int64_t p, int64_t c) {
                const int64_t i = p * C + c0 + c;
                return dy[i] * (x[i] - mean[c]);
            });
            eachPart(c0, n, group, [&](int64_t part, int64_t from, int64_t to) {
                for (int64_t c = from; c < to; ++c) out[c0 + c] *= moments[2 * part + 1];
            });
        }
    }
}
