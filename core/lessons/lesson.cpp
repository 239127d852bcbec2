#include "core/lessons/lesson.h"

namespace core {

Knob::Knob(Lesson& owner, Parameter parameter)
    : m_parameter(std::move(parameter)), m_value(m_parameter.initial), m_slot(int(owner.m_knobs.size())) {
    owner.m_knobs.push_back(this);
}

void Knob::set(double value) {
    m_parameter.check(value);
    m_value = value;
}

Live::Live(Lesson& owner, const std::string& name, double initial, double minimum, double maximum,
           Scale scale)
    : Knob(owner, {.name = name,
                   .change = Change::live,
                   .initial = initial,
                   .minimum = minimum,
                   .maximum = maximum,
                   .logarithmic = scale == logarithmic}) {}

Schedule::Schedule(Lesson& owner, const std::string& name, int initial, int minimum, int maximum)
    : Knob(owner, {.name = name,
                   .change = Change::schedule,
                   .initial = double(initial),
                   .minimum = double(minimum),
                   .maximum = double(maximum),
                   .integer = true}) {}

Structural::Structural(Lesson& owner, const std::string& name, int initial, int minimum, int maximum)
    : Knob(owner, {.name = name,
                   .change = Change::structural,
                   .initial = double(initial),
                   .minimum = double(minimum),
                   .maximum = double(maximum),
                   .integer = true}) {}

Choice::Choice(Lesson& owner, const std::string& name, std::vector<std::string> options, Change change)
    : Knob(owner, {.name = name,
                   .change = change,
                   .initial = 0,
                   .minimum = 0,
                   .maximum = double(options.size() - 1),
                   .options = options}) {}

Knob& Lesson::knob(const std::string& name) const {
    std::vector<std::string> names;
    for (Knob* knob : m_knobs) {
        if (knob->parameter().name == name) return *knob;
        names.push_back(knob->parameter().name);
    }
    throw Error(fmt::format("knob: expected one of {}, got '{}'", fmt::join(names, ", "), name));
}

}  // namespace core
