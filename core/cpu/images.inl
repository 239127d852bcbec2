// Images moved about [B, H, W, C], without arithmetic but for sums of pixels; part of kernels.inl.

template <class T>
void upsample(const Call<T>& call, int64_t begin, int64_t end) {
    const Extents& from = call.inExtents[0];
    const int64_t C = from.channels, k = call.window, row = from.width * k * C;
    const T* x = call.in[0] + begin * from.positions() * C;
    T* y = call.out + begin * call.columns;
    for (int64_t line = 0; line < (end - begin) * from.height; ++line, y += k * row) {
        for (int64_t column = 0; column < from.width; ++column, x += C)
            for (int64_t v = 0; v < k; ++v) copyRun(y + (column * k + v) * C, x, C);
        for (int64_t u = 1; u < k; ++u) copyRun(y + u * row, y, row);
    }
}

template <class T>
void sumPool(const Call<T>& call, int64_t begin, int64_t end) {
    const Extents& to = call.extents;
    const int64_t C = to.channels, k = call.window, row = to.width * k * C;
    const T* x = call.in[0] + begin * to.positions() * k * k * C;
    T* y = call.out + begin * call.columns;
    for (int64_t line = 0; line < (end - begin) * to.height; ++line, x += k * row)
        for (int64_t column = 0; column < to.width; ++column, y += C) {
            const T* block = x + column * k * C;
            if (k == 2) {
#pragma GCC ivdep
                for (int64_t c = 0; c < C; ++c)
                    y[c] = ((block[c] + block[c + C]) + block[c + row]) + block[c + row + C];
                continue;
            }
            copyRun(y, block, C);
            for (int64_t i = 1; i < k * k; ++i) {
                const T* pixel = block + i / k * row + i % k * C;
#pragma GCC ivdep
                for (int64_t c = 0; c < C; ++c) y[c] += pixel[c];
            }
        }
}

// A pixel of the deep image holds, row by row, the k x k pixels of the wide one.
template <class T>
void depthToSpace(const Call<T>& call, int64_t begin, int64_t end) {
    const Extents& deep = call.inExtents[0];
    const int64_t k = call.window, run = deep.channels / k, row = deep.width * run;
    for (int64_t line = begin * deep.height; line < end * deep.height; ++line)
        for (int64_t u = 0; u < k; ++u)
            for (int64_t column = 0; column < deep.width; ++column)
                copyRun(call.out + (line * k + u) * row + column * run,
                        call.in[0] + (line * deep.width + column) * deep.channels + u * run, run);
}

template <class T>
void spaceToDepth(const Call<T>& call, int64_t begin, int64_t end) {
    const Extents& deep = call.extents;
    const int64_t k = call.window, run = deep.channels / k, row = deep.width * run;
    for (int64_t line = begin * deep.height; line < end * deep.height; ++line)
        for (int64_t u = 0; u < k; ++u)
            for (int64_t column = 0; column < deep.width; ++column)
                copyRun(call.out + (line * deep.width + column) * deep.channels + u * run,
                        call.in[0] + (line * k + u) * row + column * run, run);
}

template <class T>
void padImage(const Call<T>& call, int64_t begin, int64_t end) {
    const Extents &from = call.inExtents[0], &to = call.extents;
    const int64_t p = call.offset, row = to.width * to.channels, inner = from.width * from.channels;
    for (int64_t sample = begin; sample < end; ++sample)
        for (int64_t line = 0; line < to.height; ++line) {
            T* y = call.out + (sample * to.height + line) * row;
            if (line < p || line >= p + from.height) {
                zeroRun(y, row);
                continue;
            }
            zeroRun(y, p * to.channels);
            copyRun(y + p * to.channels, call.in[0] + (sample * from.height + line - p) * inner, inner);
            zeroRun(y + p * to.channels + inner, p * to.channels);
        }
}

template <class T>
void cropImage(const Call<T>& call, int64_t begin, int64_t end) {
    const Extents &from = call.inExtents[0], &to = call.extents;
    const int64_t p = call.offset, row = to.width * to.channels;
    for (int64_t line = begin * to.height; line < end * to.height; ++line) {
        const int64_t source = line / to.height * from.height + p + line % to.height;
        copyRun(call.out + line * row, call.in[0] + (source * from.width + p) * from.channels, row);
    }
}
