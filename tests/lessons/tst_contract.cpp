// What the parts of a lesson say of each other: code, panels and words in two languages name the same
// channels, stages, knobs, presets and panels.
#include <QtTest>

#include "app/text/lesson_text.h"
#include "core/session/run.h"
#include "tests/support/small.h"
#include "views/view.h"

using namespace core;
using support::small;

namespace {

const char* const languages[] = {"en", "zh"};

// Every channel that some configuration of the lesson gives, and the ids of every panel that one shows.
struct Reach {
    std::set<std::string> channels, panels;
};

void visit(Reach& reach, const std::string& lesson, const RunRequest& request, const std::string& what) {
    Run run(request);
    const std::set<std::string> here = run.channelNames();
    reach.channels.insert(here.begin(), here.end());
    const auto view = views::makeView(lesson);
    if (!view) return;
    for (const views::Panel& panel : view->panels(run.look({}))) {
        reach.panels.insert(panel.id);
        for (const std::string& channel : panel.needs)
            if (const auto needs = view->needs();
                std::find(needs.begin(), needs.end(), channel) == needs.end())
                throw Error(fmt::format("{}: panel {} needs {}, which needs() does not name", what, panel.id,
                                        channel));
    }
}

// Every preset, and the first preset with every choice and with every penalty on.
const Reach& reachOf(const std::string& lesson) {
    static std::map<std::string, Reach> known;
    const auto [it, fresh] = known.try_emplace(lesson);
    if (!fresh) return it->second;
    const auto model = makeLesson(lesson);
    for (const Preset& preset : model->presets())
        visit(it->second, lesson, small(lesson, preset.name), preset.name);
    for (const Knob* knob : model->knobs()) {
        const Parameter& p = knob->parameter();
        std::vector<std::string> values = p.options;
        if (p.change == Change::structural && !p.integer && p.options.empty()) values = {p.print(p.maximum)};
        for (const std::string& value : values) {
            std::vector<std::pair<std::string, std::string>> extra = {{p.name, value}};
            if (value == "linear-gaussian") extra.emplace_back("z_dim", "2");
            visit(it->second, lesson, small(lesson, "", extra), p.name + "=" + value);
        }
    }
    return it->second;
}

template <class List, class Name>
QStringList namesOf(const List& list, Name name) {
    QStringList names;
    for (const auto& item : list) names << name(item);
    return names;
}

QStringList knobNames(const Lesson& lesson) {
    return namesOf(lesson.knobs(), [](const Knob* k) { return QString::fromStdString(k->parameter().name); });
}

QStringList sorted(QStringList list) {
    list.sort();
    return list;
}

}  // namespace

class TestContract : public QObject {
    Q_OBJECT

    static void addLessons() {
        QTest::addColumn<QString>("id");
        QTest::addColumn<QString>("language");
        for (const std::string& id : lessonIds())
            for (const char* language : languages)
                QTest::addRow("%s.%s", id.c_str(), language) << QString::fromStdString(id) << language;
    }

  private slots:
    void everyLessonHasAViewThatNamesOnlyItsChannels() {
        QVERIFY(lessonIds().size() >= 2);
        for (const std::string& id : lessonIds()) {
            const auto view = views::makeView(id);
            QVERIFY2(view, id.c_str());
            QVERIFY(!view->needs().empty());
            for (const std::string& channel : view->needs())
                QVERIFY2(reachOf(id).channels.count(channel), fmt::format("{}: {}", id, channel).c_str());
        }
    }

    void textsNameOnlyChannelsThatExist_data() { addLessons(); }
    void textsNameOnlyChannelsThatExist() {
        QFETCH(QString, id);
        QFETCH(QString, language);
        const app::LessonText text = app::loadLessonText(id, language);
        const auto& channels = reachOf(id.toStdString()).channels;
        QStringList named = text.liveChannels();
        named += namesOf(text.channels, [](const auto& c) { return c.name; });
        QVERIFY(named.size() > 5);
        for (const QString& channel : named)
            QVERIFY2(channels.count(channel.toStdString()), qPrintable(channel));
        // A number in the text has a label for whoever hovers over it.
        for (const QString& channel : text.liveChannels())
            QVERIFY2(text.channel(channel), qPrintable(channel));
    }

    void stagesOfTheTextAreTheStagesOfTheCode_data() { addLessons(); }
    void stagesOfTheTextAreTheStagesOfTheCode() {
        QFETCH(QString, id);
        QFETCH(QString, language);
        QStringList written;
        for (const app::AlgorithmLine& line : app::loadLessonText(id, language).algorithm)
            if (!line.stage.isEmpty() && !line.sampling) written << line.stage;
        for (const Preset& preset : makeLesson(id.toStdString())->presets()) {
            const Run run(small(id.toStdString(), preset.name));
            const QStringList recorded = namesOf(
                run.stageNames(), [](const std::string& name) { return QString::fromStdString(name); });
            QCOMPARE(written, recorded);
        }
    }

    // Where each quantity of a kept step comes about (core::Trajectory::Quantity), and then the step.
    void lessonsThatSampleTellHowAStepIsMade_data() { addLessons(); }
    void lessonsThatSampleTellHowAStepIsMade() {
        QFETCH(QString, id);
        QFETCH(QString, language);
        QStringList written;
        for (const app::AlgorithmLine& line : app::loadLessonText(id, language).algorithm)
            if (line.sampling) written << line.stage;
        const auto lesson = makeLesson(id.toStdString());
        QCOMPARE(written,
                 lesson->sampling() ? QStringList({"predict", "mean", "noise", "step"}) : QStringList());
        const bool turned = std::any_of(lesson->knobs().begin(), lesson->knobs().end(), [](const Knob* knob) {
            return knob->parameter().change == Change::sampling;
        });
        QCOMPARE(turned, lesson->sampling().has_value());
    }

    void everyKnobAndOptionHasWordsAndNoOthersHave_data() { addLessons(); }
    void everyKnobAndOptionHasWordsAndNoOthersHave() {
        QFETCH(QString, id);
        QFETCH(QString, language);
        const app::LessonText text = app::loadLessonText(id, language);
        const auto lesson = makeLesson(id.toStdString());
        const QStringList described = namesOf(text.parameters, [](const auto& p) { return p.name; });
        QCOMPARE(sorted(described), sorted(knobNames(*lesson)));
        for (const auto& words : text.parameters) {
            QVERIFY2(!words.label.isEmpty(), qPrintable(words.name));
            QVERIFY2(words.tooltip.size() >= 8, qPrintable(words.name));
        }
        QStringList options;
        for (const Knob* knob : lesson->knobs())
            if (knob->parameter().options != std::vector<std::string>{"off", "on"})
                for (const std::string& option : knob->parameter().options)
                    options << QString::fromStdString(knob->parameter().name + "." + option);
        const QStringList labelled =
            namesOf(text.options, [](const auto& o) { return o.parameter + "." + o.option; });
        QCOMPARE(sorted(labelled), sorted(options));
    }

    void everyPresetHasWords_data() { addLessons(); }
    void everyPresetHasWords() {
        QFETCH(QString, id);
        QFETCH(QString, language);
        const app::LessonText text = app::loadLessonText(id, language);
        const QStringList described = namesOf(text.presets, [](const auto& p) { return p.name; });
        const QStringList known = namesOf(makeLesson(id.toStdString())->presets(),
                                          [](const Preset& p) { return QString::fromStdString(p.name); });
        QCOMPARE(described, known);
        for (const auto& words : text.presets)
            QVERIFY2(!words.title.isEmpty() && !words.lookFor.isEmpty() && !words.why.isEmpty(),
                     qPrintable(words.name));
    }

    void everyPanelHasWordsAndNoOthersHave_data() { addLessons(); }
    void everyPanelHasWordsAndNoOthersHave() {
        QFETCH(QString, id);
        QFETCH(QString, language);
        const app::LessonText text = app::loadLessonText(id, language);
        const auto& panels = reachOf(id.toStdString()).panels;
        QVERIFY(!panels.empty());
        for (const std::string& panel : panels)
            QVERIFY2(text.panel(QString::fromStdString(panel)), panel.c_str());
        for (const auto& words : text.panels) {
            QVERIFY2(panels.count(words.id.toStdString()), qPrintable(words.id));
            QVERIFY2(!words.title.isEmpty() && !words.hint.isEmpty(), qPrintable(words.id));
        }
    }

    void bothLanguagesSayTheSameThings() {
        for (const std::string& lesson : lessonIds()) {
            const QString id = QString::fromStdString(lesson);
            const app::LessonText en = app::loadLessonText(id, "en"), zh = app::loadLessonText(id, "zh");
            QCOMPARE(sorted(zh.liveChannels()), sorted(en.liveChannels()));
            QCOMPARE(sorted(zh.formulas()), sorted(en.formulas()));
            QCOMPARE(zh.chapters.size(), en.chapters.size());
            const auto channel = [](const auto& c) { return c.name; };
            QCOMPARE(namesOf(zh.channels, channel), namesOf(en.channels, channel));
        }
    }

    // Whatever a knob that is said to be idle is turned to, the run stays the same.
    void idleKnobsChangeNothing_data() {
        QTest::addColumn<QString>("id");
        QTest::addColumn<QString>("knob");
        QTest::addColumn<QString>("option");
        for (const std::string& id : lessonIds()) {
            const auto lesson = makeLesson(id);
            for (const Knob* knob : lesson->knobs())
                for (const std::string& option : knob->parameter().options)
                    QTest::addRow("%s, %s=%s", id.c_str(), knob->parameter().name.c_str(), option.c_str())
                        << QString::fromStdString(id) << QString::fromStdString(knob->parameter().name)
                        << QString::fromStdString(option);
        }
    }
    void idleKnobsChangeNothing() {
        QFETCH(QString, id);
        QFETCH(QString, knob);
        QFETCH(QString, option);
        std::vector<std::pair<std::string, std::string>> extra = {{knob.toStdString(), option.toStdString()}};
        if (option == "linear-gaussian") extra.emplace_back("z_dim", "2");
        const auto trained = [&] {
            Run run(small(id.toStdString(), "", extra));
            for (int i = 0; i < 2; ++i)
                if (!run.step()) throw Error(run.problem());
            return std::pair(run.parameterHash(), run.look({}).idle);
        };
        const auto [hash, idle] = trained();
        const auto lesson = makeLesson(id.toStdString());
        for (const std::string& name : idle) {
            const Parameter& p = lesson->knob(name).parameter();
            extra.emplace_back(name, p.print(p.initial == p.maximum ? p.minimum : p.maximum));
            QVERIFY2(trained().first == hash, name.c_str());
            extra.pop_back();
        }
    }

    void aKnobIsIdleOnlyWhereItHasNoUse() {
        const auto idle = [](const char* lesson, std::vector<std::pair<std::string, std::string>> settings) {
            Run run(small(lesson, "", std::move(settings)));
            return run.look({}).idle;
        };
        using Names = std::vector<std::string>;
        QCOMPARE(idle("gan", {}), Names{"gp"});
        QCOMPARE(idle("gan", {{"loss", "wgan-gp"}}), Names{"smoothing"});
        QCOMPARE(idle("vae", {{"data", "moons"}}), Names{"likelihood"});
        QCOMPARE(idle("vae", {{"likelihood", "gaussian"}}), Names{});
    }

    // A knob's initial value and its limits can be written and read back.
    void everyKnobsValuesSurviveAsText() {
        for (const std::string& id : lessonIds()) {
            const auto lesson = makeLesson(id);
            for (const Knob* knob : lesson->knobs()) {
                const Parameter& p = knob->parameter();
                for (double value : {p.initial, p.minimum, p.maximum})
                    QCOMPARE(p.parse(p.print(value)), value);
                QVERIFY2(p.minimum <= p.initial && p.initial <= p.maximum, p.name.c_str());
            }
        }
    }
};

QTEST_GUILESS_MAIN(TestContract)
#include "tst_contract.moc"
