// The window's own words. In the code they stand in English; assets/interface.zh.json has the Chinese.
#pragma once

#include <QString>

namespace app {

// "en" or "zh".
void setInterfaceLanguage(const QString& language);
const QString& interfaceLanguage();

// The words in the window's language; English where a translation is missing (a test finds those).
QString say(const char* english);

}  // namespace app
