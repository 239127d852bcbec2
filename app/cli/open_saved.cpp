#include "app/cli/open_saved.h"

#include <thread>

#include "app/window/own_file.h"
#include "core/base/error.h"

namespace app {
namespace {

// What `act` throws names the folder.
template <class Act>
auto inFolder(const std::string& folder, const Act& act) {
    try {
        return act();
    } catch (const core::DeviceError&) {
        throw;
    } catch (const core::Error& fault) {
        const std::string sentence = fault.what();
        throw core::Error(sentence.starts_with(folder) ? sentence : folder + ": " + sentence);
    }
}

}  // namespace

core::SavedRun readSaved(const std::string& folder, const std::string& lesson) {
    return inFolder(folder, [&] {
        core::SavedRun saved = core::readRun(core::readFolder(folder));
        CHECK(lesson.empty() || lesson == saved.journal.lesson,
              "run.json: expected a run of lesson {}, got one of {}", lesson, saved.journal.lesson);
        return saved;
    });
}

std::unique_ptr<core::Run> openSaved(const std::string& folder, const core::SavedRun& saved,
                                     const core::RunRequest& request) {
    return inFolder(folder, [&] {
        const int threads = request.threads > 0 ? request.threads : int(std::thread::hardware_concurrency());
        core::RunRequest there = core::Run::requestOf(saved.journal, threads, readOwnFiles(saved.journal));
        there.device = request.device;
        there.exact = request.exact;
        return core::Run::open(saved, there);
    });
}

}  // namespace app
