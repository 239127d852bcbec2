// Products of sizes that have kernels of their own, forwards and backwards: in TF32 as near to FP32 as
// rounded operands are, and the same bits however they are run.
#include <cmath>

#include "core/nn/layers.h"
#include "tests/cuda/on_card.h"

using namespace core;

namespace support {
namespace {

struct Case {
    const char* name;
    int m, k, n;
    const char* path;  // what the launches say on a Hopper card
    int rank = 0;      // of an update beside W
    int parts = 1;     // of W and b, each with a product of its own
    const char* also = "";
    bool attends = false;  // the parts are q, k and v of sequences of 64
};

std::string allLaunches(const cuda::Executor& executor) {
    std::string out;
    for (const std::string& line : executor.describe()) out += line + "\n";
    return out;
}

// y = gelu(x W^T + b) + x V^T, or attention, and the gradients of a weighted sum of squares.
void layer(Recorder& r, const Case& c) {
    const auto drawn = [&](const char* name, const Shape& shape, float deviation) {
        return r.parameter(name, shape, {Initial::normal, deviation});
    };
    const float each = 1 / std::sqrt(float(c.k));
    const Var x = drawn("x", {c.m, c.k}, 1), w = drawn("w", {c.parts * c.n, c.k}, each),
              b = drawn("b", {c.parts * c.n}, 1), weight = drawn("weight", {c.m, c.n}, 1);
    std::vector<Var> factors;
    Var low;
    if (c.rank > 0) {
        const float eachUp = c.attends ? 0.2f : 1.0f;  // so that no weight of attention is all
        factors = {drawn("A", {c.rank, c.k}, each), drawn("B", {c.parts * c.n, c.rank}, eachUp)};
        low = matmul(x, transpose(factors[0]));
        if (!c.attends) low = 2 * low;
    }
    const auto part = [&](int i) {
        const auto columns = [&](Var of) { return sliceColumns(of, i * c.n, c.n); };
        const Var y = matmul(x, columns(transpose(w))) + columns(reshape(b, {1, c.parts * c.n}));
        return c.rank > 0 ? y + matmul(low, columns(transpose(factors[1]))) : y;
    };
    std::vector<Var> parts;
    for (int i = 0; i < c.parts; ++i) parts.push_back(part(i));
    std::vector<std::pair<const char*, Var>> of = {{"dX", x}, {"dW", w}, {"db", b}};
    Var y;
    if (c.attends) {
        for (Var& part : parts) part = reshape(part, {c.m / 64, 64, c.n});
        y = reshape(attention(parts[0], parts[1], parts[2], c.n / 32), {c.m, c.n});
    } else {
        Var hidden = parts[0];
        for (int i = 1; i < c.parts; ++i)
            hidden = layerNorm(hidden, 1e-2f) + layerNorm(parts[size_t(i)], 1e-2f);
        const Var v = drawn("v", {c.n, c.k}, each);
        y = gelu(hidden) + matmul(x, transpose(v));
        of.emplace_back("dV", v);
    }
    if (c.rank > 0) of.insert(of.end(), {{"dA", factors[0]}, {"dB", factors[1]}});
    std::vector<Var> parameters;
    for (const auto& [name, parameter] : of) parameters.push_back(parameter);
    const std::vector<Var> gradients = r.gradient(sum(weight * square(r.probe("y", y))), parameters);
    for (size_t i = 0; i < gradients.size(); ++i) r.probe(of[i].first, gradients[i]);
}

// A perceptron of two layers beside what it is added to.
struct Perceptron {
    const char* name;
    int m, width, between;
    bool erf, looking;   // at what stands between
    const char* launch;  // on a Hopper card
};

void perceptron(Recorder& r, const Perceptron& c) {
    const auto drawn = [&](const char* name, const Shape& shape, float deviation) {
        return r.parameter(name, shape, {Initial::normal, deviation});
    };
    const Var x = drawn("x", {c.m, c.width}, 1), weight = drawn("weight", {c.m, c.width}, 1);
    const Var up = drawn("up", {c.between, c.width}, 2 / std::sqrt(float(c.width))),
              b = drawn("b", {c.between}, 1);
    const Var down = drawn("down", {c.width, c.between}, 1 / std::sqrt(float(c.between))),
              b2 = drawn("b2", {c.width}, 1);
    const Var before = matmul(x, transpose(up)) + b;
    const Var between = c.erf ? erfGelu(before) : gelu(before);
    if (c.looking) r.probe("between", between);
    const Var y = r.probe("y", x + matmul(between, transpose(down)) + b2);
    const Var loss = sum(weight * square(y));
    if (c.looking) {
        r.probe("dX", r.gradient(loss, {x})[0]);
        return;
    }
    const std::vector<Var> of = {x, up, b, down, b2};
    const char* const names[] = {"dX", "dUp", "db", "dDown", "db2"};
    const std::vector<Var> gradients = r.gradient(loss, of);
    for (size_t i = 0; i < of.size(); ++i) r.probe(names[i], gradients[i]);
}

// Against FP32, and the same bits however it is run; the worst error of a channel.
double compare(const std::shared_ptr<const Graph>& graph, const Layout& layout, double tolerance,
               std::string& launches) {
    const OnCard exact(graph, layout, {.exact = true}), fast(graph, layout, {}),
        plain(graph, layout, {.captured = false});
    exact.executor->run(3, 5), fast.executor->run(3, 5), plain.executor->run(3, 5);
    const auto expected = exact.channels(), got = fast.channels();
    expect(plain.channels() == got, "uncaptured gave other bits");
    fast.executor->run(3, 5);
    expect(fast.channels() == got, "another run gave other bits");
    double worst = 0;
    for (const auto& [channel, values] : expected) {
        double off = 0, all = 0;
        for (size_t i = 0; i < values.size(); ++i) {
            off += std::pow(double(got.at(channel)[i]) - double(values[i]), 2);
            all += std::pow(double(values[i]), 2);
        }
        const double error = std::sqrt(off / all);
        worst = std::max(worst, error);
        expect(error < tolerance, fmt::format("{} is off by {}", channel, error));
    }
    launches = allLaunches(*fast.executor);
    return worst;
}

}  // namespace

void largeProducts() {
    test = "products";
    const Case cases[] = {
        {"wide", 4096, 192, 768, "groups 128 x 192"},
        {"narrow", 4096, 192, 192, "groups 64 x 96"},
        {"fewer rows", 2048, 192, 192, "groups 64 x 48"},
        {"a long sum", 3136, 512, 128, "groups 64 x 64"},
        {"no size a multiple of a tile's", 1037, 100, 84, "groups"},
        {"one row beyond a tile", 1025, 36, 260, "groups"},
        {"a row short of a tile", 4095, 764, 196, "groups"},
        {"sums that end within a tile", 1030, 128, 128, "products together: 128 x 128 k 1030"},
        {"gradients of 192 x 192 together", 4096, 192, 192, "products together: 192 x 192 k 4096"},
        {"gradients of 768 x 192 together", 2048, 192, 768, "products together: 768 x 192 k 2048"},
        {"odd channels", 1500, 67, 93, "product"},
        {"with an update of low rank", 4096, 192, 192, "groups 64 x 96 straight with rank 4 made", 4, 1,
         "straight of 2 terms with rank 4"},
        {"of a higher rank, at edges", 1037, 100, 84, "straight with rank 12", 12, 1, "12 x 100 k 1037"},
        {"parts of one weight", 4096, 192, 192, "x 3 tile", 0, 3},
        {"parts, at edges", 1037, 100, 84, "x 3 tile", 0, 3},
        {"parts with an update", 4096, 192, 192, "straight with rank 4 made", 4, 3,
         "straight of 3 terms with rank 4 made", true},
        {"parts with an update, at edges", 1088, 100, 96, "straight with rank 8 made", 8, 3,
         "straight of 3 terms with rank 8 made", true},
        {"parts with more of an update", 1088, 100, 96, "straight with rank 12", 12, 3,
         "straight of 3 terms with rank 12", true},
        {"of a rank in eights", 2048, 36, 260, "straight with rank 8 made", 8, 1, "260 x 8 k 2048"},
        {"of no rank in fours", 1200, 64, 96, "product", 6},
    };
    const bool groups = card()->table().warpgroups(card()->device()) != 0;
    double worst = 0;
    for (const Case& c : cases) {
        row = c.name;
        if (!row.starts_with(onlyRow)) continue;
        try {
            Layout layout;
            Recorder r(layout, Recorder::Access::train);
            layer(r, c);
            const auto graph = std::make_shared<const Graph>(r.take());
            std::string launches;
            worst = std::max(worst, compare(graph, layout, c.attends ? 3e-3 : 1e-3, launches));
            for (const char* path : {c.path, c.also})
                expect(!groups || launches.find(path) != std::string::npos,
                       fmt::format("expected {} in\n{}", path, launches));
            if (c.rank % 4 != 0)
                expect(launches.find("with rank") == std::string::npos, "an odd rank was added");
        } catch (const std::exception& e) {
            expect(false, e.what());
        }
    }
    const Perceptron perceptrons[] = {
        {"two layers", 4096, 192, 768, false, false, "layers of 4096 rows, 192 to 768 and back, slope"},
        {"two layers of an odd number of rows", 3137, 128, 512, true, false, "stored"},
        {"two layers, looked at", 2177, 192, 256, true, true, "layers of 2177 rows, 192 to 256"},
        {"two layers of many columns", 4000, 128, 1024, false, true, "layers of 4000 rows, 128 to 1024"},
    };
    for (const Perceptron& c : perceptrons) {
        row = c.name;
        if (!row.starts_with(onlyRow)) continue;
        try {
            Layout layout;
            Recorder r(layout, Recorder::Access::train);
            perceptron(r, c);
            std::string launches;
            worst = std::max(worst, compare(std::make_shared<const Graph>(r.take()), layout, 1e-3, launches));
            expect(!groups || launches.find(c.launch) != std::string::npos,
                   fmt::format("expected {} in\n{}", c.launch, launches));
        } catch (const std::exception& e) {
            expect(false, e.what());
        }
    }
    std::printf("products: TF32 off by at most %.2g of FP32\n", worst);
}

}  // namespace support
