#include "app/window/shipped_run.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/session/run.h"

namespace app {

namespace {

std::filesystem::path folderOf(const std::string& lesson, const std::string& preset) {
    return std::filesystem::path(GENSCOPE_ASSETS "/weights") / (lesson + "-" + preset);
}

// Empty if it was stopped.
std::optional<double> measure(const core::RunRequest& request, const std::stop_token& stop) {
    core::Run run(request);
    const auto step = [&] {
        while (!stop.stop_requested() && !run.stage()) {
        }
    };
    step();  // touches the memory that it needs
    const auto start = std::chrono::steady_clock::now();
    step();
    const std::chrono::duration<double> each = std::chrono::steady_clock::now() - start;
    if (stop.stop_requested()) return std::nullopt;
    return each.count() * run.budget();
}

}  // namespace

std::shared_ptr<const core::SavedRun> shippedRun(const std::string& lesson, const std::string& preset) {
    const std::filesystem::path folder = folderOf(lesson, preset);
    std::error_code ignored;
    if (!std::filesystem::exists(folder / "run.json", ignored)) return nullptr;
    return std::make_shared<const core::SavedRun>(core::readRun(core::readFolder(folder)));
}

std::optional<ShippedFigures> shippedFigures(const std::string& lesson, const std::string& preset) {
    std::ifstream file(folderOf(lesson, preset) / "figures.json");
    const nlohmann::json all = nlohmann::json::parse(file, nullptr, false);
    if (!all.is_object() || !all.contains("frechet")) return std::nullopt;
    return ShippedFigures{.frechet = all.at("frechet"),
                          .baseline = all.at("frechet_baseline"),
                          .count = all.at("count"),
                          .steps = all.at("steps"),
                          .sampler = all.at("sampler_knobs").at("sampler")};
}

void TrainingEstimate::begin(const core::RunRequest& request) {
    const std::string of = request.lesson + "-" + request.preset;
    if (of == m_of) return;
    m_of = of;
    m_seconds.reset();
    for (std::jthread& other : m_threads) other.request_stop();
    std::promise<double> measured;
    m_measured = measured.get_future();
    m_threads.emplace_back([request, measured = std::move(measured)](const std::stop_token& stop) mutable {
        try {
            if (const std::optional<double> seconds = measure(request, stop)) measured.set_value(*seconds);
        } catch (...) {
            measured.set_exception(std::current_exception());
        }
    });
}

std::optional<double> TrainingEstimate::seconds() {
    if (m_measured.valid() && m_measured.wait_for(std::chrono::seconds(0)) == std::future_status::ready) try {
            m_seconds = m_measured.get();
        } catch (const core::Error&) {
            // The trainer says why the preset does not open.
        } catch (const std::future_error&) {
            // It was given up.
        }
    return m_seconds;
}

}  // namespace app
