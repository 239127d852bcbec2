// The window's icons: one line drawing each in assets/icons, in the colour that is asked for.
#pragma once

#include <QColor>
#include <QIcon>
#include <QString>

namespace app {

// "run" for assets/icons/run.svg; greyed when disabled. Throws core::Error if there is no such icon.
QIcon icon(const QString& name, const QColor& colour);

}  // namespace app
