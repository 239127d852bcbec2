// Where the files of assets/ lie: in the source tree, or beside an installed program.
#pragma once

#include <QString>

namespace app {

// Absolute path of a file below assets/, for instance "lessons/gan.en.md". Looks in the installed
// share/genscope first, then in the source tree; throws core::Error naming both places if neither has it.
QString assetPath(const QString& relative);

}  // namespace app
