// The rendered formulas as pictures, and numbers as text.
#include <QFile>
#include <QImage>
#include <QJsonDocument>
#include <QJsonObject>
#include <QPainter>
#include <QTest>

#include <cmath>

#include "app/assets.h"
#include "app/text/formulas.h"
#include "app/text/number_text.h"
#include "core/base/error.h"

using namespace app;

class TestFormulas : public QObject {
    Q_OBJECT

  private slots:
    void everyRenderedFormulaPaintsInsideItsBox();
    void renderedFormulasAreThoseOfTheSource();
    void formulasTakeTheColourTheyAreGiven();
    void numbersReadAsPeopleWriteThem_data();
    void numbersReadAsPeopleWriteThem();
};

void TestFormulas::everyRenderedFormulaPaintsInsideItsBox() {
    Formulas& formulas = Formulas::instance();
    QVERIFY(formulas.names().size() >= 60);
    constexpr int scale = 40, margin = 8;
    for (const QString& name : formulas.names()) {
        const Formula& formula = formulas.at(name);
        QVERIFY2(formula.height > formula.depth && formula.depth >= 0, qPrintable(name));
        QVERIFY2(!formula.tex.isEmpty() && !formula.alt.isEmpty(), qPrintable(name));
        const QSize box(int(formula.width * scale), int(formula.height * scale));
        QImage image(box + QSize(2 * margin, 2 * margin), QImage::Format_ARGB32_Premultiplied);
        image.fill(Qt::transparent);
        QPainter painter(&image);
        formulas.paint(painter, name, QRectF(QPointF(margin, margin), box), Qt::white);
        painter.end();
        int inside = 0, outside = 0;
        for (int y = 0; y < image.height(); ++y)
            for (int x = 0; x < image.width(); ++x)
                if (qAlpha(image.pixel(x, y)) > 40)
                    ++(QRect(QPoint(margin, margin), box).adjusted(-1, -1, 1, 1).contains(x, y) ? inside
                                                                                                : outside);
        QVERIFY2(inside > 20 && inside < box.width() * box.height() / 2, qPrintable(name));
        QVERIFY2(outside == 0, qPrintable(name));
    }
}

// Somebody who edits the TeX must also run render.py.
void TestFormulas::renderedFormulasAreThoseOfTheSource() {
    QFile file(assetPath("formulas/formulas.json"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QJsonObject source = QJsonDocument::fromJson(file.readAll()).object();
    QCOMPARE(source.keys().size(), Formulas::instance().names().size());
    for (const QString& name : source.keys())
        QCOMPARE(Formulas::instance().at(name).tex, source[name].toObject()["tex"].toString());
}

void TestFormulas::formulasTakeTheColourTheyAreGiven() {
    for (const QColor colour : {QColor(255, 0, 0), QColor(0, 0, 255)}) {
        QImage image(200, 80, QImage::Format_RGB32);
        image.fill(Qt::black);
        QPainter painter(&image);
        Formulas::instance().paint(painter, "gan_d", {0, 0, 60, 70}, colour);
        painter.end();
        bool found = false;
        for (int y = 0; y < image.height(); ++y)
            for (int x = 0; x < image.width(); ++x) found = found || image.pixelColor(x, y) == colour;
        QVERIFY2(found, qPrintable(colour.name()));
    }
    QVERIFY_THROWS_EXCEPTION(core::Error, Formulas::instance().at("unheard_of"));
}

void TestFormulas::numbersReadAsPeopleWriteThem_data() {
    QTest::addColumn<double>("value");
    QTest::addColumn<int>("digits");
    QTest::addColumn<QString>("text");
    QTest::newRow("fraction") << 0.49632 << 3 << "0.496";
    QTest::newRow("true minus") << -1.386294 << 4 << "−1.386";
    QTest::newRow("rounds up a digit") << 9.996 << 3 << "10.0";
    QTest::newRow("whole digits stay") << -236.13 << 2 << "−236";
    QTest::newRow("count") << 8.0 << 1 << "8";
    QTest::newRow("zero") << 0.0 << 3 << "0.00";
    QTest::newRow("small") << 1.2e-5 << 3 << "1.20×10⁻⁵";
    QTest::newRow("large") << 4.56e12 << 2 << "4.6×10¹²";
    QTest::newRow("not a number") << std::nan("") << 3 << "–";
}

void TestFormulas::numbersReadAsPeopleWriteThem() {
    QFETCH(double, value);
    QFETCH(int, digits);
    QFETCH(QString, text);
    QCOMPARE(numberText(value, digits), text);
}

QTEST_MAIN(TestFormulas)
#include "tst_formulas.moc"
