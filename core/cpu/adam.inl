// The optimizer's pass over flat buffers; part of the float builds only.

GS_INLINE uint32_t exponentFull(float x) {  // 1 for NaN and infinity
    return (std::bit_cast<uint32_t>(x) & 0x7f800000u) == 0x7f800000u ? 1u : 0u;
}

// Kingma and Ba 2015 in PyTorch's form: p -= (rate / c1) m / (sqrt(v) / sqrt(c2) + epsilon).
bool adamPass(const UpdateCall& call, int64_t begin, int64_t end) {
    const float beta1 = call.beta1, beta2 = call.beta2, rest1 = 1.0f - beta1, rest2 = 1.0f - beta2;
    const float step = call.rate / call.correction1, scale = math::sqrt(call.correction2);
    const float epsilon = call.epsilon;
    const float* gradient = call.gradient;
    float *parameter = call.parameter, *first = call.first, *second = call.second;
    uint32_t broken = 0;
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) {
        const float g = gradient[i];
        const float m = math::fma(beta1, first[i], rest1 * g);
        const float v = math::fma(beta2, second[i], rest2 * g * g);
        first[i] = m;
        second[i] = v;
        const float p = math::fma(-step, m / (math::sqrt(v) / scale + epsilon), parameter[i]);
        parameter[i] = p;
        broken |=
            exponentFull(g) | exponentFull(p);  // a bias that no gradient depends on shows in itself only
    }
    return broken == 0;
}

bool allFinite(const float* values, int64_t begin, int64_t end) {
    uint32_t broken = 0;
    for (int64_t i = begin; i < end; ++i) broken |= exponentFull(values[i]);
    return broken == 0;
}
