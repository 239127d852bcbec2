// The layers that networks are made of, with PyTorch's parameter names and initialisation. Sequences are
// [B, N, D], images [B, H, W, C]; torch_order.h says how a weight looks in a PyTorch file.
#pragma once

#include <vector>

#include "core/graph/ops.h"

namespace core {

struct LinearOptions {
    bool bias = true;
    bool zero = false;  // starts at zero in place of U(-1/sqrt(in), 1/sqrt(in))
};

// y = x W^T + b along the last axis; weight [out, in] and bias [out].
class Linear {
  public:
    Linear(const Scope& scope, int in, int out, LinearOptions options = {});
    Var operator()(Var x) const;  // [..., in] -> [..., out]
    // The same channels in equal parts, each a value of its own: the queries, keys and values of one weight.
    std::vector<Var> split(Var x, int parts) const;

    Var weight, bias;  // no bias: empty
};

// A linear layer on images whose weight has the column order of PyTorch's Flatten (channels before rows
// before columns): x [B, H, W, C] -> [B, out], weight [out, C H W].
class FlattenLinear {
  public:
    FlattenLinear(const Scope& scope, const Shape& image, int out);
    Var operator()(Var x) const;

  private:
    Linear m_linear;
};

// W0 x + (alpha / rank) B A x with W0 frozen; A [rank, in] ~ N(0, 1) / rank and B [out, rank] = 0.
// (Hu et al. 2021, eq. 3.) Parameters base.weight, base.bias, lora_A and lora_B.
class LoraLinear {
  public:
    LoraLinear(const Scope& scope, int in, int out, int rank, Var scale);  // scale [1], alpha / rank
    Var operator()(Var x) const;
    std::vector<Var> split(Var x, int parts) const;

    Linear base;
    Var a, b;

  private:
    Var m_scale;
};

// The gradients with respect to the factors A and B of every LoraLinear below `scope`, and nothing else.
Gradients loraGradients(Recorder& r, Var loss, const std::string& scope);

// Cross-correlation with a weight [k, k, in, out] and a bias [out].
class Conv2d {
  public:
    Conv2d(const Scope& scope, int in, int out, int kernel, int stride = 1, int padding = 0);
    Var operator()(Var x) const;  // [B, H, W, in] -> [B, (H + 2 padding - kernel) / stride + 1, ..., out]

    Var weight, bias;

  private:
    int m_kernel, m_stride, m_padding;
};

// The converse of a Conv2d from out to in, and kept as that one's weight: [k, k, out, in].
class ConvTranspose2d {
  public:
    ConvTranspose2d(const Scope& scope, int in, int out, int kernel, int stride, int padding);
    Var operator()(Var x) const;  // [B, H, W, in] -> [B, (H - 1) stride - 2 padding + kernel, ..., out]

    Var weight, bias;

  private:
    int m_stride, m_padding;
};

// Rows of a table [count, width], N(0, 1) at first.
class Embedding {
  public:
    Embedding(const Scope& scope, int count, int width);
    Var operator()(Var index) const;  // [B, N] -> [B, N, width]

    Var weight;
};

class LayerNorm {
  public:
    LayerNorm(const Scope& scope, int width, float epsilon = 1e-5f);
    Var operator()(Var x) const;

  private:
    Var m_scale, m_shift;
    float m_epsilon;
};

class GroupNorm {
  public:
    GroupNorm(const Scope& scope, int groups, int channels, float epsilon = 1e-5f);
    Var operator()(Var x) const;

  private:
    Var m_scale, m_shift;
    int m_groups;
    float m_epsilon;
};

// By the batch's own moments where it trains, and the running averages follow them by a tenth; by the
// averages otherwise.
class BatchNorm {
  public:
    BatchNorm(const Scope& scope, int channels, bool train, float epsilon = 1e-5f);
    Var operator()(Var x) const;  // [..., channels]

  private:
    Var m_scale, m_shift, m_mean, m_variance;
    bool m_train;
    float m_epsilon;
};

// softmax(q k^T / sqrt(d)) v for each head: q [B, T, D], k and v [B, S, D] -> [B, T, D].
Var attention(Var q, Var k, Var v, int heads, bool causal = false);

// x / max(|x|, 1e-12) along the last axis.
Var l2Normalise(Var x);

// max_period^(-i / half) t: cosines first, then sines; t [B, 1] any real numbers -> [B, width].
// (Vaswani et al. 2017, section 3.5; in the order of Ho et al. 2020.)
Var sinusoidalEmbedding(Var t, int width, float maxPeriod = 10000);

// The fixed embedding of a side x side grid, [side^2, width] row-major: the first half of the columns from
// the column's number, the second from the row's, each sines before cosines.
std::vector<float> gridEmbedding(int width, int side);

}  // namespace core
