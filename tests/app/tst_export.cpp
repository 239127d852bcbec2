// ctest: gl
// Drawings and films of a run: what stands in the files that the window writes.
#include <QApplication>
#include <QComboBox>
#include <QDir>
#include <QFile>
#include <QImageReader>
#include <QLineEdit>
#include <QPushButton>
#include <QSvgRenderer>
#include <QTemporaryDir>
#include <QTest>
#include <QXmlStreamReader>

#include "app/window/export_dialog.h"
#include "app/window/exporter.h"
#include "app/window/gif_writer.h"
#include "app/window/gl_probe.h"
#include "app/window/main_window.h"
#include "app/window/pane_widget.h"
#include "app/window/run_column.h"
#include "app/window/run_recorder.h"
#include "tests/support/window.h"

using namespace app;

class TestExport : public QObject {
    Q_OBJECT

    std::unique_ptr<MainWindow> m_window;
    QTemporaryDir m_folder;

    RunColumn& column() { return m_window->column(); }
    bool stands(int64_t step) {
        return QTest::qWaitFor(
            [&] {
                column().hurry();
                return column().frame().step == step && column().frame().find("samples");
            },
            20'000);
    }

  private slots:
    void initTestCase() {
        QVERIFY2(glProbe().usable, qPrintable(glProbe().reason));
        m_window = support::stillWindow({.preset = "ring8", .settings = {{"batch", "64"}, {"width", "24"}}});
        m_window->resize(1600, 1000);
        m_window->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
        column().trainer().goTo(40);
        QVERIFY(stands(40));
        QTest::qWait(300);
    }
    void cleanupTestCase() { m_window.reset(); }

    void aPanelOfCurvesIsADrawingWithItsWords() {
        const QString svg = svgOf(column(), "losses");
        QXmlStreamReader reader(svg);
        QStringList words;
        int paths = 0, pictures = 0;
        while (!reader.atEnd()) {
            reader.readNext();
            if (!reader.isStartElement()) continue;
            paths += reader.name() == QLatin1String("path");
            pictures += reader.name() == QLatin1String("image");
            if (reader.name() == QLatin1String("text")) words << reader.readElementText();
        }
        QVERIFY2(!reader.hasError(), qPrintable(reader.errorString()));
        for (const char* word : {"Losses and gradients", "loss", "step", "0"})
            QVERIFY2(words.contains(word), qPrintable(words.join(" | ")));
        QVERIFY(paths > 10);    // the grid and the curves
        QCOMPARE(pictures, 0);  // nothing but lines
        QVERIFY(QSvgRenderer(svg.toUtf8()).isValid());
    }

    void everyPanelAndTheWholePaneAreDrawings() {
        const auto panels = column().pane()->pane().panelRects();
        QVERIFY(panels.size() >= 4);
        for (const auto& panel : panels) {
            const QString svg = svgOf(column(), panel.id);
            QSvgRenderer renderer(svg.toUtf8());
            QVERIFY2(renderer.isValid(), panel.id.c_str());
            QVERIFY(std::abs(float(renderer.defaultSize().width()) - panel.rect.width() - 24) <= 1);
            QVERIFY2(svg.size() > 1000, panel.id.c_str());
        }
        QSvgRenderer whole(svgOf(column(), "*").toUtf8());
        QVERIFY(whole.isValid());
        QCOMPARE(whole.defaultSize(), column().pane()->size());
        QVERIFY_EXCEPTION_THROWN(svgOf(column(), "no such panel"), std::exception);
        // What is on screen afterwards is what was there before.
        QCOMPARE(column().pane()->pane().panelRects().size(), panels.size());
    }

    void aGifKeepsItsPicturesAndTheirTime() {
        const QString path = m_folder.filePath("three.gif");
        GifWriter gif;
        for (const QColor colour : {QColor(200, 30, 30), QColor(30, 200, 30), QColor(30, 30, 200)}) {
            QImage picture(120, 80, QImage::Format_RGB32);
            picture.fill(QColor(10, 12, 14));
            for (int y = 20; y < 40; ++y)
                for (int x = 30; x < 60; ++x) picture.setPixelColor(x, y, colour);
            gif.add(picture);
        }
        gif.save(path, 10);
        QImageReader reader(path);
        QCOMPARE(reader.imageCount(), 3);
        QCOMPARE(reader.loopCount(), -1);  // for ever
        for (const QRgb inside : {qRgb(200, 30, 30), qRgb(30, 200, 30), qRgb(30, 30, 200)}) {
            const QImage picture = reader.read();
            QCOMPARE(picture.size(), QSize(120, 80));
            QCOMPARE(picture.pixel(40, 30), inside);
            QCOMPARE(picture.pixel(5, 5), qRgb(10, 12, 14));
        }
        QVERIFY_EXCEPTION_THROWN(gif.save("/nonexistent/a.gif", 10), std::exception);
        QVERIFY_EXCEPTION_THROWN(GifWriter().save(path, 10), std::exception);
    }

    void manyColoursBecomeThoseThatAreNear() {
        QImage picture(256, 64, QImage::Format_RGB32);
        for (int y = 0; y < 64; ++y)
            for (int x = 0; x < 256; ++x) picture.setPixel(x, y, qRgb(x, 255 - x, 4 * y));
        GifWriter gif;
        gif.add(picture);
        const QString path = m_folder.filePath("many.gif");
        gif.save(path, 5);
        const QImage read(path);
        double error = 0;
        for (int y = 0; y < 64; ++y)
            for (int x = 0; x < 256; ++x) {
                const QRgb a = picture.pixel(x, y), b = read.pixel(x, y);
                error += std::abs(qRed(a) - qRed(b)) + std::abs(qGreen(a) - qGreen(b)) +
                         std::abs(qBlue(a) - qBlue(b));
            }
        error /= 256 * 64 * 3;
        QVERIFY2(error < 8, qPrintable(QString::number(error)));
    }

    void aRunIsRecordedFromStepToStep() {
        const QString path = m_folder.filePath("run.gif");
        std::vector<int64_t> steps;
        const Recording recording{.from = 0, .to = 40, .pictures = 5, .panel = "plane", .widest = 200};
        QVERIFY(recordRun(*m_window, column(), recording, path, [&](int done) {
            if (done > int(steps.size())) steps.push_back(column().frame().step);
            return true;
        }));
        QCOMPARE(steps, (std::vector<int64_t>{0, 10, 20, 30, 40}));
        QImageReader reader(path);
        QCOMPARE(reader.imageCount(), 5);
        const QImage first = reader.read();
        QVERIFY(first.width() <= 200 && first.width() > 100);
        QImage last;
        for (int i = 1; i < 5; ++i) last = reader.read();
        QVERIFY(first != last);

        const QString none = m_folder.filePath("none.gif");
        QVERIFY(!recordRun(*m_window, column(), recording, none, [](int done) { return done < 2; }));
        QVERIFY(!QFile::exists(none));
        column().trainer().goTo(40);
        QVERIFY(stands(40));
    }

    void theDialogOffersWhatEachThingCanBe() {
        ExportDialog dialog(*m_window, column());
        const auto boxes = dialog.findChildren<QComboBox*>();
        QCOMPARE(boxes.size(), 2);
        QComboBox *what = boxes[0], *format = boxes[1];
        const auto formats = [&] {
            QStringList names;
            for (int i = 0; i < format->count(); ++i) names << format->itemData(i).toString();
            return names.join(' ');
        };
        QCOMPARE(formats(), "png gif");
        what->setCurrentIndex(1);
        QCOMPARE(formats(), "png svg gif");
        format->setCurrentIndex(1);
        auto* path = dialog.findChild<QLineEdit*>();
        QVERIFY(path->text().endsWith(".svg"));
        what->setCurrentIndex(2);  // another panel: a drawing still
        QCOMPARE(format->currentData().toString(), "svg");
        what->setCurrentIndex(what->count() - 1);
        QCOMPARE(formats(), "csv");
        what->setCurrentIndex(1);
        format->setCurrentIndex(1);
        path->setText(m_folder.filePath("panel.svg"));
        for (auto* button : dialog.findChildren<QPushButton*>())
            if (button->isDefault()) button->click();
        QVERIFY(QSvgRenderer(m_folder.filePath("panel.svg")).isValid());
    }
};

int main(int argc, char** argv) {
    requestGl();
    QApplication application(argc, argv);
    TestExport test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_export.moc"
