// What a branch of a sampling run is to have of its own: other settings, another noise, other weights.
#pragma once

#include <QDialog>
#include <map>
#include <string>

#include "app/text/lesson_text.h"
#include "core/contract/sampling.h"

class QCheckBox;
class QSpinBox;

namespace app {

class KnobEditor;

class ForkDialog : public QDialog {
    Q_OBJECT

  public:
    // Begins with the settings of the run that is forked.
    ForkDialog(const core::Trajectory& run, int step, const std::vector<core::Parameter>& knobs,
               const LessonText& text, uint64_t freshSeed, QWidget* parent = nullptr);

    core::SamplingRequest request() const;
    KnobEditor* editor(const std::string& knob) const;

  private:
    core::Settings m_before;
    std::map<std::string, KnobEditor*> m_editors;
    QSpinBox* m_seed;
    QCheckBox* m_present;
};

}  // namespace app
