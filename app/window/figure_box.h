// A number field that shows significant digits, takes "3e-4", and leaves Space, R and N to the window.
#pragma once

#include <QDoubleSpinBox>

#include "core/contract/parameter.h"

namespace app {

class FigureBox : public QDoubleSpinBox {
    Q_OBJECT

  public:
    explicit FigureBox(const core::Parameter& parameter, QWidget* parent = nullptr);

    QString textFromValue(double value) const override;
    double valueFromText(const QString& text) const override;
    QValidator::State validate(QString& text, int& position) const override;
    void stepBy(int steps) override;
    void fixup(QString& text) const override;  // says what would have been taken

  protected:
    bool event(QEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;

  private:
    core::Parameter m_parameter;
};

}  // namespace app
