#include "core/nn/dit.h"

namespace core {
namespace {

constexpr float epsilon = 1e-6f;

// The i-th run of `width` columns of the modulation [B, n width].
Var part(Var modulation, int i, int width) {
    return sliceColumns(modulation, i * width, width);
}

// norm(x) (1 + scale) + shift.
Var modulated(Var x, Var shift, Var scale) {
    return layerNorm(x, epsilon, 1 + scale, shift);
}

}  // namespace

DiTBlock::DiTBlock(const Scope& scope, const DiTSizes& s, Var loraScale)
    : m_heads(s.heads),
      m_out(scope / "attn" / "proj", s.width, s.width),
      m_up(scope / "mlp" / "fc1", s.width, 4 * s.width),
      m_down(scope / "mlp" / "fc2", 4 * s.width, s.width),
      m_modulation(scope / "adaLN_modulation" / 1, s.width, 6 * s.width, {.zero = true}) {
    const Scope qkv = scope / "attn" / "qkv";
    if (s.loraRank > 0)
        m_qkv.emplace<LoraLinear>(qkv, s.width, 3 * s.width, s.loraRank, loraScale);
    else
        m_qkv.emplace<Linear>(qkv, s.width, 3 * s.width);
}

Var DiTBlock::operator()(Var x, Var condition) const {
    const int width = x.shape().channels();
    const Var m = m_modulation(condition);
    const Var h = modulated(x, part(m, 0, width), part(m, 1, width));
    const auto* plain = std::get_if<Linear>(&m_qkv);
    const std::vector<Var> qkv = plain ? plain->split(h, 3) : std::get<LoraLinear>(m_qkv).split(h, 3);
    x = x + part(m, 2, width) * m_out(attention(qkv[0], qkv[1], qkv[2], m_heads));
    const Var g = modulated(x, part(m, 3, width), part(m, 4, width));
    return x + part(m, 5, width) * m_down(gelu(m_up(g)));
}

TimestepEmbedder::TimestepEmbedder(const Scope& scope, int width, int frequencies)
    : m_frequencies(frequencies),
      m_first(scope / "mlp" / 0, frequencies, width),
      m_second(scope / "mlp" / 2, width, width) {}

Var TimestepEmbedder::operator()(Var t) const {
    return m_second(silu(m_first(sinusoidalEmbedding(t, m_frequencies))));
}

LabelEmbedder::LabelEmbedder(const Scope& scope, int classes, int width)
    : m_table(scope / "embedding_table", classes + 1, width) {}

Var LabelEmbedder::operator()(Var label) const {
    return reshape(m_table(label), {label.rows(), m_table.weight.columns()});
}

FinalLayer::FinalLayer(const Scope& scope, int width, int out)
    : m_linear(scope / "linear", width, out, {.zero = true}),
      m_modulation(scope / "adaLN_modulation" / 1, width, 2 * width, {.zero = true}) {}

Var FinalLayer::operator()(Var x, Var condition) const {
    const int width = x.shape().channels();
    const Var m = m_modulation(condition);
    return m_linear(modulated(x, part(m, 0, width), part(m, 1, width)));
}

DiT::DiT(const Scope& scope, const DiTSizes& s, Var loraScale)
    : m_sizes(s),
      m_patches(scope / "x_embedder" / "proj", s.image, s.width, s.patch, s.patch),
      m_time(scope / "t_embedder", s.width),
      m_label(scope / "y_embedder", s.classes, s.width),
      m_final(scope / "final_layer", s.width, s.patch * s.patch * s.image) {
    CHECK(s.side % s.patch == 0, "DiT: expected a side divisible by the patch {}, got {}", s.patch, s.side);
    const int grid = s.side / s.patch;
    Initial places{Initial::given};
    places.values = std::make_shared<const std::vector<float>>(gridEmbedding(s.width, grid));
    m_places = scope.state("pos_embed", {1, grid * grid, s.width}, places);
    if (s.loraRank > 0 && !loraScale) loraScale = scope.recorder->fill({1}, 1);
    for (int i = 0; i < s.depth; ++i) m_blocks.emplace_back(scope / "blocks" / i, s, loraScale);
}

Var DiT::operator()(Var x, Var t, Var label) const {
    const int grid = m_sizes.side / m_sizes.patch, samples = x.rows();
    Var h = reshape(m_patches(x), {samples, grid * grid, m_sizes.width}) + m_places;
    const Var condition = silu(m_time(t) + m_label(label));
    for (const DiTBlock& block : m_blocks) h = block(h, condition);
    const Var patches =
        reshape(m_final(h, condition), {samples, grid, grid, m_sizes.patch * m_sizes.patch * m_sizes.image});
    return m_sizes.patch == 1 ? patches : depthToSpace(patches, m_sizes.patch);
}

}  // namespace core
