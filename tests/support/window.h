// The window as tests see it: nothing moves, and nothing is remembered from one test to the next.
#pragma once

#include <QApplication>
#include <QSlider>
#include <QTest>

#include <memory>

#include "app/window/knob_editor.h"
#include "app/window/knob_panel.h"
#include "app/window/main_window.h"
#include "app/window/run_column.h"
#include "tests/support/slower.h"

namespace support {

inline std::unique_ptr<app::MainWindow> stillWindow(const core::RunRequest& request) {
    app::WindowOptions options;
    options.theme.moves = false;
    options.remembers = false;
    return std::make_unique<app::MainWindow>(request, options);
}

// What the tests of one window share.
class WithWindow {
  protected:
    // The GAN's first preset, before its first step.
    void openFigure1() {
        m_window = stillWindow({.lesson = "gan", .preset = "figure1"});
        m_window->resize(1600, 1000);
        m_window->show();
        m_window->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
        QVERIFY(comesTrue([&] { return frame().lesson == "gan" && !frame().settings.empty(); }));
    }
    app::MainWindow& window() { return *m_window; }
    const core::Frame& frame(size_t column = 0) { return window().column(column).frame(); }
    void press(Qt::Key key, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
        QTest::keyClick(QApplication::focusWidget() ? QApplication::focusWidget() : m_window.get(), key,
                        modifiers);
    }
    // Waits until it does; false if that takes too long.
    template <typename Claim>
    bool comesTrue(Claim claim, int timeoutMs = 20'000 * slower) {
        return QTest::qWaitFor(
            [&] {
                for (size_t i = 0; i < window().columnCount(); ++i) window().column(i).hurry();
                return claim();
            },
            timeoutMs);
    }
    bool arrives(int64_t step) {
        return comesTrue([&] { return frame().step == step && frame().stage.empty() && !frame().running; });
    }
    void startRunning() {
        if (!frame().running) press(Qt::Key_Space);
        QVERIFY(comesTrue([&] { return frame().running && frame().step > 2; }));
    }
    void stopRunning() {
        if (frame().running) press(Qt::Key_Space);
        QVERIFY(comesTrue([&] { return !frame().running; }));
    }
    void turn(const char* knob, Qt::Key key) {
        auto* slider = window().knobs().editor(knob)->findChild<QSlider*>();
        slider->setFocus();
        QTest::keyClick(slider, key);
    }

    std::unique_ptr<app::MainWindow> m_window;
};

}  // namespace support
