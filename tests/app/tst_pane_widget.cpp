// ctest: gl
// The pane's widget: both ways to draw, what a frame is, and when there is one.
#include <QApplication>
#include <QPainter>
#include <QTest>
#include <QVBoxLayout>

#include "app/window/gl_probe.h"
#include "app/window/pane_widget.h"
#include "views/canvas.h"

using app::PaneWidget;
using Drawn = PaneWidget::Drawn;

namespace {

constexpr int slowMs = 30;

// A neighbour that takes its time to paint.
class SlowLabel : public QWidget {
  public:
    using QWidget::QWidget;

  protected:
    void paintEvent(QPaintEvent*) override { QTest::qSleep(slowMs); }
};

class Stripes : public views::View {
  public:
    std::vector<views::Panel> panels(const core::Frame&) override {
        return {{"stripes", {}, 1, [](views::Canvas& canvas, const core::Frame&, const views::SetHandle&) {
                     views::Rect rest = canvas.area();
                     for (const views::Ink ink : {views::Ink::data, views::Ink::learned, views::Ink::alarm})
                         canvas.fill(rest.cutTop(40), ink);
                     canvas.text({rest.x0, rest.y0}, "below the stripes");
                 }}};
    }
    std::vector<std::string> needs() const override { return {}; }
};

// Until nothing more is to be drawn and the last frame is in the window.
bool settles(PaneWidget& pane) {
    const bool drawn = QTest::qWaitFor([&] {
        pane.refresh();
        return pane.framesDrawn() > 0 && !pane.pane().wantsFrame();
    });
    QTest::qWait(50);
    return drawn;
}

void change(PaneWidget& pane) {
    views::Theme theme;
    theme.moves = false;
    static bool light = false;
    theme.palette = (light = !light) ? views::Palette::light : views::Palette::dark;
    pane.pane().setTheme(theme);
}

}  // namespace

class TestPaneWidget : public QObject {
    Q_OBJECT

    static void ways() {
        QTest::addColumn<Drawn>("drawn");
        QTest::newRow("into memory") << Drawn::intoMemory;
        QTest::newRow("direct") << Drawn::direct;
    }
    static std::unique_ptr<QWidget> windowWith(PaneWidget*& pane, Drawn drawn, QWidget* neighbour = nullptr) {
        auto window = std::make_unique<QWidget>();
        auto* rows = new QVBoxLayout(window.get());
        rows->setContentsMargins(0, 0, 0, 0);
        rows->setSpacing(0);
        pane = new PaneWidget(nullptr, drawn);
        pane->pane().setLesson("stripes", std::make_unique<Stripes>());
        rows->addWidget(pane, 1);
        if (neighbour) rows->addWidget(neighbour);
        window->resize(640, 480);
        window->show();
        return window;
    }

  private slots:
    void initTestCase() { QVERIFY2(app::glProbe().usable, qPrintable(app::glProbe().reason)); }

    void bothWaysShowTheSamePicture() {
        QImage pictures[2], windows[2];
        for (const Drawn drawn : {Drawn::intoMemory, Drawn::direct}) {
            PaneWidget* pane = nullptr;
            const auto window = windowWith(pane, drawn);
            QVERIFY(settles(*pane));
            QVERIFY2(pane->problem().isEmpty(), qPrintable(pane->problem()));
            pictures[int(drawn)] = pane->picture().convertToFormat(QImage::Format_RGB32);
            windows[int(drawn)] = window->grab().toImage().convertToFormat(QImage::Format_RGB32);
        }
        QCOMPARE(pictures[0].size(), QSize(640, 480));
        // The stripes are there, the first on top.
        const QColor first = pictures[0].pixelColor(320, 70), third = pictures[0].pixelColor(320, 150);
        QVERIFY2(first.blue() > first.red() && third.red() > third.blue(),
                 qPrintable(first.name() + " " + third.name()));
        QCOMPARE(windows[0], pictures[0]);
        if (!app::glProbe().software()) return;  // there the card's anti-aliasing is the difference
        QCOMPARE(pictures[1], pictures[0]);
        QCOMPARE(windows[1], windows[0]);
    }

    void aFrameLastsUntilTheWindowHasIt_data() { ways(); }
    void aFrameLastsUntilTheWindowHasIt() {
        QFETCH(Drawn, drawn);
        PaneWidget* pane = nullptr;
        auto* neighbour = new SlowLabel;
        neighbour->setFixedHeight(40);
        const auto window = windowWith(pane, drawn, neighbour);
        QVERIFY(settles(*pane));
        std::vector<double> times;
        connect(pane, &PaneWidget::shown, this, [&] { times.push_back(pane->frameMs()); });
        change(*pane);
        pane->refresh();
        neighbour->update();  // painted after the pane, in the same frame
        QVERIFY(QTest::qWaitFor([&] { return !times.empty(); }));
        QVERIFY2(times.front() >= slowMs, qPrintable(QString::number(times.front())));
    }

    void everyFrameDrawnIsShown_data() { ways(); }
    void everyFrameDrawnIsShown() {
        QFETCH(Drawn, drawn);
        PaneWidget* pane = nullptr;
        const auto window = windowWith(pane, drawn);
        QVERIFY(settles(*pane));
        const int before = pane->framesDrawn();
        int shown = 0;
        connect(pane, &PaneWidget::shown, this, [&] { ++shown; });
        for (int i = 0; i < 5; ++i) {
            change(*pane);
            QVERIFY(settles(*pane));
        }
        QVERIFY(shown >= 5);
        QCOMPARE(shown, pane->framesDrawn() - before);
    }

    void repaintingWithoutChangeDrawsNothing() {
        PaneWidget* pane = nullptr;
        const auto window = windowWith(pane, Drawn::intoMemory);
        QVERIFY(settles(*pane));
        const int before = pane->framesDrawn();
        for (int i = 0; i < 3; ++i) pane->repaint();
        QCOMPARE(pane->framesDrawn(), before);
        window->resize(700, 500);
        QVERIFY(QTest::qWaitFor([&] { return pane->framesDrawn() > before; }));
        QCOMPARE(pane->picture().size(), pane->size());
    }
};

int main(int argc, char** argv) {
    app::requestGl();
    QApplication application(argc, argv);
    TestPaneWidget test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_pane_widget.moc"
