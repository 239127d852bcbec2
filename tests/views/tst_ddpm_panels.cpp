// ctest: gl
// What the panels of diffusion say in words, and how the viewer uses its room.
#include <QtTest>
#include <algorithm>

#include "ddpm_stage.h"

using namespace ddpmstage;

class DdpmPanelsTest : public QObject {
    Q_OBJECT

    static QString said(Frame frame, const std::string& panel, const views::SamplingPlace& place = {},
                        int width = 420, int height = 340) {
        Stage stage(width, height);
        stage.show(frame);
        stage.stand(place);
        stage.pane.maximise(panel);
        stage.draw();
        keep(stage.picture(), QString("%1-%2").arg(QTest::currentTestFunction(), panel.c_str()));
        return stage.words(panel);
    }
    // The frame with one run that has come to its end.
    static Frame withRun(const core::Trajectory& run) {
        Frame frame = pointsFrame("ring8");
        frame.samplings = support::samplings({run});
        return frame;
    }
    static core::Trajectory judged(double w2, double real) {
        core::Trajectory run = makerOf(false).make(1);
        run.figures = {{"w2", w2}, {"w2_baseline", real}, {"w2_count", 400}};
        return run;
    }
    static float area(const views::Rect& rect) { return rect.width() * rect.height(); }
    // What is drawn in that colour.
    static views::Rect extentOf(const QImage& image, views::Rect where, views::Rgba colour) {
        views::Rect box = {1e9f, 1e9f, -1e9f, -1e9f};
        for (int y = int(where.y0); y < int(where.y1); ++y)
            for (int x = int(where.x0); x < int(where.x1); ++x) {
                if (image.pixel(x, y) != qRgb(colour.r, colour.g, colour.b)) continue;
                const auto u = float(x), v = float(y);
                box = {std::min(box.x0, u), std::min(box.y0, v), std::max(box.x1, u), std::max(box.y1, v)};
            }
        return box;
    }

  private slots:
    // ---- the viewer

    void inTheLectureHallThePictureHasTheRoom() {
        for (const auto& [width, height] : {std::pair{1280, 475}, {1920, 740}}) {
            Stage stage(width, height, views::Palette::dark, 1.85f);
            stage.show(pointsFrame("ring8"));
            stage.stand({.run = 1, .step = 50});
            const views::Rect body = stage.body("viewer");
            const views::Rect left = {body.x0, body.y0, body.x0 + 0.62f * body.width(), body.y1};
            // The ring is four of the seven units of the plane.
            const auto ring = extentOf(stage.picture(), left, views::Theme{}.ink(views::Ink::generated));
            QVERIFY2(ring.height() > 0.42f * body.height(), qPrintable(QString::number(ring.height())));
            const auto panels = stage.pane.panelRects();
            for (size_t i = 1; i < panels.size(); ++i)
                QVERIFY(area(panels[i].rect) < 0.52f * area(panels[0].rect));
        }
    }

    // The pictures of both are as large as the room allows, in a panel that is higher than wide.
    void aForkUsesTheHeightOfThePanel() {
        Stage stage(340, 500);
        stage.show(pointsFrame("ring8"));
        stage.pane.maximise("viewer");
        stage.stand({.run = 1, .branch = 2, .step = 50});
        keep(stage.picture(), "fork");
        const views::Rect body = stage.body("viewer");
        const auto ring = extentOf(stage.picture(), body, views::Theme{}.ink(views::Ink::generated));
        QVERIFY2(ring.width() > 0.25f * body.width(), qPrintable(QString::number(ring.width())));
    }

    // Green means learned: a branch is generated, too.
    void aBranchIsInAShadeOfItsRun() {
        Stage stage(900, 700);
        stage.show(pointsFrame("ring8"));
        stage.pane.maximise("viewer");
        stage.stand({.run = 1, .branch = 2, .step = 34});
        const views::Rect body = stage.body("viewer");
        const views::Rect plane = {body.centre().x + 8, body.y0, body.x1, body.y0 + 0.6f * body.height()};
        const views::Theme theme;
        const views::Rgba shade = mix(theme.ink(views::Ink::generated), theme.ink(views::Ink::text), 0.55f);
        QVERIFY(coloured(stage.picture(), plane, shade) > 100);
        // The ring of the estimate alone is learned.
        QVERIFY(coloured(stage.picture(), plane, theme.ink(views::Ink::learned)) < 100);
    }

    void aDistanceThatChanceExplainsIsLeftOut() {
        const QString near = said(withRun(judged(0.41, 0.435)), "viewer", {.run = 1, .step = 50});
        QVERIFY2(near.contains("DDPM") && !near.contains("0.41"), qPrintable(near));
        const QString far = said(withRun(judged(0.91, 0.435)), "viewer", {.run = 1, .step = 50});
        QVERIFY2(far.contains("0.91") && far.contains("0.435"), qPrintable(far));
    }

    void aSamplerHasTheNameOfItsKnob() {
        for (const auto& [option, name] : {std::pair{"ddim", "DDIM"}, {"dpm++", "DPM-Solver++ 2M"}}) {
            core::Trajectory run = makerOf(false).make(1);
            run.choices["sampler"] = option;
            const QString words = said(withRun(run), "viewer", {.run = 1, .step = 50}, 700, 500);
            QVERIFY2(words.contains(name), qPrintable(words));
        }
    }

    void samplesOutsideThePlaneAreTold() {
        support::TrajectoryMaker maker = makerOf(false);
        QVERIFY(!said(withRun(maker.make(1)), "viewer", {.run = 1, .step = 50}).contains("outside"));
        maker.offset = 90;
        const QString all = said(withRun(maker.make(1)), "viewer", {.run = 1, .step = 50});
        QVERIFY2(all.contains("All samples lie outside"), qPrintable(all));
    }

    // ---- the others

    void theBoundAddsUpWhateverItsSigns() {
        Frame frame = pointsFrame("ring8");
        auto& bits = frame.channels["bound_bits"].values;
        std::fill(bits.begin(), bits.end(), 0.5f);
        bits.front() = -7.5f;
        bits.back() = 0.0625f;
        frame.channels["bound_total"].values = {0.5625f};
        const QString below = said(frame, "bound");
        for (const char* word : {"−7.50", "+ 8.00", "+ 0.0625", "= 0.562", "negative"})
            QVERIFY2(below.contains(word), qPrintable(below));
        bits.front() = 1.5f;
        QVERIFY(!said(frame, "bound").contains("negative"));
    }

    void everyCurveOfTheForwardProcessHasItsName() {
        const QString words = said(pointsFrame("ring8"), "forward", {.run = 1, .step = 20}, 288, 260);
        for (const char* word : {"chain", "closed form", "sampler", "N(0, 1)"})
            QVERIFY2(words.contains(word), qPrintable(words));
    }

    // The panels look at another t than the result has, and the ruler shows both.
    void theRulerShowsWhereTheRunStands() {
        Stage stage(420, 340);
        stage.show(pointsFrame("ring8"));
        stage.pane.maximise("forward");
        for (const auto& [step, found] : {std::pair{20, false}, {50, true}}) {
            stage.stand({.run = 1, .step = step});
            const views::Rect body = stage.body("forward");
            const views::Rect end = {body.x1 - 24, body.y1 - 31, body.x1, body.y1 - 12};
            keep(stage.picture(), "ruler");
            QCOMPARE(coloured(stage.picture(), end, views::Theme{}.ink(views::Ink::generated)) > 3, found);
        }
    }

    void fieldsHaveAScale() {
        Frame frame = pointsFrame("ring8");
        std::fill(frame.channels["score_error"].values.begin(), frame.channels["score_error"].values.end(),
                  4);
        QVERIFY2(said(frame, "score").contains("4"), qPrintable(said(frame, "score")));
        QVERIFY(said(frame, "time_embedding").contains("−1"));
    }

    void aScheduleStandsBesideTheLinearOne() {
        Frame frame = pointsFrame("ring8");
        QVERIFY(!said(frame, "schedule").contains("linear"));
        frame.choices["schedule"] = "cosine";
        QVERIFY(said(frame, "schedule").contains("linear"));
    }

    void aNetworkTrainedBeforeHasNoLosses() {
        Frame frame = pointsFrame("ring8");
        frame.channels.erase("loss_by_t");
        std::erase_if(frame.histories, [](const auto& h) { return h.first.starts_with("loss_t"); });
        QVERIFY(said(frame, "loss_by_t").contains("trained before"));
        frame.step = 0;
        QVERIFY(said(frame, "loss_by_t").contains("first steps"));
    }
};

QTEST_MAIN(DdpmPanelsTest)
#include "tst_ddpm_panels.moc"
