#include "core/nn/workloads.h"

#include <cmath>

#include "core/base/philox.h"
#include "core/nn/clip.h"
#include "core/nn/code_prior.h"
#include "core/nn/diffusion.h"
#include "core/nn/dit.h"
#include "core/nn/losses.h"
#include "core/nn/plane_net.h"
#include "core/nn/unet.h"
#include "core/nn/vae.h"
#include "core/nn/vqvae.h"

namespace core {
namespace {

const Adam adam{{1e-3f}, {0.9f}};
constexpr int diffusionSteps = 1000;

// ---- fixed random inputs, made outside the timed step

template <class Draw>
Var inputs(Recorder& r, const std::string& name, const Shape& shape, const Draw& draw) {
    std::vector<float> values(size_t(shape.size()));
    const philox::Position at{1, philox::streamOf("bench/" + name), 0, 0};
    for (size_t i = 0; i < values.size(); ++i) values[i] = draw(at, i);
    return r.constant(shape, std::move(values));
}
Var normalInputs(Recorder& r, const std::string& name, const Shape& shape) {
    return inputs(r, name, shape, [](const auto& at, size_t i) { return philox::normalAt(at, i); });
}
Var uniformInputs(Recorder& r, const std::string& name, const Shape& shape) {
    return inputs(r, name, shape, [](const auto& at, size_t i) { return philox::uniformAt(at, i); });
}
// Whole numbers below `count`.
Var wholeInputs(Recorder& r, const std::string& name, const Shape& shape, int count) {
    return inputs(r, name, shape, [=](const auto& at, size_t i) {
        return std::floor(philox::uniformAt(at, i) * float(count));
    });
}

// ---- training

void gan2d(Recorder& r) {
    constexpr int batch = 512, hidden = 128;
    const Mlp G(r.scope("generator"), {2, hidden, hidden, 2}, relu);
    const Mlp D(r.scope("discriminator"), {2, hidden, hidden, 1}, [](Var x) { return leakyRelu(x, 0.2f); });
    r.phase("discriminator");
    const Var x = normalInputs(r, "x", {batch, 2});
    const Var fake = detach(G(r.normal("z_d", {batch, 2})));
    r.minimize(bceLogits(D(x), 1) + bceLogits(D(fake), 0), D.scope(), adam);
    r.phase("generator");
    r.minimize(r.probe("loss", bceLogits(D(G(r.normal("z_g", {batch, 2}))), 1)), G.scope(), adam);
}

void vae(Recorder& r) {
    constexpr int batch = 128;
    const VaeSizes sizes;
    const Vae net(r.scope(""), sizes);
    const Var x = uniformInputs(r, "x", {batch, sizes.pixels});
    r.minimize(r.probe("loss", net.loss(x, r.normal("eps", {batch, sizes.latent}))), "", adam);
}

void vqvae(Recorder& r) {
    const VqVae net(r.scope(""));
    r.minimize(r.probe("loss", net.loss(uniformInputs(r, "x", {64, 28, 28, 1}))), "", adam);
}

void codePrior(Recorder& r) {
    const CodePrior net(r.scope(""));
    r.minimize(r.probe("loss", net.loss(wholeInputs(r, "index", {64, 49}, 128))), "", adam);
}

// The mean squared error of the noise that `net` finds in x at random times. (Ho et al. 2020, eq. 14.)
template <class Net>
Var noiseLoss(Recorder& r, const Net& net, const Shape& shape) {
    const Var x = normalInputs(r, "x", shape);
    const Var t = randomTimes(r, "t", x.rows(), diffusionSteps), eps = r.normal("eps", shape);
    return r.probe("loss", mse(net(qSample(x, eps, alphaBarAt(linearAlphaBar(diffusionSteps), t)), t), eps));
}

void plane(Recorder& r) {
    const PlaneNet net(r.scope(""));
    r.minimize(noiseLoss(r, net, {1024, 2}), "", adam);
}

void unet(Recorder& r) {
    const UNet net(r.scope(""));
    r.minimize(noiseLoss(r, net, {64, 28, 28, 1}), "", adam);
}

void ldm(Recorder& r) {
    const UNet net(r.scope(""),
                   {.image = 4, .channels = 64, .multiples = {1, 2}, .context = 64, .attendAll = true});
    const Var context = normalInputs(r, "context", {64, 8, 64});
    const auto given = [&](Var x, Var t) { return net(x, t, context); };
    r.minimize(noiseLoss(r, given, {64, 8, 8, 4}), "", adam);
}

// Of a DiT with patches of one pixel.
Var ditLoss(Recorder& r, int loraRank) {
    DiTSizes sizes{.patch = 1};
    sizes.loraRank = loraRank;
    const DiT net(r.scope(""), sizes);
    const Var label = wholeInputs(r, "label", {64, 1}, sizes.classes);
    return noiseLoss(r, [&](Var x, Var t) { return net(x, t, label); }, {64, 8, 8, 4});
}

void dit(Recorder& r) {
    r.minimize(ditLoss(r, 0), "", adam);
}

void lora(Recorder& r) {
    r.update(loraGradients(r, ditLoss(r, 4), ""), adam);
}

void clip(Recorder& r) {
    const TinyClip net(r.scope(""));
    const Var image = uniformInputs(r, "image", {128, 32, 32, 3});
    r.minimize(r.probe("loss", net.loss(image, wholeInputs(r, "tokens", {128, 16}, 64))), "", adam);
}

// ---- sampling: x from noise along a velocity, by Euler's method; one step here is the whole sampler

template <class Velocity>
void sample(Recorder& r, const Shape& shape, int steps, const Velocity& velocity) {
    const Var x = r.state("x", shape, {}), t = r.state("t", {1, 1}, {});
    r.phase("start");
    r.assign(x, r.normal("x", shape));
    r.assign(t, r.fill({1, 1}, 0));
    r.phase("euler", [steps] { return steps; });
    const float dt = 1 / float(steps);
    r.assign(x, eulerStep(x, velocity(x, t), r.fill({1}, dt)));
    r.assign(t, t + dt);
}

void planeSample(Recorder& r) {
    const PlaneNet net(r.scope(""));
    sample(r, {10000, 2}, 100, [&](Var x, Var t) { return net(x, t); });
}

void ditSample(Recorder& r) {
    constexpr int images = 16;
    const DiTSizes sizes{.patch = 1};
    const DiT net(r.scope(""), sizes);
    const int pixels = sizes.side * sizes.side * sizes.image;
    const Var none = r.fill({images, 1}, float(sizes.classes));
    const Var labels = concatRows(wholeInputs(r, "label", {images, 1}, sizes.classes), none);
    sample(r, {images, pixels}, 50, [&](Var x, Var t) {
        // With and without the label in one batch.
        const Var both = reshape(concatRows(x, x), {2 * images, sizes.side, sizes.side, sizes.image});
        const Var v = reshape(net(both, t, labels), {2 * images, pixels});
        return guided(sliceRows(v, 0, images), sliceRows(v, images, images), r.fill({1}, 4));
    });
}

}  // namespace

const std::vector<Workload>& workloads() {
    static const std::vector<Workload> all = {
        {"gan2d", gan2d},
        {"vae", vae},
        {"vqvae", vqvae},
        {"code_prior", codePrior},
        {"plane", plane},
        {"unet", unet},
        {"ldm", ldm},
        {"dit", dit},
        {"lora", lora},
        {"clip", clip},
        {"plane_sample", planeSample},
        {"dit_sample", ditSample},
    };
    return all;
}

}  // namespace core
