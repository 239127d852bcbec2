// Point sets: the built-in ones keep to the plane and their shape; the user's own are read or refused.
#include <QtTest>
#include <cmath>
#include <random>

#include "core/data/points.h"
#include "tests/support/refusal.h"

using core::PointSet;
using core::Table;
using support::refusalOf;

namespace {

void everySet() {
    QTest::addColumn<QString>("name");
    for (int dimensions : {1, 2})
        for (const std::string& name : core::pointSetNames(dimensions))
            QTest::newRow(name.c_str()) << QString::fromStdString(name);
}

}  // namespace

class PointsTest : public QObject {
    Q_OBJECT

  private slots:
    void namesAreThoseOfTheLessons() {
        const std::vector<std::string> plane{"ring8",        "grid25",  "moons",    "swiss-roll",
                                             "checkerboard", "spirals", "pinwheel", "circles"};
        QCOMPARE(core::pointSetNames(2), plane);
        QCOMPARE(core::pointSetNames(1), (std::vector<std::string>{"gaussian", "bimodal", "trimodal"}));
        QVERIFY_THROWS_EXCEPTION(core::Error, core::pointSetNames(3));
    }

    void everySetFillsThePlaneAndStaysInside_data() { everySet(); }
    void everySetFillsThePlaneAndStaysInside() {
        QFETCH(QString, name);
        const PointSet set = core::pointSet(name.toStdString(), 50000, 3);
        QCOMPARE(set.name, name.toStdString());
        const Table& table = *set.points;
        QCOMPARE(table.rows, 50000);
        QCOMPARE(table.values.size(), size_t(table.rows * table.columns));
        double mean[2] = {}, largest = 0;
        for (int64_t i = 0; i < table.rows; ++i)
            for (int c = 0; c < table.columns; ++c) {
                const double v = table.values[i * table.columns + c];
                largest = std::max(largest, std::abs(v));
                mean[c] += v / double(table.rows);
            }
        QVERIFY2(largest <= core::planeExtent, qPrintable(QString::number(largest)));
        QVERIFY2(largest > 2, "the set is lost in the middle of the plane");
        QVERIFY2(std::hypot(mean[0], mean[1]) < 0.75, "the set is not about the centre");
        QCOMPARE(set.exact.has_value(), table.columns == 1 || name == "ring8" || name == "grid25");
        if (set.exact) QCOMPARE(set.modes, set.exact->modes());
        QVERIFY(set.modes >= 1);
    }

    void pointsDependOnTheSeedAndNotOnTheCount_data() { everySet(); }
    void pointsDependOnTheSeedAndNotOnTheCount() {
        QFETCH(QString, name);
        const auto values = [&](int64_t count, uint64_t seed) {
            return core::pointSet(name.toStdString(), count, seed).points->values;
        };
        const std::vector<float> many = values(500, 11), few = values(50, 11);
        QVERIFY(std::equal(few.begin(), few.end(), many.begin()));
        QCOMPARE(values(500, 11), many);
        QVERIFY(values(500, 12) != many);
    }

    void checkerboardFillsEightSquaresEvenly() {
        const int n = 80000;
        const std::vector<float> p = core::pointSet("checkerboard", n, 1).points->values;
        int counts[4][4] = {};
        for (int i = 0; i < n; ++i) ++counts[int(p[2 * i + 1] / 1.4f + 2)][int(p[2 * i] / 1.4f + 2)];
        for (int row = 0; row < 4; ++row)
            for (int column = 0; column < 4; ++column)
                if ((row + column) % 2)
                    QCOMPARE(counts[row][column], 0);
                else
                    QVERIFY(std::abs(counts[row][column] - n / 8) < 5 * std::sqrt(n / 8));
    }

    void circlesHaveTwoRadii() {
        const int n = 20000;
        const std::vector<float> p = core::pointSet("circles", n, 1).points->values;
        int outer = 0;
        for (int i = 0; i < n; ++i) {
            const double r = std::hypot(p[2 * i], p[2 * i + 1]);
            outer += r > 1.8;
            QVERIFY(std::min(std::abs(r - 1.2), std::abs(r - 2.4)) < 0.5);
        }
        QVERIFY(std::abs(outer - n / 2) < 5 * std::sqrt(n / 4));
    }

    // A turn by the symmetry's angle leaves the set as it is: angles modulo it have no first harmonic there.
    void armsRepeatAroundTheCentre_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("arms");
        QTest::newRow("ring8") << "ring8" << 8;
        QTest::newRow("spirals") << "spirals" << 2;
        QTest::newRow("pinwheel") << "pinwheel" << 5;
    }
    void armsRepeatAroundTheCentre() {
        QFETCH(QString, name);
        QFETCH(int, arms);
        const int n = 100000;
        const PointSet set = core::pointSet(name.toStdString(), n, 5);
        QCOMPARE(set.modes, arms);
        for (int harmonic = 1; harmonic <= arms; ++harmonic) {
            double c = 0, s = 0;
            for (int i = 0; i < n; ++i) {
                // At one distance only: a whole spiral winds its own harmonics away.
                const double x = set.points->values[2 * i], y = set.points->values[2 * i + 1];
                const double r = std::hypot(x, y), angle = std::atan2(y, x);
                if (r < 1 || r > 2.2) continue;
                c += std::cos(harmonic * angle - 0.0) / n;
                s += std::sin(harmonic * angle) / n;
            }
            const double strength = std::hypot(c, s);
            if (harmonic < arms) QVERIFY2(strength < 0.012, qPrintable(QString::number(strength)));
            if (harmonic == arms) QVERIFY2(strength > 0.03, qPrintable(QString::number(strength)));
        }
    }

    void unknownNamesAndCountsAreRefused() {
        const QString name = refusalOf([] { core::pointSet("donut", 10, 1); });
        QVERIFY2(name.contains("ring8") && name.endsWith("got 'donut'"), qPrintable(name));
        const QString count = refusalOf([] { core::pointSet("moons", 0, 1); });
        QVERIFY2(count.endsWith("points, got 0"), qPrintable(count));
        QVERIFY_THROWS_EXCEPTION(core::Error, core::pointSet("ring8", -1, 1));
        QVERIFY_THROWS_EXCEPTION(core::Error, core::pointSet("ring8", int64_t(1) << 40, 1));
    }

    void csvIsRead_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<int>("columns");
        QTest::addColumn<QList<float>>("values");
        using Row = QList<float>;
        QTest::newRow("commas") << QByteArray("1,2\n3,4\n") << 2 << Row{1, 2, 3, 4};
        QTest::newRow("semicolons") << QByteArray("1;2\n3;4") << 2 << Row{1, 2, 3, 4};
        QTest::newRow("blanks") << QByteArray("1 2\n3\t4\n") << 2 << Row{1, 2, 3, 4};
        QTest::newRow("many blanks") << QByteArray("  1   2  \n\t3 \t 4\n") << 2 << Row{1, 2, 3, 4};
        QTest::newRow("blanks and commas") << QByteArray("1 , 2\n3 ,4\n") << 2 << Row{1, 2, 3, 4};
        QTest::newRow("Windows") << QByteArray("1,2\r\n3,4\r\n") << 2 << Row{1, 2, 3, 4};
        QTest::newRow("one column") << QByteArray("1\n-2.5\n1e2\n") << 1 << Row{1, -2.5, 100};
        QTest::newRow("names first") << QByteArray("x,y\n1,2\n") << 2 << Row{1, 2};
        QTest::newRow("quoted names") << QByteArray("\"x 1\" \"y\"\n1 2\n") << 2 << Row{1, 2};
        QTest::newRow("byte-order mark") << QByteArray(
                                                "\xEF\xBB\xBF"
                                                "1,2\n")
                                         << 2 << Row{1, 2};
        QTest::newRow("remarks") << QByteArray("# x y\n1 2\n\n# end\n") << 2 << Row{1, 2};
        QTest::newRow("plus sign") << QByteArray("+1,+2.5e+1\n") << 2 << Row{1, 25};
        QTest::newRow("no last line end") << QByteArray("1,2") << 2 << Row{1, 2};
        QTest::newRow("far outside the plane") << QByteArray("1e30,-7\n") << 2 << Row{1e30f, -7};
        QTest::newRow("too small for a double") << QByteArray("1e-400,-1e-9999\n") << 2 << Row{0, 0};
    }
    void csvIsRead() {
        QFETCH(QByteArray, text);
        QFETCH(int, columns);
        QFETCH(QList<float>, values);
        const Table table = core::readCsvPoints({text.data(), size_t(text.size())});
        QCOMPARE(table.columns, columns);
        QCOMPARE(table.rows, int64_t(values.size() / columns));
        QCOMPARE(QList<float>(table.values.begin(), table.values.end()), values);
    }

    void csvIsRefused_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("message");
        const auto row = [](const char* name, QByteArray text, const char* message) {
            QTest::newRow(name) << text << QString(message);
        };
        row("empty", "", "points: expected at least one line with numbers, got none");
        row("names only", "x,y\n", "points: expected at least one line with numbers, got none");
        row("word", "1,2\n3,four\n", "points, line 2: expected a number, got 'four'");
        row("names twice", "x,y\nx,y\n1,2\n", "points, line 2: expected a number, got 'x'");
        row("names late", "1,2\nx,y\n", "points, line 2: expected a number, got 'x'");
        row("half a header", "1,y\n", "points, line 1: expected a number, got 'y'");
        row("NaN", "1,2\nnan,3\n", "points, line 2: expected a finite number, got 'nan'");
        row("NaN at once", "nan,nan\n1,2\n", "points, line 1: expected a finite number, got 'nan'");
        row("infinity", "1,-inf\n", "points, line 1: expected a finite number, got '-inf'");
        row("too large for a float", "1,1e39\n", "points, line 1: expected a finite number, got '1e39'");
        row("too large for a double", "1,-1e999\n", "points, line 1: expected a finite number, got '-1e999'");
        row("three columns", "1,2,3\n", "points, line 1: expected one or two numbers, got more");
        row("decimal commas", "1,5;2,5\n", "points, line 1: expected one or two numbers, got more");
        row("columns change", "1,2\n3\n",
            "points, line 2: expected two numbers as in the lines before, got 1");
        row("columns grow", "# n\n1\n\n2,3\n",
            "points, line 4: expected one number as in the lines before, got 2");
        row("empty field", "1,2\n1,\n", "points, line 2: expected a number, got ''");
        row("empty first field", "1,2\n,1\n", "points, line 2: expected a number, got ''");
        row("digits with a tail", "1,2x\n", "points, line 1: expected a number, got '2x'");
        row("two signs", "1,+-2\n", "points, line 1: expected a number, got '+-2'");
        row("hexadecimal", "1,0x10\n", "points, line 1: expected a number, got '0x10'");
        row("no text at all", QByteArray("1,2\n\x01\xff\x00\x02\n", 9),
            "points, line 2: expected a number, got '?\?\?\?'");
        row("long word", "1,2\n1,abcdefghijklmnopqrstuvwxyz\n",
            "points, line 2: expected a number, got 'abcdefghijklmnopqrstuvwx...'");
    }
    void csvIsRefused() {
        QFETCH(QByteArray, text);
        QFETCH(QString, message);
        QCOMPARE(refusalOf([&] { core::readCsvPoints({text.data(), size_t(text.size())}); }), message);
    }

    void csvKeepsItsLimits() {
        QCOMPARE(refusalOf([] { core::readCsvPoints("1\n2\n3\n", {.bytes = 100, .rows = 2}); }),
                 QString("points, line 3: expected at most 2 points, got more"));
        QCOMPARE(refusalOf([] { core::readCsvPoints("1\n2\n3\n", {.bytes = 5, .rows = 9}); }),
                 QString("points: expected at most 5 bytes, got 6"));
        QCOMPARE(core::readCsvPoints("1\n2\n3\n", {.bytes = 6, .rows = 3}).rows, 3);
    }

    void csvSurvivesRandomDamage() {
        const std::string whole = "x,y\n1.5,-2e1\n+3;4\n0.25\t1e-3\n# end\n";
        const std::string letters = "0123456789+-.eEnaif,; \t\r\n#x\"\xff" + std::string(1, '\0');
        std::mt19937 random(1);
        int accepted = 0, refused = 0;
        for (int i = 0; i < 20000; ++i) {
            std::string text = whole;
            for (unsigned edits = 1 + random() % 6; edits; --edits) {
                const size_t at = random() % (text.size() + 1);
                switch (random() % 3) {
                    case 0:
                        text.insert(at, 1, letters[random() % letters.size()]);
                        break;
                    case 1:
                        text.erase(at, random() % 4);
                        break;
                    default:
                        if (at < text.size()) text[at] = letters[random() % letters.size()];
                }
            }
            try {
                const Table table = core::readCsvPoints(text, {.bytes = 1000, .rows = 4});
                ++accepted;
                QVERIFY(table.rows >= 1 && table.rows <= 4 && (table.columns == 1 || table.columns == 2));
                QCOMPARE(table.values.size(), size_t(table.rows * table.columns));
                for (float v : table.values) QVERIFY(std::isfinite(v));
            } catch (const core::Error& error) {
                ++refused;
                for (const char* c = error.what(); *c; ++c) QVERIFY(*c >= ' ' && *c <= '~');
            }
        }
        QVERIFY(accepted > 1000 && refused > 1000);
    }

    void pictureGivesEachPixelItsShare() {
        // 3 x 2: a row of 255, 0, 85 above a row of 0, 170, 0.
        const std::vector<uint8_t> grey{255, 0, 85, 0, 170, 0};
        const int n = 60000;
        const Table table = core::pictureAsDensity(grey, 3, 2, n, 9);
        QCOMPARE(table.rows, n);
        int counts[2][3] = {};
        double right = -9, top = -9;
        for (int i = 0; i < n; ++i) {
            const float x = table.values[2 * i], y = table.values[2 * i + 1];
            QVERIFY(std::abs(x) <= 3 &&
                    std::abs(y) <= 2);  // the longer side spans six, the other keeps aspect
            ++counts[y > 0 ? 0 : 1][std::clamp(int((x + 3) / 2), 0, 2)];
            right = std::max<double>(right, x);
            top = std::max<double>(top, y);
        }
        QVERIFY(right > 2.99 && top > 1.99);
        const double expected[2][3] = {{255, 0, 85}, {0, 170, 0}};
        for (int row = 0; row < 2; ++row)
            for (int column = 0; column < 3; ++column) {
                const double share = expected[row][column] / 510 * n;
                QVERIFY(std::abs(counts[row][column] - share) <= 5 * std::sqrt(share));
            }
        QCOMPARE(core::pictureAsDensity(grey, 3, 2, n, 9).values, table.values);
        QVERIFY(core::pictureAsDensity(grey, 3, 2, n, 10).values != table.values);
    }

    void badPicturesAreRefused() {
        const std::vector<uint8_t> black(6), white(6, 255);
        QVERIFY(refusalOf([&] { core::pictureAsDensity(black, 3, 2, 5, 1); }).contains("not black"));
        QVERIFY(refusalOf([&] {
                    core::pictureAsDensity(white, 3, 3, 5, 1);
                }).contains("3 x 3 grey levels, got 6"));
        QVERIFY(refusalOf([&] { core::pictureAsDensity(white, 0, 2, 5, 1); }).contains("got 0 x 2"));
        QVERIFY(refusalOf([&] { core::pictureAsDensity(white, 3, 2, 0, 1); }).contains("points, got 0"));
    }
};

QTEST_GUILESS_MAIN(PointsTest)
#include "tst_points.moc"
