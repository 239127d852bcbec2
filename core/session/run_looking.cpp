// Looking at a run: frames, measures and the evaluation. Nothing here changes what is trained.
#include <algorithm>

#include "core/session/run.h"
#include "core/session/run_plans.h"

namespace core {
namespace {

bool isScalar(const Tensor& t) {
    return t.values.size() == 1;
}

// May the channels of `m` be computed: one of them is wanted and not there yet, and what it needs is?
bool isDue(const Measure& m, const std::map<std::string, Tensor>& channels,
           const std::set<std::string>& wanted) {
    const bool missing = std::any_of(m.channels.begin(), m.channels.end(),
                                     [&](auto& c) { return wanted.count(c) && !channels.count(c); });
    return missing &&
           std::all_of(m.needs.begin(), m.needs.end(), [&](auto& c) { return channels.count(c) > 0; });
}

}  // namespace

// Does the phase that computes the probe stand still?
bool Run::idles(NodeId probe) const {
    const Graph& g = *m_plans->train;
    const auto& repeats = g.phases[size_t(g.nodes[size_t(probe)].phase)].repeats;
    return repeats && repeats() == 0;
}

void Run::readRecorded(const std::string& channel, NodeId id, Tensor& into) const {
    const auto old = m_idle.find(channel);
    if (old != m_idle.end() && idles(id)) {
        into = old->second;
    } else {
        m_plans->last->read(channel, into);
    }
}

std::set<std::string> Run::channelNames() const {
    std::set<std::string> names;
    for (const Graph* g : {m_plans->train.get(), m_plans->view.get(), m_plans->evaluation.get()})
        for (const auto& [channel, id] : g->probes) names.insert(channel);
    for (const Measure& m : m_measures) names.insert(m.channels.begin(), m.channels.end());
    return names;
}

std::vector<std::string> Run::stageNames() const {
    return m_plans->train->stages;
}

// The channels and everything that the measures behind them need.
std::set<std::string> Run::withNeeds(std::set<std::string> channels) const {
    for (auto m = m_measures.rbegin(); m != m_measures.rend();
         ++m)  // a later measure may need an earlier one
        if (std::any_of(m->channels.begin(), m->channels.end(),
                        [&](auto& c) { return channels.count(c) > 0; }))
            channels.insert(m->needs.begin(), m->needs.end());
    return channels;
}

std::set<std::string> Run::recordedFor(const std::set<std::string>& channels, const Graph& graph) const {
    std::set<std::string> recorded;
    for (const std::string& channel : withNeeds(channels))
        if (graph.probes.count(channel)) recorded.insert(channel);
    return recorded;
}

Executor* Run::viewFor(const std::set<std::string>& channels) {
    const std::set<std::string> recorded = recordedFor(channels, *m_plans->view);
    if (recorded.empty()) return nullptr;
    if (!m_plans->looking || recorded != m_plans->viewChannels) {
        PlanOptions options{.channels = recorded, .everyChannel = false};
        m_plans->looking = m_plans->deployment->prepare(compile(m_plans->view, *m_layout, options));
        m_plans->viewChannels = recorded;
        for (const auto& [name, values] : m_handles) m_plans->looking->setHandle(name, values);
    }
    return m_plans->looking.get();
}

void Run::setHandle(const std::string& name, const std::vector<float>& values) {
    for (const Knob* knob : m_lesson->knobs())
        if (knob->parameter().name == name && values.size() == 1) return set(name, double(values[0]));
    m_handles[name] = values;
    if (m_plans->looking) m_plans->looking->setHandle(name, values);
}

void Run::measure(std::map<std::string, Tensor>& channels, const std::set<std::string>& wanted) const {
    for (const Measure& m : m_measures)
        if (m.compute && isDue(m, channels, wanted)) m.compute(channels);
}

Frame Run::look(const std::set<std::string>& channels, bool slow) {
    Frame f;
    f.lesson = m_lessonId;
    f.step = m_step;
    f.stage = nextStage();
    f.device = device();
    f.problem = m_problem;
    f.seed = m_seed;
    describe(*m_lesson, f);

    // What measures need is there while they run, and goes unless it was asked for.
    const std::set<std::string> needed = withNeeds(channels);
    for (const auto& [channel, id] : m_plans->train->probes)
        if (m_plans->ran && (needed.count(channel) || m_plans->train->nodes[id].shape.size() == 1))
            readRecorded(channel, id, f.channels[channel]);
    if (Executor* view = viewFor(channels)) {
        view->run(m_seed, 0);
        for (const std::string& channel : m_plans->viewChannels) view->read(channel, f.channels[channel]);
    }
    if (slow) {
        m_evaluationPiece = 0;
        while (!evaluatePiece(channels) && m_evaluationPiece > 0) {
        }
    }
    for (const auto& [channel, tensor] : m_evaluation)
        if (needed.count(channel) || isScalar(tensor)) f.channels[channel] = tensor;
    measure(f.channels, needed);

    std::erase_if(f.channels,
                  [&](const auto& item) { return !channels.count(item.first) && !isScalar(item.second); });
    for (const auto& [channel, tensor] : f.channels) {
        // What was evaluated belongs to the step of its evaluation, where it was remembered.
        if (m_plans->train->probes.count(channel) || m_evaluation.count(channel)) continue;
        if (isScalar(tensor)) keep(channel, tensor.values[0]);
    }
    f.histories = m_histories;
    if (m_furthest > m_step)
        for (auto& [channel, history] : f.histories) history.truncate(m_step);
    // A figure that other data had stays in the run's memory and out of sight.
    std::erase_if(f.histories,
                  [known = channelNames()](const auto& item) { return !known.count(item.first); });
    f.samplings = m_samplings.published();
    return f;
}

void Run::sample(int64_t id, const SamplingRequest& request) {
    m_samplings.start(id, *m_lesson, *m_layout, store(), m_step, "", request);
}

void Run::fork(int64_t id, int64_t parent, int step, const SamplingRequest& request) {
    m_samplings.fork(id, parent, step, *m_lesson, *m_layout, store(), m_step, "", request);
}

bool Run::evaluatePiece(const std::set<std::string>& channels) {
    const std::set<std::string> recorded = recordedFor(channels, *m_plans->evaluation);
    if (recorded.empty()) return true;
    if (!m_plans->evaluating)
        m_plans->evaluating = m_plans->deployment->prepare(compile(m_plans->evaluation, *m_layout, {}));
    const int pieces = m_lesson->evaluationPieces();
    if (m_evaluationPiece == 0) m_evaluationSum.clear();
    if (m_evaluationPiece < pieces) {
        addPiece(*m_plans->evaluating, 1 / float(pieces));
        ++m_evaluationPiece;
        return false;
    }
    // What can be measured of a round is measured once, not for every frame that shows it.
    const std::set<std::string> wanted = withNeeds(channels);
    while (m_evaluationPiece < pieces + int(m_measures.size())) {
        const Measure& m = m_measures[size_t(m_evaluationPiece - pieces)];
        const bool due = isDue(m, m_evaluationSum, wanted);
        if (due && m.computePart && !m.computePart(m_evaluationSum)) return false;
        ++m_evaluationPiece;
        if (due && m.compute) m.compute(m_evaluationSum);
        if (due) return false;
    }
    m_evaluationPiece = 0;
    m_evaluation = m_evaluationSum;
    for (const auto& [channel, tensor] : m_evaluation)
        if (isScalar(tensor)) keep(channel, tensor.values[0]);
    return true;
}

// A point of the channel's curve; of steps that were seen before there is one.
void Run::keep(const std::string& channel, float value) {
    m_histories[channel].addOrReplace(m_step, value);
}

void Run::addPiece(Executor& evaluating, float share) {
    evaluating.run(m_seed, uint64_t(m_evaluationPiece));
    Tensor piece;
    for (const auto& [channel, id] : m_plans->evaluation->probes) {
        evaluating.read(channel, piece);
        Tensor& sum = m_evaluationSum[channel];
        if (sum.values.empty()) {
            sum.shape = piece.shape;
            sum.values.assign(piece.values.size(), 0);
        }
        for (size_t i = 0; i < piece.values.size(); ++i) sum.values[i] += piece.values[i] * share;
    }
}

}  // namespace core
