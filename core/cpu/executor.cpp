#include "core/cpu/executor.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>

#include "core/cpu/describe.h"

namespace core::cpu {
namespace {

constexpr uint8_t ofWorkerOutput = 1 << 4, ofWorkerScratch = 1 << 5;

// Elements of an update that one worker takes at a time.
constexpr int64_t updatePiece = 1 << 14;

}  // namespace

Executor::Executor(Plan plan, Store& store, Pool& pool, const KernelSet& kernels)
    : core::Executor(std::move(plan)), m_store(store), m_pool(pool), m_kernels(kernels) {
    m_arena.assign(size_t(m_plan.arenaSize), 0);
    m_handles = m_plan.graph->handleValues;
    prepareCalls();
    prepareTasks();
}

float* Executor::address(NodeId id) {
    const Place& place = m_plan.places[id];
    switch (place.memory) {
        case Place::arena:
            return m_arena.data() + place.offset;
        case Place::parameters:
            return m_store.weights.parameters.data() + place.offset;
        case Place::gradients:
            return m_store.gradients.data() + place.offset;
        case Place::state:
            return m_store.weights.state.data() + place.offset;
        case Place::live:
            return m_store.live.data() + place.offset;
        case Place::handle:
            return m_handles[size_t(place.offset)].data();
        case Place::constant:
            return const_cast<float*>(m_plan.graph->constants[size_t(place.offset)]->data());
        case Place::slab:  // the worker adds its own
        case Place::none:
            return nullptr;
    }
    return nullptr;
}

void Executor::prepareCalls() {
    const Graph& g = *m_plan.graph;
    m_calls.resize(g.nodes.size());
    m_kernelOf.assign(g.nodes.size(), nullptr);
    m_ofWorker.assign(g.nodes.size(), 0);
    m_preparedOf.assign(g.nodes.size(), -1);
    int64_t scratch = 0;
    for (NodeId id = 0; id < NodeId(g.nodes.size()); ++id) {
        const Node& n = g.nodes[id];
        if (!m_plan.alive[id] || n.op <= Op::constant || n.op == Op::reshape) continue;
        if (n.op == Op::update) {
            prepareUpdates(id);
            continue;
        }
        Call<float>& call = m_calls[id];
        call = describe<float>(g, n);
        const NodeId sum = m_plan.biased[id], written = sum >= 0 ? sum : id;
        call.out = n.op == Op::assign ? m_store.weights.state.data() : address(written);
        if (sum >= 0) {
            const std::vector<NodeId>& terms = g.nodes[sum].inputs;
            call.bias = address(terms[0] == id ? terms[1] : terms[0]);
        }
        const auto inSlab = [&](NodeId value) { return m_plan.places[size_t(value)].memory == Place::slab; };
        for (size_t i = 0; i < n.inputs.size(); ++i) {
            call.in[i] = address(n.inputs[i]);
            if (inSlab(n.inputs[i])) m_ofWorker[id] |= uint8_t(1 << i);
        }
        if (inSlab(written)) m_ofWorker[id] |= ofWorkerOutput;
        if (scratchSize(call) > 0) m_ofWorker[id] |= ofWorkerScratch;
        scratch = std::max(scratch, scratchSize(call));
        if (isRandom(n.op)) m_randomNodes.push_back(id);
        if (n.op != Op::assign) m_kernelOf[id] = m_kernels.kernelFor(n.op);
        if (const int64_t size = m_kernels.preparedSize(call); size > 0) {
            m_preparedOf[id] = int(m_prepared.size());
            const bool steady = m_plan.steady[size_t(id)] >> 1 & 1;
            m_prepared.push_back(
                {id, steady, Buffer(size_t(size)), std::make_unique<std::atomic<uint64_t>>(0)});
            call.prepared = m_prepared.back().values.data();
        }
    }
    for (int worker = 0; worker < m_pool.threads(); ++worker) {
        m_slabs.emplace_back(size_t(m_plan.slabSize));
        m_scratch.emplace_back(size_t(scratch));
    }
    for (NodeId sum : m_plan.biased)
        if (sum >= 0) m_kernelOf[sum] = nullptr;
    // A state's place is that of its leaf, which the assignment does not name as an input.
    for (NodeId id = 0; id < NodeId(g.nodes.size()); ++id)
        if (g.nodes[id].op == Op::assign && m_plan.alive[id])
            for (NodeId leaf = 0; leaf < id; ++leaf)
                if (g.nodes[leaf].op == Op::state && g.nodes[leaf].slot == g.nodes[id].slot)
                    m_calls[id].out = m_store.weights.state.data() + m_plan.places[leaf].offset;
}

// Neighbouring parameters, whose averages are neighbours too, become one range: a pass over flat memory.
void Executor::prepareUpdates(NodeId id) {
    const Graph& g = *m_plan.graph;
    const Node& n = g.nodes[size_t(id)];
    const Update& update = g.updates[size_t(n.slot)];
    struct Span {
        int64_t offset, size;
        float* average;
    };
    std::vector<Span> spans;
    for (size_t i = 0; i < update.entries.size(); ++i) {
        const NodeId input = n.inputs[i];
        const int64_t size = (g.nodes[size_t(input)].shape.size() + 15) / 16 * 16;
        spans.push_back({m_plan.places[size_t(input)].offset, size, nullptr});
        if (!update.averages.empty())
            spans.back().average = m_store.weights.state.data() + update.averages[i].offset;
    }
    std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.offset < b.offset; });
    for (const Span& span : spans) {
        if (!m_updates.empty() && m_updates.back().update == n.slot) {
            UpdateRange& back = m_updates.back();
            const float* const next = back.call.average ? back.call.average + back.size : nullptr;
            if (back.call.gradient + back.size == m_store.gradients.data() + span.offset &&
                next == span.average) {
                back.size += span.size;
                continue;
            }
        }
        UpdateCall call;
        call.optimizer = update.optimizer;
        call.parameter = m_store.weights.parameters.data() + span.offset;
        call.gradient = m_store.gradients.data() + span.offset;
        call.first = m_store.weights.first.data() + span.offset;
        call.second = m_store.weights.second.data() + span.offset;
        call.average = span.average;
        call.epsilon = update.epsilon;
        m_updates.push_back({n.slot, call, span.size});
    }
}

void Executor::prepareTasks() {
    for (const Segment& segment : m_plan.segments) {
        auto& levels = m_tasks.emplace_back();
        for (const Level& level : segment.levels) {
            Tasks& tasks = levels.emplace_back();
            addTasks(level, false, tasks.all);
            tasks.recurring = tasks.all.size();
            addTasks(level, true, tasks.all);
        }
    }
}

void Executor::addTasks(const Level& level, bool steady, std::vector<Task>& tasks) const {
    const Graph& g = *m_plan.graph;
    const int threads = m_pool.threads();
    for (const Group& group : level) {
        if (group.steady != steady) continue;
        const Node& first = g.nodes[group.nodes.front()];
        if (first.op == Op::update) {
            for (int r = 0; r < int(m_updates.size()); ++r)
                for (int64_t at = 0; m_updates[r].update == first.slot && at < m_updates[r].size;
                     at += updatePiece)
                    tasks.push_back(
                        {Task::update, nullptr, r, at, std::min(at + updatePiece, m_updates[r].size)});
            continue;
        }
        // A few slabs for each thread, so that none waits long: of equal size, and as many for each.
        const int64_t fitting = (group.rows + group.slab - 1) / group.slab;
        const int64_t few = threads == 1 || group.readsWhole ? threads : 3 * threads;
        const int64_t pieces = (std::max(fitting, few) + threads - 1) / threads * threads;
        const int64_t slab = std::max((group.rows + pieces - 1) / pieces, std::min<int64_t>(group.slab, 12));
        for (int64_t at = 0; at < group.rows; at += slab)
            tasks.push_back({Task::rows, &group, 0, at, std::min(at + slab, group.rows)});
    }
    // The last is taken first: what rows wait for is at least begun before them.
    for (auto group = level.rbegin(); group != level.rend(); ++group)
        for (auto id = group->nodes.rbegin(); id != group->nodes.rend(); ++id)
            if (const int index = m_preparedOf[size_t(*id)];
                index >= 0 && m_prepared[size_t(index)].steady == steady)
                tasks.push_back({Task::prepare, nullptr, index, 0, 0});
}

bool Executor::run(uint64_t seed, uint64_t step, int steps) {
    bool finite = true;
    for (int i = 0; i < steps; ++i) {
        if (i > 0) ++m_store.live.back();
        while (!runSegment(seed, step + uint64_t(i))) {
        }
        finite = finite && m_finite;
    }
    return finite;
}

void Executor::runOne(uint64_t seed, uint64_t step, size_t segment, int repeat) {
    for (NodeId id : m_randomNodes) {
        philox::Position& at = m_calls[size_t(id)].at;
        at.seed = seed;
        at.step = step;
        at.repeat = uint32_t(repeat);
    }
    m_repeating = repeat > 0;
    for (size_t level = 0; level < m_tasks[segment].size(); ++level) runLevel(segment, level);
}

void Executor::beginUpdates(const Level& level) {
    const Graph& g = *m_plan.graph;
    const auto resolve = [&](const Scalar& s) {
        return s.slot >= 0 ? m_store.live[size_t(s.slot)] : s.value;
    };
    for (const Group& group : level) {
        const Node& n = g.nodes[group.nodes.front()];
        if (n.op != Op::update) continue;
        const Update& update = g.updates[n.slot];
        StepCounter& counter = m_store.weights.counters[size_t(update.counter)];
        const float beta1 = resolve(update.beta1), beta2 = resolve(update.beta2);
        ++counter.steps;
        counter.beta1Power *= double(beta1);
        counter.beta2Power *= double(beta2);
        const auto input = [&](int which) { return *address(n.inputs[size_t(which)]); };
        const float clip = resolve(update.clip), keep = update.keepInput >= 0 ? input(update.keepInput) : 0;
        // As torch.nn.utils.clip_grad_norm_ does.
        const float scale =
            update.normInput >= 0 && clip > 0 ? std::min(1.0f, clip / (input(update.normInput) + 1e-6f)) : 1;
        for (UpdateRange& range : m_updates) {
            if (range.update != n.slot) continue;
            range.call.rate = resolve(update.rate);
            range.call.beta1 = beta1;
            range.call.beta2 = beta2;
            range.call.correction1 = float(1 - counter.beta1Power);
            range.call.correction2 = float(1 - counter.beta2Power);
            range.call.decay = resolve(update.decay);
            range.call.scale = scale;
            range.call.keep = keep;
        }
    }
}

void Executor::runLevel(size_t segment, size_t level) {
    beginUpdates(m_plan.segments[segment].levels[level]);
    const Tasks& tasks = m_tasks[segment][level];
    const size_t count = m_repeating ? tasks.recurring : tasks.all.size();
    if (count == 0) return;
    m_running = &tasks.all;
    ++m_levelsRun;
    m_pool.run(
        [](void* self, int64_t index, int worker) {
            Executor& e = *static_cast<Executor*>(self);
            e.runTask((*e.m_running)[size_t(index)], worker);
        },
        this, int64_t(count));
}

void Executor::runTask(const Task& task, int worker) {
    switch (task.kind) {
        case Task::prepare: {
            Prepared& prepared = m_prepared[size_t(task.index)];
            m_kernels.prepare(m_calls[size_t(prepared.node)], prepared.values.data());
            prepared.level->store(m_levelsRun, std::memory_order_release);
            return;
        }
        case Task::rows:
            for (NodeId id : task.group->nodes) runNode(id, task.begin, task.end, worker);
            return;
        case Task::update:
            if (!m_kernels.update(m_updates[size_t(task.index)].call, task.begin, task.end)) m_finite = false;
            return;
    }
}

// Another worker has begun to make it.
void Executor::awaitPrepared(NodeId id) const {
    const int index = m_preparedOf[size_t(id)];
    if (index < 0) return;
    const Prepared& prepared = m_prepared[size_t(index)];
    if (prepared.steady && m_repeating) return;
    const std::atomic<uint64_t>& level = *prepared.level;
    for (int spins = 0; level.load(std::memory_order_acquire) != m_levelsRun; ++spins)
        if (spins < 1000)
            __builtin_ia32_pause();
        else
            std::this_thread::yield();
}

void Executor::runNode(NodeId id, int64_t begin, int64_t end, int worker) {
    const Call<float>& call = m_calls[size_t(id)];
    if (const Kernel<float> kernel = m_kernelOf[size_t(id)]) {
        awaitPrepared(id);
        const uint8_t ofWorker = m_ofWorker[size_t(id)];
        if (ofWorker == 0) return kernel(call, begin, end);
        Call<float> own = call;
        const Node& n = m_plan.graph->nodes[size_t(id)];
        float* const slab = m_slabs[size_t(worker)].data();
        // Row `begin` stands at the start of the value's memory.
        const auto at = [&](NodeId value, int64_t columns) {
            return slab + m_plan.places[size_t(value)].offset - begin * columns;
        };
        for (int i = 0; i < call.inputs; ++i)
            if (ofWorker >> i & 1) own.in[i] = at(n.inputs[size_t(i)], call.inColumns[i]);
        const NodeId sum = m_plan.biased[size_t(id)];
        if (ofWorker & ofWorkerOutput) own.out = at(sum >= 0 ? sum : id, call.columns);
        own.scratch = m_scratch[size_t(worker)].data();
        kernel(own, begin, end);
    } else if (call.op == Op::assign) {
        std::copy(call.in[0] + begin * call.columns, call.in[0] + end * call.columns,
                  call.out + begin * call.columns);
    }
}

void Executor::setHandle(const std::string& name, const std::vector<float>& values) {
    const auto it = m_plan.graph->handles.find(name);
    if (it == m_plan.graph->handles.end()) return;
    std::vector<float>& target = m_handles[size_t(it->second)];
    CHECK(values.size() == target.size(), "{}: expected {} values, got {}", name, target.size(),
          values.size());
    std::copy(values.begin(), values.end(), target.begin());
}

void Executor::get(NodeId channel, float* into) const {
    const std::span<const float> from = values(channel);
    std::copy(from.begin(), from.end(), into);
}

void Executor::put(NodeId channel, const float* from) {
    std::copy_n(from, values(channel).size(), address(channel));
}

std::span<const float> Executor::values(NodeId id) const {
    return {address(id), size_t(m_plan.graph->nodes[id].shape.size())};
}

void Executor::poison() {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::fill(m_arena.begin(), m_arena.end(), nan);
    for (Buffer& slab : m_slabs) std::fill(slab.begin(), slab.end(), nan);
}

}  // namespace core::cpu
