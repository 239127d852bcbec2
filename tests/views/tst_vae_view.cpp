// ctest: gl
// The VAE's panels: what they ask for, what they draw, and what the mouse does in them.
#include <QtTest>
#include <cmath>
#include <limits>

#include "vae_stage.h"

using namespace vaestage;

class VaeViewTest : public QObject {
    Q_OBJECT

  private slots:
    void needsAreTheUnionOfThePanels() {
        const auto view = views::makeView("vae");
        QVERIFY(view);
        std::set<std::string> named, ids;
        for (const QString& situation : situations) {
            const auto panels = view->panels(frameOf(situation));
            QVERIFY2(panels.size() >= 5 && panels.size() <= 8, qPrintable(situation));
            for (const auto& panel : panels) {
                ids.insert(panel.id);
                named.insert(panel.needs.begin(), panel.needs.end());
            }
            QVERIFY(panels[0].weight > panels[1].weight);
        }
        const auto needs = view->needs();
        QCOMPARE(std::set<std::string>(needs.begin(), needs.end()), named);
        const std::set<std::string> all = {"latent", "manifold",       "reconstructions", "samples", "path",
                                           "elbo",   "kl_dimensions",  "identity",        "draw",    "holes",
                                           "exact",  "gradient_paths", "rate_distortion"};
        QCOMPARE(ids, all);
    }

    void situationsAskOnlyForWhatTheyHave() {
        const auto view = views::makeView("vae");
        for (const QString& situation : situations) {
            const Frame frame = frameOf(situation);
            for (const auto& panel : view->panels(frame))
                for (const auto& channel : panel.needs)
                    QVERIFY2(frame.find(channel), (situation.toStdString() + ": " + channel).c_str());
        }
    }

    void everyPanelDrawsItsData_data() {
        QTest::addColumn<QString>("situation");
        QTest::addColumn<int>("palette");
        QTest::addColumn<int>("width");
        QTest::addColumn<int>("height");
        QTest::addColumn<float>("scale");
        for (const QString& situation : situations)
            for (int palette : {0, 1, 2})
                for (const auto& [w, h, scale] :
                     {std::tuple{900, 640, 1.f}, {1280, 800, 1.f}, {1920, 1080, 1.5f}})
                    QTest::addRow("%s-%d-%dx%d", qPrintable(situation), palette, w, h)
                        << situation << palette << w << h << scale;
    }
    void everyPanelDrawsItsData() {
        QFETCH(QString, situation);
        QFETCH(int, palette);
        QFETCH(int, width);
        QFETCH(int, height);
        QFETCH(float, scale);
        const Frame frame = frameOf(situation);
        Stage stage(width, height, views::Palette(palette), scale);
        stage.show(withoutChannels(frame));
        const QImage before = stage.picture();
        QCOMPARE(stage.error(), GLenum(GL_NO_ERROR));
        stage.show(frame);
        const QImage after = stage.picture();
        QCOMPARE(stage.error(), GLenum(GL_NO_ERROR));
        keep(before, QString("%1-empty").arg(QTest::currentDataTag()));
        keep(after, QTest::currentDataTag());
        for (const auto& panel : stage.pane.panelRects())
            QVERIFY2(differences(before, after, panel.body) > 100 || panel.id == "draw", panel.id.c_str());
    }

    void notFiniteValuesDoNoHarm_data() {
        QTest::addColumn<QString>("situation");
        QTest::addColumn<float>("value");
        for (const QString& situation : situations)
            for (float value : {NAN, INFINITY, -INFINITY, 3e38f})
                QTest::addRow("%s-%g", qPrintable(situation), double(value)) << situation << value;
    }
    void notFiniteValuesDoNoHarm() {
        QFETCH(QString, situation);
        QFETCH(float, value);
        Stage stage(1280, 800);
        Frame frame = frameOf(situation);
        // Every third number first, then every one.
        for (size_t every : {3, 1}) {
            for (auto& [name, tensor] : frame.channels)
                for (size_t i = 0; i < tensor.values.size(); i += every) tensor.values[i] = value;
            for (auto& [name, history] : frame.histories) history.add(frame.step + 1, value);
            ++frame.step;
            stage.show(frame);
            const auto latent = stage.body("latent");
            stage.move(latent.centre());
            QCOMPARE(stage.error(), GLenum(GL_NO_ERROR));
        }
        for (auto& [name, tensor] : frame.channels) tensor.values.clear();
        stage.show(frame);
        QCOMPARE(stage.error(), GLenum(GL_NO_ERROR));
    }

    void theMouseOverThePlanePointsAtWhatItSays() {
        Stage stage(1280, 800);
        Frame frame = imagesFrame(2);
        stage.show(frame);
        const views::Rect body = stage.body("latent");
        const views::Vec at = {std::round(body.x0 + 0.35f * body.width()),
                               std::round(body.y0 + 0.3f * body.height())};
        stage.move(at);
        QCOMPARE(stage.handles["latent_point"].size(), size_t(2));
        const std::vector<float> z = stage.handles["latent_point"];
        // Codes put exactly there are drawn exactly there.
        for (size_t i = 0; i < frame.channels["codes"].values.size(); ++i)
            frame.channels["codes"].values[i] = z[i % 2];
        frame.channels.erase("codes_label");
        frame.channels.erase("codes_logvar");
        frame.channels.erase("aggregate_field");
        stage.pane.mouseLeave();
        stage.show(frame);
        const QImage with = stage.picture();
        for (float& v : frame.channels["codes"].values) v = -2.5f;
        stage.show(frame);
        const QImage without = stage.picture();
        double x = 0, y = 0, n = 0;
        for (int j = int(at.y) - 20; j < int(at.y) + 20; ++j)
            for (int i = int(at.x) - 20; i < int(at.x) + 20; ++i)
                if (with.pixel(i, j) != without.pixel(i, j)) x += i + 0.5, y += j + 0.5, n += 1;
        QVERIFY(n > 4);
        QVERIFY(std::abs(x / n - at.x) < 1);
        QVERIFY(std::abs(y / n - at.y) < 1);
    }

    void aDeepLatentSpaceIsSeenInItsMostTellingPlane() {
        Stage stage(1280, 800);
        Frame frame = imagesFrame(16);
        const auto pointed = [&](std::vector<float> axes) {
            frame.channels["plane_axes"] = {{1, 2}, std::move(axes)};
            stage.show(frame);
            const views::Rect body = stage.body("latent");
            stage.pane.mouseLeave();
            stage.draw();
            stage.move({body.x0 + 0.4f * body.width(), body.y0 + 0.4f * body.height()});
            std::set<int> numbers;
            const auto& z = stage.handles["latent_point"];
            for (size_t k = 0; k < z.size(); ++k)
                if (z[k] != 0) numbers.insert(int(k));
            return numbers;
        };
        QCOMPARE(pointed({1, 5}), (std::set{1, 5}));
        QCOMPARE(stage.handles["latent_point"].size(), size_t(16));
        // Every panel is in that plane.
        for (const char* panel : {"latent", "holes"}) {
            stage.pane.maximise(panel);
            stage.draw();
            const QString words = stage.words(panel);
            QVERIFY2(words.contains("z 2") && words.contains("z 6"), qPrintable(words));
        }
        stage.pane.maximise("");
        QCOMPARE(pointed({1, 16}), (std::set{0, 1}));  // there is no seventeenth
    }

    // After a collapse every class has its mean at the origin, and that is where its dot is.
    void dotsOfClassesStayAtTheirMeans() {
        Stage stage(1280, 800);
        Frame frame = imagesFrame(2);
        for (const char* other : {"drag_mu", "codes_logvar", "aggregate_field"}) frame.channels.erase(other);
        for (const float at : {0.f, 1.5f}) {
            for (size_t i = 0; i < frame.channels["codes"].values.size(); ++i)
                frame.channels["codes"].values[i] = at;
            stage.show(frame);
            const QImage picture = stage.picture();
            const views::Rect body = stage.body("latent");
            // Of the colour of the last class there is one disc, and a line to its name.
            const views::Rgba colour = views::Theme{}.classColour(9);
            int inked = 0;
            views::Vec sum;
            for (int y = int(body.y0); y < int(body.y1); ++y)
                for (int x = int(body.x0); x < int(body.x1); ++x) {
                    const auto is = [&](int i, int j) {
                        return picture.pixel(i, j) == qRgb(colour.r, colour.g, colour.b);
                    };
                    if (!is(x, y) || !is(x - 1, y) || !is(x + 1, y) || !is(x, y - 1) || !is(x, y + 1))
                        continue;
                    ++inked;
                    sum = sum + views::Vec{float(x) + 0.5f, float(y) + 0.5f};
                }
            QVERIFY(inked > 8);
            const views::Vec centre = sum * (1 / float(inked));
            stage.move(centre);
            const auto& z = stage.handles["latent_point"];
            QVERIFY(std::abs(z[0] - at) < 0.06f && std::abs(z[1] - at) < 0.06f);
            stage.pane.mouseLeave();
        }
    }

    // Codes come from far in the first steps; the plane that holds nine in ten of them stays as it is.
    void thePlaneStaysAsLargeAsItIs() {
        Stage stage(1280, 800);
        Frame frame = imagesFrame(2);
        const std::vector<float> codes = frame.channels["codes"].values;
        const auto across = [&](float scale, int64_t step) {
            for (size_t i = 0; i < codes.size(); ++i) frame.channels["codes"].values[i] = scale * codes[i];
            frame.step = step;
            stage.show(frame);
            const views::Rect body = stage.body("latent");
            const views::Vec at = body.centre();
            stage.move(at);
            const float from = stage.handles["latent_point"][0];
            stage.move(at + views::Vec{40, 0});
            const float to = stage.handles["latent_point"][0];
            stage.pane.mouseLeave();
            return to - from;
        };
        const float first = across(1, 100);
        QCOMPARE(across(1.3f, 101), first);
        QVERIFY(across(4, 102) > 1.9f * first);     // these lie outside
        QVERIFY(across(1.7f, 103) > 1.9f * first);  // some of these would again
        QCOMPARE(across(1.3f, 101), first);         // a step back is as it was
    }

    void draggingTheDiceMovesEps() {
        Stage stage(1280, 800);
        const Frame frame = imagesFrame(2);
        stage.show(frame);
        const views::Rect body = stage.body("latent");
        // Two places of the mouse give the plane's scale.
        const views::Vec p = {body.x0 + 0.3f * body.width(), body.y0 + 0.6f * body.height()};
        const views::Vec q = {body.x0 + 0.4f * body.width(), body.y0 + 0.3f * body.height()};
        stage.move(p);
        const auto zp = stage.handles["latent_point"];
        stage.move(q);
        const auto zq = stage.handles["latent_point"];
        const auto place = [&](float x, float y) {
            return views::Vec{p.x + (x - zp[0]) * (q.x - p.x) / (zq[0] - zp[0]),
                              p.y + (y - zp[1]) * (q.y - p.y) / (zq[1] - zp[1])};
        };
        stage.press(place(1.5f, 1.8f));
        const views::Vec to = place(0.9f, 2.2f);
        stage.move(place(1.2f, 2.f));
        stage.move(to);
        QCOMPARE(stage.handles["drag_eps"].size(), size_t(2));
        QVERIFY(std::abs(stage.handles["drag_eps"][0] - (0.9f - 1.2f) / 0.3f) < 0.08f);
        QVERIFY(std::abs(stage.handles["drag_eps"][1] - (2.2f - 1.9f) / 0.2f) < 0.12f);
        stage.release(to);
    }

    void picturesAreShownAtWholeNumbers() {
        for (const char* situation : {"plane", "deep"})
            for (const auto& [width, height] : {std::pair{633, 640}, {467, 700}, {1280, 800}, {1200, 980}}) {
                Stage stage(width, height);
                stage.show(frameOf(situation));
                keep(stage.picture(), QString("%1-whole-%2").arg(situation).arg(width));
                int shown = 0;
                for (const auto& panel : stage.pane.panelRects()) {
                    const int whole = wholePictures(stage.drawing(panel.id));
                    QVERIFY2(whole >= 0, qPrintable(QString("%1 at %2").arg(panel.id.c_str()).arg(width)));
                    shown += whole;
                }
                QVERIFY2(shown > 20, qPrintable(QString("%1 at %2").arg(shown).arg(width)));
            }
    }

    void aWalkKeepsItsEnds() {
        std::vector<float> values;
        for (int i = 0; i < 18; ++i) values.insert(values.end(), 4, float(i));
        const views::Images walks{.values = values, .width = 2, .height = 2};
        const auto firsts = [&](views::Vec room) {
            const views::Walk walk = views::walkThatFits(walks, 9, 2, room);
            std::vector<float> all;
            for (size_t i = 0; i < walk.values.size(); i += 4) all.push_back(walk.values[i]);
            return all;
        };
        QCOMPARE(firsts({18, 2}),
                 (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}));
        QCOMPARE(firsts({17, 4}), (std::vector<float>{0, 2, 4, 6, 8, 9, 11, 13, 15, 17}));
        QCOMPARE(firsts({7, 100}), (std::vector<float>{0, 4, 8, 9, 13, 17}));
        QCOMPARE(firsts({40, 4}).size(), size_t(18));  // no larger: both walks are to be seen
        QCOMPARE(firsts({1, 1}), (std::vector<float>{0, 8, 9, 17}));
    }

    void theManifoldPointsAtThePlaceOfItsPicture() {
        Stage stage(1280, 800);
        stage.show(imagesFrame(2));
        // All places are shown, or some of them where there is little room.
        const views::Rect body = stage.body("manifold");
        stage.move({body.x0 + 5, body.y0 + 5});
        const auto& z = stage.handles["latent_point"];
        QCOMPARE(z.size(), size_t(2));
        int corner = -1;
        for (int i : {0, 1, 2})
            if (views::vae::manifoldPlace(i, i, 15) == views::Vec{z[0], z[1]}) corner = i;
        QVERIFY(corner >= 0);
        // The first row is the largest z_2, the first column the smallest z_1.
        const auto from = z;
        stage.move({body.x0 + 90, body.y0 + 5});
        QVERIFY(z[0] > from[0] && z[1] == from[1]);
        stage.move({body.x0 + 5, body.y0 + 90});
        QVERIFY(z[0] == from[0] && z[1] < from[1]);
    }

    void paintingSetsTheDrawing() {
        Stage stage(1280, 800);
        stage.show(imagesFrame(2));
        const views::Rect body = stage.body("draw");
        const views::Rect pad = body.column(0, 3, 8);
        const views::Vec c = {pad.centre().x, pad.centre().y - 16};
        stage.press(c - views::Vec{10, 0});
        stage.move(c + views::Vec{10, 0});
        stage.release(c + views::Vec{10, 0});
        const auto drawing = stage.handles["drawing"];
        QCOMPARE(drawing.size(), size_t(pixels));
        // A horizontal stroke: inked rows are few, inked columns many.
        std::set<int> rows, columns;
        for (int i = 0; i < pixels; ++i)
            if (drawing[size_t(i)] > 0.5f) rows.insert(i / side), columns.insert(i % side);
        QVERIFY(rows.size() >= 1 && rows.size() <= 4);
        QVERIFY(columns.size() > rows.size() + 1);
        QVERIFY(*std::max_element(drawing.begin(), drawing.end()) <= 1);

        // Whatever is below the pad's left end clears it.
        for (float y = pad.y1; y > pad.centre().y; y -= 4) {
            const views::Vec at = {pad.centre().x - 12, y};
            stage.press(at);
            stage.release(at);
            if (std::ranges::all_of(stage.handles["drawing"], [](float v) { return v == 0; })) return;
        }
        QFAIL("nothing cleared the drawing");
    }

    void clicksOnPicturesChooseTheEndsOfThePath() {
        Stage stage(1280, 800);
        const Frame frame = imagesFrame(16);
        stage.show(frame);
        const views::Rect body = stage.body("path");
        const auto click = [&](float across, float down) {
            const views::Vec at = {body.x0 + across * body.width(), body.y0 + down * body.height()};
            stage.press(at);
            stage.release(at);
        };
        click(0.6f, 0.1f);
        QVERIFY(stage.handles["path_ends"].empty());  // one end is no path
        click(0.3f, 0.1f);
        const auto& ends = stage.handles["path_ends"];
        QCOMPARE(ends.size(), size_t(2 * pixels));
        const auto& inputs = frame.channels.at("inputs").values;
        const auto numberOf = [&](size_t end) {
            for (size_t row = 0; row < 16; ++row)
                if (std::equal(inputs.begin() + std::ptrdiff_t(row * pixels),
                               inputs.begin() + std::ptrdiff_t((row + 1) * pixels),
                               ends.begin() + std::ptrdiff_t(end * pixels)))
                    return int(row);
            return -1;
        };
        const int first = numberOf(0), second = numberOf(1);
        QVERIFY(first > second && second >= 0);
        click(0.7f, 0.1f);
        QVERIFY(numberOf(0) > first);
        QCOMPARE(numberOf(1), second);
    }

    // In the window at 1280 x 800 the panel is 276 wide.
    void theBoundOnTestDataKeepsItsNumber() {
        Stage stage(633, 640);
        stage.show(imagesFrame(2));
        QVERIFY2(stage.words("elbo").contains("ELBO, test"), qPrintable(stage.words("elbo")));
    }

    void theAlarmIsSeenWhenCodesCollapse() {
        Stage stage(1280, 800);
        Frame frame = imagesFrame(16);
        const views::Rgba alarm = views::Theme{}.ink(views::Ink::alarm);
        stage.show(frame);
        const views::Rect body = stage.body("kl_dimensions");
        QCOMPARE(coloured(stage.picture(), body, alarm), 0);
        frame.channels["collapse_alarm"].values = {1};
        for (float& v : frame.channels["kl_dims"].values) v = 1e-4f;
        stage.show(frame);
        keep(stage.picture(), "collapsed");
        QVERIFY(coloured(stage.picture(), body, alarm) > 40);
        frame.step = 0;  // nothing has been learned yet, so nothing is lost
        stage.show(frame);
        QCOMPARE(coloured(stage.picture(), body, alarm), 0);
    }

    void quantilesAreThoseOfTheNormalDistribution() {
        // scipy.stats.norm.ppf
        const std::pair<double, double> known[] = {
            {0.5, 0}, {0.975, 1.959963984540054}, {0.01, -2.3263478740408408}, {0.3, -0.5244005127080409}};
        for (const auto& [u, z] : known) QVERIFY(std::abs(views::vae::normalQuantile(u) - z) < 1e-8);
        QCOMPARE(views::vae::manifoldPlace(7, 7, 15), (views::Vec{0, 0}));
        QVERIFY(views::vae::manifoldPlace(0, 14, 15).y > 1.5f);
    }

    void smoothingKeepsALine() {
        std::vector<float> line(500);
        for (size_t i = 0; i < line.size(); ++i) line[i] = 3 * float(i);
        const auto smooth = views::vae::smooth(line);
        QCOMPARE(smooth.size(), line.size());
        for (size_t i = 0; i + 5 < line.size(); ++i) QVERIFY(std::abs(smooth[i] - line[i]) < 0.01f);
        for (size_t i = 0; i < line.size(); ++i) line[i] = i % 2 ? 1.f : -1.f;
        const auto calm = views::vae::smooth(line);
        for (size_t i = 5; i < line.size(); ++i) QVERIFY(std::abs(calm[i]) < 0.2f);
    }

    void scalarsArePairedByStep() {
        core::History often, seldom;
        for (int64_t s = 1; s <= 5000; ++s) often.add(s, float(s));
        for (int64_t s = 100; s <= 5000; s += 100) seldom.add(s, float(s));
        const auto both = views::vae::paired(&seldom, &often);
        QCOMPARE(both.step.size(), size_t(50));
        for (size_t i = 0; i < both.step.size(); ++i) QVERIFY(std::abs(both.a[i] - both.b[i]) <= 8);
    }
};

QTEST_MAIN(VaeViewTest)
#include "tst_vae_view.moc"
