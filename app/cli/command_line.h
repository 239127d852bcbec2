// The program's face in a terminal: verbs, options, and what their exit codes mean.
#pragma once

namespace app {

// What genscope returns to the shell, after sysexits.h where that has a word for it.
enum Exit {
    exitOk = 0,
    exitFailed = 1,        // the run could not be completed
    exitUsage = 2,         // a verb, option, lesson, preset or knob that does not exist, or a refused value
    exitUnavailable = 69,  // no display, or a device that this machine lacks
    exitCannotWrite = 73,
    exitDiverged = 75,    // a number was not finite
    exitSignalled = 128,  // and the number of the signal
};

// Runs the verb that the arguments name; without one, the window. Errors are one sentence on stderr.
int commandLine(int argc, char** argv);

}  // namespace app
