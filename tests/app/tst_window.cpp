// ctest: gl
// The window, driven by mouse and keyboard.
#include <QAbstractButton>
#include <QAbstractItemView>
#include <QApplication>
#include <QComboBox>
#include <QElapsedTimer>
#include <QLabel>
#include <QScreen>
#include <QScrollBar>
#include <QSettings>
#include <QSlider>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <QToolTip>
#include <cmath>

#include "app/text/algorithm_view.h"
#include "app/window/exporter.h"
#include "app/window/figure_box.h"
#include "app/window/gl_probe.h"
#include "app/window/keyboard_sheet.h"
#include "app/window/knob_editor.h"
#include "app/window/knob_panel.h"
#include "app/window/lesson_list.h"
#include "app/window/pane_widget.h"
#include "app/window/preset_header.h"
#include "app/window/style.h"
#include "app/window/timeline_bar.h"
#include "app/window/transport.h"
#include "tests/support/window.h"

using namespace app;

class TestWindow : public QObject, support::WithWindow {
    Q_OBJECT

    QTemporaryDir m_settings;

    // Every control that a person can reach with the keyboard.
    QList<QWidget*> controls() {
        QList<QWidget*> found;
        for (QWidget* widget : window().findChildren<QWidget*>())
            if (widget->isVisible() && widget->isEnabled() && (widget->focusPolicy() & Qt::TabFocus) &&
                !widget->focusProxy())
                found << widget;
        return found;
    }

  private slots:
    void initTestCase() {
        QVERIFY2(glProbe().usable, qPrintable(glProbe().reason));
        QVERIFY(m_settings.isValid());
        QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_settings.path());
    }

    void init() { openFigure1(); }
    void cleanup() { m_window.reset(); }

    // A window that is wider or taller than its screen hides what stands at its edges.
    void theFirstWindowFitsItsScreen() {
        const MainWindow first({.lesson = "gan", .preset = "figure1"}, {});
        const QSize screen = first.screen()->availableSize();
        QVERIFY(screen.height() < 1000);
        QCOMPARE(first.size(), QSize(1600, 1000).boundedTo(screen));
    }

    void keysMoveTheRunWhereverTheFocusIs() {
        KnobEditor* rate = window().knobs().editor("lr_g");
        QVERIFY(rate);
        const QList<QWidget*> places = {window().column().pane(),           &window().lessons(),
                                        rate->findChild<QSlider*>(),        rate->findChild<FigureBox*>(),
                                        window().transport().speed(),       window().transport().timeline(),
                                        window().findChild<QWidget*>("run")};
        for (QWidget* place : places) {
            QVERIFY(place);
            place->setFocus();
            QCOMPARE(QApplication::focusWidget(), place);
            const char* name = place->metaObject()->className();
            press(Qt::Key_R);
            QVERIFY2(arrives(0), name);
            if (!qobject_cast<FigureBox*>(place)) {  // in a number field the arrows are the text's
                press(Qt::Key_Right);
                QVERIFY2(arrives(1), name);
                press(Qt::Key_Right);
                QVERIFY2(arrives(2), name);
                press(Qt::Key_Left);
                QVERIFY2(arrives(1), name);
                press(Qt::Key_Home);
                QVERIFY2(arrives(0), name);
                press(Qt::Key_End);
                QVERIFY2(arrives(2), name);
            }
            press(Qt::Key_Space);
            QVERIFY2(comesTrue([&] { return frame().running; }), name);
            press(Qt::Key_Space);
            QVERIFY2(comesTrue([&] { return !frame().running; }), name);
        }
    }

    void theKeyboardSheetHasEveryKey() {
        for (const Qt::Key key : {Qt::Key_F1, Qt::Key_Question}) {
            QStringList shown;
            QTimer::singleShot(0, &window(), [&] {
                auto* sheet = qobject_cast<KeyboardSheet*>(QApplication::activeModalWidget());
                if (!sheet) return;
                for (const QLabel* label : sheet->findChildren<QLabel*>()) shown << label->text();
                sheet->reject();
            });
            press(key);
            QVERIFY(shown.size() > 20);
            for (const QAction* action : window().actions().find->parent()->findChildren<QAction*>())
                for (const QKeySequence& sequence : action->shortcuts()) {
                    const QString name = sequence.toString(QKeySequence::NativeText);
                    QVERIFY2(shown.join(", ").split(", ").contains(name), qPrintable(name));
                }
        }
    }

    void stagesWalkThroughOneStep() {
        press(Qt::Key_R);
        QVERIFY(arrives(0));
        QVERIFY(!window().algorithm().isVisible());
        QStringList seen;
        for (int i = 0; i < 60 && frame().step == 0; ++i) {
            const std::string before = frame().stage;
            press(Qt::Key_Right, Qt::ShiftModifier);
            QVERIFY(comesTrue([&] { return frame().stage != before || frame().step == 1; }, 5000));
            if (frame().step == 0) seen << QString::fromStdString(frame().stage);
            QVERIFY(window().algorithm().isVisible());
            if (i == 0) QCOMPARE(window().algorithm().verticalScrollBar()->value(), 0);
        }
        QCOMPARE(frame().step, 1);
        QVERIFY2(seen.size() >= 4, qPrintable(seen.join(" ")));
        QVERIFY2(seen.contains("d_update") && seen.contains("g_update"), qPrintable(seen.join(" ")));
    }

    void newSeedIsAnotherRunAndResetTheSame() {
        const uint64_t seed = frame().seed;
        press(Qt::Key_N);
        QVERIFY(comesTrue([&] { return frame().seed == seed + 1 && frame().step == 0; }));
        press(Qt::Key_Right);
        QVERIFY(arrives(1));
        press(Qt::Key_R);
        QVERIFY(arrives(0));
        QCOMPARE(frame().seed, seed + 1);
    }

    void knobsReachTheRun() {
        KnobEditor* rate = window().knobs().editor("lr_g");
        auto* slider = rate->findChild<QSlider*>();
        const double before = frame().settings.at("lr_g");
        slider->setFocus();
        QTest::keyClick(slider, Qt::Key_Up);
        QVERIFY(comesTrue([&] { return frame().settings.at("lr_g") > before; }));

        auto* box = rate->findChild<FigureBox*>();
        box->setFocus();
        box->selectAll();
        QTest::keyClicks(box, "3e-4");
        QTest::keyClick(box, Qt::Key_Return);
        QVERIFY(comesTrue([&] { return std::abs(frame().settings.at("lr_g") - 3e-4) < 1e-9; }));

        // Outside WGAN-GP its penalty's weight changes nothing, and the label says so.
        KnobEditor* weight = window().knobs().editor("gp");
        QVERIFY(weight->isIdle() && weight->toolTip().contains("Changes nothing"));
        auto* loss = window().knobs().editor("loss")->findChild<QComboBox*>();
        loss->setCurrentIndex(4);
        emit loss->activated(4);
        QVERIFY(comesTrue([&] { return !weight->isIdle(); }));
        QVERIFY(!weight->toolTip().contains("Changes nothing"));
        loss->setFocus();
        QTest::keyClick(loss, loss->currentIndex() > 0 ? Qt::Key_Up : Qt::Key_Down);
        QVERIFY(comesTrue([&] { return frame().settings.at("loss") == loss->currentIndex(); }));
    }

    void aRefusedNumberChangesNothing() {
        auto* box = window().knobs().editor("lr_g")->findChild<FigureBox*>();
        const double before = frame().settings.at("lr_g");
        box->setFocus();
        box->selectAll();
        QTest::keyClicks(box, "99");
        window().column().pane()->setFocus();
        QTRY_VERIFY(QToolTip::text().contains(box->textFromValue(box->maximum())));
        QTest::qWait(300);
        QCOMPARE(frame().settings.at("lr_g"), before);
        QCOMPARE(box->value(), before);
    }

    void presetsStartOver() {
        startRunning();
        auto* presets = window().header().findChild<QComboBox*>("presets");
        const int ring = presets->findData("ring8");
        QVERIFY(ring > 0);
        presets->setFocus();
        while (presets->currentIndex() < ring) QTest::keyClick(presets, Qt::Key_Down);
        QVERIFY(comesTrue([&] { return frame().choices.at("data") == "ring8"; }));
        QVERIFY(frame().running);
        stopRunning();
    }

    void lessonsCanBeSwitchedWhileTraining() {
        startRunning();
        LessonList& lessons = window().lessons();
        QCOMPARE(lessons.count(), 9);
        int built = 0;
        for (int row = 0; row < lessons.count(); ++row) {
            QListWidgetItem* item = lessons.item(row);
            if (!(item->flags() & Qt::ItemIsEnabled)) {
                QVERIFY(!(item->flags() & Qt::ItemIsSelectable));
                continue;
            }
            ++built;
            const std::string id = item->data(Qt::UserRole).toString().toStdString();
            QTest::mouseClick(lessons.viewport(), Qt::LeftButton, {}, lessons.visualItemRect(item).center());
            QVERIFY2(comesTrue([&] { return frame().lesson == id && frame().step > 0; }, 30'000), id.c_str());
            QVERIFY2(frame().problem.empty(), frame().problem.c_str());
        }
        QVERIFY(built >= 1);
    }

    void pauseTakesEffectAtOnce() {
        startRunning();
        QTest::qWait(500);
        QElapsedTimer timer;
        timer.start();
        press(Qt::Key_Space);
        QVERIFY(comesTrue([&] { return !frame().running; }, 2000));
        const qint64 ms = timer.elapsed();
        qInfo("pause after %lld ms", static_cast<long long>(ms));
        QVERIFY2(ms < 300, qPrintable(QString::number(ms)));
        const int64_t step = frame().step;
        QTest::qWait(100);
        QCOMPARE(frame().step, step);
    }

    // Whole frames, from the first panel drawn until the window has the picture.
    void framesKeepTheirBudget() {
        QTest::qWait(500);  // the first frame compiles shaders
        PaneWidget* pane = window().column().pane();
        std::vector<double> times;
        const auto watching =
            connect(pane, &PaneWidget::shown, this, [&] { times.push_back(pane->frameMs()); });
        const auto median = [&] {
            std::sort(times.begin(), times.end());
            return times.empty() ? 0 : times[times.size() / 2];
        };
        stopRunning();
        times.clear();
        for (int i = 0; i < 20; ++i) {
            views::Theme theme = currentTheme();
            theme.palette = i % 2 ? views::Palette::light : views::Palette::dark;
            pane->pane().setTheme(theme);
            pane->refresh();
            QTest::qWait(40);
        }
        const double paused = median();
        startRunning();
        times.clear();
        QTest::qWait(3000);
        disconnect(watching);
        stopRunning();
        QVERIFY(times.size() >= 5);
        const double training = median();
        qInfo("%d frames in 3 s, median %.1f ms, worst %.1f ms; not training, median %.1f ms",
              int(times.size()), training, times.back(), paused);
        // A frame must not last 50 ms; of the median that holds on a machine that others use too.
        QVERIFY2(training < 50 * support::slower, qPrintable(QString::number(training)));
        // Training shares the cores with drawing, it does not hold it up.
        QVERIFY2(training < 3 * paused + 5, qPrintable(QString("%1 and %2").arg(training).arg(paused)));
    }

    void drawsNothingWhileNothingChanges() {
        stopRunning();
        PaneWidget* pane = window().column().pane();
        QVERIFY(QTest::qWaitFor(
            [&] {
                const int before = pane->framesDrawn();
                QTest::qWait(600);
                return pane->framesDrawn() == before;
            },
            10'000));
    }

    void timelineScrubsBothWays() {
        for (int i = 1; i <= 4; ++i) {
            press(Qt::Key_Right);
            QVERIFY(arrives(i));
        }
        TimelineBar* timeline = window().transport().timeline();
        QCOMPARE(timeline->furthest(), 4);
        QTest::mouseClick(timeline, Qt::LeftButton, {}, {int(timeline->xOfStep(0)), timeline->height() / 2});
        QVERIFY(arrives(0));
        QTest::mouseClick(timeline, Qt::LeftButton, {}, {timeline->width() - 12, timeline->height() / 2});
        QVERIFY(arrives(4));  // not beyond what was trained
    }

    void languageChangesAtRunTime() {
        window().setLanguage("zh");
        QCOMPARE(window().actions().step->text(), QStringLiteral("单步"));
        QCOMPARE(window().text().language, "zh");
        window().setLanguage("en");
        QCOMPARE(window().actions().step->text(), "Step");
    }

    void everyThemeDressesTheWindow() {
        std::vector<QRgb> backgrounds;
        for (const auto palette : {views::Palette::dark, views::Palette::light, views::Palette::contrast}) {
            views::Theme theme = currentTheme();
            theme.palette = palette;
            window().setTheme(theme);
            QTest::qWait(100);
            backgrounds.push_back(window().grab().toImage().pixel(4, window().height() - 4));
        }
        QVERIFY(backgrounds[0] != backgrounds[1]);
        QVERIFY(backgrounds[1] != backgrounds[2]);
    }

    void presenterShowsTheRunAndLittleElse() {
        press(Qt::Key_F11);
        QVERIFY(!window().lessons().isVisible());
        QVERIFY(!window().knobs().isVisible());
        QVERIFY(QApplication::font().pixelSize() >= 24);
        press(Qt::Key_Right);
        QVERIFY(arrives(1));
        press(Qt::Key_F11);
        QVERIFY(window().lessons().isVisible());
        QCOMPARE(QApplication::font().pixelSize(), 13);
    }

    void aWindowThatFilledTheScreenFillsItAfterTheLecture() {
        window().setWindowState(Qt::WindowMaximized);
        press(Qt::Key_F11);
        QVERIFY(window().isFullScreen());
        press(Qt::Key_F11);
        QVERIFY(!window().isFullScreen());
        QVERIFY(window().isMaximized());
    }

    // In a small window every preset's words stand there whole.
    void theWordsOfPresetsAreNotCut() {
        window().resize(1280, 800);
        auto* header = window().findChild<PresetHeader*>();
        auto* why = header->findChild<QAbstractButton*>("why");
        auto* presets = header->findChild<QComboBox*>("presets");
        const auto* words = header->findChild<QLabel*>("words");
        QVERIFY(why && presets && words);
        for (int i = 0; i < presets->count(); ++i) {
            header->setPreset(presets->itemData(i).toString());
            for (const bool behind : {false, true}) {
                why->setChecked(behind);
                const auto whole = [&] { return words->height() >= words->heightForWidth(words->width()); };
                QVERIFY2(comesTrue(whole), qPrintable(QString::number(words->height()) + words->text()));
            }
        }
    }

    void tabReachesEveryControl() {
        const QList<QWidget*> expected = controls();
        QVERIFY(expected.size() > 25);
        QSet<QWidget*> visited;
        window().column().pane()->setFocus();
        for (int i = 0; i < 3 * expected.size(); ++i) {
            visited.insert(QApplication::focusWidget());
            press(Qt::Key_Tab);
        }
        for (QWidget* widget : expected)
            QVERIFY2(visited.contains(widget),
                     qPrintable(
                         QString("%1 %2").arg(widget->metaObject()->className(), widget->accessibleName())));
    }

    void everyControlSaysWhatItIs() {
        for (QWidget* widget : controls()) {
            const QString what =
                QString("%1 %2").arg(widget->metaObject()->className(), widget->objectName());
            QVERIFY2(!widget->accessibleName().isEmpty(), qPrintable(what + " has no name"));
            if (!qobject_cast<PaneWidget*>(widget))  // its panels have tooltips of their own
                QVERIFY2(!widget->toolTip().isEmpty(), qPrintable(what + " has no tooltip"));
        }
    }

    void survivesEverySize() {
        startRunning();
        for (const QSize size : {QSize(1280, 800), QSize(1920, 1080), QSize(1024, 700), QSize(1600, 1000)}) {
            window().resize(size);
            QTest::qWait(150);
            QCOMPARE(window().size(), size);
            QVERIFY(window().column().pane()->problem().isEmpty());
        }
        stopRunning();
    }

    void exportsSayWhatIsOnScreen() {
        press(Qt::Key_Right);
        QVERIFY(arrives(1));
        const QString csv = curvesCsv(frame());
        QVERIFY(csv.startsWith("step,"));
        QVERIFY(csv.contains("loss_d"));
        QVERIFY(csv.trimmed().split('\n').last().startsWith("1,"));
        QTest::qWait(200);
        const auto rects = window().column().pane()->pane().panelRects();
        QVERIFY(!rects.empty());
        const QImage panel = pictureOf(window().column(), rects.front().id);
        QVERIFY(std::abs(float(panel.width()) - rects.front().rect.width()) <= 2);
        QVERIFY_EXCEPTION_THROWN(saveText(csv, "/nonexistent/a.csv"), std::exception);
    }
};

int main(int argc, char** argv) {
    requestGl();
    QApplication application(argc, argv);
    TestWindow test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_window.moc"
