// What the lesson learns from: points of the plane or pictures, and what is known of them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/base/own_data.h"
#include "core/data/mixture.h"
#include "core/data/sample_figures.h"

namespace core::lessons {

constexpr int pictureSide = 28;
constexpr int judgedPoints = 2000;

struct Dataset {
    std::string id;  // the built-in set, or the fingerprint of a file
    bool pictures;
    TablePtr train, test;
    std::optional<Mixture> exact{};  // the law of the points, where it is known
    double meanSquare = 1;
    Baselines baselines = std::make_shared<std::map<int, double>>();

    // Rows of the test set from `first` on, and around; pictures in [-1, 1].
    std::vector<float> testRows(int64_t count, int64_t first = 0) const;
};
using DatasetPtr = std::shared_ptr<const Dataset>;

bool isOfPictures(const std::string& option, const OwnData* file);
// Throws Error if it is not to be had, or is no set of points or pictures.
DatasetPtr openDataset(const std::string& option, const OwnData* file);

}  // namespace core::lessons
