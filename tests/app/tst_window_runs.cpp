// ctest: gl
// The runs of the window: two side by side, one for every lesson, and ways to other steps.
#include <QSlider>
#include <QTest>

#include "app/window/gl_probe.h"
#include "app/window/knob_editor.h"
#include "app/window/knob_panel.h"
#include "app/window/lesson_list.h"
#include "app/window/timeline_bar.h"
#include "app/window/transport.h"
#include "tests/support/window.h"

using namespace app;

class TestWindowRuns : public QObject, support::WithWindow {
    Q_OBJECT

  private slots:
    void initTestCase() { QVERIFY2(glProbe().usable, qPrintable(glProbe().reason)); }

    void init() { openFigure1(); }
    void cleanup() { m_window.reset(); }

    // The run works, though nobody has pressed Run: the button says Pause, and ends it; so does Escape.
    void aWayToAnotherStepCanBeEnded() {
        stopRunning();
        for (const Qt::Key key : {Qt::Key_Space, Qt::Key_Escape}) {
            window().column().trainer().goTo(1'000'000'000);
            QVERIFY(comesTrue([&] { return frame().target > 0 && window().actions().running(); }));
            press(key);
            QVERIFY(comesTrue([&] { return frame().target == -1 && !window().actions().running(); }));
            QVERIFY(!frame().running);
        }
    }

    void comparisonSharesSeedAndDiffersByOneKnob() {
        window().setComparing(true);
        QCOMPARE(window().columnCount(), size_t(2));
        const auto b = [&]() -> const core::Frame& { return window().column(1).frame(); };
        QVERIFY(comesTrue([&] { return !b().settings.empty(); }));
        QCOMPARE(b().seed, frame().seed);
        QCOMPARE(b().settings, frame().settings);
        turn("lr_g", Qt::Key_Up);
        QVERIFY(comesTrue([&] { return b().settings.at("lr_g") > frame().settings.at("lr_g"); }));
        press(Qt::Key_Right);
        QVERIFY(comesTrue([&] { return b().step == 1 && frame().step == 1; }));
        const TimelineBar& timeline = *window().transport().timeline();
        QCOMPARE(timeline.markers().size(), size_t(1));
        window().setComparing(false);
        QCOMPARE(window().columnCount(), size_t(1));
        QVERIFY(timeline.markers().empty());  // the knob was turned in B
    }

    void comparisonGoesOnFromWhereTheRunStands() {
        startRunning();
        QVERIFY(comesTrue([&] { return frame().step > 50; }));
        stopRunning();
        turn("lr_g", Qt::Key_Up);
        QVERIFY(comesTrue([&] { return frame().settings.at("lr_g") > 5e-4; }));
        const int64_t there = frame().step;
        window().setComparing(true);
        QVERIFY(comesTrue([&] { return frame(1).step == there && !frame(1).settings.empty(); }));
        QCOMPARE(frame().step, there);
        QCOMPARE(frame(1).settings, frame().settings);
        QCOMPARE(window().transport().timeline()->markers().size(), size_t(1));  // turned before in both
        QCOMPARE(frame(1).histories.at("loss_g").buckets().size(),
                 frame().histories.at("loss_g").buckets().size());
        press(Qt::Key_Right);
        QVERIFY(comesTrue([&] { return frame().step == there + 1 && frame(1).step == there + 1; }));
        QCOMPARE(frame(1).scalar("loss_g"), frame().scalar("loss_g"));
        press(Qt::Key_Home);
        QVERIFY(comesTrue([&] { return frame().step == 0 && frame(1).step == 0; }));
        press(Qt::Key_End);
        QVERIFY(comesTrue([&] { return frame().step == there + 1 && frame(1).step == there + 1; }));
        window().setComparing(false);
        QCOMPARE(frame().step, there + 1);
    }

    void everyLessonKeepsItsRun() {
        startRunning();
        QVERIFY(comesTrue([&] { return frame().step > 20; }));
        stopRunning();
        turn("lr_g", Qt::Key_Up);
        QVERIFY(comesTrue([&] { return frame().settings.at("lr_g") > 5e-4; }));
        const int64_t there = frame().step;
        const core::Settings settings = frame().settings;
        const auto choose = [&](const char* lesson) {
            emit window().lessons().chosen(lesson);
            QVERIFY(comesTrue([&] { return frame().lesson == lesson && !frame().settings.empty(); }));
        };
        choose("vae");
        QCOMPARE(frame().step, int64_t(0));
        press(Qt::Key_Right);
        QVERIFY(arrives(1));
        choose("gan");
        QVERIFY(comesTrue([&] { return frame().step == there; }));
        QCOMPARE(frame().settings, settings);
        QCOMPARE(window().column().furthest(), qint64(there));
        QCOMPARE(window().transport().timeline()->markers().size(), size_t(1));
        press(Qt::Key_Right);
        QVERIFY(arrives(there + 1));
        choose("vae");
        QVERIFY(arrives(1));
    }
};

int main(int argc, char** argv) {
    requestGl();
    QApplication application(argc, argv);
    TestWindowRuns test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_window_runs.moc"
