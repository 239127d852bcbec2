// ctest: gl
// The panels of the GAN lesson: what they say of the game.
#include <QtTest>

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
