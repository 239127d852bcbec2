// The words of one lesson in one language, as read from assets/lessons/<id>.<language>.md.
#pragma once

#include <QString>
#include <QStringList>
#include <vector>

namespace app {

// A run of text in one manner. Formulas are names of assets/formulas; live numbers name a scalar channel.
struct Span {
    enum class Kind { plain, emphasis, strong, code, formula, live };
    Kind kind = Kind::plain;
    QString text;    // the words, the formula's name or the channel's name
    int digits = 3;  // live: significant digits
};
using Spans = std::vector<Span>;

struct TextBlock {
    enum class Kind { paragraph, bullet, formula, question };
    Kind kind = Kind::paragraph;
    Spans spans;                // formula: one span; question: the question
    std::vector<Spans> answer;  // question: the paragraphs of its answer
    int line = 0;               // in the file, for messages
};

struct Chapter {
    QString title;
    std::vector<TextBlock> blocks;
};

// One line of the pseudo-code; a line without a stage (a loop's head) is never lit.
struct AlgorithmLine {
    QString stage;
    bool sampling = false;  // a stage of a sampling run: "[sampling.mean] ..."
    int indent = 0;
    Spans spans;
    int line = 0;
};

struct PresetWords {
    QString name, title, lookFor, why;
};
struct ParameterWords {
    QString name, label, symbol, tooltip;
};
struct OptionWords {
    QString parameter, option, label;
};
struct PanelWords {
    QString id, title, symbol, hint;
};
struct ChannelWords {
    QString name, label, unit;
};

struct LessonText {
    QString id, language;  // "gan", "zh"
    QString title, summary, reference;
    std::vector<Chapter> chapters;
    std::vector<AlgorithmLine> algorithm;
    std::vector<PresetWords> presets;
    std::vector<ParameterWords> parameters;
    std::vector<OptionWords> options;
    std::vector<PanelWords> panels;
    std::vector<ChannelWords> channels;

    // The words of a name, or nullptr where the file has none.
    const PresetWords* preset(const QString& name) const;
    const ParameterWords* parameter(const QString& name) const;
    const PanelWords* panel(const QString& id) const;
    const ChannelWords* channel(const QString& name) const;
    // The label of a choice knob's option; the option's own name where the file has none.
    QString optionLabel(const QString& parameter, const QString& option) const;

    // Every formula and every channel that the text refers to, in order, without repetition.
    QStringList formulas() const;
    QStringList liveChannels() const;
};

// Reads a lesson's text; a fault throws core::Error that begins with "file:line:".
LessonText parseLessonText(const QString& markdown, const QString& fileName, const QString& id,
                           const QString& language);

// Loads assets/lessons/<id>.<language>.md.
LessonText loadLessonText(const QString& id, const QString& language);

// Inline Markdown (*emphasis*, **strong**, `code`, $formula$, {channel:3}) as spans.
Spans parseSpans(const QString& text, const QString& fileName, int line);

// The spans as plain words: formulas by their name, live numbers as their channel.
QString plainWords(const Spans& spans);

}  // namespace app
