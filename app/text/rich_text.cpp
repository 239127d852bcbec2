#include "app/text/rich_text.h"

#include <QAbstractTextDocumentLayout>
#include <QFontInfo>
#include <QFontMetricsF>
#include <QPainter>
#include <QTextBlock>
#include <QTextDocument>

#include <algorithm>
#include <cmath>

#include "app/text/formulas.h"
#include "app/text/number_text.h"

namespace app {
namespace {

enum Type { formulaObject = QTextFormat::UserObject + 1, numberObject };
enum Property { nameProperty = QTextFormat::UserProperty + 1, digitsProperty, displayProperty };

// The formulas' letters are smaller than Inter's at the same size; this makes their x-heights agree.
constexpr double opticalScale = 1.16;

QColor blend(const QColor& a, const QColor& b, double t) {
    return QColor::fromRgbF(float(a.redF() + (b.redF() - a.redF()) * t),
                            float(a.greenF() + (b.greenF() - a.greenF()) * t),
                            float(a.blueF() + (b.blueF() - a.blueF()) * t));
}

double digitWidth(const QFontMetricsF& metrics) {
    double width = 0;
    for (char c = '0'; c <= '9'; ++c) width = std::max(width, metrics.horizontalAdvance(QLatin1Char(c)));
    return width;
}

double baselineOf(const QTextDocument& document, int position) {
    const QTextBlock block = document.findBlock(position);
    const QTextLine line = block.layout()->lineForTextPosition(position - block.position());
    return document.documentLayout()->blockBoundingRect(block).top() + line.y() + line.ascent();
}

QString placeKey(const QTextFormat& format) {
    const QFont font = format.toCharFormat().font();
    return QStringLiteral("%1:%2:%3:%4")
        .arg(format.stringProperty(nameProperty))
        .arg(format.intProperty(digitsProperty))
        .arg(font.pixelSize())
        .arg(font.weight());
}

}  // namespace

TextStyle TextStyle::of(const QFont& font, const QPalette& palette, const QString& language) {
    TextStyle style;
    const int size = QFontInfo(font).pixelSize();
    style.font = font;
    style.font.setFamilies({QStringLiteral("Inter"), QStringLiteral("WenQuanYi Micro Hei"), font.family()});
    style.font.setPixelSize(std::max(size, 1));
    const QColor base = palette.color(QPalette::Base);
    style.text = palette.color(QPalette::Text);
    style.dark = base.lightness() < style.text.lightness();
    style.quiet = blend(style.text, base, 0.38);
    style.rule = blend(style.text, base, 0.82);
    style.card = blend(style.text, base, style.dark ? 0.93 : 0.955);
    style.now = style.dark ? QColor(0xF0, 0xE4, 0x42) : QColor(0xB8, 0xA2, 0x00);
    style.chinese = language == "zh";
    return style;
}

QFont TextStyle::scaled(double factor, int weight) const {
    QFont out = font;
    out.setPixelSize(std::max(1, int(std::lround(factor * em()))));
    out.setWeight(QFont::Weight(weight));
    return out;
}

InlineObjects::InlineObjects(QTextDocument* document) : QObject(document), m_document(document) {
    document->documentLayout()->registerHandler(formulaObject, this);
    document->documentLayout()->registerHandler(numberObject, this);
}

// Left to Qt's fallback, Chinese words never look strong: the face has one weight, and a fallback is
// thickened only from bold on, where Inter's semibold is wanted beside it.
void InlineObjects::insertWords(QTextCursor& cursor, const QString& words, const QTextCharFormat& format) {
    const auto isChinese = [](QChar c) {
        return c.unicode() >= 0x2E80 || (c.unicode() >= 0x2018 && c.unicode() <= 0x201D);
    };
    QTextCharFormat chinese = format;
    chinese.setFontFamilies({QStringLiteral("WenQuanYi Micro Hei")});
    chinese.setFontWeight(format.fontWeight() >= QFont::DemiBold ? QFont::Bold : QFont::Normal);
    const bool any = std::any_of(words.begin(), words.end(), [](QChar c) { return c.unicode() >= 0x2E80; });
    for (qsizetype from = 0, to = 0; from < words.size(); from = to) {
        const bool inChinese = any && isChinese(words[from]);
        while (to < words.size() && (any && isChinese(words[to])) == inChinese) ++to;
        cursor.insertText(words.mid(from, to - from), inChinese ? chinese : format);
    }
}

void InlineObjects::insert(QTextCursor& cursor, const Spans& spans, const QTextCharFormat& format) {
    for (const Span& span : spans) {
        QTextCharFormat own = format;
        switch (span.kind) {
            case Span::Kind::plain:
                insertWords(cursor, span.text, own);
                break;
            case Span::Kind::emphasis:
                // Chinese has no italic: emphasis is weight.
                if (m_style.chinese)
                    own.setFontWeight(QFont::DemiBold);
                else
                    own.setFontItalic(true);
                insertWords(cursor, span.text, own);
                break;
            case Span::Kind::strong:
                own.setFontWeight(QFont::DemiBold);
                insertWords(cursor, span.text, own);
                break;
            case Span::Kind::code:
                own.setFontFamilies(
                    {QStringLiteral("DejaVu Sans Mono"), QStringLiteral("WenQuanYi Micro Hei Mono")});
                own.setProperty(QTextFormat::FontPixelSize,
                                int(std::lround(0.9 * format.font().pixelSize())));
                own.setBackground(m_style.card);
                insertWords(cursor, span.text, own);
                break;
            case Span::Kind::formula: {
                const Formula& formula = Formulas::instance().at(span.text);
                own.setObjectType(formulaObject);
                own.setProperty(nameProperty, span.text);
                own.setToolTip(formula.alt + "\n" + formula.tex);
                // Little hangs into the line's spacing, as letters do; a fraction wants a taller line, and Qt
                // grows a line downwards only for what it centres.
                const double depth = formula.depth * opticalScale * format.font().pixelSize();
                if (depth > 2 * QFontMetricsF(format.font()).descent())
                    own.setVerticalAlignment(QTextCharFormat::AlignMiddle);
                cursor.insertText(QString(QChar::ObjectReplacementCharacter), own);
                break;
            }
            case Span::Kind::live:
                own.setObjectType(numberObject);
                own.setProperty(nameProperty, span.text);
                own.setProperty(digitsProperty, span.digits);
                cursor.insertText(QString(QChar::ObjectReplacementCharacter), own);
                break;
        }
    }
}

void InlineObjects::insertDisplayFormula(QTextCursor& cursor, const QString& name,
                                         const QTextCharFormat& format) {
    QTextCharFormat own = format;
    const Formula& formula = Formulas::instance().at(name);
    own.setObjectType(formulaObject);
    own.setProperty(nameProperty, name);
    own.setProperty(displayProperty, true);
    own.setToolTip(formula.alt + "\n" + formula.tex);
    cursor.insertText(QString(QChar::ObjectReplacementCharacter), own);
}

double InlineObjects::formulaScale(const QTextFormat& format) const {
    const double natural = format.toCharFormat().font().pixelSize() * opticalScale;
    const double width = Formulas::instance().at(format.stringProperty(nameProperty)).width;
    return std::min(natural, m_column / width);
}

QString InlineObjects::valueText(const QString& channel, int digits) const {
    return numberText(m_values.value(channel, std::nan("")), digits);
}

// Every digit is as wide as the widest: Qt 6.4 cannot ask a font for its tabular figures.
double InlineObjects::numberWidth(const QString& text, const QFont& font) const {
    const QFontMetricsF metrics(font);
    const double digit = digitWidth(metrics);
    double width = 0;
    for (const QChar c : text)
        width += c.unicode() < 128 && c.isDigit() ? digit : metrics.horizontalAdvance(c);
    return width;
}

bool InlineObjects::setValues(const QHash<QString, double>& values) {
    m_values = values;
    bool outgrown = false;
    for (QTextBlock block = m_document->begin(); block.isValid(); block = block.next())
        for (auto it = block.begin(); !it.atEnd(); ++it) {
            const QTextCharFormat format = it.fragment().charFormat();
            if (format.objectType() != numberObject) continue;
            const QString text =
                valueText(format.stringProperty(nameProperty), format.intProperty(digitsProperty));
            const double place = m_widths.value(placeKey(format));
            if (numberWidth(text, format.font()) <= place + 0.5) continue;
            m_document->markContentsDirty(it.fragment().position(), it.fragment().length());
            outgrown = true;
        }
    return outgrown;
}

QSizeF InlineObjects::intrinsicSize(QTextDocument*, int, const QTextFormat& format) {
    if (format.objectType() == formulaObject) {
        const Formula& formula = Formulas::instance().at(format.stringProperty(nameProperty));
        const double scale = formulaScale(format);
        const double width = formula.width * scale + 1, ascent = (formula.height - formula.depth) * scale,
                     depth = formula.depth * scale;
        if (format.boolProperty(displayProperty)) return {width, formula.height * scale};
        const QTextCharFormat own = format.toCharFormat();
        // An object stands on the baseline, and its depth hangs below its box.
        if (own.verticalAlignment() != QTextCharFormat::AlignMiddle) return {width, ascent};
        // One that Qt centres reaches (height + x/2) / 2 above the baseline and (height - x/2) / 2 below it.
        const double halfX = QFontMetrics(own.font()).xHeight() / 2.0;
        return {width, std::max(2 * ascent - halfX, 2 * depth + halfX)};
    }
    const QFont font = format.toCharFormat().font();
    const QFontMetricsF metrics(font);
    const int digits = format.intProperty(digitsProperty);
    const QString usual = digits == 1 ? QStringLiteral("0") : "0." + QString(digits, '0');
    const QString text = valueText(format.stringProperty(nameProperty), digits);
    double& place = m_widths[placeKey(format)];
    place = std::max({place, numberWidth(usual, font), numberWidth(text, font)});
    return {std::ceil(place) + 2, metrics.ascent()};
}

void InlineObjects::drawObject(QPainter* painter, const QRectF& rect, QTextDocument* document, int position,
                               const QTextFormat& format) {
    const QTextCharFormat own = format.toCharFormat();
    const QColor colour =
        own.hasProperty(QTextFormat::ForegroundBrush) ? own.foreground().color() : m_style.text;
    if (format.objectType() == formulaObject) {
        const QString name = format.stringProperty(nameProperty);
        const Formula& formula = Formulas::instance().at(name);
        const double scale = formulaScale(format);
        double top = rect.top();
        if (own.verticalAlignment() == QTextCharFormat::AlignMiddle)
            top = baselineOf(*document, position) - (formula.height - formula.depth) * scale;
        Formulas::instance().paint(*painter, name,
                                   {rect.left(), top, formula.width * scale, formula.height * scale}, colour);
        return;
    }
    const QFont font = own.font();
    const QFontMetricsF metrics(font);
    const double digit = digitWidth(metrics);
    const QString text = valueText(format.stringProperty(nameProperty), format.intProperty(digitsProperty));
    painter->save();
    painter->setFont(font);
    painter->setPen(colour);
    const double baseline = rect.bottom();
    double x = rect.left() + (rect.width() - numberWidth(text, font)) / 2;
    for (const QChar c : text) {
        const bool figure = c.unicode() < 128 && c.isDigit();
        const double advance = metrics.horizontalAdvance(c), cell = figure ? digit : advance;
        painter->drawText(QPointF(x + (cell - advance) / 2, baseline), QString(c));
        x += cell;
    }
    const double thick = std::max(1.5, 0.1 * font.pixelSize());
    painter->fillRect(QRectF(rect.left(), baseline + 0.16 * font.pixelSize(), rect.width(), thick),
                      m_style.now);
    painter->restore();
}

QString InlineObjects::plainText(int from, int to) const {
    QString out;
    for (QTextBlock block = m_document->findBlock(from); block.isValid() && block.position() <= to;
         block = block.next()) {
        if (block.position() > from) out += '\n';
        for (auto it = block.begin(); !it.atEnd(); ++it) {
            const QTextFragment fragment = it.fragment();
            const QTextCharFormat format = fragment.charFormat();
            for (int i = 0; i < fragment.length(); ++i) {
                if (fragment.position() + i < from || fragment.position() + i >= to) continue;
                const QString name = format.stringProperty(nameProperty);
                if (format.objectType() == formulaObject)
                    out += Formulas::instance().at(name).alt;
                else if (format.objectType() == numberObject)
                    out += valueText(name, format.intProperty(digitsProperty));
                else
                    out += fragment.text()[i];
            }
        }
    }
    return out;
}

}  // namespace app
