// Panels of the bound: its two parts over training, per hidden number, against log p(x), and against beta.
#pragma once

#include "views/lessons/vae/situation.h"

namespace views::vae {

void drawElbo(Canvas& canvas, const core::Frame& frame);
void drawKlDimensions(Canvas& canvas, const core::Frame& frame);
void drawIdentity(Canvas& canvas, const core::Frame& frame);
void drawRateDistortion(Canvas& canvas, const core::Frame& frame);

// A strip that says that the codes have fallen silent, if they have; cuts its room from the area.
void drawCollapseAlarm(Canvas& canvas, const core::Frame& frame, Rect& area);

}  // namespace views::vae
