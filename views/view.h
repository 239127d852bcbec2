// A lesson's panels: what they need, and how they draw themselves from one frame.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/contract/frame.h"
#include "views/sampling.h"

namespace views {

class Canvas;  // views/canvas.h: the drawing surface of one panel

// What a panel asks of the run when the user acts on it: a cursor or latent moved by the mouse.
using SetHandle = std::function<void(const std::string& handle, const std::vector<float>& values)>;

struct Panel {
    std::string id;                  // "plane"; its title and tooltip are in the lesson's text
    std::vector<std::string> needs;  // channels; only those of visible panels are computed
    float weight = 1;                // area relative to the others; the main panel has about 2
    std::function<void(Canvas&, const core::Frame&, const SetHandle&)> draw;
    bool shelved = false;  // begins on the shelf, whatever room there is; such panels are the last
};

class View {
  public:
    virtual ~View() = default;
    // The panels for these settings, the main one first (a 1-D data set has others than images do).
    // Panels keep what they remember between frames (a dragged point) in the View.
    virtual std::vector<Panel> panels(const core::Frame& frame) = 0;
    // Every channel that any panel names, for the contract test.
    virtual std::vector<std::string> needs() const = 0;
    // Of a lesson that samples: where the user stands, told before the panels are drawn, and whom to ask.
    virtual void setSampling(const SamplingPlace&, const SamplingActions&) {}
};

// The view of that lesson, or nullptr.
std::unique_ptr<View> makeView(const std::string& lesson);

}  // namespace views
