#include "core/lessons/lesson.h"

#include <algorithm>

namespace core {

Knob::Knob(Lesson& owner, Parameter parameter)
    : m_parameter(std::move(parameter)), m_value(m_parameter.initial), m_slot(int(owner.m_knobs.size())) {
    owner.m_knobs.push_back(this);
}

void Knob::set(double value) {
    m_parameter.check(value);
    m_value = value;
}

void Knob::addOption(const std::string& option) {
    CHECK(!m_parameter.options.empty(), "{}: expected a choice to add {} to", m_parameter.name, option);
    m_parameter.options.push_back(option);
    m_parameter.maximum = double(m_parameter.options.size() - 1);
}

void Knob::removeLastOption() {
    m_parameter.options.pop_back();
    m_parameter.maximum = double(m_parameter.options.size() - 1);
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

Sampled::Sampled(Lesson& owner, const std::string& name, double initial, double minimum, double maximum,
                 bool integer)
    : Knob(owner, {.name = name,
                   .change = Change::sampling,
                   .initial = initial,
                   .minimum = minimum,
                   .maximum = maximum,
                   .integer = integer}) {}

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

double Lesson::offer(OwnDataPtr own) {
    Knob& data = knob("data");
    const std::vector<std::string>& options = data.parameter().options;
    std::string option = own->name;
    for (int n = 2; std::find(options.begin(), options.end(), option) != options.end(); ++n)
        option = fmt::format("{} ({})", own->name, n);
    data.addOption(option);
    m_offered.push_back(std::move(own));
    return data.parameter().maximum;
}

void Lesson::withdrawLast() {
    knob("data").removeLastOption();
    m_offered.pop_back();
}

const OwnData* Lesson::own(const Knob& data) const {
    const size_t builtIn = data.parameter().options.size() - m_offered.size();
    return size_t(data.value()) < builtIn ? nullptr : m_offered[size_t(data.value()) - builtIn].get();
}

Knob& Lesson::knob(const std::string& name) const {
    std::vector<std::string> names;
    for (Knob* knob : m_knobs) {
        if (knob->parameter().name == name) return *knob;
        names.push_back(knob->parameter().name);
    }
    throw Error(fmt::format("knob: expected one of {}, got '{}'", fmt::join(names, ", "), name));
}

}  // namespace core
