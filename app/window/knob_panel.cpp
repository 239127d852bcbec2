#include "app/window/knob_panel.h"

#include <QFont>
#include <QHBoxLayout>
#include <QLabel>
#include <QVBoxLayout>
#include <algorithm>

#include "app/window/icons.h"
#include "app/window/interface_words.h"
#include "app/window/knob_editor.h"
#include "app/window/style.h"

namespace app {

KnobPanel::KnobPanel(QWidget* parent) : QScrollArea(parent) {
    setWidgetResizable(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::NoFocus);
}

QWidget* KnobPanel::heading(const QString& iconName, const QString& title, const QString& explanation) {
    auto* line = new QWidget;
    auto* row = new QHBoxLayout(line);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(scaled(6));
    auto* picture = new QLabel(line);
    picture->setPixmap(
        icon(iconName, colour(currentTheme(), views::Ink::selection)).pixmap(scaled(16), scaled(16)));
    auto* words = new QLabel(line);
    const QString faint = colour(currentTheme(), views::Ink::faint).name();
    words->setText(
        QStringLiteral("<b>%1</b>&nbsp; <span style='color:%2'>%3</span>").arg(title, faint, explanation));
    words->setWordWrap(true);
    row->addWidget(picture, 0, Qt::AlignTop);
    row->addWidget(words, 1);
    line->setToolTip(explanation);
    return line;
}

void KnobPanel::setLesson(const std::vector<core::Parameter>& parameters, const LessonText& text) {
    m_editors.clear();
    auto* content = new QWidget;
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(scaled(16), scaled(16), scaled(12), scaled(16));
    column->setSpacing(scaled(2));
    enum Group { atOnce, ofSampling, rebuilds };
    const auto groupOf = [](core::Change change) {
        return change == core::Change::structural ? rebuilds
               : change == core::Change::sampling ? ofSampling
                                                  : atOnce;
    };
    const auto addGroup = [&](Group group) {
        for (const core::Parameter& parameter : parameters) {
            if (groupOf(parameter.change) != group) continue;
            auto* editor = new KnobEditor(parameter, text, content);
            connect(editor, &KnobEditor::changed, this, &KnobPanel::changed);
            column->addWidget(editor);
            m_editors[parameter.name] = editor;
        }
    };
    const int below = scaled(4);
    const bool samples = std::any_of(parameters.begin(), parameters.end(),
                                     [&](const auto& p) { return groupOf(p.change) == ofSampling; });
    if (samples) {
        column->addWidget(heading("sample", say("Sampling"), say("read by the next run of the sampler")));
        column->addSpacing(below);
        addGroup(ofSampling);
        column->addSpacing(scaled(16));
    }
    column->addWidget(heading("live", say("At once"), say("turn these while it trains")));
    column->addSpacing(below);
    addGroup(atOnce);
    column->addSpacing(scaled(16));
    column->addWidget(
        heading("rebuild", say("Rebuilds"), say("recorded again; weights that still fit are kept")));
    column->addSpacing(below);
    addGroup(rebuilds);
    column->addStretch(1);
    setWidget(content);
    content->setAutoFillBackground(false);
    viewport()->setAutoFillBackground(false);
    setAccessibleName(say("Parameters"));
}

void KnobPanel::follow(const core::Frame& frame) {
    for (const auto& [name, value] : frame.settings)
        if (KnobEditor* knob = editor(name)) {
            knob->follow(value);
            knob->setIdle(std::find(frame.idle.begin(), frame.idle.end(), name) != frame.idle.end());
        }
}

KnobEditor* KnobPanel::editor(const std::string& knob) const {
    const auto it = m_editors.find(knob);
    return it == m_editors.end() ? nullptr : it->second;
}

QString KnobPanel::describe(const std::string& knob, double value) const {
    const KnobEditor* known = editor(knob);
    return known ? known->label() + " " + known->words(value) : QString();
}

}  // namespace app
