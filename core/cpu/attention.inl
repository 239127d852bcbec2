// Attention's products on the tiles of gemm.inl, one head of one sample at a time.

void headScores(const Call<float>& call, int64_t begin, int64_t end) {
    const int64_t D = call.inExtents[0].channels, d = D / call.parts;
    const int64_t T = call.extents.width, S = call.extents.channels;
    Product p{};
    p.stepRow = D;
    p.stepK = 1;
    p.stepB = p.stepOut = S;
    for (int64_t sample = begin; sample < end; ++sample)
        for (int64_t h = 0; h < call.parts; ++h) {
            turn(call.in[1] + sample * S * D + h * d, D, S, d, call.scratch, S);
            float* scores = call.out + (sample * call.parts + h) * T * S;
            p.a = call.in[0] + sample * T * D + h * d;
            p.b = call.scratch;
            p.out = scores;
            wideProduct<false>(p, T, S, d);
            for (int64_t i = 0; i < T * S; ++i) scores[i] = call.a * scores[i];
        }
}

void headMix(const Call<float>& call, int64_t begin, int64_t end) {
    const Extents& P = call.inExtents[0];
    const int64_t D = call.extents.channels, d = D / call.parts, T = P.width, S = P.channels;
    Product p{};
    p.stepRow = S;
    p.stepK = 1;
    p.stepB = p.stepOut = D;
    for (int64_t sample = begin; sample < end; ++sample)
        for (int64_t h = 0; h < call.parts; ++h) {
            p.a = call.in[0] + (sample * call.parts + h) * T * S;
            p.b = call.in[1] + sample * S * D + h * d;
            p.out = call.out + sample * T * D + h * d;
            wideProduct<false>(p, T, d, S);
        }
}

void headMixTransposed(const Call<float>& call, int64_t begin, int64_t end) {
    const Extents& P = call.inExtents[0];
    const int64_t D = call.extents.channels, d = D / call.parts, T = P.width, S = P.channels;
    Product p{};
    p.stepRow = 1;
    p.stepK = S;
    p.stepB = p.stepOut = D;
    for (int64_t sample = begin; sample < end; ++sample)
        for (int64_t h = 0; h < call.parts; ++h) {
            p.a = call.in[0] + (sample * call.parts + h) * T * S;
            p.b = call.in[1] + sample * T * D + h * d;
            p.out = call.out + sample * S * D + h * d;
            wideProduct<true>(p, S, d, T);
        }
}
