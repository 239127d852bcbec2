// Transposition in registers.

// to[c][r] = from[r][c].
GS_INLINE void turn(const float* from, int64_t stepFrom, int64_t rows, int64_t columns, float* to,
                    int64_t stepTo) {
    constexpr int64_t block = Simd::width;
    const int64_t wholeRows = rows / block * block, wholeColumns = columns / block * block;
    for (int64_t c = 0; c < wholeColumns; c += block)
        for (int64_t r = 0; r < wholeRows; r += block)
            Simd::transpose(from + r * stepFrom + c, stepFrom, to + c * stepTo + r, stepTo);
    for (int64_t c = 0; c < wholeColumns; ++c)
        for (int64_t r = wholeRows; r < rows; ++r) to[c * stepTo + r] = from[r * stepFrom + c];
    for (int64_t c = wholeColumns; c < columns; ++c)
        for (int64_t r = 0; r < rows; ++r) to[c * stepTo + r] = from[r * stepFrom + c];
}

void turned(const Call<float>& call, int64_t begin, int64_t end) {
    turn(call.in[0] + begin, call.inColumns[0], call.columns, end - begin, call.out + begin * call.columns,
         call.columns);
}
