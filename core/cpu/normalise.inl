// Normalisation over channels, or over positions and groups of channels; part of kernels.inl. Moments are a
// mean and the reciprocal of a deviation.

// Channels that are taken at a time where every channel has numbers of its own.
constexpr int64_t channelBlock = 256;

template <class T>
void moments(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t P = call.inExtents[0].positions(), C = call.inExtents[0].channels, parts = call.parts;
    if (parts == 0) {
        for (int64_t line = begin * P; line < end * P; ++line) {
            const T* x = call.in[0] + line * C;
            const T mean = laneSum(x, C) / T(C);
            const T squares = laneSumOf<T>(C, [x, mean](T total, int64_t i) {
                const T d = x[i] - mean;
                return math::fma(d, d, total);
            });
            call.out[2 * line] = mean;
            call.out[2 * line + 1] = T(1) / math::sqrt(squares / T(C) + call.a);
        }
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
            for (int64_t c = 0; c < n; ++c) out[(c0 + c) / group * 2] += total[c];
        }
        for (int64_t part = 0; part < parts; ++part) out[2 * part] /= count;
        for (int64_t c0 = 0; c0 < C; c0 += channelBlock) {
            const int64_t n = C - c0 < channelBlock ? C - c0 : channelBlock;
            for (int64_t c = 0; c < n; ++c) mean[c] = out[(c0 + c) / group * 2];
            addPositions(total, P, n, [x, c0, C, &mean](int64_t p, int64_t c) {
                const T d = x[p * C + c0 + c] - mean[c];
                return d * d;
            });
            for (int64_t c = 0; c < n; ++c) out[(c0 + c) / group * 2 + 1] += total[c];
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
            for (int64_t c = 0; c < n; ++c) {
                const T* own = moments + (c0 + c) / group * 2;
                mean[c] = own[0];
                slope[c] = scaled ? own[1] * scales[c0 + c] : own[1];
                shift[c] = scaled ? shifts[c0 + c] : T(0);
            }
            for (int64_t p = 0; p < P; ++p) {
                const T* from = x + p * C + c0;
                T* to = y + p * C + c0;
                for (int64_t c = 0; c < n; ++c) to[c] = math::fma(from[c] - mean[c], slope[c], shift[c]);
            }
        }
    }
}

// The gradients of one sample; `scales` may be null.
template <class T>
GS_INLINE void lineGradient(const T* moments, const T* scales, const T* dy, const T* x, T* dx, int64_t P,
                            int64_t C) {
    const T share = T(1) / T(C);
    for (int64_t p = 0; p < P; ++p, dy += C, x += C, dx += C) {
        const T mean = moments[2 * p], deviation = moments[2 * p + 1];
        T sum, product;
        if (scales) {
            sum = laneSumOf<T>(C, [=](T total, int64_t c) { return math::fma(dy[c], scales[c], total); });
            product = laneSumOf<T>(
                C, [=](T total, int64_t c) { return math::fma(dy[c] * scales[c], x[c] - mean, total); });
        } else {
            sum = laneSum(dy, C);
            product =
                laneSumOf<T>(C, [=](T total, int64_t c) { return math::fma(dy[c], x[c] - mean, total); });
        }
        // dx = deviation g - (x - mean) falling - level
        const T level = sum * share * deviation,
                falling = product * share * deviation * deviation * deviation;
        for (int64_t c = 0; c < C; ++c) {
            const T g = scales ? dy[c] * scales[c] : dy[c];
            dx[c] = math::fma(deviation, g, -math::fma(x[c] - mean, falling, level));
        }
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
            for (int64_t c = 0; c < n; ++c) mean[c] = moments[(c0 + c) / group * 2];
            addPositions(level, P, n, [=](int64_t p, int64_t c) { return dy[p * C + c0 + c]; });
            addPositions(falling, P, n, [=, &mean](int64_t p, int64_t c) {
                return dy[p * C + c0 + c] * (x[p * C + c0 + c] - mean[c]);
            });
            for (int64_t c = 0; c < n; ++c) {
                const int64_t part = (c0 + c) / group - first;
                const T scale = scales ? scales[c0 + c] : T(1);
                sum[part] = math::fma(level[c], scale, sum[part]);
                product[part] = math::fma(falling[c], scale, product[part]);
            }
        }
        for (int64_t c0 = first * group; c0 < last * group; c0 += channelBlock) {
            const int64_t n = last * group - c0 < channelBlock ? last * group - c0 : channelBlock;
            for (int64_t c = 0; c < n; ++c) {
                const int64_t part = (c0 + c) / group;
                const T deviation = moments[2 * part + 1];
                mean[c] = moments[2 * part];
                slope[c] = scales ? deviation * scales[c0 + c] : deviation;
                level[c] = sum[part - first] * share * deviation;
                falling[c] = product[part - first] * share * deviation * deviation * deviation;
            }
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
        if (parts == 0)
            lineGradient(call.in[2] + sample * P * 2, scales, dy, x, dx, P, C);
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
            for (int64_t c = 0; c < n; ++c) mean[c] = moments[(c0 + c) / group * 2];
            addPositions(out + c0, P, n, [dy, x, c0, C, &mean](int64_t p, int64_t c) {
                const int64_t i = p * C + c0 + c;
                return dy[i] * (x[i] - mean[c]);
            });
            for (int64_t c = 0; c < n; ++c) out[c0 + c] *= moments[(c0 + c) / group * 2 + 1];
        }
    }
}
