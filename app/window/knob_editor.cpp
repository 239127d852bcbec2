#include "app/window/knob_editor.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QRegularExpression>
#include <QSlider>
#include <QStyle>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

#include "app/window/figure_box.h"
#include "app/window/interface_words.h"
#include "app/window/style.h"

namespace app {
namespace {

constexpr int sliderSteps = 1000;
// The trainer takes a change within 100 ms; until then its frames still carry the value before.
constexpr int settleMs = 400;

// The wheel scrolls the panel; it must not turn what happens to lie under it.
class CalmSlider : public QSlider {
  public:
    using QSlider::QSlider;

  protected:
    void wheelEvent(QWheelEvent* event) override { event->ignore(); }
};

class CalmCombo : public QComboBox {
  public:
    using QComboBox::QComboBox;

  protected:
    void wheelEvent(QWheelEvent* event) override { event->ignore(); }
};

bool isSwitch(const core::Parameter& p) {
    return p.options == std::vector<std::string>{"off", "on"};
}

QString changeSentence(core::Change change) {
    return change == core::Change::structural
               ? say("Records the network again; weights that still fit are kept.")
           : change == core::Change::sampling ? say("Read by the next run of the sampler.")
                                              : say("Acts at once, while it trains.");
}

}  // namespace

QString symbolHtml(const QString& symbol) {
    static const QRegularExpression index(QStringLiteral("_(\\{[^}]*\\}|[\\p{L}\\p{N}]+)"));
    QString html = symbol.toHtmlEscaped();
    html.replace(index, QStringLiteral("<sub>\\1</sub>"));
    return html.remove('{').remove('}');
}

KnobEditor::KnobEditor(const core::Parameter& parameter, const LessonText& text, QWidget* parent)
    : QWidget(parent), m_parameter(parameter), m_value(parameter.initial) {
    const QString name = QString::fromStdString(parameter.name);
    setObjectName("knob_" + name);
    const ParameterWords* words = text.parameter(name);
    m_labelText = words ? words->label : name;
    m_tooltip = words ? words->tooltip : name;
    if (words) m_symbol = symbolHtml(words->symbol);

    m_label = new QLabel(this);
    m_label->setTextFormat(Qt::RichText);
    m_label->setFixedWidth(scaled(172));

    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(scaled(8));
    row->addWidget(m_label);
    if (isSwitch(parameter)) {
        buildSwitch();
    } else if (!parameter.options.empty()) {
        buildChoice(text);
    } else {
        buildNumber();
    }
    setFixedHeight(scaled(32));

    for (QWidget* control : std::initializer_list<QWidget*>{m_box, m_slider, m_combo, m_switch}) {
        if (!control) continue;
        control->setAccessibleName(m_labelText);
        m_label->setBuddy(control);
    }
    if (m_slider) m_slider->setAccessibleName(m_labelText + ", " + say("slider"));
    explain();
    display(m_value);
}

void KnobEditor::explain() {
    const QString faint = colour(currentTheme(), views::Ink::faint).name();
    const QString symbol =
        m_idle ? m_symbol : QStringLiteral("<span style='color:%1'>%2</span>").arg(faint, m_symbol);
    m_label->setText(m_labelText.toHtmlEscaped() + " " + symbol);
    QString range;
    if (m_parameter.options.empty())
        range = QStringLiteral("<br><span style='color:%1'>%2 – %3</span>")
                    .arg(faint, words(m_parameter.minimum), words(m_parameter.maximum));
    QString effect = changeSentence(m_parameter.change);
    if (m_idle) effect = say("Changes nothing as the other knobs stand.") + " " + effect;
    const QString tip =
        QStringLiteral("<p><b>%1</b> %2<br>%3%4</p><p style='color:%5'>%6</p>")
            .arg(m_labelText.toHtmlEscaped(), m_symbol, m_tooltip.toHtmlEscaped(), range, faint, effect);
    for (QWidget* widget : findChildren<QWidget*>()) widget->setToolTip(tip);
    setToolTip(tip);
    for (QWidget* control : std::initializer_list<QWidget*>{m_box, m_slider, m_combo, m_switch})
        if (control) control->setAccessibleDescription(m_tooltip + " " + effect);
}

void KnobEditor::setIdle(bool idle) {
    if (idle == m_idle) return;
    m_idle = idle;
    m_label->setEnabled(!idle);
    if (m_slider) {
        m_slider->setProperty("idle", idle);
        m_slider->style()->polish(m_slider);
    }
    explain();
}

void KnobEditor::buildNumber() {
    auto* row = static_cast<QHBoxLayout*>(layout());
    const bool turned =
        m_parameter.change == core::Change::live || m_parameter.change == core::Change::sampling;
    if (turned) {
        m_slider = new CalmSlider(Qt::Horizontal, this);
        m_slider->setRange(0, sliderSteps);
        m_slider->setPageStep(sliderSteps / 10);
        m_slider->setSingleStep(sliderSteps / 100);
        connect(m_slider, &QSlider::valueChanged, this, [this](int position) {
            if (!m_displaying) take(valueAt(double(position) / sliderSteps));
        });
        row->addWidget(m_slider, 1);
    } else {
        row->addStretch(1);
    }
    m_box = new FigureBox(m_parameter, this);
    m_box->setFixedWidth(scaled(72));
    connect(m_box, &QDoubleSpinBox::valueChanged, this, [this](double value) {
        if (!m_displaying) take(value);
    });
    row->addWidget(m_box);
}

void KnobEditor::buildChoice(const LessonText& text) {
    m_combo = new CalmCombo(this);
    for (const std::string& option : m_parameter.options)
        m_combo->addItem(
            text.optionLabel(QString::fromStdString(m_parameter.name), QString::fromStdString(option)));
    m_combo->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_combo->setMinimumContentsLength(8);
    connect(m_combo, &QComboBox::activated, this, [this](int index) { take(index); });
    static_cast<QHBoxLayout*>(layout())->addWidget(m_combo, 1);
}

void KnobEditor::buildSwitch() {
    m_switch = new QCheckBox(this);
    connect(m_switch, &QCheckBox::clicked, this, [this](bool on) { take(on ? 1 : 0); });
    auto* row = static_cast<QHBoxLayout*>(layout());
    row->addStretch(1);
    row->addWidget(m_switch);
}

void KnobEditor::take(double value) {
    if (m_parameter.integer) value = std::round(value);
    value = std::clamp(
        value, m_parameter.minimum,
        m_parameter.options.empty() ? m_parameter.maximum : double(m_parameter.options.size() - 1));
    m_sinceChange.start();
    display(value);
    emit changed(QString::fromStdString(m_parameter.name), value);
}

void KnobEditor::follow(double value) {
    if (m_sinceChange.isValid() && m_sinceChange.elapsed() < settleMs) return;
    if (m_slider && m_slider->isSliderDown()) return;
    if (m_box && m_box->hasFocus() && m_value == value) return;  // being typed into
    if (m_value != value) display(value);
}

void KnobEditor::display(double value) {
    m_displaying = true;
    m_value = value;
    if (m_box) m_box->setValue(value);
    if (m_slider && !m_slider->isSliderDown())
        m_slider->setValue(int(std::lround(positionOf(value) * sliderSteps)));
    if (m_combo) m_combo->setCurrentIndex(int(value));
    if (m_switch) m_switch->setChecked(value != 0);
    m_displaying = false;
}

// Logarithmic ranges that begin at 0 give their first twentieth to it.
double KnobEditor::positionOf(double value) const {
    const double low = m_parameter.minimum, high = m_parameter.maximum;
    if (!m_parameter.logarithmic) return (value - low) / (high - low);
    if (low > 0) return std::log(value / low) / std::log(high / low);
    const double least = high * 1e-5;
    if (value < least) return 0.05 * value / least;
    return 0.05 + 0.95 * std::log(value / least) / std::log(high / least);
}

double KnobEditor::valueAt(double position) const {
    const double low = m_parameter.minimum, high = m_parameter.maximum;
    double value = 0;
    if (!m_parameter.logarithmic) {
        value = low + position * (high - low);
    } else if (low > 0) {
        value = low * std::pow(high / low, position);
    } else {
        const double least = high * 1e-5;
        value = position < 0.05 ? 0 : least * std::pow(high / least, (position - 0.05) / 0.95);
    }
    if (position <= 0) return low;
    if (position >= 1) return high;
    // Three digits: what the box beside it shows is what is set.
    return std::clamp(QString::number(value, 'g', 3).toDouble(), low, high);
}

QString KnobEditor::words(double value) const {
    if (isSwitch(m_parameter)) return value != 0 ? say("on") : say("off");
    if (m_combo) return m_combo->itemText(int(value));
    return m_parameter.integer ? QString::number(qint64(value)) : QString::number(value, 'g', 4);
}

}  // namespace app
