#include "core/nn/workloads.h"

#include "core/base/philox.h"
#include "core/nn/losses.h"
#include "core/nn/mlp.h"

namespace core {
namespace {

const Adam adam{{1e-3f}, {0.9f}};

// Fixed random inputs, made outside the timed step.
Var inputs(Recorder& r, const Shape& shape, bool gaussian) {
    std::vector<float> values(size_t(shape.size()));
    const philox::Position at{1, philox::streamOf("bench"), 0, 0};
    for (size_t i = 0; i < values.size(); ++i)
        values[i] = gaussian ? philox::normalAt(at, i) : philox::uniformAt(at, i);
    return r.constant(shape, std::move(values));
}

void gan2d(Recorder& r) {
    constexpr int batch = 512, hidden = 128;
    const Mlp G(r.scope("generator"), {2, hidden, hidden, 2}, relu);
    const Mlp D(r.scope("discriminator"), {2, hidden, hidden, 1}, [](Var x) { return leakyRelu(x, 0.2f); });
    r.phase("discriminator");
    const Var x = inputs(r, {batch, 2}, true);
    const Var fake = detach(G(r.normal("z_d", {batch, 2})));
    r.minimize(bceLogits(D(x), 1) + bceLogits(D(fake), 0), D.scope(), adam);
    r.phase("generator");
    r.minimize(r.probe("loss", bceLogits(D(G(r.normal("z_g", {batch, 2}))), 1)), G.scope(), adam);
}

void vae(Recorder& r) {
    constexpr int batch = 128, pixels = 784, hidden = 400, latent = 16;
    const Var x = inputs(r, {batch, pixels}, false);
    const Var h = Mlp(r.scope("enc"), {pixels, hidden, hidden}, relu, {.output = relu})(x);
    const Var mu = Linear(r.scope("mu"), hidden, latent)(h),
              logvar = Linear(r.scope("logvar"), hidden, latent)(h);
    const Var z = mu + exp(0.5f * logvar) * r.normal("eps", {batch, latent});
    const Var out = Mlp(r.scope("dec"), {latent, hidden, hidden, pixels}, relu)(z);
    const Var loss = mean(bernoulliNats(out, x)) + sum(gaussianKl(mu, logvar)) / float(batch);
    r.minimize(r.probe("loss", loss), "", adam);
}

}  // namespace

const std::vector<Workload>& workloads() {
    // A hidden layer of gan2d runs forward four times, and back through weights and inputs eight times.
    static const std::vector<Workload> all = {
        {"gan2d", 12 * 2.0 * 512 * 128 * 128, gan2d},
        {"vae", 3 * 2.0 * 128 * (2.0 * 784 * 400 + 2 * 400 * 400 + 3 * 400 * 16), vae},
    };
    return all;
}

}  // namespace core
