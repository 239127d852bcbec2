// Knobs as data: what the window, the command line and the journal know of a lesson's parameters.
// The words (label, tooltip) are in assets/lessons/<id>.<language>.md, not here.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace core {

// What a change of the knob costs.
enum class Change {
    live,        // read by the running plan: a 4-byte write
    schedule,    // which plan runs next
    structural,  // recorded again; parameters of the same name and shape are kept
    sampling,    // read by the next run of the sampler; training knows nothing of it
};

// The knobs by name; a choice is the index of its option.
using Settings = std::map<std::string, double>;

struct Parameter {
    std::string name;  // "lr_g": on the command line, in the journal, in the lesson's text
    Change change = Change::live;
    double initial = 0, minimum = 0, maximum = 1;
    bool integer = false;
    bool logarithmic = false;
    std::vector<std::string> options;  // a choice: the value is an index into these

    // Value from text (a number, an option's name, on/off); throws Error naming the knob and its range.
    double parse(const std::string& text) const;
    // Text that parse() turns into the same value.
    std::string print(double value) const;
    // Throws Error if the value is out of range or not whole where it must be.
    void check(double value) const;
};

struct Preset {
    std::string name;  // "ring8"
    std::vector<std::pair<std::string, std::string>>
        settings;       // knob, value as text; the rest keep their initial
    int budget = 2000;  // training steps
};

}  // namespace core
