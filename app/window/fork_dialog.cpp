#include "app/window/fork_dialog.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSpinBox>
#include <QVBoxLayout>
#include <algorithm>
#include <climits>

#include "app/window/interface_words.h"
#include "app/window/knob_editor.h"
#include "app/window/style.h"

namespace app {

ForkDialog::ForkDialog(const core::Trajectory& run, int step, const std::vector<core::Parameter>& knobs,
                       const LessonText& text, uint64_t freshSeed, QWidget* parent)
    : QDialog(parent), m_before(run.settings) {
    setWindowTitle(say("Fork with…"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(scaled(24), scaled(24), scaled(24), scaled(16));
    column->setSpacing(scaled(4));
    auto* where = new QLabel(say("A branch from t = %1 on. What it shares with the run stays as it is.")
                                 .arg(run.timeOf(step), 0, 'g', 4),
                             this);
    where->setWordWrap(true);
    column->addWidget(where);
    column->addSpacing(scaled(8));
    for (const core::Parameter& parameter : knobs) {
        auto* editor = new KnobEditor(parameter, text, this);
        if (const auto value = m_before.find(parameter.name); value != m_before.end())
            editor->follow(value->second);
        column->addWidget(editor);
        m_editors[parameter.name] = editor;
    }
    m_seed = new QSpinBox(this);
    m_seed->setRange(0, INT_MAX);
    m_seed->setValue(int(std::min<uint64_t>(freshSeed, INT_MAX)));
    m_seed->setAccessibleName(say("Dice"));
    m_seed->setToolTip(
        say("The seed of the noise that is added from here on; the run's own is %1.").arg(run.seed));
    m_present = new QCheckBox(say("with the network of this moment"), this);
    m_present->setToolTip(
        say("The weights as they are now, not those that the run began with (training step %1).")
            .arg(run.trainingStep));
    auto* dice = new QHBoxLayout;
    auto* label = new QLabel(say("Dice"), this);
    label->setBuddy(m_seed);
    label->setFixedWidth(scaled(172));
    dice->addWidget(label);
    dice->addStretch(1);
    dice->addWidget(m_seed);
    column->addLayout(dice);
    column->addWidget(m_present);
    column->addSpacing(scaled(16));

    auto* buttons = new QHBoxLayout;
    auto* cancel = new QPushButton(say("Cancel"), this);
    cancel->setToolTip(say("No branch."));
    auto* fork = new QPushButton(say("Fork"), this);
    fork->setObjectName("fork");
    fork->setToolTip(say("Begins the branch."));
    fork->setDefault(true);
    buttons->addStretch(1);
    buttons->addWidget(cancel);
    buttons->addWidget(fork);
    column->addLayout(buttons);
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(fork, &QPushButton::clicked, this, &QDialog::accept);
    setMinimumWidth(scaled(420));
}

core::SamplingRequest ForkDialog::request() const {
    core::SamplingRequest request{.seed = uint64_t(m_seed->value()), .present = m_present->isChecked()};
    for (const auto& [name, editor] : m_editors) {
        const auto before = m_before.find(name);
        if (before == m_before.end() || before->second != editor->value())
            request.changes[name] = editor->value();
    }
    return request;
}

KnobEditor* ForkDialog::editor(const std::string& knob) const {
    const auto it = m_editors.find(knob);
    return it == m_editors.end() ? nullptr : it->second;
}

}  // namespace app
