#include "app/text/lesson_text.h"

#include <QFile>
#include <QFileInfo>
#include <QHash>
#include <QRegularExpression>

#include <algorithm>
#include <iterator>

#include "app/assets.h"
#include "core/base/error.h"

namespace app {
namespace {

const QRegularExpression fieldSeparator(QStringLiteral("\\s\\|(?:\\s|$)"));
const QRegularExpression nameShape(QStringLiteral("^[a-z0-9][a-z0-9_-]*$"));
const QRegularExpression displayFormula(QStringLiteral("^\\$\\$([a-z][a-z0-9_]*)\\$\\$$"));
const QRegularExpression taggedLine(QStringLiteral("^\\[(sampling\\.)?([a-z][a-z0-9_]*)\\]\\s+(.*)$"));
const QRegularExpression liveNumber(QStringLiteral("^([a-z][a-z0-9_]*):([1-9])$"));

[[noreturn]] void fail(const QString& file, int line, const std::string& fault) {
    throw core::Error(fmt::format("{}:{}: {}", file.toStdString(), line, fault));
}

std::string quoted(const QString& text) {
    return "'" + text.toStdString() + "'";
}

// Reads one file from top to bottom; every section has a function of its own.
class Reader {
  public:
    Reader(const QString& markdown, QString fileName) : m_file(std::move(fileName)) {
        m_lines = markdown.split('\n');
    }

    LessonText read(const QString& id, const QString& language) {
        LessonText text;
        text.id = id;
        text.language = language;
        readHead(text);
        while (m_next < m_lines.size()) readSection(text);
        for (const char* section :
             {"Lesson", "Algorithm", "Presets", "Parameters", "Options", "Panels", "Channels"})
            if (!m_sections.contains(section))
                fail(m_file, int(m_lines.size()),
                     fmt::format("expected a section '## {}', found none", section));
        return text;
    }

  private:
    int lineNumber() const { return m_next; }  // of the line taken last, counted from 1
    QString take() { return m_lines[m_next++]; }
    bool atSection() const { return m_next >= m_lines.size() || m_lines[m_next].startsWith("## "); }
    void skipEmpty() {
        while (m_next < m_lines.size() && m_lines[m_next].trimmed().isEmpty()) ++m_next;
    }

    // # Title, then a paragraph of summary and one of reference.
    void readHead(LessonText& text) {
        skipEmpty();
        const QString first = m_next < m_lines.size() ? take() : QString();
        if (!first.startsWith("# ")) fail(m_file, std::max(1, lineNumber()), "expected '# Title' first");
        text.title = first.mid(2).trimmed();
        QStringList paragraphs;
        for (skipEmpty(); !atSection(); skipEmpty()) paragraphs << take().trimmed();
        if (paragraphs.size() != 2)
            fail(m_file, lineNumber(),
                 fmt::format("expected one line of summary and one of reference under the title, found {}",
                             paragraphs.size()));
        text.summary = paragraphs[0];
        text.reference = paragraphs[1];
    }

    void readSection(LessonText& text) {
        const QString heading = take().mid(3).trimmed();
        if (m_sections.contains(heading))
            fail(m_file, lineNumber(),
                 "expected each section once, found '## " + heading.toStdString() + "' again");
        m_sections.insert(heading, lineNumber());
        if (heading == "Lesson") return readChapters(text);
        if (heading == "Algorithm") return readAlgorithm(text);
        if (heading == "Presets")
            return readItems(4, nameShape, [&](QStringList f) {
                text.presets.push_back({f[0], f[1], f[2], f[3]});
            });
        if (heading == "Parameters")
            return readItems(4, nameShape, [&](QStringList f) {
                text.parameters.push_back({f[0], f[1], f[2], f[3]});
            });
        if (heading == "Options") {
            static const QRegularExpression pair(QStringLiteral("^[a-z0-9_]+\\.[a-z0-9_+-]+$"));
            return readItems(2, pair, [&](QStringList f) {
                text.options.push_back({f[0].section('.', 0, 0), f[0].section('.', 1), f[1]});
            });
        }
        if (heading == "Panels")
            return readItems(4, nameShape, [&](QStringList f) {
                text.panels.push_back({f[0], f[1], f[2], f[3]});
            });
        if (heading == "Channels")
            return readItems(3, nameShape, [&](QStringList f) {
                text.channels.push_back({f[0], f[1], f[2]});
            });
        fail(m_file, lineNumber(), "expected a known section, found '## " + heading.toStdString() + "'");
    }

    // Lists of '- name | field | field'; names are unique within their section.
    template <typename Accept>
    void readItems(int fields, const QRegularExpression& shape, Accept accept) {
        QHash<QString, int> seen;
        for (skipEmpty(); !atSection(); skipEmpty()) {
            const QString line = take();
            if (!line.startsWith("- "))
                fail(m_file, lineNumber(), "expected a list item '- name | ...', found " + quoted(line));
            QStringList parts = line.mid(2).split(fieldSeparator);
            for (QString& part : parts) part = part.trimmed();
            if (parts.size() != fields)
                fail(m_file, lineNumber(),
                     fmt::format("expected {} fields separated by ' | ', found {} in {}", fields,
                                 parts.size(), quoted(line)));
            if (!shape.match(parts[0]).hasMatch())
                fail(m_file, lineNumber(), "expected a name in lower case, found " + quoted(parts[0]));
            if (seen.contains(parts[0]))
                fail(m_file, lineNumber(),
                     fmt::format("expected each name once, found {} also in line {}", quoted(parts[0]),
                                 seen[parts[0]]));
            if (parts[1].isEmpty()) fail(m_file, lineNumber(), "expected a label for " + quoted(parts[0]));
            seen.insert(parts[0], lineNumber());
            accept(parts);
        }
        if (seen.isEmpty()) fail(m_file, lineNumber(), "expected list items under this heading, found none");
    }

    // A list, nested by two spaces a level; '[stage]' or '[sampling.stage]' in front tags the line that the
    // window lights.
    void readAlgorithm(LessonText& text) {
        QHash<QString, int> seen;
        for (skipEmpty(); !atSection(); skipEmpty()) {
            const QString line = take();
            const QString item = line.trimmed();
            if (!item.startsWith("- "))
                fail(m_file, lineNumber(), "expected a list item '- [stage] ...', found " + quoted(line));
            AlgorithmLine out;
            out.indent = int(line.indexOf('-')) / 2;
            out.line = lineNumber();
            QString words = item.mid(2).trimmed();
            if (words.startsWith('[')) {
                const auto match = taggedLine.match(words);
                if (!match.hasMatch())
                    fail(m_file, lineNumber(), "expected '[stage] words', found " + quoted(words));
                out.sampling = !match.captured(1).isEmpty();
                out.stage = match.captured(2);
                words = match.captured(3);
                const QString whole = match.captured(1) + out.stage;
                if (seen.contains(whole))
                    fail(m_file, lineNumber(),
                         fmt::format("expected each stage once, found {} also in line {}", quoted(whole),
                                     seen[whole]));
                seen.insert(whole, lineNumber());
            }
            out.spans = parseSpans(words, m_file, lineNumber());
            text.algorithm.push_back(std::move(out));
        }
        if (seen.isEmpty()) fail(m_file, lineNumber(), "expected lines with a [stage], found none");
    }

    void readChapters(LessonText& text) {
        for (skipEmpty(); !atSection(); skipEmpty()) {
            const QString line = take().trimmed();
            if (line.startsWith("### ")) {
                text.chapters.push_back({line.mid(4).trimmed(), {}});
                continue;
            }
            if (text.chapters.empty())
                fail(m_file, lineNumber(), "expected '### Chapter' before the text, found " + quoted(line));
            std::vector<TextBlock>& blocks = text.chapters.back().blocks;
            if (line.startsWith(">")) {
                readQuestion(line, blocks);
            } else if (line.startsWith("$$")) {
                const auto match = displayFormula.match(line);
                if (!match.hasMatch())
                    fail(m_file, lineNumber(), "expected '$$name$$', found " + quoted(line));
                blocks.push_back({TextBlock::Kind::formula,
                                  {{Span::Kind::formula, match.captured(1), 0}},
                                  {},
                                  lineNumber()});
            } else if (line.startsWith("#")) {
                fail(m_file, lineNumber(), "expected '### Chapter' in the lesson, found " + quoted(line));
            } else {
                const bool bullet = line.startsWith("- ");
                blocks.push_back({bullet ? TextBlock::Kind::bullet : TextBlock::Kind::paragraph,
                                  parseSpans(bullet ? line.mid(2) : line, m_file, lineNumber()),
                                  {},
                                  lineNumber()});
            }
        }
        if (text.chapters.empty())
            fail(m_file, lineNumber(), "expected '### Chapter' in the lesson, found none");
    }

    // '> ? question' opens a block, '> ! answer' follows it at once; several answers are paragraphs.
    void readQuestion(const QString& line, std::vector<TextBlock>& blocks) {
        static const QRegularExpression shape(QStringLiteral("^>\\s*([?!])\\s+(.+)$"));
        const int opened = lineNumber();
        const auto match = shape.match(line);
        if (!match.hasMatch() || match.captured(1) != "?")
            fail(m_file, opened, "expected '> ? question', found " + quoted(line));
        TextBlock block{TextBlock::Kind::question, parseSpans(match.captured(2), m_file, opened), {}, opened};
        while (m_next < m_lines.size() && m_lines[m_next].startsWith(">")) {
            const auto answer = shape.match(take().trimmed());
            if (!answer.hasMatch() || answer.captured(1) != "!")
                fail(m_file, lineNumber(), "expected '> ! answer', found " + quoted(m_lines[m_next - 1]));
            block.answer.push_back(parseSpans(answer.captured(2), m_file, lineNumber()));
        }
        if (block.answer.empty())
            fail(m_file, opened, "expected '> ! answer' under the question, found none");
        blocks.push_back(std::move(block));
    }

    QString m_file;
    QStringList m_lines;
    int m_next = 0;
    QHash<QString, int> m_sections;
};

template <typename Items, typename Member>
auto findByName(const Items& items, Member member, const QString& name) -> decltype(items.data()) {
    const auto it =
        std::find_if(items.begin(), items.end(), [&](const auto& item) { return item.*member == name; });
    return it == items.end() ? nullptr : &*it;
}

// Calls visit for every run of spans: paragraphs, questions, answers and the pseudo-code.
template <typename Visit>
void forEachSpan(const LessonText& text, Visit visit) {
    for (const Chapter& chapter : text.chapters)
        for (const TextBlock& block : chapter.blocks) {
            for (const Span& span : block.spans) visit(span);
            for (const Spans& paragraph : block.answer)
                for (const Span& span : paragraph) visit(span);
        }
    for (const AlgorithmLine& line : text.algorithm)
        for (const Span& span : line.spans) visit(span);
}

QStringList namesOf(const LessonText& text, Span::Kind kind) {
    QStringList names;
    forEachSpan(text, [&](const Span& span) {
        if (span.kind == kind && !names.contains(span.text)) names << span.text;
    });
    return names;
}

}  // namespace

const PresetWords* LessonText::preset(const QString& name) const {
    return findByName(presets, &PresetWords::name, name);
}
const ParameterWords* LessonText::parameter(const QString& name) const {
    return findByName(parameters, &ParameterWords::name, name);
}
const PanelWords* LessonText::panel(const QString& id) const {
    return findByName(panels, &PanelWords::id, id);
}
const ChannelWords* LessonText::channel(const QString& name) const {
    return findByName(channels, &ChannelWords::name, name);
}
QString LessonText::optionLabel(const QString& parameter, const QString& option) const {
    for (const OptionWords& words : options)
        if (words.parameter == parameter && words.option == option) return words.label;
    return option;
}

QStringList LessonText::formulas() const {
    return namesOf(*this, Span::Kind::formula);
}
QStringList LessonText::liveChannels() const {
    return namesOf(*this, Span::Kind::live);
}

Spans parseSpans(const QString& text, const QString& fileName, int line) {
    Spans spans;
    QString plain;
    const auto flush = [&] {
        if (!plain.isEmpty()) spans.push_back({Span::Kind::plain, plain, 0});
        plain.clear();
    };
    // Takes what stands between an opening mark at `i` and the next closing one.
    const auto between = [&](qsizetype& i, const QString& open, const QString& close) {
        const qsizetype end = text.indexOf(close, i + open.size());
        if (end <= i + open.size())
            fail(fileName, line,
                 fmt::format("expected words and '{}' after '{}'", close.toStdString(), open.toStdString()));
        QString inner = text.mid(i + open.size(), end - i - open.size());
        i = end + close.size();
        flush();
        return inner;
    };
    static const QRegularExpression formulaName(QStringLiteral("^[a-z][a-z0-9_]*$"));
    for (qsizetype i = 0; i < text.size();) {
        const QChar c = text[i];
        if (c == '$') {
            const QString name = between(i, "$", "$");
            if (!formulaName.match(name).hasMatch())
                fail(fileName, line, "expected the name of a formula between '$', found " + quoted(name));
            spans.push_back({Span::Kind::formula, name, 0});
        } else if (c == '{') {
            const QString inner = between(i, "{", "}");
            const auto match = liveNumber.match(inner);
            if (!match.hasMatch())
                fail(fileName, line,
                     "expected '{channel:digits}' with 1 to 9 digits, found '{" + inner.toStdString() + "}'");
            spans.push_back({Span::Kind::live, match.captured(1), match.captured(2).toInt()});
        } else if (c == '`') {
            spans.push_back({Span::Kind::code, between(i, "`", "`"), 0});
        } else if (text.mid(i, 2) == "**") {
            spans.push_back({Span::Kind::strong, between(i, "**", "**"), 0});
        } else if (c == '*' && i + 1 < text.size() && !text[i + 1].isSpace()) {
            spans.push_back({Span::Kind::emphasis, between(i, "*", "*"), 0});
            if (i < text.size() && text[i] == '*')
                fail(fileName, line, "expected '*' after " + quoted(spans.back().text) + ", found '**'");
        } else {
            plain += c;
            ++i;
        }
    }
    flush();
    return spans;
}

QString plainWords(const Spans& spans) {
    QString words;
    for (const Span& span : spans) words += span.text;
    return words;
}

LessonText parseLessonText(const QString& markdown, const QString& fileName, const QString& id,
                           const QString& language) {
    return Reader(markdown, fileName).read(id, language);
}

LessonText loadLessonText(const QString& id, const QString& language) {
    const QString path = assetPath(QStringLiteral("lessons/%1.%2.md").arg(id, language));
    QFile file(path);
    CHECK(file.open(QIODevice::ReadOnly), "lesson text: expected a readable file, found {}: {}",
          path.toStdString(), file.errorString().toStdString());
    return parseLessonText(QString::fromUtf8(file.readAll()), QFileInfo(path).fileName(), id, language);
}

}  // namespace app
