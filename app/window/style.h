// How the window's widgets look: Qt's palette, fonts and a small style sheet from the views' theme.
#pragma once

#include <QColor>
#include <QString>

#include "views/theme.h"

namespace app {

QColor colour(const views::Theme& theme, views::Ink ink);
QColor colour(views::Rgba paint);

// Dresses the whole application; widgets that draw themselves ask for the theme on their own.
void applyStyle(const views::Theme& theme);
const views::Theme& currentTheme();

// "dark", "light", "contrast" and back.
views::Palette paletteNamed(const QString& name);
QString nameOf(views::Palette palette);

// A length of the 8-pixel grid in the present scale.
int scaled(double logical);

}  // namespace app
