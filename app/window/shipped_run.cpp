#include "app/window/shipped_run.h"

#include <chrono>
#include <filesystem>

#include "core/base/error.h"
#include "core/session/run.h"

namespace app {

std::shared_ptr<const core::SavedRun> shippedRun(const std::string& lesson, const std::string& preset) {
    const std::filesystem::path folder =
        std::filesystem::path(GENSCOPE_ASSETS "/weights") / (lesson + "-" + preset);
    std::error_code ignored;
    if (!std::filesystem::exists(folder / "run.json", ignored)) return nullptr;
    return std::make_shared<const core::SavedRun>(core::readRun(core::readFolder(folder)));
}

void TrainingEstimate::begin(const core::RunRequest& request) {
    const std::string of = request.lesson + "-" + request.preset;
    if (of == m_of) return;
    m_of = of;
    m_seconds.reset();
    m_measured = std::async(std::launch::async, [request] {
        core::Run run(request);
        run.step();  // touches the memory that it needs
        const auto start = std::chrono::steady_clock::now();
        run.step();
        const std::chrono::duration<double> step = std::chrono::steady_clock::now() - start;
        return step.count() * run.budget();
    });
}

std::optional<double> TrainingEstimate::seconds() {
    if (m_measured.valid() && m_measured.wait_for(std::chrono::seconds(0)) == std::future_status::ready) try {
            m_seconds = m_measured.get();
        } catch (const core::Error&) {
            // The trainer says why the preset does not open.
        }
    return m_seconds;
}

}  // namespace app
