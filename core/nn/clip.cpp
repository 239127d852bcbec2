#include "core/nn/clip.h"

#include <cmath>

#include "core/nn/losses.h"

namespace core {

TinyClip::TinyClip(const Scope& scope, ClipSizes s)
    : m_sizes(s),
      m_tokens(scope / "tok", s.vocabulary, s.width),
      m_places(scope.parameter("pos", {1, s.length, s.width}, {Initial::normal, 0.02f})),
      m_norm(scope / "ln", s.width),
      m_text(scope / "text_proj", s.width, s.embedding, {.bias = false}),
      m_conv0(scope / "image" / 0, 3, s.channels, 4, 2, 1),
      m_conv2(scope / "image" / 2, s.channels, 2 * s.channels, 4, 2, 1),
      m_conv4(scope / "image" / 4, 2 * s.channels, 2 * s.channels, 4, 2, 1),
      m_image(scope / "image" / 7, {1, s.image / 8, s.image / 8, 2 * s.channels}, s.embedding),
      m_logScale(scope.parameter("logit_scale", {}, {Initial::constant, std::log(1 / 0.07f)})) {
    for (int i = 0; i < s.depth; ++i) m_blocks.emplace_back(scope / "text" / i, s.width, s.heads);
}

Var TinyClip::embedText(Var tokens) const {
    Var x = m_tokens(tokens) + m_places;
    for (const CausalBlock& block : m_blocks) x = block(x);
    // The last position has seen the whole caption.
    const int samples = x.rows(), before = (m_sizes.length - 1) * m_sizes.width;
    const Var last = sliceColumns(reshape(x, {samples, before + m_sizes.width}), before, m_sizes.width);
    return l2Normalise(m_text(m_norm(last)));
}

Var TinyClip::embedImage(Var image) const {
    return l2Normalise(m_image(relu(m_conv4(relu(m_conv2(relu(m_conv0(image))))))));
}

Var TinyClip::loss(Var image, Var tokens) const {
    return symmetricInfoNce(embedImage(image), embedText(tokens), exp(m_logScale));
}

}  // namespace core
