// A lesson's training graph recorded by itself, with its numbers at step 0: what a Run does inside.
#pragma once

#include "core/graph/plan.h"
#include "core/graph/store.h"
#include "core/lessons/lesson.h"
#include "core/session/run_request.h"

namespace support {

struct Recording {
    std::unique_ptr<core::Lesson> lesson;
    core::Layout layout;
    std::shared_ptr<const core::Graph> graph;

    explicit Recording(const core::RunRequest& request) : lesson(core::makeLesson(request.lesson)) {
        for (const core::Preset& preset : lesson->presets())
            if (preset.name == request.preset)
                for (const auto& [name, text] : preset.settings) set(name, text);
        for (const auto& [name, text] : request.settings) set(name, text);
        lesson->open();
        core::Recorder r(layout, core::Recorder::Access::train);
        lesson->train(r);
        graph = std::make_shared<const core::Graph>(r.take());
    }

    void set(const std::string& name, const std::string& text) {
        core::Knob& knob = lesson->knob(name);
        knob.set(knob.parameter().parse(text));
    }

    core::Store store(uint64_t seed) const {
        core::Store out;
        for (const core::Knob* knob : lesson->knobs()) out.live.push_back(float(knob->value()));
        out.live.push_back(0);  // the step's number
        out.initialise(layout, int(graph->updates.size()), seed);
        return out;
    }
};

}  // namespace support
