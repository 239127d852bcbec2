// ctest: gl
// The panels of the GAN lesson: what they say of the game.
#include <QtTest>
#include <set>

#include "sample_frames.h"
#include "view_stage.h"

using namespace viewstage;

class GanViewTest : public QObject {
    Q_OBJECT

    // As at step 0 with points of one's own, whose density is not known.
    static Frame ownPointsAtTheStart(float distance, float alarm) {
        Frame frame = samples::planeFrame();
        for (const char* exact : {"modes", "modes_covered", "mode_counts", "share_near", "c_g", "jsd"}) {
            frame.channels.erase(exact);
            frame.histories.erase(exact);
        }
        frame.step = 0;
        frame.channels["pairwise_distance"].values = {distance};
        frame.channels["collapse_alarm"].values = {alarm};
        return frame;
    }

  private slots:
    // Half of a projector's screen, as A and B are presented: pictures before the buttons of other panels.
    void inALowPaneOfLargeTypeThePicturesHaveTheRoom() {
        PaneStage stage("gan", 640, 490, views::Palette::dark, 1.85f);
        stage.show(samples::imageFrame());
        const auto places = stage.pane.panelRects();
        QCOMPARE(places.size(), size_t(1));
        QVERIFY2(places[0].body.height() > 240, qPrintable(QString::number(places[0].body.height())));
    }

    void picturesAreShownAtWholeNumbers() {
        for (const auto& [width, height, scale] :
             {std::tuple{633, 640, 1.f}, {1280, 800, 1.f}, {640, 490, 1.85f}, {1900, 1000, 1.5f}}) {
            PaneStage stage("gan", width, height, views::Palette::dark, scale);
            stage.show(samples::imageFrame());
            const int shown = wholePictures(stage.drawing());
            QVERIFY2(shown > 15, qPrintable(QString("%1 of %2").arg(shown).arg(width)));
        }
    }

    // D is a solid line and its optimum a dashed one, wherever they are.
    void oneQuantityHasOneLook() {
        PaneStage stage("gan", 1280, 800);
        stage.show(samples::lineFrame());
        const views::Theme theme;
        const auto dashes = [&](const char* panel, views::Ink ink) {
            const views::Rgba c = theme.ink(ink);
            const QString stroke = QColor(c.r, c.g, c.b).name();
            std::set<QString> found;
            QXmlStreamReader reader(stage.drawing(panel));
            while (!reader.atEnd())
                if (reader.readNext() == QXmlStreamReader::StartElement && reader.name() == u"path" &&
                    reader.attributes().value("stroke") == stroke)
                    found.insert(reader.attributes().value("stroke-dasharray").toString());
            return found;
        };
        QCOMPARE(dashes("figure1", views::Ink::learned), std::set{QString()});
        QCOMPARE(dashes("optimum", views::Ink::learned), std::set{QString()});
        const auto optimum = dashes("optimum", views::Ink::exact);
        QCOMPARE(optimum.size(), size_t(1));
        QVERIFY(!optimum.begin()->isEmpty());
        QCOMPARE(dashes("figure1", views::Ink::exact), optimum);
    }

    void theColoursOfCellsMeanTheSameInEveryFrame() {
        PaneStage stage("gan", 1280, 800);
        Frame frame = samples::planeFrame();
        stage.show(frame);
        const QString before = stage.words("generator_grid");
        QVERIFY2(before.contains("det J"), qPrintable(before));
        for (float& area : frame.channels["warp_det"].values) area *= 1e-3f;
        stage.show(frame);
        QCOMPARE(stage.words("generator_grid"), before);
    }

    // As wide as A and B are at 1280 pixels.
    void inANarrowPaneNoLineLosesItsName() {
        PaneStage stage("gan", 290, 560);
        stage.show(samples::planeFrame());
        for (const char* panel : {"plane", "loss_shapes"}) {
            stage.pane.maximise(panel);
            stage.draw();
            keep(stage.picture(), QString("narrow-%1").arg(panel));
            const QString words = stage.words(panel);
            for (const char* name : panel == std::string("plane")
                                        ? std::vector{"data", "generated", "D = ½"}
                                        : std::vector{"log(1−σ(a))", "−log σ(a)", "counterfactual"})
                QVERIFY2(words.contains(name), qPrintable(words));
        }
    }

    void theStateOfTheSamplesIsWhatTheAlarmSays() {
        PaneStage stage("gan", 1280, 800);
        stage.show(ownPointsAtTheStart(0.07f, 1));
        QVERIFY2(stage.words("coverage").contains("collapsed"), qPrintable(stage.words("coverage")));
        stage.show(ownPointsAtTheStart(2.3f, 0));
        QVERIFY2(stage.words("coverage").contains("varied"), qPrintable(stage.words("coverage")));
    }
};

QTEST_MAIN(GanViewTest)
#include "tst_gan_view.moc"
