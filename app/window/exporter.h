// What a run shows, as files: pictures as PNG or SVG, curves and channels as CSV.
#pragma once

#include <QImage>
#include <QString>
#include <QWidget>
#include <string>

#include "core/contract/frame.h"

namespace app {

class RunColumn;

// The window as it is on screen.
QImage pictureOf(QWidget& window);
// One panel of the pane, or a null image if it is not on screen.
QImage pictureOf(RunColumn& column, const std::string& panel);
// The same as a vector drawing, "*" for the whole pane; throws core::Error if the panel is not on screen.
QString svgOf(RunColumn& column, const std::string& panel);
// Writes the picture with lesson, seed and step in its text fields; throws core::Error naming the place.
void savePicture(const QImage& picture, const core::Frame& frame, const QString& path);

// One row per kept step, one column per scalar: "step,loss_d,loss_g".
QString curvesCsv(const core::Frame& frame);
// The channel's rows and columns; pictures are one row each. Throws core::Error if it is not there.
QString channelCsv(const core::Frame& frame, const std::string& channel);
void saveText(const QString& text, const QString& path);

}  // namespace app
