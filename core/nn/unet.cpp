#include "core/nn/unet.h"

namespace core {
namespace {

constexpr int groups = 8;

}  // namespace

UResBlock::UResBlock(const Scope& scope, int in, int out, int timeWidth)
    : m_norm1(scope / "norm1", groups, in),
      m_conv1(scope / "conv1", in, out, 3, 1, 1),
      m_time(scope / "temb", timeWidth, out),
      m_norm2(scope / "norm2", groups, out),
      m_conv2(scope / "conv2", out, out, 3, 1, 1) {
    if (in != out) m_skip.emplace(scope / "skip", in, out, 1);
}

Var UResBlock::operator()(Var x, Var time) const {
    const Var h = m_conv1(silu(m_norm1(x))) + m_time(silu(time));
    return (m_skip ? (*m_skip)(x) : x) + m_conv2(silu(m_norm2(h)));
}

SpatialAttention::SpatialAttention(const Scope& scope, int channels, int heads, int contextWidth)
    : m_heads(heads),
      m_norm(scope / "norm", groups, channels),
      m_qkv(scope / "qkv", channels, 3 * channels),
      m_out(scope / "proj", channels, channels) {
    if (contextWidth == 0) return;
    m_cross.emplace(Cross{{scope / "norm_x", channels},
                          {scope / "to_q", channels, channels, {.bias = false}},
                          {scope / "to_k", contextWidth, channels, {.bias = false}},
                          {scope / "to_v", contextWidth, channels, {.bias = false}},
                          {scope / "to_out", channels, channels}});
}

Var SpatialAttention::operator()(Var x, Var context) const {
    const Shape& s = x.shape();
    const Shape tokens{s[0], s[1] * s[2], s[3]};
    const std::vector<Var> qkv = m_qkv.split(reshape(m_norm(x), tokens), 3);
    Var h = reshape(x, tokens) + m_out(attention(qkv[0], qkv[1], qkv[2], m_heads));
    if (m_cross) {
        CHECK(bool(context), "SpatialAttention: expected a context, got none");
        const Var q = m_cross->query(m_cross->norm(h));
        h = h + m_cross->out(attention(q, m_cross->key(context), m_cross->value(context), m_heads));
    }
    return reshape(h, s);
}

UNet::UNet(const Scope& scope, const UNetSizes& sizes)
    : m_sizes(sizes),
      m_time0(scope / "t_mlp" / 0, sizes.channels, 4 * sizes.channels),
      m_time2(scope / "t_mlp" / 2, 4 * sizes.channels, 4 * sizes.channels),
      m_in(scope / "conv_in", sizes.image, sizes.channels, 3, 1, 1) {
    const int time = 4 * sizes.channels, levels = int(sizes.multiples.size());
    const auto attend = [&](Level& level, const Scope& place, int i, int channels) {
        if (sizes.attendAll || i == levels - 1)
            level.attention.emplace(place, channels, sizes.heads, sizes.context);
    };
    int width = sizes.channels;
    for (int i = 0; i < levels; ++i) {
        const int channels = sizes.channels * sizes.multiples[size_t(i)];
        Level level{{scope / "down" / i, width, channels, time}, {}, {}};
        attend(level, scope / "down_attn" / i, i, channels);
        if (i < levels - 1) level.resample.emplace(scope / "downsample" / i, channels, channels, 3, 2, 1);
        m_down.push_back(level);
        width = channels;
    }
    m_middle1.emplace(scope / "mid1", width, width, time);
    m_middleAttention.emplace(scope / "mid_attn", width, sizes.heads, sizes.context);
    m_middle2.emplace(scope / "mid2", width, width, time);
    for (int i = levels - 1; i >= 0; --i) {
        const int place = levels - 1 - i, channels = sizes.channels * sizes.multiples[size_t(i)];
        Level level{{scope / "up" / place, width + channels, channels, time}, {}, {}};
        attend(level, scope / "up_attn" / place, i, channels);
        if (i > 0) level.resample.emplace(scope / "upsample" / place, channels, channels, 3, 1, 1);
        m_up.push_back(level);
        width = channels;
    }
    m_norm.emplace(scope / "norm_out", groups, width);
    m_out.emplace(scope / "conv_out", width, sizes.image, 3, 1, 1);
}

Var UNet::pass(const Level& level, Var x, Var time, Var context) const {
    const Var h = level.block(x, time);
    return level.attention ? (*level.attention)(h, context) : h;
}

Var UNet::operator()(Var x, Var t, Var context) const {
    const Var time = m_time2(silu(m_time0(sinusoidalEmbedding(t, m_sizes.channels))));
    Var h = m_in(x);
    std::vector<Var> skips;
    for (const Level& level : m_down) {
        h = pass(level, h, time, context);
        skips.push_back(h);
        if (level.resample) h = (*level.resample)(h);
    }
    h = (*m_middle2)((*m_middleAttention)((*m_middle1)(h, time), context), time);
    for (size_t i = 0; i < m_up.size(); ++i) {
        h = pass(m_up[i], concatColumns(h, skips[m_up.size() - 1 - i]), time, context);
        if (m_up[i].resample) h = (*m_up[i].resample)(upsample(h, 2));
    }
    return (*m_out)(silu((*m_norm)(h)));
}

}  // namespace core
