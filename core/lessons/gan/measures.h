// What the lesson's panels show beside the networks' answers: densities, the optimal discriminator, how far
// samples are from the data, and whether they have collapsed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/data/density.h"
#include "core/data/mixture.h"
#include "core/lessons/lesson.h"

namespace core::lessons {

constexpr int judgedSamples = 4000;  // drawn by G from fixed noise
constexpr PlaneGrid playingField{96, 3.5};
constexpr int lineGrid = 400, warpGrid = 33;

// x of the line's i-th grid point.
inline float lineCoordinate(int i) {
    return float(7.0 * i / (lineGrid - 1) - 3.5);
}

// What G is to learn: points on the line or in the plane, or pictures.
struct RealData {
    std::string id;  // the built-in set, or the fingerprint of a file
    TablePtr table;
    std::optional<Mixture> exact{};  // the density that the table was drawn from, where it is known
};
using RealDataPtr = std::shared_ptr<const RealData>;

// The discriminator's target s for real points, as it is now; below one it lowers the optimum to
// s p_data / (p_data + p_g) (Salimans et al. 2016).
using RealTarget = std::function<float()>;

// p_data, p_g, D* = p_data / (p_data + p_g) and the distance of D from it, weighted by where points are. Of
// points whose density is not known there is an estimate, and no optimum is claimed.
Measure lineMeasure(const RealDataPtr& data, const RealTarget& target);
// D* and the distance of D from it in the plane; the data's density must be known.
Measure planeMeasure(const RealDataPtr& data, const RealTarget& target);
// How much G enlarges or shrinks each cell of a grid of noise; negative where it folds over.
Measure warpMeasure();
// JSD of the samples, its value where data stand against data, and C(G) = -log 4 + 2 JSD.
Measure divergenceMeasure(const RealDataPtr& data);
// The data's density must be known.
Measure coverageMeasure(const RealDataPtr& data);
// How far samples are apart beside how far the data are; the alarm rings when much of it is lost.
Measure spreadMeasure(const RealDataPtr& data, const std::string& samples);
// The training pictures closest to some that G made.
Measure nearestImageMeasure(const RealDataPtr& data);

}  // namespace core::lessons
