// ctest: gl
// The second timeline of the window: sampling, driven by mouse and keyboard.
#include <QApplication>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFile>
#include <QJsonDocument>
#include <QLabel>
#include <QPushButton>
#include <QSlider>
#include <QTest>
#include <QTimer>
#include <cmath>

#include "app/assets.h"
#include "app/text/algorithm_view.h"
#include "app/window/figure_box.h"
#include "app/window/fork_dialog.h"
#include "app/window/gl_probe.h"
#include "app/window/knob_editor.h"
#include "app/window/knob_panel.h"
#include "app/window/pane_widget.h"
#include "app/window/sampling_bar.h"
#include "app/window/sampling_timeline.h"
#include "app/window/timeline_bar.h"
#include "app/window/transport.h"
#include "tests/support/window.h"

using namespace app;

class TestSamplingWindow : public QObject, support::WithWindow {
    Q_OBJECT

    SamplingPlayer& player() { return window().column().sampling(); }
    int step() { return player().place().step; }
    bool settled() {
        return comesTrue([&] { return player().run() && player().run()->complete(); });
    }

  private slots:
    void initTestCase() { QVERIFY2(glProbe().usable, qPrintable(glProbe().reason)); }

    void init() {
        m_window =
            support::stillWindow({.lesson = "ddpm",
                                  .preset = "plane-ring8",
                                  .settings = {{"width", "16"}, {"batch", "32"}, {"sampler_steps", "20"}}});
        m_window->resize(1600, 1000);
        m_window->show();
        m_window->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
        QVERIFY(comesTrue([&] { return frame().lesson == "ddpm" && !frame().settings.empty(); }));
        // The lesson samples by itself when it is opened.
        QVERIFY(settled());
        QCOMPARE(player().run()->total, 20);
        QVERIFY(comesTrue([&] { return step() == 20; }));
    }
    void cleanup() { m_window.reset(); }

    void onlyLessonsThatSampleHaveTheSecondTimeline() {
        QVERIFY(window().samplingBar().isVisible());
        QVERIFY(window().actions().sample->isEnabled());
        window().openLesson({.lesson = "gan", .preset = "figure1"});
        QVERIFY(!window().samplingBar().isVisible());
        QVERIFY(!window().actions().sample->isEnabled() && !window().actions().fork->isEnabled());
        window().openLesson({.lesson = "ddpm", .preset = "plane-ring8"});
        QVERIFY(window().samplingBar().isVisible());
    }

    void keysMoveTheSamplingRunAndNotTheTrainingRun() {
        QWidget* rate = window().knobs().editor("lr")->findChild<QSlider*>();
        for (QWidget* place : std::initializer_list<QWidget*>{
                 window().column().pane(), rate, window().samplingBar().timeline(),
                 window().samplingBar().speed(), window().transport().timeline()}) {
            place->setFocus();
            const char* name = place->metaObject()->className();
            press(Qt::Key_End, Qt::ControlModifier);
            QVERIFY2(step() == 20, name);
            press(Qt::Key_Left, Qt::ControlModifier);
            QVERIFY2(step() == 19, name);
            press(Qt::Key_Left, Qt::ControlModifier);
            press(Qt::Key_Right, Qt::ControlModifier);
            QVERIFY2(step() == 19, name);
            press(Qt::Key_Home, Qt::ControlModifier);
            QVERIFY2(step() == 0, name);
            press(Qt::Key_Right, Qt::ControlModifier | Qt::ShiftModifier);
            QVERIFY2(player().place().stage == 1, name);
            press(Qt::Key_Left, Qt::ControlModifier | Qt::ShiftModifier);
            QVERIFY2(player().place().stage == 0, name);
            press(Qt::Key_P);
            QVERIFY2(player().direction() == +1, name);
            press(Qt::Key_P, Qt::ShiftModifier);
            QVERIFY2(player().direction() == -1, name);
            press(Qt::Key_P, Qt::ShiftModifier);
            QVERIFY2(player().direction() == 0, name);
        }
        QCOMPARE(frame().step, 0);
    }

    void stagesOfSamplingLightThePseudoCode() {
        press(Qt::Key_Home, Qt::ControlModifier);
        QCOMPARE(window().algorithm().litLine(true), -1);
        std::set<int> lines;
        for (int i = 0; i < 4; ++i) {
            press(Qt::Key_Right, Qt::ControlModifier | Qt::ShiftModifier);
            lines.insert(window().algorithm().litLine(true));
        }
        QCOMPARE(lines.size(), size_t(4));
        QVERIFY(!lines.contains(-1));
        QCOMPARE(window().algorithm().litLine(), -1);
    }

    void theTimelineIsScrubbedBothWays() {
        SamplingTimeline* timeline = window().samplingBar().timeline();
        const auto click = [&](double x) {
            QTest::mouseClick(timeline, Qt::LeftButton, {}, {int(std::lround(x)), timeline->height() / 2});
        };
        click(timeline->xOfStep(0));
        QCOMPARE(step(), 0);
        click(timeline->xOfStep(13));
        QCOMPARE(step(), 13);
        click(timeline->xOfStep(4) + 2);
        QCOMPARE(step(), 4);
        click(timeline->width() - 2);
        QCOMPARE(step(), 20);
        QTest::mousePress(timeline, Qt::LeftButton, {}, {int(timeline->xOfStep(2)), 20});
        QTest::mouseMove(timeline, {int(timeline->xOfStep(9)), 20});
        QCOMPARE(step(), 9);
        QTest::mouseRelease(timeline, Qt::LeftButton, {}, {int(timeline->xOfStep(9)), 20});
        timeline->setFocus();
        press(Qt::Key_PageUp);
        QCOMPARE(step(), 8);
        press(Qt::Key_PageDown);
        QCOMPARE(step(), 9);
    }

    void aTypedTimeIsGoneTo() {
        press(Qt::Key_T);
        QCOMPARE(QApplication::focusWidget(), window().samplingBar().timeBox());
        QTest::keyClicks(window().samplingBar().timeBox(), "505");
        QTest::keyClick(window().samplingBar().timeBox(), Qt::Key_Return);
        QVERIFY(std::abs(player().time() - 500) < 1);
        QVERIFY(QApplication::focusWidget() != window().samplingBar().timeBox());
    }

    void playingGetsThereAndLoops() {
        press(Qt::Key_Home, Qt::ControlModifier);
        window().samplingBar().speed()->setCurrentIndex(1);  // 300 steps a second
        press(Qt::Key_P);
        QVERIFY(comesTrue([&] { return step() == 20 && player().direction() == 0; }));
        press(Qt::Key_L);
        QVERIFY(window().actions().loop->isChecked());
        press(Qt::Key_P);
        QTest::qWait(400);
        QCOMPARE(player().direction(), +1);
        press(Qt::Key_P);
        press(Qt::Key_L);
    }

    void samplingAgainIsAnotherRunOfTheSameNoise() {
        const auto before = player().run();
        press(Qt::Key_S);
        QVERIFY(comesTrue([&] { return player().run() && player().run()->id != before->id; }));
        QVERIFY(settled());
        QCOMPARE(player().run()->values(core::Trajectory::state, 20),
                 before->values(core::Trajectory::state, 20));
        QVERIFY(comesTrue([&] { return frame().samplings->runs.size() == 1; }));  // the old one is given back
        press(Qt::Key_D);
        QVERIFY(comesTrue([&] {
            return player().run() && player().run()->complete() && player().run()->seed != before->seed;
        }));
        QVERIFY(player().run()->values(core::Trajectory::state, 0) !=
                before->values(core::Trajectory::state, 0));
    }

    void aForkSharesItsPastAndLeavesTheRunUntouched() {
        const auto run = player().run();
        const auto end = run->values(core::Trajectory::state, 20);
        player().goToStep(8);
        press(Qt::Key_F);
        QVERIFY(comesTrue([&] { return player().branch() && player().branch()->complete(); }));
        const auto branch = player().branch();
        QCOMPARE(branch->forkStep, 8);
        QCOMPARE(step(), 8);
        QCOMPARE(branch->values(core::Trajectory::state, 8), run->values(core::Trajectory::state, 8));
        QVERIFY(branch->values(core::Trajectory::state, 20) != end);
        QCOMPARE(player().run()->values(core::Trajectory::state, 20), end);
        QVERIFY(window().actions().dropFork->isEnabled());
        press(Qt::Key_X);
        QVERIFY(!player().branch());
        QVERIFY(!window().actions().dropFork->isEnabled());
    }

    void aForkIsAskedForWithOtherSettings() {
        player().goToStep(10);
        QTimer::singleShot(300, this, [&] {
            auto* dialog = window().findChild<ForkDialog*>();
            QVERIFY(dialog);
            auto* sampler = dialog->editor("sampler")->findChild<QComboBox*>();
            sampler->setFocus();
            QTest::keyClick(sampler, Qt::Key_Down);  // DDIM
            auto* steps = dialog->editor("sampler_steps")->findChild<FigureBox*>();
            steps->setFocus();
            steps->selectAll();
            QTest::keyClicks(steps, "6");
            for (QWidget* child : dialog->findChildren<QWidget*>())
                if (child->focusPolicy() & Qt::TabFocus && child->isVisible() && !child->focusProxy())
                    QVERIFY2(!child->toolTip().isEmpty(), child->metaObject()->className());
            dialog->findChild<QPushButton*>("fork")->click();
        });
        press(Qt::Key_F, Qt::ShiftModifier);
        QVERIFY(comesTrue([&] { return player().branch() && player().branch()->complete(); }));
        QCOMPARE(player().branch()->choices.at("sampler"), std::string("ddim"));
        QCOMPARE(player().branch()->forkStep, 10);
        QVERIFY(player().branch()->total < 16);
        QCOMPARE(player().run()->choices.at("sampler"), std::string("ddpm"));
    }

    void knobsOfTheSamplerAreSeenAtOnceAndTrainNothing() {
        const auto before = player().run();
        player().goToStep(10);
        auto* sampler = window().knobs().editor("sampler")->findChild<QComboBox*>();
        sampler->setFocus();
        QTest::keyClick(sampler, Qt::Key_Down);
        QVERIFY(comesTrue([&] { return player().run() && player().run()->id != before->id; }));
        QCOMPARE(player().run()->choices.at("sampler"), std::string("ddim"));
        QCOMPARE(step(), 10);
        QCOMPARE(frame().step, 0);
    }

    // Up to the noise and back: each time comes twice, and each state has its own place.
    void anInversionIsScrubbedOnBothItsWays() {
        const auto before = player().run();
        auto* sampler = window().knobs().editor("sampler")->findChild<QComboBox*>();
        sampler->setCurrentIndex(sampler->findText("Inversion (DDIM)"));
        emit sampler->activated(sampler->currentIndex());
        QVERIFY(comesTrue([&] { return player().run() && player().run()->id != before->id; }));
        QVERIFY(settled() && player().run()->inverts());
        SamplingTimeline* timeline = window().samplingBar().timeline();
        for (int i = 0; i <= player().run()->total; i += 3) {
            QTest::mouseClick(timeline, Qt::LeftButton, {}, {int(std::lround(timeline->xOfStep(i))), 20});
            QCOMPARE(step(), i);
        }
    }

    void samplesKeepUpWithTraining() {
        const auto before = player().run();
        press(Qt::Key_Right);
        QVERIFY(comesTrue([&] {
            return frame().step == 1 && player().run() && player().run()->trainingStep == 1 &&
                   player().run()->complete();
        }));
        QVERIFY(player().run()->id != before->id);
        press(Qt::Key_K);
        QVERIFY(!player().keepsUp());
        const int64_t id = player().run()->id;
        press(Qt::Key_Right);
        QVERIFY(comesTrue([&] { return frame().step == 2; }));
        QTest::qWait(400);
        QCOMPARE(player().run()->id, id);
    }

    void trainingGoesOnWhileTheRunIsScrubbed() {
        press(Qt::Key_K);
        press(Qt::Key_Space);
        QVERIFY(comesTrue([&] { return frame().running && frame().step > 2; }));
        const int64_t from = frame().step;
        SamplingTimeline* timeline = window().samplingBar().timeline();
        for (int i = 0; i <= 20; ++i) {
            QTest::mouseClick(timeline, Qt::LeftButton, {}, {int(timeline->xOfStep(i)), 20});
            QCOMPARE(step(), i);
            QTest::qWait(16);
        }
        QVERIFY(comesTrue([&] { return frame().step > from; }));
        press(Qt::Key_Space);
        QVERIFY(comesTrue([&] { return !frame().running; }));
    }

    void aAndBAreSteppedTogether() {
        window().setComparing(true);
        SamplingPlayer& b = window().column(1).sampling();
        QVERIFY(comesTrue([&] {
            window().column(1).hurry();
            return b.run() && b.run()->complete() && player().run() && player().run()->complete();
        }));
        press(Qt::Key_Home, Qt::ControlModifier);
        press(Qt::Key_Right, Qt::ControlModifier);
        QCOMPARE(b.place().step, 1);
        QCOMPARE(step(), 1);
        QCOMPARE(b.run()->values(core::Trajectory::state, 0),
                 player().run()->values(core::Trajectory::state, 0));
        window().setComparing(false);
    }

    void aNetworkThatComesWithThePresetIsThereAtOnce() {
        window().openLesson({.lesson = "ddpm", .preset = "fashion"});
        auto* const scratch = window().findChild<QPushButton*>("scratch");
        QVERIFY(scratch);
        QVERIFY(comesTrue([&] { return frame().step == 40000 && scratch->isVisible(); }));
        QVERIFY(!frame().running && window().showsShipped());
        // What its samples are worth stands on the screen, as it was measured once.
        QFile figures(app::assetPath("weights/ddpm-fashion/figures.json"));
        QVERIFY(figures.open(QIODevice::ReadOnly));
        const double frechet = QJsonDocument::fromJson(figures.readAll())["frechet"].toDouble();
        const QString said = QString("Fréchet distance %1").arg(frechet, 0, 'f', 2);
        QVERIFY(frechet > 0.5 && frechet < 5);
        const auto labels = window().findChildren<QLabel*>();
        QVERIFY(std::any_of(labels.begin(), labels.end(), [&](const QLabel* label) {
            return label->isVisible() && label->text().contains(said);
        }));
        // What training takes here is measured beside it.
        QVERIFY(comesTrue([&] { return scratch->text().contains("min here"); }, 60'000));
        scratch->click();
        QVERIFY(comesTrue([&] { return frame().running && frame().step < 40000; }));
        QVERIFY(!window().showsShipped());
        QVERIFY(comesTrue([&] { return !scratch->isVisible(); }));
    }

    void everyControlOfTheBarSaysWhatItIs() {
        int found = 0;
        for (QWidget* widget : window().samplingBar().findChildren<QWidget*>()) {
            if (!(widget->focusPolicy() & Qt::TabFocus) || widget->focusProxy()) continue;
            ++found;
            QVERIFY2(!widget->accessibleName().isEmpty(), widget->metaObject()->className());
            QVERIFY2(!widget->toolTip().isEmpty(), widget->metaObject()->className());
        }
        QVERIFY(found >= 16);
        window().setLanguage("zh");
        QCOMPARE(window().actions().fork->text(), QStringLiteral("分叉"));
        window().setLanguage("en");
    }
};

int main(int argc, char** argv) {
    requestGl();
    QApplication application(argc, argv);
    TestSamplingWindow test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_sampling_window.moc"
