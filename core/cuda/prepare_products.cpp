// Products, convolutions and attention as tiles.
#include <algorithm>
#include <cmath>

#include "core/cuda/lowering.h"

namespace core::cuda {
namespace {

bool aligned(const void* p) {
    return (reinterpret_cast<uintptr_t>(p) & 15) == 0;
}

Sizes sizesOf(const Shape& shape) {
    const Extents e = shape.extents();
    return {int32_t(e.samples), int32_t(e.height), int32_t(e.width), int32_t(e.channels)};
}

}  // namespace

void Lowering::chooseTile(Product& p) {
    static constexpr int heights[] = {32, 128, 64, 128, 128, 64}, widths[] = {32, 32, 64, 128, 64, 64};
    const auto blocks = [&](int tile) {
        return int64_t((p.m + heights[tile] - 1) / heights[tile]) *
               ((p.n + widths[tile] - 1) / widths[tile]) * p.batches;
    };
    // Large tiles read less; but the card's 132 processors want work.
    constexpr int64_t processors = 132;
    const int64_t tilesK = std::max<int64_t>(1, (p.k + 31) / 32);
    const auto fills = [&](int tile, int64_t splits) { return blocks(tile) * splits >= processors * 2 / 3; };
    // Over short sums several small blocks on one processor hide each other's waiting.
    const bool large = p.n > 64 && p.m > 64 && tilesK > 8;
    const int largest = p.n <= 32 ? (p.m > 64 ? 1 : 0) : large ? 3 : p.m > 32 ? 2 : 0;
    const auto smaller = [](int tile) { return tile == 3 ? 2 : 0; };
    p.tile = largest;
    while (p.tile > 0 && !fills(p.tile, 1)) p.tile = smaller(p.tile);
    if (p.tile == 2 && !p.exact && p.m >= 128 && p.n % 64 == 0 && blocks(4) >= processors) p.tile = 4;
    if (p.tile == 2 && !p.exact && tilesK <= 2) p.tile = 5;
    const bool divisible = !p.exact && p.batches == 1 && tilesK >= 8;
    const bool fitsLargest = blocks(3) * heights[3] * widths[3] * 3 <= int64_t(p.m) * p.n * 4;
    if (divisible && (!fills(p.tile, 1) || (tilesK >= 32 && p.tile < largest))) {
        // A long sum over few tiles is shared between blocks.
        const int64_t most = std::max<int64_t>(1, tilesK / (tilesK <= 32 ? 2 : 6));
        p.tile = largest == 3 && !fitsLargest ? 2 : largest;
        while (p.tile > 0 && !fills(p.tile, most)) p.tile = smaller(p.tile);
        const int64_t share = p.tile == 3 ? processors : 2 * processors;
        const int64_t wanted = (share + blocks(p.tile) - 1) / blocks(p.tile);
        const int64_t limit = p.m * p.n <= 4096 ? 256 : 64;
        p.splits = int32_t(std::clamp<int64_t>(wanted, 1, std::min<int64_t>(most, limit)));
    }
    if (p.splits > 1) {
        p.partial = workspace(int64_t(p.splits) * (int64_t(p.m) * p.n + p.n + p.m));
    }
}

// Many rows: a block keeps some as a whole, if that makes blocks enough.
void Lowering::chooseLines(Product& p, const Pass& pass) {
    const bool fits = !p.exact && p.left == Product::rows && p.batches == 1 && p.wideA && p.wideB &&
                      pass.wide && p.k % 32 == 0 && p.k <= Product::longestLine && p.n % 16 == 0 && p.n >= 96;
    if (!fits || !m_card->table().chains(m_card->device())) return;
    constexpr int64_t processors = 132;
    const int warps = p.n % 192 == 0 && p.n % 128 != 0 ? 12 : 8;
    const int64_t across = (p.n + 16 * warps - 1) / (16 * warps);
    const auto blocks = [&](int64_t rows) { return (p.m + 16 * rows - 1) / (16 * rows) * across; };
    if (blocks(1) < processors * 3 / 4) return;
    // Where every block would read much of the right operand, tiles read less.
    const int rows = blocks(2) >= processors * 9 / 10 ? 2 : 1;
    if (p.n >= 512 || (rows == 1 && p.k > 256)) return;
    p.lineWarps = warps;
    p.lineRows = rows;
    p.splits = 1;
}

// Convolutions by every pixel: a block keeps what its windows see, if that makes blocks enough.
void Lowering::chooseWindows(Product& p) {
    const bool fits = !p.exact && p.left == Product::patches && p.stride == 1 && p.window >= 2 &&
                      p.padding >= 0 && p.wideA && p.channels % 32 == 0;
    if (!fits || !m_card->table().chains(m_card->device())) return;
    struct Choice {
        int tile, height, width;
    };
    static constexpr Choice choices[] = {{4, 128, 64}, {1, 128, 32}, {2, 64, 64}, {6, 64, 32}, {0, 32, 32}};
    constexpr int64_t processors = 132;
    const int64_t planeX = p.width + 2 * p.padding, plane = (p.height + 2 * p.padding) * planeX;
    const int64_t perSample = int64_t(p.outHeight) * p.outWidth;
    const auto corner = [&](int64_t m) {
        const int64_t inside = m % perSample;
        return m / perSample * plane + inside / p.outWidth * planeX + inside % p.outWidth;
    };
    for (const Choice& c : choices) {
        if (c.width > 32 && p.n <= 32) continue;
        const int64_t down = (p.m + c.height - 1) / c.height, across = (p.n + c.width - 1) / c.width;
        if (c.tile == 1 && p.n > 32) continue;
        if (down * across < processors * (c.tile == 0 ? 1 : 9) / (c.tile == 0 ? 2 : 10)) continue;
        // Long sums for few pixels are better split between blocks.
        if (p.k > 640 && (c.tile == 0 || p.m < 2048)) return;
        int64_t pixels = 0;
        for (int64_t m = 0; m < p.m; m += c.height)
            pixels = std::max(pixels, corner(std::min<int64_t>(m + c.height, p.m) - 1) - corner(m));
        pixels += (p.window - 1) * (planeX + 1) + 1;
        const int64_t patches = (p.channels > 32 ? 2 : 1) * pixels * 36;
        const int64_t right = int64_t(4) * 32 * (c.width + 8);
        const int64_t floats =
            std::max<int64_t>(patches + right, c.height * (c.width + 4)) + pixels + c.height;
        if (floats * 4 > Product::mostWindow) continue;
        p.patch = int32_t(pixels);
        p.tile = c.tile;
        return;
    }
}

// The gradient of the weights of a convolution by 3 x 3 pixels.
void Lowering::chooseTaps(Product& p) {
    const int64_t planeX = p.width + 2 * p.padding, plane = (p.height + 2 * p.padding) * planeX;
    const bool fits = !p.exact && p.left == Product::patchesTurned && p.window == 3 && p.stride == 1 &&
                      p.wideA && p.channels % 32 == 0 && !p.rowSums &&
                      (2 * planeX + 33) / 32 + Product::tapStages <= Product::tapRing / 32;
    if (!fits || !m_card->table().chains(m_card->device())) return;
    constexpr int64_t processors = 132;
    const int64_t blocks = p.channels / 32 * (p.n > 32 ? (p.n + 63) / 64 : 1);
    const int64_t steps = (p.k / (int64_t(p.outHeight) * p.outWidth) * plane + 31) / 32;
    if (steps < 400) return;  // tiles make fewer sums of what is small
    // A step takes half a microsecond, the sums of a split 8 bytes each at 3 TB/s.
    const double best = std::sqrt(double(steps) * 0.5e-6 / (double(p.m) * p.n * 8 / 3e12));
    const int64_t most = (p.n > 32 ? 1 : 2) * processors;  // that run at once
    const int64_t splits = std::min((most + blocks - 1) / blocks, std::max<int64_t>(2, int64_t(best)));
    p.byTaps = true;
    p.splits = int32_t(splits);
    p.byPixels = divisorOf(plane);
    p.byWidth = divisorOf(planeX);
    p.partial = workspace(splits * (int64_t(p.m) * p.n + p.n + p.m));
}

void Lowering::prepareProduct(const Cluster& c, Prepared& prepared) {
    const Node& n = g.nodes[size_t(c.anchor)];
    Product& p = prepared.launch.product;
    p.exact = m_options.exact;
    const bool turned = m_builder->turned(c.anchor);
    const NodeId left = n.inputs[turned ? 1 : 0], right = n.inputs[turned ? 0 : 1];
    const View a = m_builder->view(left), b = m_builder->view(right);
    p.a = at(a);
    p.b = at(b);
    const Shape &x = g.nodes[size_t(left)].shape, &y = g.nodes[size_t(right)].shape;
    p.lda = int32_t(a.step ? a.step : x.channels());
    p.ldb = int32_t(b.step ? b.step : y.channels());
    p.lde = n.shape.channels();
    if (n.op == Op::matmul) {
        p.n = y.channels();
        p.lde = p.n;
        if (b.turned) p.n = n.shape.channels(), p.lde = p.n;
        if (n.transposed) {
            p.left = Product::columns;
            p.m = x.channels();
            p.k = int32_t(x.size() / x.channels());
        } else {
            p.m = int32_t(x.size() / x.channels());
            p.k = x.channels();
            p.rightTurned = b.turned;
            if (b.turned) p.ldb = p.k;
        }
        p.channels = p.k;
    } else if (n.op == Op::headScores || n.op == Op::headMix || n.op == Op::headMixTransposed) {
        prepareHeads(n, p);
    } else {
        p.rightTurned = b.turned;
        prepareConvolution(n, p);
    }
    p.byChannels = divisorOf(p.channels);
    p.byPixels = divisorOf(int64_t(p.outHeight) * p.outWidth);
    p.byWidth = divisorOf(p.outWidth);
    const bool gathers = p.left == Product::patches || p.left == Product::scattered;
    const bool stepsA = (p.aOuter | p.aInner) % 4 == 0, stepsB = (p.bOuter | p.bInner) % 4 == 0;
    const int64_t runA = gathers || p.left == Product::patchesTurned ? p.channels
                         : p.left == Product::columns                ? (p.lda | p.m)
                                                                     : (p.lda | p.k);
    p.wideA = aligned(p.a) && stepsA && runA % 4 == 0;
    p.wideB = aligned(p.b) && stepsB && p.ldb % 4 == 0 && (p.rightTurned ? p.channels : p.n) % 4 == 0;
    if (p.n % 4 || p.lde % 4 || p.eInner % 4 || p.eOuter % 4) prepared.launch.pass.wide = false;
    if (c.columnSums >= 0) {
        (turned ? p.rowSums : p.columnSums) = address(c.columnSums);
        writes(prepared, address(c.columnSums), turned ? p.m : p.n);
    }
    if (!p.exact && prepared.program >= 0) {
        Program& program = m_programs[size_t(prepared.program)];
        Instruction& in = program.code[0];
        if (Op(in.op) == Op::affine && in.b == 0 && in.first == Instruction::last) {  // first of all a scale
            p.scale *= in.a;
            in.op = uint8_t(Op::reshape);
            if (program.count == 1 && program.outputs[in.store].step == 0)
                prepared.launch.pass.direct = program.outputs[in.store].data;
        }
        p.straight = straightened(program);
    }
    chooseWindows(p);
    chooseTaps(p);
    if (p.patch == 0 && !p.byTaps) chooseTile(p);
    chooseLines(p, prepared.launch.pass);
    const bool heads = n.op == Op::headScores || n.op == Op::headMix || n.op == Op::headMixTransposed;
    if (heads || p.left == Product::patches)
        prepared.parts = n.shape.extents().samples;
    else if (p.left == Product::rows)
        prepared.parts = p.m;
    const auto whole = [&](const View& v) { return g.nodes[size_t(v.node)].shape.size(); };
    const int64_t stepA = heads                     ? p.aOuter
                          : p.left == Product::rows ? p.lda
                                                    : whole(a) / std::max<int64_t>(1, prepared.parts);
    const int64_t parts = prepared.parts;
    reads(prepared, left, parts > 0 && whole(a) == parts * stepA ? parts : 1);
    reads(prepared, right, heads && whole(b) == parts * p.bOuter ? parts : 1);
}

void Lowering::prepareConvolution(const Node& n, Product& p) {
    const Sizes x = sizesOf(g.nodes[size_t(n.inputs[0])].shape), out = sizesOf(n.shape);
    p.height = x.height, p.width = x.width, p.channels = x.channels;
    p.window = n.window, p.stride = n.stride, p.padding = int32_t(n.offset);
    const int32_t taps = n.window * n.window;
    if (n.op == Op::convolutionWeight) {
        const Sizes dy = sizesOf(g.nodes[size_t(n.inputs[1])].shape);
        p.left = Product::patchesTurned;
        p.outHeight = dy.height, p.outWidth = dy.width;
        p.m = taps * x.channels, p.n = dy.channels;
        p.k = dy.samples * dy.height * dy.width;
        p.lde = p.n, p.ldb = p.n;
        return;
    }
    p.outHeight = out.height, p.outWidth = out.width;
    p.m = out.samples * out.height * out.width, p.n = out.channels, p.k = taps * x.channels;
    p.ldb = p.rightTurned ? p.channels : p.n;
    p.left = Product::patches;
    if (n.op == Op::convolutionTransposed) {
        if (n.stride == 1) {
            p.padding = n.window - 1 - int32_t(n.offset);
            p.flipped = n.window > 1;
        } else {
            p.left = Product::scattered;
            p.batches = n.stride * n.stride;
        }
    }
}

void Lowering::prepareHeads(const Node& n, Product& p) {
    const Sizes x = sizesOf(g.nodes[size_t(n.inputs[0])].shape),
                y = sizesOf(g.nodes[size_t(n.inputs[1])].shape);
    p.inner = n.parts;
    if (n.op == Op::headScores) {
        const int32_t d = x.channels / n.parts, T = x.width, S = y.width;
        p.batches = x.samples * n.parts;
        p.m = T, p.n = S, p.k = d, p.channels = d;
        p.aOuter = int64_t(T) * p.lda, p.aInner = d;
        p.bOuter = int64_t(S) * p.ldb, p.bInner = d;
        p.rightTurned = true;
        p.scale = n.a;
        p.eOuter = int64_t(n.parts) * T * S, p.eInner = int64_t(T) * S, p.lde = S;
        return;
    }
    // P [B, heads, T, S] and v [B, S, D], or P^T and x [B, T, D].
    const int32_t T = x.width, S = x.channels, D = y.channels, d = D / n.parts;
    p.batches = x.samples * n.parts;
    p.lda = S;
    p.aOuter = int64_t(n.parts) * T * S, p.aInner = int64_t(T) * S;
    p.bOuter = int64_t(y.width) * p.ldb, p.bInner = d;
    p.n = d, p.lde = D;
    p.eInner = d;
    if (n.op == Op::headMix) {
        p.m = T, p.k = S;
        p.eOuter = int64_t(T) * D;
    } else {
        p.left = Product::columns;
        p.m = S, p.k = T;
        p.eOuter = int64_t(S) * D;
    }
    p.channels = p.k;
}

}  // namespace core::cuda
