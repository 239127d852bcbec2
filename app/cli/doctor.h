// genscope doctor: what this machine offers, to be pasted into a question.
#pragma once

namespace app {

struct DoctorOptions {
    bool json = false;
};

int runDoctor(const DoctorOptions& options);

}  // namespace app
