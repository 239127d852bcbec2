// A file of the user's own as a data set: CSV points, IDX pictures, or a picture that becomes a density.
#pragma once

#include <QString>
#include <string>
#include <vector>

#include "core/base/own_data.h"
#include "core/session/journal.h"

namespace app {

// Reads the file, whatever its name says it is; for large files this takes seconds, and may be done on any
// thread. Throws core::Error with one sentence that names the file.
core::OwnDataPtr readOwnFile(const QString& path);

// The files that a shared run names, read again; throws core::Error if one is missing or has changed.
std::vector<core::OwnDataPtr> readOwnFiles(const core::Journal& journal);

}  // namespace app
