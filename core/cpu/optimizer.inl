// The optimizers' pass over flat buffers; part of the float builds only.

GS_INLINE uint32_t exponentFull(float x) {  // 1 for NaN and infinity
    return (std::bit_cast<uint32_t>(x) & 0x7f800000u) == 0x7f800000u ? 1u : 0u;
}

// One pass: gradient, moments, parameter and its running average are each read and written once.
template <Optimizer KIND, bool AVERAGED>
bool updatePass(const UpdateCall& call, int64_t begin, int64_t end) {
    const float beta1 = call.beta1, beta2 = call.beta2, rest1 = 1.0f - beta1, rest2 = 1.0f - beta2;
    const float step = KIND == Optimizer::adam ? call.rate / call.correction1 : call.rate;
    const float deviation = math::sqrt(call.correction2), epsilon = call.epsilon, scale = call.scale;
    const float shrink = 1.0f - call.rate * call.decay, keep = call.keep;
    const float* gradient = call.gradient;
    float *parameter = call.parameter, *first = call.first, *second = call.second, *average = call.average;
    uint32_t broken = 0;
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) {
        const float g = scale * gradient[i];
        float p = parameter[i];
        if constexpr (KIND == Optimizer::adam) {
            const float m = math::fma(beta1, first[i], rest1 * g);
            const float v = math::fma(beta2, second[i], rest2 * g * g);
            first[i] = m;
            second[i] = v;
            p = math::fma(-step, m / (math::sqrt(v) / deviation + epsilon), shrink * p);
        } else if constexpr (KIND == Optimizer::rmsProp) {
            const float v = math::fma(beta2, second[i], rest2 * g * g);
            second[i] = v;
            p = math::fma(-step, g / (math::sqrt(v) + epsilon), shrink * p);
        } else {
            const float m = math::fma(beta1, first[i], g);
            first[i] = m;
            p = math::fma(-step, m, shrink * p);
        }
        parameter[i] = p;
        if constexpr (AVERAGED) average[i] = math::fma(keep, average[i] - p, p);
        // A bias that no gradient depends on shows in itself only.
        broken |= exponentFull(g) | exponentFull(p);
    }
    return broken == 0;
}

template <Optimizer KIND>
bool updatePass(const UpdateCall& call, int64_t begin, int64_t end) {
    return call.average ? updatePass<KIND, true>(call, begin, end)
                        : updatePass<KIND, false>(call, begin, end);
}

bool anyUpdate(const UpdateCall& call, int64_t begin, int64_t end) {
    switch (call.optimizer) {
        case Optimizer::adam:
            return updatePass<Optimizer::adam>(call, begin, end);
        case Optimizer::rmsProp:
            return updatePass<Optimizer::rmsProp>(call, begin, end);
        case Optimizer::sgd:
            return updatePass<Optimizer::sgd>(call, begin, end);
    }
    return false;
}

bool allFinite(const float* values, int64_t begin, int64_t end) {
    uint32_t broken = 0;
    for (int64_t i = begin; i < end; ++i) broken |= exponentFull(values[i]);
    return broken == 0;
}
