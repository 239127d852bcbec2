// ctest: gl
// What is brought into the window from outside: files of one's own, and runs copied as text.
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QDropEvent>
#include <QFile>
#include <QImage>
#include <QMimeData>
#include <QTemporaryDir>
#include <QTest>
#include <QUrl>
#include <cmath>

#include "app/window/gl_probe.h"
#include "app/window/knob_editor.h"
#include "app/window/knob_panel.h"
#include "app/window/preset_header.h"
#include "tests/support/window.h"

using namespace app;

class TestOpenData : public QObject, support::WithWindow {
    Q_OBJECT

    QTemporaryDir m_folder;

    QString write(const QString& name, const QByteArray& bytes) {
        QFile file(m_folder.filePath(name));
        if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size()) qFatal("%s", "no place");
        return file.fileName();
    }
    QString points(const QString& name) {
        QByteArray text = "x, y\n";
        for (int i = 0; i < 400; ++i)
            text += QByteArray::number(2 * std::cos(0.1 * i)) + ", " + QByteArray::number(std::sin(0.1 * i)) +
                    "\n";
        return write(name, text);
    }
    // As a file manager would.
    void drop(const QMimeData& what) {
        QDragEnterEvent enter({100, 100}, Qt::CopyAction, &what, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&window(), &enter);
        QVERIFY(enter.isAccepted());
        QDropEvent event({100, 100}, Qt::CopyAction, &what, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&window(), &event);
    }
    void dropFile(const QString& path) {
        QMimeData what;
        what.setUrls({QUrl::fromLocalFile(path)});
        drop(what);
    }
    QString dataShown() { return window().knobs().editor("data")->findChild<QComboBox*>()->currentText(); }

  private slots:
    void initTestCase() { QVERIFY2(glProbe().usable, qPrintable(glProbe().reason)); }

    void init() {
        m_window = support::stillWindow({.preset = "ring8", .settings = {{"batch", "32"}, {"width", "16"}}});
        m_window->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
        QVERIFY(comesTrue([&] { return !frame().settings.empty(); }));
    }
    void cleanup() { m_window.reset(); }

    void aDroppedFileIsTrainedOn() {
        dropFile(points("mine.csv"));
        QVERIFY(comesTrue([&] { return frame().choices.at("data") == "mine.csv"; }));
        QVERIFY(window().problem().isEmpty());
        QVERIFY(comesTrue([&] { return dataShown() == "mine.csv"; }));
        // The line above the picture speaks of these data, and no more of the preset's.
        QVERIFY(comesTrue([&] { return window().header().words().contains("mine.csv, 400 points"); }));
        QVERIFY(!window().header().words().contains("Look for"));
        QVERIFY(!window().header().words().contains("scaled"));
        window().actions().step->trigger();
        QVERIFY(comesTrue([&] { return frame().step == 1; }));
        // Back to a built-in set and again to the file, by the knob.
        auto* combo = window().knobs().editor("data")->findChild<QComboBox*>();
        emit combo->activated(0);
        QVERIFY(comesTrue([&] { return frame().choices.at("data") == "ring8"; }));
        QVERIFY(comesTrue([&] { return window().header().words().contains("Look for"); }));
        emit combo->activated(combo->count() - 1);
        QVERIFY(comesTrue([&] { return frame().choices.at("data") == "mine.csv"; }));
    }

    void whatIsScaledSaysSo() {
        QByteArray text;
        for (int i = 0; i < 400; ++i)
            text += QByteArray::number(100 + 3 * std::cos(0.1 * i)) + ", " +
                    QByteArray::number(-5 + std::sin(0.1 * i)) + "\n";
        window().openFile(write("far.csv", text));
        QVERIFY(comesTrue([&] {
            return window().header().words().contains("scaled to fit: (x₁ − 100, x₂ + 5.00) / 1.11");
        }));
    }

    void aPictureIsADensity() {
        QImage picture(40, 20, QImage::Format_RGB32);
        picture.fill(Qt::black);
        for (int x = 10; x < 30; ++x) picture.setPixelColor(x, 10, Qt::white);
        const QString path = m_folder.filePath("light.png");
        QVERIFY(picture.save(path));
        window().openFile(path);
        QVERIFY(comesTrue([&] { return frame().choices.at("data") == "light.png"; }));
        QCOMPARE(frame().ownData.back()->columns(), 2);
    }

    void whatIsNoDataIsOneSentenceAndNothingIsLost_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("words") << "words.csv" << QByteArray("1,2\nhello,there\n");
        QTest::newRow("foreign") << "program.csv"
                                 << QByteArray(
                                        "\x7f"
                                        "ELF\0\0\0",
                                        7);
        QTest::newRow("cut picture") << "cut.png" << QByteArray("\x89PNG\r\n\x1a\n\0\0\0", 11);
        QTest::newRow("cut idx") << "cut-idx3-ubyte" << QByteArray("\0\0\x8\x3\0\0", 6);
        QTest::newRow("empty") << "empty.csv" << QByteArray();
    }
    void whatIsNoDataIsOneSentenceAndNothingIsLost() {
        QFETCH(QString, name);
        QFETCH(QByteArray, bytes);
        window().actions().step->trigger();
        QVERIFY(comesTrue([&] { return frame().step == 1; }));
        const core::Settings before = frame().settings;
        dropFile(write(name, bytes));
        QVERIFY(comesTrue([&] { return window().problem().contains(name); }));
        QVERIFY(!window().problem().contains('\n'));
        QCOMPARE(frame().settings, before);
        QCOMPARE(frame().step, int64_t(1));
        QVERIFY(frame().problem.empty());  // the picture of the run stays
        window().actions().step->trigger();
        QVERIFY(comesTrue([&] { return frame().step == 2; }));
        dropFile(points("good.csv"));
        QVERIFY(comesTrue([&] { return frame().choices.at("data") == "good.csv"; }));
        QVERIFY(window().problem().isEmpty());
    }

    void aAndBShareTheirData() {
        window().openFile(points("a.csv"));
        QVERIFY(comesTrue([&] { return frame().choices.at("data") == "a.csv"; }));
        window().setComparing(true);
        QVERIFY(comesTrue(
            [&] { return frame(1).choices.count("data") && frame(1).choices.at("data") == "a.csv"; }));
        window().openFile(points("b.csv"));
        QVERIFY(comesTrue([&] {
            return frame(0).choices.at("data") == "b.csv" && frame(1).choices.at("data") == "b.csv";
        }));
    }

    void aRunCopiedAsTextIsPastedBack() {
        window().openFile(points("mine.csv"));
        QVERIFY(comesTrue([&] { return frame().choices.at("data") == "mine.csv"; }));
        for (int i = 1; i <= 6; ++i) window().actions().step->trigger();
        QVERIFY(comesTrue([&] { return frame().step == 6 && frame().find("samples"); }));
        const std::vector<float> samples = frame().find("samples")->values;
        window().actions().shareRun->trigger();
        const QString line = QApplication::clipboard()->text();
        QVERIFY(line.startsWith('{') && !line.contains('\n'));

        core::RunRequest other;
        other.lesson = "vae";
        other.preset = "linear-gaussian";
        window().openLesson(other);
        QVERIFY(comesTrue([&] { return frame().lesson == "vae" && !frame().settings.empty(); }));
        QApplication::clipboard()->setText("  " + line + "\n");
        window().actions().pasteRun->trigger();
        QVERIFY(comesTrue(
            [&] { return frame().lesson == "gan" && frame().step == 6 && frame().find("samples"); }));
        QCOMPARE(frame().find("samples")->values, samples);
        QCOMPARE(frame().choices.at("data"), std::string("mine.csv"));
        QCOMPARE(window().text().id, QString("gan"));
        QVERIFY(window().problem().isEmpty());

        // The file has changed since: the sentence says so, and the run stays.
        points("elsewhere.csv");
        write("mine.csv", QByteArray("1,2\n2,1\n").repeated(50));
        window().actions().pasteRun->trigger();
        QVERIFY(comesTrue([&] { return window().problem().contains("changed"); }));
        QCOMPARE(frame().step, int64_t(6));
    }

    void whatIsNoRunIsOneSentence() {
        for (const char* text : {"", "hello", "{\"lesson\":\"gan\"}",
                                 "{\"version\":1,\"lesson\":\"gnu\",\"seed\":1,"
                                 "\"settings\":{},\"journal\":[]}"}) {
            window().replayRun(text);
            QVERIFY2(!window().problem().isEmpty() && !window().problem().contains('\n'), text);
            QCOMPARE(frame().lesson, std::string("gan"));
        }
    }
};

int main(int argc, char** argv) {
    requestGl();
    QApplication application(argc, argv);
    TestOpenData test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_open_data.moc"
