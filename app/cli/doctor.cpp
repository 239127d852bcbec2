#include "app/cli/doctor.h"

#include <fmt/format.h>

#include <QApplication>
#include <QFontDatabase>
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "app/cli/command_line.h"
#include "app/cli/display.h"
#include "app/window/gl_probe.h"
#include "core/cpu/call.h"
#include "core/data/fashion_mnist.h"
#include "core/session/devices.h"

namespace app {
namespace {

struct Finding {
    std::string name, value;
    bool good = true;
};

std::string processorName() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);)
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    return "unknown";
}

std::string memory() {
    std::ifstream info("/proc/meminfo");
    std::string word;
    double kilobytes = 0;
    info >> word >> kilobytes;
    return fmt::format("{:.1f} GB", kilobytes / 1e6);
}

Finding font(const char* purpose, const char* family, const char* package) {
    if (QFontDatabase::families().contains(QString::fromUtf8(family))) return {purpose, family};
    return {purpose, fmt::format("{} not found; apt-get install {}", family, package), false};
}

void askDisplay(std::vector<Finding>& findings) {
    const bool display = displayAnswers();
    const char* displayName = std::getenv("DISPLAY");
    findings.push_back(
        {"display", display ? displayName ? displayName : "Wayland" : "none: no window here", display});
    findings.push_back({"xvfb",
                        VirtualDisplay::installed() ? "found: genscope shot works without a display"
                                                    : "not found; apt-get install xvfb",
                        VirtualDisplay::installed()});
    std::unique_ptr<VirtualDisplay> own;
    try {
        if (!display) own = std::make_unique<VirtualDisplay>(640, 480);
    } catch (const std::exception& fault) {
        findings.push_back({"opengl", fault.what(), false});
        return;
    }
    requestGl();
    int argc = 1;
    char name[] = "genscope";
    char* argv[] = {name, nullptr};
    const QApplication application(argc, argv);
    const GlProbe& gl = glProbe();
    findings.push_back({"opengl",
                        gl.usable ? fmt::format("{}, {}, {}", gl.version.toStdString(),
                                                gl.renderer.toStdString(), gl.vendor.toStdString())
                                  : gl.reason.toStdString(),
                        gl.usable});
    findings.push_back(font("font", "Inter", "fonts-inter"));
    findings.push_back(font("font_chinese", "WenQuanYi Micro Hei", "fonts-wqy-microhei"));
}

}  // namespace

int runDoctor(const DoctorOptions& options) {
    std::vector<Finding> findings = {
        {"genscope", GENSCOPE_VERSION},
        {"cpu", processorName()},
        {"instruction_set", core::cpu::bestKernels().name},
        {"cores", fmt::format("{}", std::thread::hardware_concurrency())},
        {"memory", memory()},
        {"cuda", core::askForCard().text, core::askForCard().there},
        {"qt", qVersion()},
        {"fashion_mnist",
         core::fashionMnistInstalled() ? "found" : "not found; apt-get install dataset-fashion-mnist",
         core::fashionMnistInstalled()},
    };
    askDisplay(findings);
    if (options.json) {
        nlohmann::ordered_json out;
        for (const Finding& finding : findings)
            out[finding.name] = {{"ok", finding.good}, {"found", finding.value}};
        fmt::print("{}\n", out.dump());
    } else {
        for (const Finding& finding : findings)
            fmt::print("{} {:<16} {}\n", finding.good ? " " : "!", finding.name, finding.value);
    }
    return exitOk;
}

}  // namespace app
