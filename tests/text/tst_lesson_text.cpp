// The words of the lessons: both languages alike, every formula there, broken files refused.
#include <QFile>
#include <QTest>

#include <set>

#include "app/assets.h"
#include "app/text/formulas.h"
#include "app/text/lesson_text.h"
#include "app/text/syllabus.h"
#include "core/base/error.h"

using namespace app;

namespace {

const char* const lessons[] = {"gan", "vae", "ddpm"};

// The smallest text that is whole; tests break one line of it.
QString wholeText() {
    return "# Title\n\nSummary.\n\nReference.\n\n## Lesson\n\n### One\n\nWords *of* **the** `text`, $gan_x$ "
           "and "
           "{loss_d:3}.\n\n> ? Why?\n> ! Because.\n\n$$gan_value$$\n\n- a bullet\n\n## Algorithm\n\n- loop:\n"
           "  - [draw] draw $gan_z$\n\n## Presets\n\n- p | P | look | why\n\n## Parameters\n\n- k | K | κ | "
           "tip\n\n"
           "## Options\n\n- k.a | A\n\n## Panels\n\n- q | Q | |x| | hint\n\n## Channels\n\n- loss_d | Loss "
           "|\n";
}

QString faultOf(const QString& markdown) {
    try {
        parseLessonText(markdown, "x.md", "x", "en");
    } catch (const core::Error& error) {
        return error.what();
    }
    return {};
}

template <typename Items, typename Name>
QStringList names(const Items& items, Name name) {
    QStringList out;
    for (const auto& item : items) out << name(item);
    return out;
}

}  // namespace

class TestLessonText : public QObject {
    Q_OBJECT

  private slots:
    void bothLanguagesHaveTheSameNamesInTheSameOrder_data();
    void bothLanguagesHaveTheSameNamesInTheSameOrder();
    void bothLanguagesHaveTheSameShape_data() { bothLanguagesHaveTheSameNamesInTheSameOrder_data(); }
    void bothLanguagesHaveTheSameShape();
    void everyWordIsThere_data();
    void everyWordIsThere();
    void stagesAreUnique_data() { everyWordIsThere_data(); }
    void stagesAreUnique();
    void everyFormulaOfTheTextIsRendered_data() { everyWordIsThere_data(); }
    void everyFormulaOfTheTextIsRendered();
    void everyLiveNumberIsAChannel_data() { everyWordIsThere_data(); }
    void everyLiveNumberIsAChannel();
    void boldNamesOfPanelsAndPresetsExist_data() { everyWordIsThere_data(); }
    void boldNamesOfPanelsAndPresetsExist();
    void aWholeTextIsRead();
    void brokenTextsAreRefusedWithFileAndLine_data();
    void brokenTextsAreRefusedWithFileAndLine();
    void unknownLessonNamesTheFile();
    void theSyllabusHasNineLessonsInBothLanguages();
};

void TestLessonText::bothLanguagesHaveTheSameNamesInTheSameOrder_data() {
    QTest::addColumn<QString>("lesson");
    for (const char* lesson : lessons) QTest::newRow(lesson) << lesson;
}

void TestLessonText::bothLanguagesHaveTheSameNamesInTheSameOrder() {
    QFETCH(QString, lesson);
    const LessonText en = loadLessonText(lesson, "en"), zh = loadLessonText(lesson, "zh");
    const auto name = [](const auto& item) { return item.name; };
    QCOMPARE(names(zh.presets, name), names(en.presets, name));
    QCOMPARE(names(zh.parameters, name), names(en.parameters, name));
    QCOMPARE(names(zh.channels, name), names(en.channels, name));
    const auto option = [](const OptionWords& item) { return item.parameter + "." + item.option; };
    QCOMPARE(names(zh.options, option), names(en.options, option));
    const auto id = [](const PanelWords& item) { return item.id; };
    QCOMPARE(names(zh.panels, id), names(en.panels, id));
    const auto stage = [](const AlgorithmLine& line) { return QString::number(line.indent) + line.stage; };
    QCOMPARE(names(zh.algorithm, stage), names(en.algorithm, stage));
    QCOMPARE(zh.formulas().size(), en.formulas().size());
    QCOMPARE(QStringList(zh.liveChannels()), en.liveChannels());
}

// Chapter for chapter and block for block, so that a translation forgets no question and no formula.
void TestLessonText::bothLanguagesHaveTheSameShape() {
    QFETCH(QString, lesson);
    const LessonText en = loadLessonText(lesson, "en"), zh = loadLessonText(lesson, "zh");
    QCOMPARE(zh.chapters.size(), en.chapters.size());
    for (size_t i = 0; i < en.chapters.size(); ++i) {
        QCOMPARE(zh.chapters[i].blocks.size(), en.chapters[i].blocks.size());
        for (size_t j = 0; j < en.chapters[i].blocks.size(); ++j) {
            const TextBlock &a = en.chapters[i].blocks[j], &b = zh.chapters[i].blocks[j];
            QVERIFY2(a.kind == b.kind,
                     qPrintable(QStringLiteral("en line %1, zh line %2").arg(a.line).arg(b.line)));
            if (a.kind == TextBlock::Kind::formula) QCOMPARE(b.spans[0].text, a.spans[0].text);
            QCOMPARE(b.answer.size(), a.answer.size());
        }
    }
}

void TestLessonText::everyWordIsThere_data() {
    QTest::addColumn<QString>("lesson");
    QTest::addColumn<QString>("language");
    for (const char* lesson : lessons)
        for (const char* language : {"en", "zh"})
            QTest::addRow("%s.%s", lesson, language) << lesson << language;
}

void TestLessonText::everyWordIsThere() {
    QFETCH(QString, lesson);
    QFETCH(QString, language);
    const LessonText text = loadLessonText(lesson, language);
    QVERIFY(!text.title.isEmpty() && !text.summary.isEmpty() && text.reference.contains("arXiv"));
    QVERIFY(text.chapters.size() >= 5);
    int questions = 0;
    for (const Chapter& chapter : text.chapters) {
        QVERIFY(!chapter.blocks.empty());
        for (const TextBlock& block : chapter.blocks) questions += block.kind == TextBlock::Kind::question;
    }
    QVERIFY(questions >= 4);
    for (const PresetWords& preset : text.presets) {
        QVERIFY2(!preset.lookFor.isEmpty() && !preset.why.isEmpty(), qPrintable(preset.name));
        QCOMPARE(text.preset(preset.name)->title, preset.title);
    }
    for (const ParameterWords& parameter : text.parameters) {
        QVERIFY2(!parameter.symbol.isEmpty() && parameter.tooltip.size() > 10, qPrintable(parameter.name));
        QCOMPARE(text.parameter(parameter.name)->label, parameter.label);
        // They stand side by side: neither says what the other has said.
        for (const QString& word : parameter.label.split(' '))
            QVERIFY2(!parameter.symbol.split(' ').contains(word), qPrintable(parameter.label));
    }
    for (const PanelWords& panel : text.panels)
        QVERIFY2(!panel.symbol.isEmpty() && panel.hint.size() > 10, qPrintable(panel.id));
    for (const OptionWords& option : text.options) {
        QVERIFY2(text.parameter(option.parameter), qPrintable(option.parameter));
        QCOMPARE(text.optionLabel(option.parameter, option.option), option.label);
    }
    QCOMPARE(text.optionLabel("data", "unheard-of"), QStringLiteral("unheard-of"));
    QVERIFY(!text.panel("unheard-of") && !text.channel("unheard-of"));
}

void TestLessonText::stagesAreUnique() {
    QFETCH(QString, lesson);
    QFETCH(QString, language);
    std::set<QString> seen;
    for (const AlgorithmLine& line : loadLessonText(lesson, language).algorithm)
        if (!line.stage.isEmpty())
            QVERIFY2(seen.insert((line.sampling ? "sampling." : "") + line.stage).second,
                     qPrintable(line.stage));
    QVERIFY(seen.size() >= 9);
}

void TestLessonText::everyFormulaOfTheTextIsRendered() {
    QFETCH(QString, lesson);
    QFETCH(QString, language);
    const QStringList formulas = loadLessonText(lesson, language).formulas();
    QVERIFY(formulas.size() > 20);
    for (const QString& name : formulas) {
        QVERIFY2(Formulas::instance().contains(name), qPrintable(name));
        QVERIFY2(QFile::exists(assetPath("formulas/" + name + ".svg")), qPrintable(name));
    }
}

void TestLessonText::everyLiveNumberIsAChannel() {
    QFETCH(QString, lesson);
    QFETCH(QString, language);
    const LessonText text = loadLessonText(lesson, language);
    QVERIFY(text.liveChannels().size() >= 10);
    for (const QString& name : text.liveChannels()) QVERIFY2(text.channel(name), qPrintable(name));
}

// "the panel **Loss shapes**" must be called that in the window as well.
void TestLessonText::boldNamesOfPanelsAndPresetsExist() {
    QFETCH(QString, lesson);
    QFETCH(QString, language);
    const LessonText text = loadLessonText(lesson, language);
    const QString panelCue = language == "zh" ? "面板 " : "panel ";
    const QString presetCue = language == "zh" ? "预设 " : "preset ";
    int found = 0;
    const auto check = [&](const Spans& spans) {
        for (size_t i = 1; i < spans.size(); ++i) {
            if (spans[i].kind != Span::Kind::strong) continue;
            const QString& before = spans[i - 1].text;
            const auto named = [&](const auto& items) {
                return std::any_of(items.begin(), items.end(),
                                   [&](const auto& w) { return w.title == spans[i].text; });
            };
            if (before.endsWith(panelCue)) {
                QVERIFY2(named(text.panels), qPrintable(spans[i].text));
                ++found;
            }
            if (before.endsWith(presetCue)) {
                QVERIFY2(named(text.presets), qPrintable(spans[i].text));
                ++found;
            }
        }
    };
    for (const Chapter& chapter : text.chapters)
        for (const TextBlock& block : chapter.blocks) {
            check(block.spans);
            for (const Spans& answer : block.answer) check(answer);
        }
    QVERIFY(found >= 8);
}

void TestLessonText::aWholeTextIsRead() {
    const LessonText text = parseLessonText(wholeText(), "x.md", "x", "en");
    QCOMPARE(text.title, QStringLiteral("Title"));
    QCOMPARE(text.chapters.size(), size_t(1));
    const std::vector<TextBlock>& blocks = text.chapters[0].blocks;
    QCOMPARE(blocks.size(), size_t(4));
    QVERIFY(blocks[0].kind == TextBlock::Kind::paragraph);
    std::vector<Span::Kind> kinds;
    for (const Span& span : blocks[0].spans)
        if (span.kind != Span::Kind::plain) kinds.push_back(span.kind);
    QVERIFY((kinds == std::vector{Span::Kind::emphasis, Span::Kind::strong, Span::Kind::code,
                                  Span::Kind::formula, Span::Kind::live}));
    QVERIFY(blocks[1].kind == TextBlock::Kind::question);
    QCOMPARE(plainWords(blocks[1].answer.at(0)), QStringLiteral("Because."));
    QVERIFY(blocks[2].kind == TextBlock::Kind::formula);
    QVERIFY(blocks[3].kind == TextBlock::Kind::bullet);
    QCOMPARE(text.algorithm.size(), size_t(2));
    QCOMPARE(text.algorithm[0].stage, QString());
    QCOMPARE(text.algorithm[1].stage, QStringLiteral("draw"));
    QCOMPARE(text.algorithm[1].indent, 1);
    QVERIFY(!text.algorithm[1].sampling);
    const LessonText both =
        parseLessonText(wholeText().replace("  - [draw] draw $gan_z$",
                                            "  - [draw] draw $gan_z$\n- back:\n  - [sampling.draw] draw"),
                        "x.md", "x", "en");
    QCOMPARE(both.algorithm.size(), size_t(4));
    QVERIFY(both.algorithm[3].sampling);
    QCOMPARE(both.algorithm[3].stage, QStringLiteral("draw"));
    QCOMPARE(text.panels.at(0).symbol, QStringLiteral("|x|"));
    QCOMPARE(text.channels.at(0).unit, QString());
    QCOMPARE(text.formulas(), QStringList({"gan_x", "gan_value", "gan_z"}));
}

void TestLessonText::brokenTextsAreRefusedWithFileAndLine_data() {
    QTest::addColumn<QString>("from");
    QTest::addColumn<QString>("to");
    QTest::addColumn<QString>("line");
    QTest::newRow("no title") << "# Title"
                              << "Title"
                              << "x.md:1:";
    QTest::newRow("no reference") << "Reference.\n"
                                  << "\n"
                                  << "x.md:";
    QTest::newRow("text before a chapter") << "### One"
                                           << "One"
                                           << "x.md:9:";
    QTest::newRow("open formula") << "$gan_x$"
                                  << "$gan_x"
                                  << "x.md:11:";
    QTest::newRow("a formula that is TeX") << "$gan_x$"
                                           << "$\\alpha$"
                                           << "x.md:11:";
    QTest::newRow("live number without digits") << "{loss_d:3}"
                                                << "{loss_d}"
                                                << "x.md:11:";
    QTest::newRow("open emphasis") << "*of*"
                                   << "*of"
                                   << "x.md:11:";
    QTest::newRow("question without answer") << "> ! Because.\n"
                                             << "\n"
                                             << "x.md:13:";
    QTest::newRow("answer without question") << "> ? Why?\n"
                                             << ""
                                             << "x.md:13:";
    QTest::newRow("display formula") << "$$gan_value$$"
                                     << "$$gan value$$"
                                     << "x.md:16:";
    QTest::newRow("open stage") << "[draw]"
                                << "[draw"
                                << "x.md:23:";
    QTest::newRow("stage twice") << "- [draw] draw $gan_z$"
                                 << "- [draw] a\n  - [draw] b"
                                 << "x.md:24:";
    QTest::newRow("no stage at all") << "[draw] "
                                     << ""
                                     << "x.md:";
    QTest::newRow("a field too few") << "look | why"
                                     << "look"
                                     << "x.md:27:";
    QTest::newRow("a field too many") << "look | why"
                                      << "look | why | so"
                                      << "x.md:27:";
    QTest::newRow("a name with capitals") << "- k | K"
                                          << "- Knob | K"
                                          << "x.md:31:";
    QTest::newRow("a name twice") << "- k | K | κ | tip"
                                  << "- k | K | κ | tip\n- k | K | κ | tip"
                                  << "x.md:32:";
    QTest::newRow("an empty section") << "- k.a | A\n"
                                      << ""
                                      << "x.md:";
    QTest::newRow("an option without its knob's name") << "- k.a | A"
                                                       << "- ka | A"
                                                       << "x.md:35:";
    QTest::newRow("an unknown section") << "## Panels"
                                        << "## Windows"
                                        << "x.md:37:";
    QTest::newRow("a section twice") << "## Options"
                                     << "## Parameters"
                                     << "x.md:33:";
    QTest::newRow("a section missing") << "\n## Channels\n\n- loss_d | Loss |\n"
                                       << ""
                                       << "x.md:";
}

void TestLessonText::brokenTextsAreRefusedWithFileAndLine() {
    QFETCH(QString, from);
    QFETCH(QString, to);
    QFETCH(QString, line);
    QCOMPARE(faultOf(wholeText()), QString());
    QCOMPARE(wholeText().count(from), 1);
    const QString fault = faultOf(wholeText().replace(from, to));
    QVERIFY2(fault.startsWith(line), qPrintable("got: " + fault));
    QVERIFY2(fault.contains("expected"), qPrintable(fault));
}

void TestLessonText::unknownLessonNamesTheFile() {
    try {
        loadLessonText("unheard-of", "en");
        QFAIL("a lesson that is not there was loaded");
    } catch (const core::Error& error) {
        QVERIFY(QString(error.what()).contains("lessons/unheard-of.en.md"));
    }
}

void TestLessonText::theSyllabusHasNineLessonsInBothLanguages() {
    const QStringList order{"gan", "vae", "vqvae", "ddpm", "dalle2", "flow_matching", "ldm", "dit", "lora"};
    for (const char* language : {"en", "zh"}) {
        QStringList ids;
        for (const SyllabusEntry& entry : loadSyllabus(language)) {
            ids << entry.id;
            QVERIFY(!entry.title.isEmpty() && !entry.subtitle.isEmpty() && !entry.authors.isEmpty());
            QVERIFY(entry.year >= 2013 && entry.year <= 2022);
        }
        QCOMPARE(ids, order);
    }
    QVERIFY_THROWS_EXCEPTION(core::Error, loadSyllabus("xx"));
}

QTEST_MAIN(TestLessonText)
#include "tst_lesson_text.moc"
