#include "core/nn/vqvae.h"

#include "core/nn/losses.h"

namespace core {

ResBlock3::ResBlock3(const Scope& scope, int channels)
    : m_conv1(scope / "conv1", channels, channels, 3, 1, 1),
      m_conv2(scope / "conv2", channels, channels, 1) {}

Var ResBlock3::operator()(Var x) const {
    return x + m_conv2(relu(m_conv1(relu(x))));
}

VqVae::VqVae(const Scope& scope, VqVaeSizes s)
    : m_enc0(scope / "enc" / 0, s.image, s.channels, 4, 2, 1),
      m_enc2(scope / "enc" / 2, s.channels, s.channels, 4, 2, 1),
      m_enc3(scope / "enc" / 3, s.channels),
      m_enc4(scope / "enc" / 4, s.channels),
      m_enc6(scope / "enc" / 6, s.channels, s.width, 1),
      m_dec0(scope / "dec" / 0, s.width, s.channels, 3, 1, 1),
      m_dec1(scope / "dec" / 1, s.channels),
      m_dec2(scope / "dec" / 2, s.channels),
      m_dec4(scope / "dec" / 4, s.channels, s.channels, 4, 2, 1),
      m_dec6(scope / "dec" / 6, s.channels, s.image, 4, 2, 1) {
    codebook =
        (scope / "codebook").parameter("weight", {s.codes, s.width}, {Initial::uniform, 1 / float(s.codes)});
}

Var VqVae::encode(Var x) const {
    Var h = m_enc2(relu(m_enc0(x)));
    h = m_enc4(m_enc3(h));
    return m_enc6(relu(h));
}

Var VqVae::decode(Var z) const {
    const Var h = m_dec2(m_dec1(m_dec0(z)));
    return m_dec6(relu(m_dec4(relu(h))));
}

Var VqVae::loss(Var x, float beta) const {
    const Var z = encode(x);
    const Quantised q = quantise(z);
    return mse(decode(q.straightThrough), x) + codebookLoss(z, q.code) + beta * commitmentLoss(z, q.code);
}

}  // namespace core
