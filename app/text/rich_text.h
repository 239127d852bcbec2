// Puts spans into a text document: formulas and live numbers are objects that paint themselves, so that a
// new number never lays the text out again and a formula is sharp at any scale.
#pragma once

#include <QFont>
#include <QHash>
#include <QObject>
#include <QPalette>
#include <QTextCursor>
#include <QTextObjectInterface>

#include "app/text/lesson_text.h"

namespace app {

// What the text is set in; derived from a widget's font and palette.
struct TextStyle {
    QFont font;  // the base font; its pixelSize is set
    QColor text, quiet, rule, card, now;
    bool dark = false;
    bool chinese = false;

    static TextStyle of(const QFont& font, const QPalette& palette, const QString& language);
    int em() const { return font.pixelSize(); }
    QFont scaled(double factor, int weight = QFont::Normal) const;
};

class InlineObjects : public QObject, public QTextObjectInterface {
    Q_OBJECT
    Q_INTERFACES(QTextObjectInterface)

  public:
    explicit InlineObjects(QTextDocument* document);

    void setStyle(const TextStyle& style) { m_style = style; }
    // The widest a display formula may be, in pixels; wider ones are drawn smaller.
    void setColumn(double width) { m_column = width; }

    // Inserts spans at the cursor in the given format.
    void insert(QTextCursor& cursor, const Spans& spans, const QTextCharFormat& format);
    // Inserts words, each script in its own face.
    static void insertWords(QTextCursor& cursor, const QString& words, const QTextCharFormat& format);
    void insertDisplayFormula(QTextCursor& cursor, const QString& name, const QTextCharFormat& format);

    // The values of scalar channels by name; the text in a number's place, an en dash where there is none.
    // Answers whether a number has outgrown its place, so that the layout was done again.
    bool setValues(const QHash<QString, double>& values);
    QString valueText(const QString& channel, int digits) const;

    // The document's words from one position to another; formulas as spoken, numbers as shown.
    QString plainText(int from, int to) const;

    QSizeF intrinsicSize(QTextDocument* document, int position, const QTextFormat& format) override;
    void drawObject(QPainter* painter, const QRectF& rect, QTextDocument* document, int position,
                    const QTextFormat& format) override;

  private:
    double formulaScale(const QTextFormat& format) const;
    double numberWidth(const QString& text, const QFont& font) const;

    QTextDocument* m_document;
    TextStyle m_style;
    double m_column = 1e6;
    QHash<QString, double> m_values;
    QHash<QString, double> m_widths;  // of a number's place, by channel, digits and font; it only grows
};

}  // namespace app
