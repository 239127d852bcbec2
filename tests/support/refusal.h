// What a reader says of a file that it refuses.
#pragma once

#include <QString>

#include "core/base/error.h"

namespace support {

// The words of the Error that `read` throws; "accepted" if it throws none.
template <class F>
QString refusalOf(F&& read) {
    try {
        read();
    } catch (const core::Error& error) {
        return error.what();
    }
    return "accepted";
}

}  // namespace support
