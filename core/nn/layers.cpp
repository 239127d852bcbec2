#include "core/nn/layers.h"

#include <cmath>

namespace core {
namespace {

// PyTorch's default for weights and biases: Kaiming's uniform with a = sqrt(5).
Initial uniformOf(int fanIn) {
    return {Initial::uniform, 1 / std::sqrt(float(fanIn))};
}

// x [H, W, C] flattened at element i stands at this row of a weight that expects [C, H, W].
std::vector<float> channelsFirst(const Shape& image) {
    const int height = image[1], width = image[2], channels = image[3];
    std::vector<float> out;
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            for (int c = 0; c < channels; ++c) out.push_back(float((c * height + y) * width + x));
    return out;
}

}  // namespace

// ---- linear

Linear::Linear(const Scope& scope, int in, int out, LinearOptions options) {
    const Initial initial = options.zero ? Initial{Initial::constant, 0} : uniformOf(in);
    weight = scope.parameter("weight", {out, in}, initial);
    if (options.bias) bias = scope.parameter("bias", {out}, initial);
}

Var Linear::operator()(Var x) const {
    const Var y = matmul(x, transpose(weight));
    return bias ? y + bias : y;
}

std::vector<Var> Linear::split(Var x, int parts) const {
    const int out = weight.rows() / parts;
    std::vector<Var> y;
    for (int part = 0; part < parts; ++part) {
        y.push_back(matmul(x, sliceColumns(transpose(weight), part * out, out)));
        if (bias) y.back() = y.back() + sliceColumns(reshape(bias, {1, parts * out}), part * out, out);
    }
    return y;
}

FlattenLinear::FlattenLinear(const Scope& scope, const Shape& image, int out)
    : m_linear(scope, image[1] * image[2] * image[3], out) {}

Var FlattenLinear::operator()(Var x) const {
    const int pixels = int(x.shape().columns()), out = m_linear.weight.rows();
    const Var order = x.recorder().constant({1, pixels}, channelsFirst(x.shape()));
    const Var w = reshape(gatherRows(transpose(m_linear.weight), order), {pixels, out});
    return matmul(reshape(x, {x.rows(), pixels}), w) + m_linear.bias;
}

// ---- LoRA

LoraLinear::LoraLinear(const Scope& scope, int in, int out, int rank, Var scale)
    : base(scope / "base", in, out),
      a(scope.parameter("lora_A", {rank, in}, {Initial::normal, 1 / float(rank)})),
      b(scope.parameter("lora_B", {out, rank}, {Initial::constant, 0})),
      m_scale(scale) {}

Var LoraLinear::operator()(Var x) const {
    return base(x) + m_scale * matmul(matmul(x, transpose(a)), transpose(b));
}

std::vector<Var> LoraLinear::split(Var x, int parts) const {
    const int out = b.rows() / parts;
    std::vector<Var> y = base.split(x, parts);
    const Var low = m_scale * matmul(x, transpose(a));
    for (int part = 0; part < parts; ++part)
        y[size_t(part)] = y[size_t(part)] + matmul(low, sliceColumns(transpose(b), part * out, out));
    return y;
}

Gradients loraGradients(Recorder& r, Var loss, const std::string& scope) {
    Gradients out{.scope = scope, .entries = {}, .values = {}};
    std::vector<Var> factors;
    for (const Var parameter : r.parametersBelow(scope)) {
        const Node& n = r.node(parameter.id());
        if (!n.name.ends_with(".lora_A") && !n.name.ends_with(".lora_B")) continue;
        factors.push_back(parameter);
        out.entries.push_back(n.slot);
    }
    CHECK(!factors.empty(), "loraGradients: expected low-rank factors below '{}', found none", scope);
    out.values = r.gradient(loss, factors);
    return out;
}

// ---- convolutions

Conv2d::Conv2d(const Scope& scope, int in, int out, int kernel, int stride, int padding)
    : m_kernel(kernel), m_stride(stride), m_padding(padding) {
    const Initial initial = uniformOf(in * kernel * kernel);
    weight = scope.parameter("weight", {kernel, kernel, in, out}, initial);
    bias = scope.parameter("bias", {out}, initial);
}

Var Conv2d::operator()(Var x) const {
    const Shape& w = weight.shape();
    // One tap is a linear layer over the channels.
    if (m_kernel == 1 && m_stride == 1 && m_padding == 0)
        return matmul(x, reshape(weight, {w[2], w[3]})) + bias;
    return conv2d(x, weight, m_stride, m_padding) + bias;
}

ConvTranspose2d::ConvTranspose2d(const Scope& scope, int in, int out, int kernel, int stride, int padding)
    : m_stride(stride), m_padding(padding) {
    // PyTorch counts the taps of the converse here: out, not in.
    const Initial initial = uniformOf(out * kernel * kernel);
    weight = scope.parameter("weight", {kernel, kernel, out, in}, initial);
    bias = scope.parameter("bias", {out}, initial);
}

Var ConvTranspose2d::operator()(Var x) const {
    return convTranspose2d(x, turnTaps(weight), m_stride, m_padding) + bias;
}

// ---- look-up and norms

Embedding::Embedding(const Scope& scope, int count, int width)
    : weight(scope.parameter("weight", {count, width}, {Initial::normal, 1})) {}

Var Embedding::operator()(Var index) const {
    return gatherRows(weight, index);
}

LayerNorm::LayerNorm(const Scope& scope, int width, float epsilon)
    : m_scale(scope.parameter("weight", {width}, {Initial::constant, 1})),
      m_shift(scope.parameter("bias", {width}, {Initial::constant, 0})),
      m_epsilon(epsilon) {}

Var LayerNorm::operator()(Var x) const {
    return layerNorm(x, m_epsilon, m_scale, m_shift);
}

GroupNorm::GroupNorm(const Scope& scope, int groups, int channels, float epsilon)
    : m_scale(scope.parameter("weight", {channels}, {Initial::constant, 1})),
      m_shift(scope.parameter("bias", {channels}, {Initial::constant, 0})),
      m_groups(groups),
      m_epsilon(epsilon) {}

Var GroupNorm::operator()(Var x) const {
    return groupNorm(x, m_groups, m_epsilon, m_scale, m_shift);
}

BatchNorm::BatchNorm(const Scope& scope, int channels, bool train, float epsilon)
    : m_scale(scope.parameter("weight", {channels}, {Initial::constant, 1})),
      m_shift(scope.parameter("bias", {channels}, {Initial::constant, 0})),
      m_mean(scope.state("running_mean", {1, channels}, {Initial::constant, 0})),
      m_variance(scope.state("running_var", {1, channels}, {Initial::constant, 1})),
      m_train(train),
      m_epsilon(epsilon) {}

Var BatchNorm::operator()(Var x) const {
    if (!m_train) return batchNorm(x, {m_mean, m_variance}, m_epsilon, m_scale, m_shift);
    const BatchMoments batch = batchMoments(x);
    const float count = float(x.shape().size()) / float(x.shape().channels());
    CHECK(count > 1, "BatchNorm: expected more than one position to average over, got {}", x.shape().text());
    // What is remembered is the unbiased variance.
    const auto follow = [](Var average, Var value) {
        average.recorder().assign(average, average + 0.1f * (detach(value) - average));
    };
    follow(m_mean, batch.mean);
    follow(m_variance, batch.variance * (count / (count - 1)));
    return batchNorm(x, batch, m_epsilon, m_scale, m_shift);
}

// ---- functions

Var attention(Var q, Var k, Var v, int heads, bool causal) {
    return attend(attentionWeights(q, k, heads, causal), v);
}

Var l2Normalise(Var x) {
    return x / clampMin(sqrt(sumChannels(square(x))), 1e-12f);
}

Var sinusoidalEmbedding(Var t, int width, float maxPeriod) {
    CHECK(t.shape().rank() == 2 && t.columns() == 1 && width % 2 == 0,
          "sinusoidalEmbedding: expected times [B, 1] and an even width, got {} and {}", t.shape().text(),
          width);
    const int half = width / 2;
    std::vector<float> frequencies;
    for (int i = 0; i < half; ++i)
        frequencies.push_back(std::exp(-std::log(maxPeriod) * float(i) / float(half)));
    const Var angle = matmul(t, t.recorder().constant({1, half}, std::move(frequencies)));
    return concatColumns(cos(angle), sin(angle));
}

std::vector<float> gridEmbedding(int width, int side) {
    CHECK(width % 4 == 0, "gridEmbedding: expected a width divisible by 4, got {}", width);
    const int quarter = width / 4;
    std::vector<float> out;
    for (int row = 0; row < side; ++row)
        for (int column = 0; column < side; ++column)
            for (const int place : {column, row}) {
                const auto angle = [&](int i) { return place * std::pow(10000.0, -double(i) / quarter); };
                for (int i = 0; i < quarter; ++i) out.push_back(float(std::sin(angle(i))));
                for (int i = 0; i < quarter; ++i) out.push_back(float(std::cos(angle(i))));
            }
    return out;
}

}  // namespace core
