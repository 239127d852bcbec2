// ctest: gl
// The panels of diffusion: what they ask for, what they draw, and what the mouse does in them.
#include <QElapsedTimer>
#include <QtTest>
#include <algorithm>
#include <cmath>
#include <limits>

#include "ddpm_stage.h"
#include "views/lessons/ddpm/forward.h"
#include "views/lessons/ddpm/losses.h"
#include "views/lessons/ddpm/score.h"

using namespace ddpmstage;

class DdpmViewTest : public QObject {
    Q_OBJECT

    // Mean colour difference from grey: noise in two colours has some, grey pictures have none.
    static int colourful(const QImage& image, views::Rect where) {
        int n = 0;
        for (int y = int(where.y0); y < int(where.y1); ++y)
            for (int x = int(where.x0); x < int(where.x1); ++x) {
                const QColor c = image.pixelColor(x, y);
                n += std::abs(c.red() - c.blue()) > 40;
            }
        return n;
    }

  private slots:
    void needsAreTheUnionOfThePanels() {
        const auto view = views::makeView("ddpm");
        QVERIFY(view);
        std::set<std::string> named, ids;
        for (const QString& situation : situations) {
            const auto panels = view->panels(frameOf(situation));
            QCOMPARE(panels[0].id, std::string("viewer"));
            QVERIFY(panels[0].weight > panels[1].weight);
            for (const auto& panel : panels) {
                ids.insert(panel.id);
                named.insert(panel.needs.begin(), panel.needs.end());
            }
        }
        const auto needs = view->needs();
        QCOMPARE(std::set<std::string>(needs.begin(), needs.end()), named);
        const std::set<std::string> all = {"viewer",    "forward", "score",     "nearest",
                                           "loss_by_t", "race",    "schedule",  "posterior",
                                           "distance",  "bound",   "languages", "time_embedding"};
        QCOMPARE(ids, all);
    }

    void situationsAskOnlyForWhatTheyHave() {
        const auto view = views::makeView("ddpm");
        for (const QString& situation : situations) {
            const Frame frame = frameOf(situation);
            for (const auto& panel : view->panels(frame))
                for (const auto& channel : panel.needs)
                    QVERIFY2(frame.find(channel), (situation.toStdString() + ": " + channel).c_str());
        }
    }

    void everyPanelDrawsItsData_data() {
        QTest::addColumn<QString>("situation");
        QTest::addColumn<QString>("panel");
        const auto view = views::makeView("ddpm");
        for (const QString& situation : situations)
            for (const auto& panel : view->panels(frameOf(situation)))
                QTest::addRow("%s-%s", qPrintable(situation), panel.id.c_str())
                    << situation << QString::fromStdString(panel.id);
    }
    void everyPanelDrawsItsData() {
        QFETCH(QString, situation);
        QFETCH(QString, panel);
        const Frame frame = frameOf(situation);
        for (const auto& [w, h, scale] : {std::tuple{420, 340, 1.f}, {900, 700, 1.f}, {1600, 1000, 1.85f}}) {
            Stage stage(w, h, views::Palette::dark, scale);
            Frame blank = withoutChannels(frame);
            blank.samplings.reset();
            stage.show(blank);
            stage.pane.maximise(panel.toStdString());
            stage.draw();
            const QImage before = stage.picture();
            stage.show(frame);
            stage.stand({.run = 1, .branch = 2, .step = 34});
            const QImage after = stage.picture();
            QCOMPARE(stage.error(), GLenum(GL_NO_ERROR));
            keep(before, QString("%1-%2-empty").arg(QTest::currentDataTag()).arg(w));
            keep(after, QString("%1-%2").arg(QTest::currentDataTag()).arg(w));
            // A race begins with a click; until then it says so.
            QVERIFY2(differences(before, after, stage.body(panel.toStdString())) > 100 || panel == "race",
                     qPrintable(panel));
        }
    }

    void everyLayoutIsDrawn() {
        for (const QString& situation : situations)
            for (int palette : {0, 1, 2}) {
                Stage stage(984, 800, views::Palette(palette));
                stage.show(frameOf(situation));
                stage.stand({.run = 1, .step = 20});
                QCOMPARE(stage.error(), GLenum(GL_NO_ERROR));
                keep(stage.picture(), QString("all-%1-%2").arg(situation).arg(palette));
                const views::Rect viewer = stage.body("viewer");
                QVERIFY(stage.pane.panelRects().size() <= 7);  // the others stand on the shelf
                for (const auto& panel : stage.pane.panelRects())
                    QVERIFY(panel.id == "viewer" || panel.body.width() * panel.body.height() <
                                                        0.62f * viewer.width() * viewer.height());
            }
    }

    void notFiniteValuesDoNoHarm() {
        for (const QString& situation : situations)
            for (float value : {NAN, INFINITY, -INFINITY, 3e38f}) {
                Stage stage(1280, 1000);
                Frame frame = frameOf(situation);
                for (size_t every : {3, 1}) {
                    for (auto& [name, tensor] : frame.channels)
                        for (size_t i = 0; i < tensor.values.size(); i += every) tensor.values[i] = value;
                    for (auto& [name, history] : frame.histories) history.add(frame.step + 1, value);
                    ++frame.step;
                    stage.show(frame);
                    stage.stand({.run = 1, .step = 7});
                    stage.move(stage.body("viewer").centre());
                    QCOMPARE(stage.error(), GLenum(GL_NO_ERROR));
                }
                for (auto& [name, tensor] : frame.channels) tensor.values.clear();
                stage.show(frame);
                QCOMPARE(stage.error(), GLenum(GL_NO_ERROR));
            }
    }

    // ---- the viewer

    void everyStepLooksDifferentAndTheSameAgain() {
        for (const QString& situation : {QString("ring8"), QString("fashion")}) {
            Stage stage(700, 700);
            stage.show(frameOf(situation));
            stage.pane.maximise("viewer");
            QImage first, before;
            for (int step : {0, 1, 25, 49, 50, 0}) {
                stage.stand({.run = 1, .step = step});
                const QImage now = stage.picture();
                const views::Rect body = stage.body("viewer");
                if (first.isNull()) first = now;
                if (!before.isNull()) QVERIFY(differences(now, before, body) > 200);
                before = now;
            }
            QCOMPARE(differences(before, first, stage.body("viewer")), 0);
        }
    }

    void stagesRevealOneQuantityAfterTheOther() {
        Stage stage(700, 700);
        stage.show(picturesFrame());
        stage.pane.maximise("viewer");
        QImage before;
        for (int done : {0, 1, 2, 3}) {
            stage.stand({.run = 1, .step = 20, .stage = done});
            const QImage now = stage.picture();
            keep(now, QString("stage-%1").arg(done));
            const views::Rect body = stage.body("viewer");
            // The tiles are in the lower quarter; from left to right.
            const views::Rect tiles = {body.x0, body.y1 - 0.25f * body.height(), body.x1, body.y1};
            if (!before.isNull()) {
                const int changed = done == 1 ? 1 : done + 1;  // prediction, mean, noise
                const auto column = [&](int i) {
                    const float w = tiles.width() / 5;
                    return views::Rect{tiles.x0 + w * float(i), tiles.y0, tiles.x0 + w * float(i + 1),
                                       tiles.y1};
                };
                QVERIFY(differences(now, before, column(changed)) > 100);
                QCOMPARE(differences(now, before, column(0)), 0);
            }
            before = now;
        }
    }

    void aClickOnATileShowsItLarge() {
        Stage stage(700, 700);
        stage.show(picturesFrame());
        stage.pane.maximise("viewer");
        stage.stand({.run = 1, .step = 20});
        const views::Rect body = stage.body("viewer");
        const views::Rect sheet = {body.x0, body.y0 + 50, body.x1, body.y1 - 0.25f * body.height()};
        QVERIFY(colourful(stage.picture(), sheet) < 600);  // grey pictures, one of them ringed
        const views::Vec second = {body.x0 + 0.28f * body.width(), body.y1 - 60};
        stage.press(second);
        stage.release(second);
        QVERIFY(colourful(stage.picture(), sheet) > 6000);  // the noise is in two colours
    }

    void aClickOnTheSheetChoosesASample() {
        Stage stage(700, 700);
        stage.show(picturesFrame());
        stage.pane.maximise("viewer");
        stage.stand({.run = 1, .step = 50});
        stage.pane.mouseLeave();
        stage.draw();
        const QImage before = stage.picture();
        const views::Rect body = stage.body("viewer");
        const views::Vec at = {body.centre().x, body.y0 + 0.35f * body.height()};
        stage.press(at);
        stage.release(at);
        stage.pane.mouseLeave();
        stage.draw();
        // The first tile shows the chosen one.
        const views::Rect tile = {body.x0, body.y1 - 105, body.x0 + 105, body.y1 - 5};
        QVERIFY(differences(before, stage.picture(), tile) > 100);
    }

    void theBranchStandsBesideTheRun() {
        Stage stage(900, 700);
        stage.show(pointsFrame("ring8"));
        stage.pane.maximise("viewer");
        stage.stand({.run = 1, .step = 40});
        const QImage alone = stage.picture();
        stage.stand({.run = 1, .branch = 2, .step = 40});
        const QImage both = stage.picture();
        const views::Rect body = stage.body("viewer");
        const views::Rect right = {body.centre().x + 8, body.y0, body.x1, body.y1 - 40};
        QVERIFY(differences(alone, both, right) > 1000);
    }

    void theWheelMovesTheRun() {
        Stage stage(700, 700);
        stage.show(pointsFrame("ring8"));
        stage.pane.maximise("viewer");
        stage.stand({.run = 1, .step = 10});
        stage.move(stage.body("viewer").centre());
        stage.pane.wheel(-1);
        stage.draw();
        QCOMPARE(stage.moves, std::vector<int>{1});
        stage.pane.wheel(1);
        stage.draw();
        QCOMPARE(stage.moves.back(), -1);
    }

    // 1000 kept steps of 64 pictures, one after the other, and all five quantities of each.
    void scrubbingKeepsItsBudget() {
        Frame frame = picturesFrame();
        frame.samplings = support::samplings({makerOf(true, 1000).make(1)});
        Stage stage(1920, 1080);
        stage.show(frame);
        stage.stand({.run = 1, .step = 0});
        std::vector<double> times;
        QElapsedTimer timer;
        for (int step = 0; step < 1000; step += 25) {
            timer.start();
            stage.pane.setSamplingPlace({.run = 1, .step = step});
            stage.drawOnce();
            times.push_back(double(timer.nsecsElapsed()) / 1e6);
        }
        std::sort(times.begin(), times.end());
        const double median = times[times.size() / 2];
        qInfo("median %.1f ms, worst %.1f ms", median, times.back());
        // 30 a second.
        QVERIFY2(median < 33, qPrintable(QString::number(median)));
    }

    // ---- the shared time

    void timeIsToldToTheRunAndFollowsThePlace() {
        Stage stage(984, 800);
        stage.show(pointsFrame("ring8"));
        QCOMPARE(stage.handles["t"], std::vector<float>{250});
        stage.stand({.run = 1, .step = 10});
        QCOMPARE(stage.handles["t"], std::vector<float>{800});
        stage.stand({.run = 1, .step = 50});  // the result has no time to look at
        QCOMPARE(stage.handles["t"], std::vector<float>{800});
    }

    void draggingInTheForwardPanelMovesTheTime() {
        Stage stage(900, 700);
        stage.show(pointsFrame("ring8"));
        stage.pane.maximise("forward");
        stage.draw();
        const views::Rect body = stage.body("forward");
        const views::Vec at = {body.x0 + 0.4f * body.width(), body.y1 - 22};
        stage.press(at);
        stage.release(at);
        QVERIFY(std::abs(stage.handles["t"].at(0) - 600) < 12);
        QVERIFY(std::abs(stage.times.back() - 600) < 12);
    }

    void thePosteriorIsDragged() {
        Stage stage(900, 700);
        stage.show(pointsFrame("ring8"));
        stage.pane.maximise("posterior");
        stage.draw();
        const std::vector<float> before = stage.handles["posterior"];
        QCOMPARE(before.size(), size_t(4));
        const views::Rect body = stage.body("posterior");
        // x_0 is where the plot says; it is found by trying along the line.
        for (float x = body.x0 + 30; x < body.x1 - 10; x += 6) {
            const views::Vec at = {x, body.y0 + 44};
            stage.press(at);
            stage.move({x - 60, at.y});
            stage.release({x - 60, at.y});
            if (stage.handles["posterior"] != before) break;
        }
        QVERIFY(stage.handles["posterior"] != before);
    }

    void aDrawnScheduleIsPulledAndNeverRises() {
        Stage stage(420, 360);
        Frame frame = pointsFrame("ring8");
        frame.choices["schedule"] = "drawn";
        stage.show(frame);
        stage.pane.maximise("schedule");
        stage.draw();
        keep(stage.picture(), "drawn");
        // The second knot is somewhere at a fifth of the way, in the middle plot.
        const views::Rect body = stage.body("schedule");
        std::string moved;
        for (float y = body.y0 + 0.3f * body.height(); y < body.y1 && moved.empty(); y += 12)
            for (float x = body.x0 + 0.18f * body.width();
                 x < body.x0 + 0.36f * body.width() && moved.empty(); x += 12) {
                stage.press({x, y});
                stage.move({x, y + 200});
                stage.release({x, y + 200});
                for (int k = 0; k < 6; ++k)
                    if (stage.handles.contains("drawn_" + std::to_string(k)))
                        moved = "drawn_" + std::to_string(k);
            }
        QVERIFY(!moved.empty());
        const int k = moved.back() - '0';
        const float value = stage.handles[moved].at(0);
        QVERIFY(value <= float(9 - 3.6 * (k - 1)) + 1e-4f);
        if (k < 5) QVERIFY(value >= float(9 - 3.6 * (k + 1)) - 1e-4f);
    }

    void aRaceAsksForEverySamplerFromTheSameNoise() {
        Stage stage(900, 700);
        Frame frame = pointsFrame("ring8");
        stage.show(frame);
        stage.pane.maximise("race");
        stage.draw();
        const views::Rect body = stage.body("race");
        const views::Vec at = {body.x0 + 20, body.y0 + 10};
        stage.press(at);
        stage.release(at);
        QVERIFY(stage.asked.size() > 20);
        std::set<double> samplers;
        for (const auto& request : stage.asked) {
            QCOMPARE(request.seed, stage.asked[0].seed);
            samplers.insert(request.changes.at("sampler"));
        }
        QCOMPARE(samplers, (std::set<double>{0, 1, 3, 4}));  // without dice Euler is DDIM
        // What is over is shown and given back.
        std::vector<core::Trajectory> runs;
        for (size_t i = 0; i < stage.asked.size(); ++i) {
            support::TrajectoryMaker maker = makerOf(false, int(stage.asked[i].changes.at("sampler_steps")));
            // The first is what counts as exact; of the others each sampler has a curve of its own.
            const auto sampler = float(stage.asked[i].changes.at("sampler"));
            maker.offset = i == 0 ? 0 : 0.5f * (1 + sampler) / float(maker.steps);
            runs.push_back(maker.make(int64_t(101 + i)));
        }
        const QImage before = stage.picture();
        frame.samplings = support::samplings(runs);
        stage.show(frame);
        stage.draw();
        keep(stage.picture(), "race");
        QCOMPARE(stage.discarded.size(), stage.asked.size());
        QVERIFY(differences(before, stage.picture(), body) > 500);
        for (int sampler : {1, 3})
            QVERIFY(coloured(stage.picture(), body, views::Theme{}.classColour(sampler)) > 40);
    }

    // ---- figures

    void theClosedFormIsWhatManyDrawsShow() {
        const std::vector<float> x0 = {-1, 0, 2, 0};  // the first coordinates of two points
        const auto closed = views::ddpm::closedFormHistogram(x0, 2, 0.6, 0.8, 40, 3.5);
        Dice dice(9);
        std::vector<float> drawn;
        for (int i = 0; i < 200000; ++i) drawn.push_back(0.6f * (i % 2 ? 2.f : -1.f) + 0.8f * dice.normal());
        const auto counted = views::ddpm::histogram(drawn, 1, 40, 3.5);
        double sum = 0;
        for (size_t b = 0; b < 40; ++b) {
            QVERIFY(std::abs(closed[b] - counted[b]) < 0.002f);
            sum += double(closed[b]);
        }
        QVERIFY(sum > 0.98 && sum <= 1.0001);
        // Without noise every point is in its own part.
        const auto sharp = views::ddpm::closedFormHistogram(x0, 2, 1, 0, 7, 3.5);
        QCOMPARE(sharp, (std::vector<float>{0, 0, 0.5f, 0, 0, 0.5f, 0}));
    }

    void streamlinesOfARotationAreCircles() {
        constexpr int n = 24;
        std::vector<float> field;
        for (int row = 0; row < n; ++row)
            for (int column = 0; column < n; ++column) {
                const float x = -3.5f + 7 * (float(column) + 0.5f) / n,
                            y = -3.5f + 7 * (float(row) + 0.5f) / n;
                field.insert(field.end(), {-y, x});
            }
        const auto path = views::ddpm::streamline(field, n, 2, 0, 0.05, 60);
        QCOMPARE(path.size(), size_t(2 * 121));
        for (size_t i = 0; i < path.size(); i += 2)
            QVERIFY(std::abs(std::hypot(path[i], path[i + 1]) - 2) < 0.01f);
        QVERIFY(path[1] < 0 && path.back() > 0);  // it comes from below and goes on above
        QVERIFY(views::ddpm::streamline(field, n, 9, 9, 0.05, 60).size() == 2);  // outside there is no field
    }

    void theLossGridHoldsEveryPartAndItsLastValue() {
        Frame frame;
        for (int64_t step = 1; step <= 100; ++step)
            frame.histories["loss_t03"].add(step, step <= 50 ? 1.f : 0.25f);
        const auto grid = views::ddpm::lossGrid(frame, 10);
        QCOMPARE(grid.lastStep, 100.0);
        const auto at = [&](int part, int column) { return grid.values[size_t(part * 10 + column)]; };
        QCOMPARE(at(3, 0), 1.f);
        QCOMPARE(at(3, 9), 0.25f);
        QVERIFY(std::isnan(at(2, 5)));
        QCOMPARE(views::ddpm::lossGrid(Frame{}, 10).columns, 0);
    }

    void placesOfABranchFollowTheTime() {
        const core::Trajectory run = makerOf(false, 10).make(1);  // t = 1000, 900, ... 0
        QCOMPARE(views::stepAt(run, 1000), 0);
        QCOMPARE(views::stepAt(run, 950), 0);
        QCOMPARE(views::stepAt(run, 900), 1);
        QCOMPARE(views::stepAt(run, 0), 10);
        QCOMPARE(views::stepAt(run, -1), 10);
    }
};

QTEST_MAIN(DdpmViewTest)
#include "tst_ddpm_view.moc"
