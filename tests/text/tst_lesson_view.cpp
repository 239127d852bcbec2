// The page and the pseudo-code as widgets: live numbers, hidden answers, the lit line.
#include <QAbstractTextDocumentLayout>
#include <QApplication>
#include <QClipboard>
#include <QMimeData>
#include <QScrollBar>
#include <QShortcut>
#include <QSignalSpy>
#include <QTest>
#include <QTextBlock>
#include <QVBoxLayout>

#include "app/text/lesson_view.h"
#include "app/text/number_text.h"

using namespace app;

namespace {

QPalette lightPalette() {
    QPalette palette;
    palette.setColor(QPalette::Base, QColor(0xfb, 0xfb, 0xf9));
    palette.setColor(QPalette::Text, QColor(0x20, 0x21, 0x24));
    return palette;
}
QPalette darkPalette() {
    QPalette palette;
    palette.setColor(QPalette::Base, QColor(0x16, 0x18, 0x1c));
    palette.setColor(QPalette::Text, QColor(0xe6, 0xe4, 0xe1));
    return palette;
}

core::Frame frameOf(const std::string& channel, float value) {
    core::Frame frame;
    frame.channels[channel] = {core::Shape{1}, {value}};
    return frame;
}

// How yellow a region is: the number of pixels where blue is clearly below red and green.
int yellowPixels(const QImage& image, const QRect& region) {
    int count = 0;
    for (int y = region.top(); y <= region.bottom(); ++y)
        for (int x = region.left(); x <= region.right(); ++x) {
            const QColor c = image.pixelColor(x, y);
            count += c.red() - c.blue() > 25 && c.green() - c.blue() > 20;
        }
    return count;
}

QTextCursor firstLink(const LessonView& view) {
    for (QTextBlock block = view.document()->begin(); block.isValid(); block = block.next())
        for (auto it = block.begin(); !it.atEnd(); ++it)
            if (it.fragment().charFormat().isAnchor()) {
                QTextCursor cursor(view.document());
                cursor.setPosition(it.fragment().position() + 2);
                return cursor;
            }
    return {};
}

}  // namespace

class TestLessonView : public QObject {
    Q_OBJECT

  private slots:
    void pageSpeaksItsFormulasAndNumbers();
    void liveNumberFollowsTheFrame();
    void numbersChangeAtMostFourTimesASecond();
    void newNumbersDoNotMoveThePage();
    void answerIsHiddenUntilItIsClicked();
    void enterRevealsTheAnswer();
    void languageSwitchKeepsTheChapterAndTheAnswers();
    void windowKeysPassThroughTheText();
    void copiedTextHasWordsForFormulas();
    void largeLettersMakeLargeFormulas();
    void formulasFitANarrowColumn();
    void noFormulaReachesIntoTheNextLine_data();
    void noFormulaReachesIntoTheNextLine();
    void litLineFollowsTheStage_data();
    void litLineFollowsTheStage();
    void litLineCarriesAMarkerBesideItsColour();
    void everyStageOfTheTextLightsItsOwnLine();
    void trainingAndSamplingLightALineEach();
};

void TestLessonView::pageSpeaksItsFormulasAndNumbers() {
    LessonView view;
    view.setLesson(loadLessonText("gan", "en"));
    const QString text = view.plainText();
    QVERIFY(text.contains("Generative adversarial networks"));
    QVERIFY(text.contains("the minimum over G of the maximum over D"));
    QVERIFY(text.contains("At this moment the value is –,"));  // nothing is known yet
    QVERIFY(!text.contains(QChar::ObjectReplacementCharacter));
    QCOMPARE(view.accessibleDescription(), text);
}

void TestLessonView::liveNumberFollowsTheFrame() {
    LessonView view;
    view.setLesson(loadLessonText("gan", "en"));
    view.setFrame(frameOf("value", -1.38629f));
    QVERIFY(view.plainText().contains("the value is −1.39,"));
    QTest::qWait(LessonView::updateIntervalMs + 50);
    view.setFrame(frameOf("value", -0.5f));
    QVERIFY(view.plainText().contains("the value is −0.500,"));
    QTest::qWait(LessonView::updateIntervalMs + 50);
    view.setFrame(core::Frame{});
    QVERIFY(view.plainText().contains("the value is –,"));
}

void TestLessonView::numbersChangeAtMostFourTimesASecond() {
    LessonView view;
    view.setLesson(loadLessonText("gan", "en"));
    QString last = view.plainText();
    int changes = 0;
    QElapsedTimer clock;
    clock.start();
    for (int i = 0; clock.elapsed() < 1000; ++i) {
        view.setFrame(frameOf("value", float(-1 - 0.01 * (i % 90))));
        QTest::qWait(5);
        const QString text = view.plainText();
        changes += text != last;
        last = text;
    }
    QVERIFY2(changes >= 2 && changes <= 5, qPrintable(QString::number(changes)));
    // The last value arrives even if no further frame does.
    view.setFrame(frameOf("value", -0.123f));
    QTRY_VERIFY(view.plainText().contains("the value is −0.123,"));
}

void TestLessonView::newNumbersDoNotMoveThePage() {
    LessonView view;
    view.resize(300, 500);
    view.setLesson(loadLessonText("gan", "en"));
    view.show();
    view.verticalScrollBar()->setValue(view.verticalScrollBar()->maximum() * 3 / 4);
    const QPoint probe(view.viewport()->width() / 2, 1);
    const auto lineAtTop = [&] {
        const QTextCursor cursor = view.cursorForPosition(probe);
        return QPair(cursor.position(), view.cursorRect(cursor).top());
    };
    const auto before = lineAtTop();
    const double height = view.document()->size().height();
    core::Frame frame;
    for (const QString& name : loadLessonText("gan", "en").liveChannels())
        frame.channels[name.toStdString()] = {core::Shape{1}, {-1.5e-20f}};
    view.setFrame(frame);
    QVERIFY(view.plainText().contains("−1.50×10⁻²⁰"));
    QVERIFY(view.document()->size().height() > height);  // lines above did need more room
    QCOMPARE(lineAtTop(), before);
}

void TestLessonView::answerIsHiddenUntilItIsClicked() {
    LessonView view;
    view.resize(420, 700);
    view.setLesson(loadLessonText("gan", "en"));
    view.show();
    QVERIFY(view.questionCount() >= 4);
    QVERIFY(view.plainText().contains("What does the curve of the discriminator look like?"));
    QVERIFY(!view.plainText().contains("A flat line at one half."));
    QVERIFY(!view.isRevealed(0));

    const auto clickLink = [&] {
        const QTextCursor link = firstLink(view);
        view.setTextCursor(link);
        view.ensureCursorVisible();
        const QRect at = view.cursorRect(link);
        QTest::mouseClick(view.viewport(), Qt::LeftButton, {}, at.center() + QPoint(4, 0));
    };
    clickLink();
    QVERIFY(view.isRevealed(0));
    QVERIFY(view.plainText().contains("A flat line at one half."));
    QVERIFY(!view.plainText().contains("About 150 times."));
    clickLink();
    QVERIFY(!view.plainText().contains("A flat line at one half."));
}

void TestLessonView::enterRevealsTheAnswer() {
    LessonView view;
    view.resize(420, 700);
    view.setLesson(loadLessonText("vae", "en"));
    view.show();
    view.setFocus();
    QTest::keyClick(&view, Qt::Key_Tab);
    QTest::keyClick(&view, Qt::Key_Return);
    QVERIFY(view.isRevealed(0));
    // The focus stays on the link, so that the same key hides the answer again.
    QTest::keyClick(&view, Qt::Key_Return);
    QVERIFY(!view.isRevealed(0));
}

void TestLessonView::languageSwitchKeepsTheChapterAndTheAnswers() {
    LessonView view;
    view.resize(420, 500);
    view.show();
    view.setLesson(loadLessonText("vae", "en"));
    view.setRevealed(2, true);
    view.scrollToChapter(3);
    view.setLesson(loadLessonText("vae", "zh"));
    QVERIFY(view.isRevealed(2));
    const QString chapter = loadLessonText("vae", "zh").chapters[3].title;
    const QTextCursor top = view.cursorForPosition({view.viewport()->width() / 2, 20});
    QVERIFY2(top.block().text().contains(chapter), qPrintable(top.block().text()));
    view.setLesson(loadLessonText("gan", "zh"));
    QVERIFY(!view.isRevealed(2));
    QCOMPARE(view.verticalScrollBar()->value(), 0);
}

void TestLessonView::windowKeysPassThroughTheText() {
    QWidget window;
    auto* layout = new QVBoxLayout(&window);
    auto* view = new LessonView;
    auto* algorithm = new AlgorithmView;
    layout->addWidget(view);
    layout->addWidget(algorithm);
    view->setLesson(loadLessonText("gan", "en"));
    algorithm->setLesson(loadLessonText("gan", "en"));
    window.resize(400, 600);
    window.show();
    QVERIFY(QTest::qWaitForWindowActive(&window));
    for (const Qt::Key key :
         {Qt::Key_Space, Qt::Key_R, Qt::Key_N, Qt::Key_Left, Qt::Key_Right, Qt::Key_Home, Qt::Key_End}) {
        QShortcut shortcut(QKeySequence(key), &window);
        QSignalSpy pressed(&shortcut, &QShortcut::activated);
        view->setFocus();
        QTest::keyClick(view, key);
        QCOMPARE(pressed.count(), 1);
        algorithm->setFocus();
        QTest::keyClick(algorithm, key);
        QCOMPARE(pressed.count(), 2);
    }
}

void TestLessonView::copiedTextHasWordsForFormulas() {
    LessonView view;
    view.setLesson(loadLessonText("gan", "en"));
    view.setFrame(frameOf("value", -1.25f));
    view.selectAll();
    view.copy();
    const QString copied = QApplication::clipboard()->text();
    QVERIFY(copied.contains("The generator G takes noise z"));
    QVERIFY(copied.contains("the value is −1.25,"));
}

void TestLessonView::largeLettersMakeLargeFormulas() {
    LessonView view;
    QFont font = view.font();
    const auto heightAt = [&](int size) {
        font.setPixelSize(size);
        view.setFont(font);
        view.resize(60 * size, 400);
        view.setLesson(loadLessonText("gan", "en"));
        view.show();
        return view.document()->size().height();
    };
    const double small = heightAt(13), large = heightAt(26);
    QVERIFY2(std::abs(large / small - 2) < 0.1, qPrintable(QString::number(large / small)));
}

void TestLessonView::formulasFitANarrowColumn() {
    LessonView view;
    view.resize(300, 600);
    for (const char* lesson : {"gan", "vae", "ddpm"}) {
        view.setLesson(loadLessonText(lesson, "en"));
        view.show();
        QVERIFY2(view.document()->idealWidth() <= view.viewport()->width(),
                 qPrintable(QString::number(view.document()->idealWidth())));
        QCOMPARE(view.horizontalScrollBar()->maximum(), 0);
    }
}

void TestLessonView::noFormulaReachesIntoTheNextLine_data() {
    QTest::addColumn<QString>("lesson");
    QTest::addColumn<int>("size");
    QTest::addColumn<int>("width");
    for (const char* lesson : {"gan", "vae", "ddpm"}) {
        QTest::newRow(qPrintable(QString("%1, beside the pane").arg(lesson))) << lesson << 13 << 384;
        QTest::newRow(qPrintable(QString("%1, presented").arg(lesson))) << lesson << 22 << 560;
    }
}

void TestLessonView::noFormulaReachesIntoTheNextLine() {
    QFETCH(QString, lesson);
    QFETCH(int, size);
    QFETCH(int, width);
    AlgorithmView view;
    view.setPalette(lightPalette());
    QFont font = view.font();
    font.setPixelSize(size);
    view.setFont(font);
    view.setLesson(loadLessonText(lesson, "en"));
    view.resize(width, 400);
    view.show();
    view.resize(width, int(view.document()->size().height()) + 20);
    const QImage image = view.viewport()->grab().toImage();
    const QColor ground = image.pixelColor(0, 0);
    for (QTextBlock block = view.document()->begin(); block.isValid(); block = block.next()) {
        const double top = view.document()->documentLayout()->blockBoundingRect(block).top();
        const QTextLine last = block.layout()->lineAt(block.layout()->lineCount() - 1);
        const double bottom = top + last.y() + last.ascent() + last.descent();
        int ink = 0;
        for (int x = 3 * size; x < image.width(); ++x)  // right of the numbers
            ink += image.pixelColor(x, int(bottom + 0.26 * size)).lightness() < ground.lightness() - 8;
        QVERIFY2(ink == 0, qPrintable(block.text()));
    }
}

void TestLessonView::litLineFollowsTheStage_data() {
    QTest::addColumn<QPalette>("palette");
    QTest::newRow("light") << lightPalette();
    QTest::newRow("dark") << darkPalette();
}

void TestLessonView::litLineFollowsTheStage() {
    QFETCH(QPalette, palette);
    AlgorithmView view;
    view.setPalette(palette);
    view.resize(420, 460);
    view.setLesson(loadLessonText("gan", "en"));
    view.show();
    const auto image = [&] { return view.viewport()->grab().toImage(); };
    QCOMPARE(yellowPixels(image(), view.viewport()->rect()), 0);

    view.setStage("d_loss");
    const QRect first = view.litRect().toRect();
    QVERIFY(first.width() > 300 && first.height() > 10);
    QVERIFY(yellowPixels(image(), first) > first.width() * first.height() / 3);
    QVERIFY(view.accessibleDescription().contains("its loss"));

    view.setStage("g_update");
    const QRect second = view.litRect().toRect();
    QVERIFY(second.top() > first.bottom());
    QVERIFY(yellowPixels(image(), second) > second.width() * second.height() / 3);
    QCOMPARE(yellowPixels(image(), first), 0);

    view.setStage("");
    QCOMPARE(view.litLine(), -1);
    QCOMPARE(yellowPixels(image(), view.viewport()->rect()), 0);
}

void TestLessonView::litLineCarriesAMarkerBesideItsColour() {
    AlgorithmView view;
    view.setPalette(lightPalette());
    view.resize(420, 460);
    view.setLesson(loadLessonText("gan", "en"));
    view.setStage("d_loss");
    view.show();
    const QRect lit = view.litRect().toRect();
    const QImage image = view.viewport()->grab().toImage();
    const int em = view.font().pixelSize() > 0 ? view.font().pixelSize() : QFontInfo(view.font()).pixelSize();
    int dark = 0;
    for (int y = lit.top(); y <= lit.bottom(); ++y)
        for (int x = em; x < 2 * em; ++x) dark += image.pixelColor(x, y).lightness() < 90;
    QVERIFY2(dark > em, qPrintable(QString::number(dark)));
}

void TestLessonView::everyStageOfTheTextLightsItsOwnLine() {
    for (const char* lesson : {"gan", "vae", "ddpm"}) {
        const LessonText text = loadLessonText(lesson, "zh");
        AlgorithmView view;
        view.setLesson(text);
        std::set<int> lines;
        for (const AlgorithmLine& line : text.algorithm) {
            if (line.stage.isEmpty()) continue;
            line.sampling ? view.setSamplingStage(line.stage) : view.setStage(line.stage);
            QVERIFY(view.litLine(line.sampling) >= 0);
            QVERIFY(lines.insert(view.litLine(line.sampling)).second);
        }
        view.setStage("unheard-of");
        QCOMPARE(view.litLine(), -1);
    }
}

void TestLessonView::trainingAndSamplingLightALineEach() {
    AlgorithmView view;
    view.setPalette(lightPalette());
    view.resize(420, 560);
    view.setLesson(loadLessonText("ddpm", "en"));
    view.show();
    const auto lit = [&](const QRectF& rect) {
        return yellowPixels(view.viewport()->grab().toImage(), rect.toRect()) > 1000;
    };
    view.setStage("predict");
    view.setSamplingStage("predict");  // both have a stage of that name
    QVERIFY(view.litLine() >= 0 && view.litLine() != view.litLine(true));
    QVERIFY(lit(view.litRect()) && lit(view.litRect(true)));
    QVERIFY(view.accessibleDescription().contains("the network predicts"));
    view.setStage({});
    QVERIFY(lit(view.litRect(true)));
    view.setSamplingStage("step");  // the last line of all
    QVERIFY(view.accessibleDescription().contains("step"));
    view.setSamplingStage({});
    QCOMPARE(view.litLine(true), -1);
}

QTEST_MAIN(TestLessonView)
#include "tst_lesson_view.moc"
