// Requests for runs that are real lessons at a size that trains thousands of steps a second.
#pragma once

#include <QTest>

#include "core/lessons/lesson.h"
#include "core/session/run_request.h"

namespace support {

// The preset with narrow networks and small batches. Extra settings come last and win.
inline core::RunRequest small(const std::string& lesson, const std::string& preset,
                              std::vector<std::pair<std::string, std::string>> extra = {}) {
    core::RunRequest request{.lesson = lesson, .preset = preset, .seed = 5, .threads = 1};
    request.settings = {{"width", "12"}, {"batch", "17"}};
    request.settings.insert(request.settings.end(), extra.begin(), extra.end());
    return request;
}

// One row for every preset of every lesson: columns `lesson` and `preset`. Under the thread sanitizer, which
// looks at every load, only the light ones; under the other, for which pairing points takes minutes, one of
// DDPM's in the plane.
inline void addPresets() {
    QTest::addColumn<QString>("lesson");
    QTest::addColumn<QString>("preset");
    for (const std::string& id : core::lessonIds())
        for (const core::Preset& preset : core::makeLesson(id)->presets()) {
#if defined(__SANITIZE_THREAD__)
            if (preset.name != "ring8" && preset.name != "linear-gaussian") continue;
#elif defined(__SANITIZE_ADDRESS__)
            if (id == "ddpm" && preset.name != "plane-moons" && preset.name != "fashion") continue;
#endif
            QTest::addRow("%s/%s", id.c_str(), preset.name.c_str())
                << QString::fromStdString(id) << QString::fromStdString(preset.name);
        }
}

}  // namespace support
