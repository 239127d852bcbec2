// A run from one step to another as an animated GIF.
#pragma once

#include <QString>
#include <cstdint>
#include <functional>
#include <string>

namespace app {

class MainWindow;
class RunColumn;

struct Recording {
    int64_t from = 0, to = 0;  // training steps
    int pictures = 60;
    double perSecond = 12;
    std::string panel;  // empty: the whole window
    int widest = 1280;  // pixels; larger pictures are made smaller
};

// Goes from picture to picture by training or scrubbing, and waits for each to be drawn, with an event loop
// of its own; goOn(done) is asked after each. Returns false, with nothing written, if that said no. Throws
// core::Error. The run stands at the last step afterwards.
bool recordRun(MainWindow& window, RunColumn& column, const Recording& recording, const QString& path,
               const std::function<bool(int done)>& goOn);

// Lets the window live on for that long.
void liveOn(int ms);

}  // namespace app
