// The vector files that panels are written to: well-formed, and showing what was asked for.
#include <QImage>
#include <QPainter>
#include <QSvgRenderer>
#include <QXmlStreamReader>
#include <QtTest>
#include <limits>

#include "views/svg.h"

using namespace views;

namespace {

constexpr Rgba black{0, 0, 0}, red{255, 0, 0}, half{0, 0, 255, 128};

QImage rendered(const std::string& svg, QSize size) {
    QSvgRenderer renderer(QByteArray::fromStdString(svg));
    if (!renderer.isValid()) return {};
    QImage image(size, QImage::Format_RGB32);
    image.fill(Qt::green);
    QPainter painter(&image);
    renderer.render(&painter);
    return image;
}

}  // namespace

class TestSvg : public QObject {
    Q_OBJECT

  private slots:
    void everyFileIsWellFormed() {
        SvgWriter svg({10, 20, 110, 70}, 2, black);
        svg.pushClip({10, 20, 60, 70});
        svg.polyline(std::vector<Vec>{{0, 0}, {1, std::numeric_limits<float>::quiet_NaN()}}, red, 1);
        svg.text(std::vector<SvgWriter::Piece>{{{1, 2}, "a < b & \"c\" ∇ 训练\x01", 12, 40}}, red, true);
        svg.discs(std::vector<SvgWriter::Dot>{{{1, 2}, red}, {{3, 4}, half}}, 2);
        const std::string file = svg.finish("D(x) <&>");
        QXmlStreamReader reader(QString::fromStdString(file));
        QString text, size;
        while (!reader.atEnd()) {
            reader.readNext();
            if (reader.isStartElement() && reader.name() == QLatin1String("svg"))
                size = reader.attributes().value("width").toString() + "x" +
                       reader.attributes().value("height").toString() + " " +
                       reader.attributes().value("viewBox").toString();
            if (reader.isCharacters()) text += reader.text();
        }
        QVERIFY2(!reader.hasError(), qPrintable(reader.errorString() + "\n" + QString::fromStdString(file)));
        QCOMPARE(size, "50x25 10 20 100 50");
        QVERIFY(text.contains("a < b & \"c\" ∇ 训练") && text.contains("D(x) <&>"));
        QVERIFY(!QString::fromStdString(file).contains("nan"));
    }

    void shapesAreWhereTheyWereDrawn() {
        SvgWriter svg({0, 0, 100, 100}, 1, black);
        svg.rectangle({10, 10, 30, 30}, red);
        svg.polygon(std::vector<Vec>{{50, 10}, {70, 10}, {70, 30}, {50, 30}}, red);
        svg.polyline(std::vector<Vec>{{0, 50}, {100, 50}}, red, 4);
        svg.discs(std::vector<SvgWriter::Dot>{{{20, 80}, red}}, 6);
        svg.disc({80, 80}, 6, half);
        svg.pushClip({0, 0, 50, 100});
        svg.rectangle({40, 60, 60, 70}, red);
        svg.popClip();
        const QImage image = rendered(svg.finish("shapes"), {100, 100});
        QVERIFY(!image.isNull());
        const auto is = [&](int x, int y, QRgb colour) { return image.pixel(x, y) == colour; };
        for (const QPoint p :
             {QPoint(20, 20), QPoint(60, 20), QPoint(50, 50), QPoint(20, 80), QPoint(45, 65)})
            QVERIFY2(is(p.x(), p.y(), qRgb(255, 0, 0)), qPrintable(QString("%1 %2").arg(p.x()).arg(p.y())));
        for (const QPoint p : {QPoint(5, 5), QPoint(40, 20), QPoint(20, 90)})
            QVERIFY2(is(p.x(), p.y(), qRgb(0, 0, 0)), qPrintable(QString("%1 %2").arg(p.x()).arg(p.y())));
        QVERIFY(std::abs(qBlue(image.pixel(80, 80)) - 128) <= 1);
    }

    void picturesKeepTheirPixels() {
        SvgWriter svg({0, 0, 40, 40}, 1, black);
        svg.picture({0, 0, 40, 40}, std::vector<Rgba>{{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {9, 8, 7}}, 2, 2,
                    false);
        const QString file = QString::fromStdString(svg.finish("picture"));
        const qsizetype from = file.indexOf("base64,") + 7;
        const QImage png = QImage::fromData(
            QByteArray::fromBase64(file.mid(from, file.indexOf('"', from) - from).toLatin1()), "PNG");
        QCOMPARE(png.size(), QSize(2, 2));
        QCOMPARE(png.pixel(0, 0), qRgb(255, 0, 0));
        QCOMPARE(png.pixel(1, 0), qRgb(0, 255, 0));
        QCOMPARE(png.pixel(0, 1), qRgb(0, 0, 255));
        QCOMPARE(png.pixel(1, 1), qRgb(9, 8, 7));
    }
};

QTEST_MAIN(TestSvg)
#include "tst_svg.moc"
