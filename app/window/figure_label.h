// A number that does not jitter: every digit has the same width, and the room for it is kept.
#pragma once

#include <QWidget>

namespace app {

class FigureLabel : public QWidget {
    Q_OBJECT

  public:
    // Room for text as long as `widest`.
    explicit FigureLabel(const QString& widest, QWidget* parent = nullptr);

    void setText(const QString& text);
    const QString& text() const { return m_text; }
    // In proportion to the window's font.
    void setProportion(double proportion, bool bold);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    QFont figureFont() const;
    int widthOf(const QString& text) const;

    QString m_text, m_widest;
    double m_proportion = 1;
    bool m_bold = false;
};

}  // namespace app
