// Where the names of classes stand beside their dots.
#include <QtTest>
#include <cmath>

#include "view_stage.h"
#include "views/lessons/vae/class_names.h"

using namespace viewstage;

class ClassNamesTest : public QObject {
    Q_OBJECT

  private slots:
    void namesKeepClearOfDotsAndOfEachOther() {
        const views::Rect within = {100, 50, 400, 350};
        const views::Rect taken = {260, 190, 290, 206};
        const auto clear = [](const views::Rect& a, const views::Rect& b) {
            return a.x0 >= b.x1 || b.x0 >= a.x1 || a.y0 >= b.y1 || b.y0 >= a.y1;
        };
        const auto dotsAt = [](const std::vector<views::Vec>& places) {
            std::vector<views::vae::NamedDot> dots;
            for (const views::Vec at : places) dots.push_back({at, "", int(dots.size())});
            return dots;
        };
        Dice dice(5);
        for (const float spread : {0.f, 0.4f, 15.f, 60.f}) {
            std::vector<views::Vec> at, sizes;
            for (int i = 0; i < 10; ++i) {
                at.push_back({250 + spread * dice.normal(), 200 + spread * dice.normal()});
                sizes.push_back({40 + float(7 * i % 30), 14});
            }
            views::vae::ClassNames names;
            const auto places = names.place(dotsAt(at), sizes, within, {taken}, 4);
            QCOMPARE(places.size(), at.size());
            for (size_t i = 0; i < places.size(); ++i) {
                QVERIFY(clear(places[i], taken));
                QVERIFY(places[i].x0 >= within.x0 && places[i].x1 <= within.x1);
                QVERIFY(places[i].y0 >= within.y0 && places[i].y1 <= within.y1);
                for (size_t j = 0; j < places.size(); ++j) {
                    QVERIFY(i == j || clear(places[i], places[j]));
                    const views::Vec d = at[j];
                    QVERIFY(clear(places[i], {d.x - 4, d.y - 4, d.x + 4, d.y + 4}));
                }
            }
            // Where dots tremble, names do not jump.
            int jumps = 0;
            auto before = places;
            for (int frame = 0; frame < 100; ++frame) {
                std::vector<views::Vec> moved;
                for (const views::Vec v : at)
                    moved.push_back(v + views::Vec{dice.normal(), dice.normal()} * 0.5f);
                const auto now = names.place(dotsAt(moved), sizes, within, {taken}, 4);
                for (size_t i = 0; i < now.size(); ++i)
                    jumps += std::hypot(now[i].x0 - before[i].x0, now[i].y0 - before[i].y0) > 10;
                before = now;
            }
            QVERIFY2(jumps <= 10, qPrintable(QString("%1 of 1000 at %2").arg(jumps).arg(spread)));
        }
        // Not between two dots, where it would pass for the other's.
        const auto two = views::vae::ClassNames().place(dotsAt({{200, 200}, {245, 200}}),
                                                        {{30, 14}, {30, 14}}, within, {}, 4);
        QVERIFY(two[0].x1 < 200 && two[1].x0 > 245);
        // Alone it stands beside its dot.
        const auto alone = views::vae::ClassNames().place(dotsAt({{200, 200}}), {{40, 14}}, within, {}, 4);
        QCOMPARE(alone[0].centre().y, 200.f);
        QVERIFY(alone[0].x0 > 204 && alone[0].x0 < 210);
    }
};

QTEST_APPLESS_MAIN(ClassNamesTest)
#include "tst_class_names.moc"
