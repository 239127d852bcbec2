// Small versions of the networks of core/nn, as tests/peer/make_goldens.py builds them in PyTorch: the same
// sizes, and weights, inputs and noise made from their names.
#pragma once

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "core/graph/plan.h"
#include "core/graph/store.h"
#include "core/nn/clip.h"
#include "core/nn/code_prior.h"
#include "core/nn/dit.h"
#include "core/nn/losses.h"
#include "core/nn/plane_net.h"
#include "core/nn/torch_order.h"
#include "core/nn/unet.h"
#include "core/nn/vae.h"
#include "core/nn/vqvae.h"

namespace support {

// Numbers in [-1, 1) from a name: FNV-1a, then a counter through an integer hash (lowbias32).
inline std::vector<float> numbers(const std::string& name, int64_t count) {
    uint32_t seed = 2166136261u;
    for (char c : name) seed = (seed ^ uint8_t(c)) * 16777619u;
    std::vector<float> out;
    for (int64_t i = 0; i < count; ++i) {
        uint32_t x = seed + uint32_t(i) * 0x9E3779B9u;
        x = (x ^ x >> 16) * 0x7FEB352Du;
        x = (x ^ x >> 15) * 0x846CA68Bu;
        x ^= x >> 16;
        out.push_back(float(x >> 8) * 0x1p-23f - 1);
    }
    return out;
}

// An input, written from outside: numbers(name), mapped.
template <class Map>
core::Var input(core::Recorder& r, const std::string& name, const core::Shape& shape, const Map& map) {
    std::vector<float> values = numbers(name, shape.size());
    for (float& x : values) x = map(x);
    return r.handle(name, shape, std::move(values));
}
inline core::Var input(core::Recorder& r, const std::string& name, const core::Shape& shape) {
    return input(r, name, shape, [](float u) { return u; });
}
inline core::Var unitInput(core::Recorder& r, const std::string& name, const core::Shape& shape) {
    return input(r, name, shape, [](float u) { return (u + 1) * 0.5f; });
}
inline core::Var wholeInput(core::Recorder& r, const std::string& name, const core::Shape& shape, int count) {
    return input(r, name, shape, [=](float u) { return std::floor((u + 1) * 0.5f * float(count)); });
}

struct SmallNetwork {
    const char* name;  // of the file in tests/goldens
    std::function<void(core::Recorder&)> record;
};

namespace networks {

using namespace core;

inline const Adam adam{{1e-3f}, {0.9f}};

inline void gan2d(Recorder& r) {
    const Mlp G(r.scope("generator"), {2, 13, 13, 2}, relu);
    const Mlp D(r.scope("discriminator"), {2, 13, 13, 1}, [](Var x) { return leakyRelu(x, 0.2f); });
    r.phase("discriminator");
    const Var fakes = detach(G(input(r, "z_d", {9, 2})));
    const Var lossD = bceLogits(D(input(r, "x", {9, 2})), 1) + bceLogits(D(fakes), 0);
    r.minimize(r.probe("loss_d", lossD), D.scope(), adam);
    r.phase("generator");
    const Var fake = r.probe("fake", G(input(r, "z_g", {9, 2})));
    r.minimize(r.probe("loss", bceLogits(D(fake), 1)), G.scope(), adam);
}

inline void vae(Recorder& r) {
    const Vae net(r.scope(""), {.pixels = 21, .hidden = 14, .latent = 3});
    const Var x = unitInput(r, "x", {5, 21}), eps = input(r, "eps", {5, 3});
    r.probe("mu", net.encode(x).mu);
    r.probe("recon", net.decode(input(r, "z", {5, 3})));
    r.minimize(r.probe("loss", net.loss(x, eps)), "", adam);
}

inline void vqvae(Recorder& r) {
    const VqVae net(r.scope(""), {.channels = 8, .width = 4, .codes = 11});
    const Var x = input(r, "x", {2, 12, 12, 1});
    const Var z = r.probe("z", net.encode(x));
    const Quantised q = net.quantise(z);
    r.probe("index", q.index);
    r.probe("recon", net.decode(q.code));
    r.minimize(r.probe("loss", net.loss(x)), "", adam);
}

inline void codePrior(Recorder& r) {
    const CodePrior net(r.scope(""), {.codes = 10, .length = 9, .width = 16, .depth = 2, .heads = 4});
    r.minimize(r.probe("loss", net.loss(wholeInput(r, "index", {3, 9}, 10))), "", adam);
}

// The loss |net(x, t) - target|^2.
template <class Net>
Var regression(Recorder& r, const Shape& shape, const Net& net) {
    const Var x = input(r, "x", shape), target = input(r, "target", shape);
    const Var y = r.probe("y", net(x, wholeInput(r, "t", {shape[0], 1}, 1000)));
    return r.probe("loss", mse(y, target));
}

inline void plane(Recorder& r) {
    r.minimize(regression(r, {9, 2}, PlaneNet(r.scope(""), 12)), "", adam);
}

inline void unet(Recorder& r) {
    r.minimize(regression(r, {2, 12, 12, 1}, UNet(r.scope(""), {.channels = 8})), "", adam);
}

inline void ldm(Recorder& r) {
    const UNet net(r.scope(""),
                   {.image = 4, .channels = 16, .multiples = {1, 2}, .context = 12, .attendAll = true});
    const Var context = input(r, "context", {2, 3, 12});
    const auto given = [&](Var x, Var t) { return net(x, t, context); };
    r.minimize(regression(r, {2, 4, 4, 4}, given), "", adam);
}

inline void dit(Recorder& r) {
    const DiT net(r.scope(""),
                  {.image = 3, .side = 6, .patch = 2, .width = 24, .depth = 2, .heads = 3, .classes = 5});
    const Var label = wholeInput(r, "label", {3, 1}, 6);
    const auto given = [&](Var x, Var t) { return net(x, t, label); };
    r.minimize(regression(r, {3, 6, 6, 3}, given), "", adam);
    r.probe("places", r.state("pos_embed", {1, 9, 24}, {}));
}

inline void lora(Recorder& r) {
    DiTSizes sizes{.image = 4, .side = 4, .patch = 1, .width = 16, .depth = 2, .heads = 2, .classes = 5};
    sizes.loraRank = 3;
    const DiT net(r.scope(""), sizes, r.fill({1}, 4.0f / 3));
    const Var label = wholeInput(r, "label", {3, 1}, 6);
    const auto given = [&](Var x, Var t) { return net(x, t, label); };
    r.update(loraGradients(r, regression(r, {3, 4, 4, 4}, given), ""), adam);
}

inline void clip(Recorder& r) {
    const TinyClip net(
        r.scope(""),
        {.vocabulary = 9, .length = 5, .width = 16, .depth = 1, .heads = 2, .embedding = 8, .channels = 4});
    const Var image = unitInput(r, "image", {4, 32, 32, 3}), tokens = wholeInput(r, "tokens", {4, 5}, 9);
    r.minimize(r.probe("loss", net.loss(image, tokens)), "", adam);
}

}  // namespace networks

inline const std::vector<SmallNetwork>& smallNetworks() {
    static const std::vector<SmallNetwork> all = {
        {"gan2d", networks::gan2d}, {"vae", networks::vae},
        {"vqvae", networks::vqvae}, {"code_prior", networks::codePrior},
        {"plane", networks::plane}, {"unet", networks::unet},
        {"ldm", networks::ldm},     {"dit", networks::dit},
        {"lora", networks::lora},   {"clip", networks::clip},
    };
    return all;
}

// One of them recorded, and its weights at step 0.
struct RecordedNetwork {
    core::Layout layout;
    std::shared_ptr<const core::Graph> graph;

    explicit RecordedNetwork(const SmallNetwork& network) {
        core::Recorder r(layout, core::Recorder::Access::train);
        network.record(r);
        graph = std::make_shared<const core::Graph>(r.take());
    }

    core::Store store() const {
        core::Store out;
        out.live.assign(1, 0);
        out.initialise(layout, int(graph->updates.size()), 1);
        for (const core::Layout::Entry& e : layout.entries()) {
            if (!e.trained) continue;
            const std::vector<float> values = core::fromTorch(weights(e.name, e.shape), e.shape);
            std::copy(values.begin(), values.end(), out.weights.parameters.begin() + e.offset);
        }
        return out;
    }

    // In PyTorch's order; about as large as trained ones, and none is zero.
    static std::vector<float> weights(const std::string& name, const core::Shape& shape) {
        const core::Shape torch = core::torchShape(shape);
        std::vector<float> values = numbers(name, shape.size());
        const bool scale = name.ends_with("weight");
        const float width =
            torch.rank() < 2
                ? 0
                : float(std::exp2(std::floor(0.5 * std::log2(3.0 * torch[0] / double(torch.size())))));
        for (float& u : values)
            u = torch.rank() == 0   ? 1 + 0.5f * u
                : torch.rank() == 1 ? 0.125f * u + (scale ? 1.0f : 0.0f)
                                    : u * width;
        return values;
    }
};

}  // namespace support
