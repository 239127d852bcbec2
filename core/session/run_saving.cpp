// A run to and from what is saved of it.
#include <algorithm>
#include <charconv>

#include "core/nn/torch_order.h"
#include "core/session/run.h"
#include "core/session/run_plans.h"

namespace core {
namespace {

const std::string averagePrefix = "ema.";

// Sixteen digits of the bits: what is read back is the same number.
std::string exactly(double value) {
    return fmt::format("{:a}", value);
}

double numberOf(const std::string& text, const std::string& what) {
    double value = 0;
    const bool hexadecimal = text.starts_with("0x");
    const char *from = text.data() + (hexadecimal ? 2 : 0), *to = text.data() + text.size();
    const auto [end, code] =
        std::from_chars(from, to, value, hexadecimal ? std::chars_format::hex : std::chars_format::general);
    CHECK(code == std::errc() && end == to, "optimizer.safetensors: expected a number as {}, got '{}'", what,
          text.substr(0, 40));
    return value;
}

NamedTensor tensorOf(const Layout::Entry& e, const Buffer& buffer) {
    const std::span<const float> values(buffer.data() + e.offset, size_t(e.shape.size()));
    const Shape shape = torchShape(e.shape);
    NamedTensor out{.values = toTorch(values, e.shape)};
    for (int axis = 0; axis < shape.rank(); ++axis) out.extents.push_back(shape[axis]);
    return out;
}

std::string textOf(const std::vector<int64_t>& extents) {
    return fmt::format("[{}]", fmt::join(extents, ", "));
}

// Copies the tensor of this name, which is then accounted for.
bool take(std::map<std::string, NamedTensor>& from, const std::string& name, const char* file,
          const Layout::Entry& e, Buffer& into) {
    const auto found = from.find(name);
    if (found == from.end()) return false;
    const Shape shape = torchShape(e.shape);
    std::vector<int64_t> expected;
    for (int axis = 0; axis < shape.rank(); ++axis) expected.push_back(shape[axis]);
    CHECK(found->second.extents == expected, "{}: expected {} of shape {}, got {}", file, name,
          textOf(expected), textOf(found->second.extents));
    const std::vector<float> values = fromTorch(found->second.values, e.shape);
    std::copy(values.begin(), values.end(), into.begin() + e.offset);
    from.erase(found);
    return true;
}

void checkNothingLeft(const std::map<std::string, NamedTensor>& left, const char* file) {
    CHECK(left.empty(), "{}: expected the weights of this lesson's network, got {} too", file,
          left.begin()->first);
}

}  // namespace

SavedRun Run::saved() const {
    SavedRun out{.journal = m_journal};
    out.journal.step = m_step;
    out.journal.entries.resize(m_applied);
    const Weights& w = store().weights;
    for (const Layout::Entry& e : m_layout->entries()) {
        if (e.trained) {
            out.model.tensors[e.name] = tensorOf(e, w.parameters);
            out.optimizer.tensors["first." + e.name] = tensorOf(e, w.first);
            out.optimizer.tensors["second." + e.name] = tensorOf(e, w.second);
        } else if (e.name.starts_with(averagePrefix)) {
            out.averages.tensors[e.name.substr(averagePrefix.size())] = tensorOf(e, w.state);
        } else {
            out.optimizer.tensors["state." + e.name] = tensorOf(e, w.state);
        }
    }
    for (Safetensors* file : {&out.model, &out.averages, &out.optimizer}) file->metadata["format"] = "pt";
    for (size_t i = 0; i < w.counters.size(); ++i) {
        const std::string name = fmt::format("update.{}.", i);
        out.optimizer.metadata[name + "steps"] = fmt::format("{}", w.counters[i].steps);
        out.optimizer.metadata[name + "beta1_power"] = exactly(w.counters[i].beta1Power);
        out.optimizer.metadata[name + "beta2_power"] = exactly(w.counters[i].beta2Power);
    }
    return out;
}

std::unique_ptr<Run> Run::open(const SavedRun& saved, const RunRequest& request) {
    std::unique_ptr<Run> run = replay(saved.journal, request);
    run->snapshot(true);  // of the beginning, for whoever goes back there
    run->m_step = saved.journal.step;
    run->applyJournal();
    run->load(saved);
    run->m_furthest = run->m_began = run->m_step;
    run->snapshot(true);
    return run;
}

Moment Run::moment() {
    recover();
    while (inStep()) stage();
    Moment now{m_journal, m_step, present(true), m_histories};
    for (auto& [channel, history] : now.histories) history.truncate(m_step);
    return now;
}

std::unique_ptr<Run> Run::from(const Moment& moment, const RunRequest& request) {
    std::unique_ptr<Run> run = replay(moment.journal, request);
    run->snapshot(true);
    run->m_step = run->m_furthest = run->m_began = moment.step;
    run->restore(moment.state);
    run->m_histories = moment.histories;
    run->snapshot(true);
    return run;
}

void Run::load(const SavedRun& saved) {
    Weights& w = store().weights;
    const bool both = !saved.model.tensors.empty();
    const char *modelFile = both ? "model.safetensors" : "ema.safetensors", *averagesFile = "ema.safetensors",
               *optimizerFile = "optimizer.safetensors";
    auto model = both ? saved.model.tensors : saved.averages.tensors;
    auto averages = saved.averages.tensors, optimizer = saved.optimizer.tensors;
    const bool moments = !optimizer.empty();
    for (const Layout::Entry& e : m_layout->entries()) {
        if (e.trained) {
            CHECK(take(model, e.name, modelFile, e, w.parameters), "{}: expected {}, found none", modelFile,
                  e.name);
            if (!moments) continue;
            CHECK(take(optimizer, "first." + e.name, optimizerFile, e, w.first) &&
                      take(optimizer, "second." + e.name, optimizerFile, e, w.second),
                  "{}: expected the moments of {}, found none", optimizerFile, e.name);
        } else if (!e.name.starts_with(averagePrefix)) {
            take(optimizer, "state." + e.name, optimizerFile, e, w.state);
        }
    }
    checkNothingLeft(model, modelFile);
    checkNothingLeft(optimizer, optimizerFile);
    // Without averages they start as those of a new run do: equal to the parameters.
    for (const Layout::Entry& e : m_layout->entries()) {
        if (e.trained || !e.name.starts_with(averagePrefix)) continue;
        const std::string name = e.name.substr(averagePrefix.size());
        if (take(averages, name, averagesFile, e, w.state)) continue;
        const int parameter = m_layout->find(name);
        if (parameter < 0) continue;
        const int64_t from = m_layout->entries()[size_t(parameter)].offset;
        std::copy_n(w.parameters.begin() + from, e.shape.size(), w.state.begin() + e.offset);
    }
    checkNothingLeft(averages, averagesFile);
    for (size_t i = 0; i < w.counters.size() && !saved.optimizer.metadata.empty(); ++i) {
        const auto number = [&](const char* what) {
            const std::string name = fmt::format("update.{}.{}", i, what);
            const auto found = saved.optimizer.metadata.find(name);
            CHECK(found != saved.optimizer.metadata.end(), "{}: expected {}, found none", optimizerFile,
                  name);
            return numberOf(found->second, name);
        };
        w.counters[i] = {int64_t(number("steps")), number("beta1_power"), number("beta2_power")};
    }
    m_plans->deployment->upload();
}

}  // namespace core
