// ctest: gl
// What a canvas draws, by its pixels: marks, fields, curves, pictures.
#include "pane_stage.h"

using namespace stage;

class TestCanvas : public PaneTest {
    Q_OBJECT

  private slots:
    void initTestCase() { open(); }
    void cleanupTestCase() { close(); }
    void init() { tidy(); }

    void pointHasItsColourAtItsPlace() {
        Vec at, beside, outside;
        Rect data;
        show({[&](Canvas& c) {
            const float x[] = {1, 4.3f}, y[] = {2, 0};
            views::Plot plot = c.plot("p", {.x = {-4, 4}, .y = {-4, 4}, .equal = true, .grid = false});
            plot.points(views::Series::of(x, y), Ink::data, 4);
            at = plot.place(1, 2);
            outside = plot.place(4.3, 0);
            beside = plot.place(-2.5, -1.5);
            data = plot.rect();
        }});
        const QImage picture = render();
        QVERIFY(std::abs(at.x - (data.x0 + 5.f / 8 * data.width())) < 0.01f);
        QVERIFY(std::abs(at.y - (data.y1 - 6.f / 8 * data.height())) < 0.01f);
        const QColor dot = picture.pixelColor(int(at.x), int(at.y));
        QVERIFY2(near(dot, m_theme.ink(Ink::data)), text(dot).c_str());
        QVERIFY(near(picture.pixelColor(int(outside.x), int(outside.y)), m_theme.ink(Ink::background)));
        QVERIFY(near(picture.pixelColor(int(beside.x), int(beside.y)), m_theme.ink(Ink::background)));
    }

    void manyPointsBecomeADensity() {
        Vec dense, bare;
        std::vector<float> x, y;
        for (int i = 0; i < 60000; ++i) {
            x.push_back(0.02f * float(i % 50));
            y.push_back(0.02f * float(i / 50 % 50));
        }
        show({[&](Canvas& c) {
            views::Plot plot = c.plot("p", {.x = {-2, 2}, .y = {-2, 2}, .equal = true, .grid = false});
            plot.points(views::Series::of(x, y), Ink::data);
            dense = plot.place(0.5, 0.5);
            bare = plot.place(-1, -1);
        }});
        const QImage picture = render();
        int blue = 0;
        for (int dx = -6; dx <= 6; ++dx)
            blue = std::max(blue, picture.pixelColor(int(dense.x) + dx, int(dense.y)).blue());
        QVERIFY(blue > 150);
        QVERIFY(near(picture.pixelColor(int(bare.x), int(bare.y)), m_theme.ink(Ink::background)));
    }

    void fieldHasTheMapsColourAndItsContour() {
        std::vector<float> flat(64, 0.25f), ramp(64);
        for (size_t i = 0; i < 64; ++i) ramp[i] = (float(i % 8) + 0.5f) / 8;
        ramp[7] = std::numeric_limits<float>::quiet_NaN();
        Vec middle, quarter, missing;
        bool contour = false;
        show({[&](Canvas& c) {
            views::Plot plot = c.plot("p", {.x = {0, 1}, .y = {0, 1}, .equal = true});
            views::FieldStyle style{.map = views::Map::viridis, .smooth = contour};
            if (contour) style.contour = 0.5;
            plot.field({contour ? ramp : flat, 8, 8, 0, 1, 0, 1}, style);
            middle = plot.place(0.5, 0.5);
            quarter = plot.place(0.25, 0.5);
            missing = plot.place(0.95, 0.05);
        }});
        QImage picture = render();
        QVERIFY(
            near(picture.pixelColor(int(middle.x), int(middle.y)), m_theme.map(views::Map::viridis, 0.25f)));
        contour = true;
        m_pane.maximise("");
        picture = render();
        const QColor quarterColour = picture.pixelColor(int(quarter.x), int(quarter.y));
        QVERIFY2(near(quarterColour, m_theme.map(views::Map::viridis, 0.25f), 10),
                 text(quarterColour).c_str());
        int brightest = 0;
        for (int dx = -2; dx <= 2; ++dx) {
            brightest = std::max(brightest, picture.pixelColor(int(middle.x) + dx, int(middle.y)).red());
        }
        QVERIFY(brightest > 180);
        QVERIFY(near(picture.pixelColor(int(missing.x), int(missing.y)), m_theme.ink(Ink::grid)));
    }

    void laterMarksLieAboveEarlierOnes() {
        const std::vector<float> flat(4, 0.5f);
        Vec onPoint, onBox;
        show({[&](Canvas& c) {
            const float x[] = {0.5f}, y[] = {0.5f};
            views::Plot plot = c.plot("p", {.equal = true});
            plot.field({flat, 2, 2, 0, 1, 0, 1}, {});
            plot.points(views::Series::of(x, y), Ink::generated, 12);
            plot.box(0.48, 0.48, 0.52, 0.52, Ink::data);
            onBox = plot.place(0.5, 0.5);
            onPoint = onBox + Vec{9, 0};
        }});
        const QImage picture = render();
        QVERIFY(near(picture.pixelColor(int(onBox.x), int(onBox.y)), m_theme.ink(Ink::data)));
        const QColor second = picture.pixelColor(int(onBox.x) + 11, int(onBox.y));
        const QColor third = picture.pixelColor(int(onBox.x) + 40, int(onBox.y));
        QVERIFY(near(second, m_theme.ink(Ink::generated)) || near(second, m_theme.ink(Ink::data)));
        QVERIFY(near(third, m_theme.map(views::Map::viridis, 0.5f)));
    }

    void nothingIsDrawnOutsideThePanel() {
        const float big = 1e9f, nan = std::numeric_limits<float>::quiet_NaN();
        const std::vector<float> flat(4, 0.5f);
        show({[&](Canvas& c) {
                  const float x[] = {-big, 0.5f, big, nan, 0}, y[] = {big, 0.5f, -big, 0, nan};
                  const auto series = views::Series::of(x, y);
                  views::Plot plot =
                      c.plot("p", {.x = {0, 1, "a very long label that is wider than the panel itself"},
                                   .ends = {"a curve with a long name indeed", "b"}});
                  plot.field({flat, 2, 2, -50, 50, -50, 50}, {});
                  plot.points(series, Ink::data, 60);
                  plot.line(series, {Ink::learned, 9});
                  plot.line(series, {Ink::learned, 3, views::Dash::dashed});
                  plot.line(series, {Ink::learned, 3, views::Dash::dotted});
                  plot.arrows(series, series, 1e6, Ink::text);
                  plot.ellipse(0.5, 0.5, 1e8, 3, Ink::exact, 1, 0.5f);
                  plot.bars(series, 1e7, Ink::exact);
                  plot.legend(
                      {{"one entry whose words are so long that they leave the panel on its left side",
                        Ink::data}});
                  c.text({-500, c.area().y0 + 40}, std::string(400, 'x'));
                  c.fill({-1e5f, -1e5f, 1e5f, c.area().y0 + 60}, Ink::selection);
              },
              [](Canvas&) {}});
        const QImage picture = render();
        Rect inside;
        for (const auto& panel : m_pane.panelRects()) {
            if (panel.id == "a") inside = panel.rect;
        }
        const Rect other = m_pane.panelRects()[1].rect;
        int outside = 0;
        for (int y = 0; y < m_height; ++y) {
            for (int x = 0; x < m_width; ++x) {
                const Vec p = {float(x), float(y)};
                if (inside.contains(p) || other.contains(p)) continue;
                outside += !near(picture.pixelColor(x, y), m_theme.ink(Ink::background), 1);
            }
        }
        QCOMPARE(outside, 0);
    }

    void legendLiesInsideItsPlot() {
        Rect data;
        show({[&](Canvas& c) {
            views::Plot plot = c.plot("p", {.grid = false});
            plot.legend({{"first", Ink::exact, views::LegendEntry::area}}, views::Corner::bottomRight);
            data = plot.rect();
        }});
        const QImage picture = render();
        int found = 0;
        for (int y = 0; y < m_height; ++y) {
            for (int x = 0; x < m_width; ++x) {
                if (!near(picture.pixelColor(x, y), m_theme.ink(Ink::exact), 2)) continue;
                ++found;
                QVERIFY(data.contains({float(x), float(y)}));
            }
        }
        QVERIFY(found > 60);
    }

    void curveEndsAtItsLastValue() {
        core::History history;
        for (int step = 1; step <= 5000; ++step) history.add(step, 0.25f);
        Rect where;
        show({[&](Canvas& c) {
            where = c.area();
            c.history("h", {{&history, "L", Ink::learned}}, {.y = {0, 0.9999}});
        }});
        const QImage picture = render();
        // The row with the most of the curve's colour is the one of its value.
        int bestRow = 0, most = 0;
        for (int y = int(where.y0); y < int(where.y1); ++y) {
            int n = 0;
            for (int x = int(where.x0); x < int(where.x1); ++x) {
                n += near(picture.pixelColor(x, y), m_theme.ink(Ink::learned), 12);
            }
            if (n > most) {
                most = n;
                bestRow = y;
            }
        }
        QVERIFY(most > 200);
        const double share = (double(where.y1) - bestRow) / double(where.height());
        QVERIFY2(share > 0.22 && share < 0.32, std::to_string(share).c_str());
    }

    void theLastValueStaysInItsRoomHoweverSmall() {
        core::History history;
        for (int step = 1; step <= 50; ++step) history.add(step, -1.8e-7f);
        Rect where;
        show({[&](Canvas& c) {
            where = c.area();
            where.x1 -= 60;
            c.history("h", {{&history, "L", Ink::learned}}, {.y = {-1, 1}}, where);
        }});
        const QImage picture = render();
        const auto inked = [&](int from, int to) {
            int n = 0;
            for (int y = int(where.y0); y < int(where.y1); ++y)
                for (int x = from; x < to; ++x)
                    n += !near(picture.pixelColor(x, y), m_theme.ink(Ink::background), 12);
            return n;
        };
        QVERIFY(inked(int(where.x1) - 20, int(where.x1)) > 20);
        QCOMPARE(inked(int(where.x1) + 1, int(where.x1) + 50), 0);
    }

    void pictureOfASheetIsShownPixelForPixel() {
        std::vector<float> checks(2 * 16);
        for (size_t i = 0; i < 16; ++i) checks[i] = (i / 4 + i) % 2 ? 1.f : 0.f;
        views::Sheet sheet;
        show({[&](Canvas& c) { sheet = c.sheet("s", {checks, 4, 4}); }});
        const QImage picture = render();
        QCOMPARE(int(sheet.cells.size()), 2);
        const Rect cell = sheet.cells[0];
        const float scale = cell.width() / 4;
        QCOMPARE(scale, std::floor(scale));
        for (int i = 0; i < 16; ++i) {
            // Just inside the corners of each texel: nothing is smoothed between them.
            for (const float in : {0.5f, scale - 0.5f}) {
                const QColor c = picture.pixelColor(int(cell.x0 + float(i % 4) * scale + in),
                                                    int(cell.y0 + float(i / 4) * scale + in));
                QVERIFY((c.red() > 200) == ((i / 4 + i) % 2 == 1));
                QCOMPARE(c.red(), c.blue());
            }
        }
    }

    void valuesThatAreNotFiniteDoNoHarm() {
        for (Frame frame : allFrames()) {
            int k = 0;
            for (auto& [name, tensor] : frame.channels) {
                for (size_t i = 0; i < tensor.values.size(); i += 3) {
                    tensor.values[i] = ++k % 3 == 0 ? std::numeric_limits<float>::quiet_NaN()
                                       : k % 3 == 1 ? std::numeric_limits<float>::infinity()
                                                    : -std::numeric_limits<float>::infinity();
                }
                frame.histories[name + "_"] = {};
            }
            for (auto& [name, history] : frame.histories) {
                history = {};
                if (++k % 2) history.add(1, std::numeric_limits<float>::quiet_NaN());
                if (k % 3 == 0) history.add(2, std::numeric_limits<float>::infinity());
            }
            show(frame);
            QVERIFY(!render().isNull());
            // Channels without values, and of a foreign shape.
            for (auto& [name, tensor] : frame.channels) tensor = {{1}, {}};
            show(frame);
            QVERIFY(!render().isNull());
            for (auto& [name, tensor] : frame.channels) tensor = {{3, 1}, {1, 2, 3}};
            show(frame);
            QVERIFY(!render().isNull());
        }
    }

    void everyPanelDrawsInEveryState() {
        for (const Frame& frame : allFrames()) {
            show(frame);
            const QImage picture = settle();
            QVERIFY(m_pane.panelRects().size() >= 5);
            for (const auto& panel : m_pane.panelRects()) {
                int drawn = 0;
                for (int y = int(panel.body.y0); y < int(panel.body.y1); ++y) {
                    for (int x = int(panel.body.x0); x < int(panel.body.x1); ++x) {
                        drawn += !near(picture.pixelColor(x, y), m_theme.ink(Ink::background), 12);
                    }
                }
                QVERIFY2(drawn > 300, (panel.id + " drew " + std::to_string(drawn)).c_str());
            }
        }
    }
};

QTEST_MAIN(TestCanvas)
#include "tst_canvas.moc"
