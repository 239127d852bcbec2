// The words that panels draw themselves, in another language: assets/panels.<language>.json.
#pragma once

#include <QString>
#include <map>
#include <string>

namespace app {

// English -> translation; empty for English and where the file is missing.
std::map<std::string, std::string> panelPhrases(const QString& language);

}  // namespace app
