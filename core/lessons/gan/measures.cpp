#include "core/lessons/gan/measures.h"

#include <algorithm>

#include "core/data/game.h"
#include "core/data/metrics.h"

namespace core::lessons {
namespace {

using Channels = std::map<std::string, Tensor>;

Tensor estimatedDensity(std::span<const float> x) {
    std::vector<double> grid(lineGrid);
    for (int i = 0; i < lineGrid; ++i) grid[size_t(i)] = double(lineCoordinate(i));
    const std::vector<double> density = kernelDensity1d(x, grid, silvermanBandwidth(x));
    return column({density.begin(), density.end()});
}

void compareWithOptimum(Channels& c, const std::vector<float>& data, const std::vector<float>& model,
                        const std::vector<float>& d, float target, const std::string& star) {
    BestAnswer best = bestAnswer(data, model, d, target);
    c[star] = column(std::move(best.optimum));
    c["d_gap"] = scalar(best.gap);
}

}  // namespace

Measure lineMeasure(const RealDataPtr& data, const RealTarget& target) {
    if (!data->exact)
        return {{"p_data", "p_g"}, {"samples"}, [data](Channels& c) {
                    const std::span<const float> real(data->table->values);
                    c["p_data"] = estimatedDensity(real.first(std::min<size_t>(real.size(), judgedSamples)));
                    c["p_g"] = estimatedDensity(c["samples"].values);
                }};
    return {{"p_data", "p_g", "d_star", "d_gap"}, {"samples", "d_line"}, [data, target](Channels& c) {
                std::vector<float> density(lineGrid);
                for (int i = 0; i < lineGrid; ++i)
                    density[size_t(i)] = float(data->exact->density(double(lineCoordinate(i))));
                c["p_g"] = estimatedDensity(c["samples"].values);
                compareWithOptimum(c, density, c["p_g"].values, c["d_line"].values, target(), "d_star");
                c["p_data"] = column(std::move(density));
            }};
}

Measure planeMeasure(const RealDataPtr& data, const RealTarget& target) {
    return {
        {"d_star_field", "d_gap"}, {"samples", "d_field"}, [data, target](Channels& c) {
            constexpr double bandwidth = 0.08;
            constexpr PlaneGrid plane = playingField;
            std::vector<float> density;
            for (int j = 0; j < plane.side; ++j)
                for (int i = 0; i < plane.side; ++i)
                    density.push_back(float(data->exact->density(plane.coordinate(i), plane.coordinate(j))));
            compareWithOptimum(c, density, planeDensity(c["samples"].values, plane, bandwidth),
                               c["d_field"].values, target(), "d_star_field");
        }};
}

Measure warpMeasure() {
    return {{"warp_det"}, {"warp"}, [](Channels& c) {
                c["warp_det"] = column(areaOfCells(c["warp"].values, warpGrid));
            }};
}

Measure divergenceMeasure(const RealDataPtr& data) {
    const int columns = data->table->columns;
    const std::span<const float> real(data->table->values);
    const size_t half = size_t(std::min<int64_t>(judgedSamples, data->table->rows / 2));
    const std::span<const float> some = real.first(half * size_t(columns));
    const std::span<const float> others = real.subspan(some.size(), some.size());
    const double baseline =
        data->exact ? jsdBaseline(*data->exact, judgedSamples) : jsdHistogram(others, some, columns);
    return {{"jsd", "jsd_baseline", "c_g", "value_ceiling"}, {"samples"}, [=](Channels& c) {
                const auto& x = c["samples"].values;
                const double jsd =
                    data->exact ? jsdHistogram(x, *data->exact) : jsdHistogram(x, some, columns);
                c["jsd"] = scalar(jsd);
                c["jsd_baseline"] = scalar(baseline);
                // Where next to nothing overlaps C(G) is 0: one sample more or less moves it by 1e-4.
                const double value = std::min(gameValue(jsd), 0.0);
                c["c_g"] = c["value_ceiling"] = scalar(value > -1e-4 ? 0 : value);
            }};
}

Measure coverageMeasure(const RealDataPtr& data) {
    return {{"modes_covered", "modes", "share_near", "mode_counts", "mode_centres"},
            {"samples"},
            [data](Channels& c) {
                const ModeCoverage found = modeCoverage(c["samples"].values, *data->exact);
                c["modes_covered"] = scalar(found.covered);
                c["modes"] = scalar(found.modes);
                c["share_near"] = scalar(found.near);
                Tensor counts{{found.modes, 2}, {}}, centres{{found.modes, 2}, {}};
                for (int m = 0; m < found.modes; ++m) {
                    const Component& mode = data->exact->components()[size_t(m)];
                    counts.values.insert(counts.values.end(),
                                         {float(found.shares[size_t(m)]), float(mode.weight)});
                    centres.values.insert(centres.values.end(), {float(mode.mean[0]), float(mode.mean[1])});
                }
                c["mode_counts"] = std::move(counts);
                c["mode_centres"] = std::move(centres);
            }};
}

Measure spreadMeasure(const RealDataPtr& data, const std::string& samples) {
    const Table& real = *data->table;
    const int columns = real.columns;
    std::vector<float> some;
    for (int64_t i = 0; i < std::min<int64_t>(512, real.rows) * columns; ++i)
        some.push_back(real.values.empty() ? float(real.bytes[size_t(i)]) / 255 : real.values[size_t(i)]);
    const double baseline = meanPairwiseDistance(some, columns);
    return {{"pairwise_distance", "pairwise_baseline", "collapse_alarm"}, {samples}, [=](Channels& c) {
                const double distance = meanPairwiseDistance(c[samples].values, columns);
                const auto modes = c.find("modes"), covered = c.find("modes_covered");
                const bool lost = modes != c.end() &&
                                  covered->second.values[0] <= modes->second.values[0] / 2 &&
                                  modes->second.values[0] > 1;
                c["pairwise_distance"] = scalar(distance);
                c["pairwise_baseline"] = scalar(baseline);
                c["collapse_alarm"] = scalar(lost || distance < 0.5 * baseline);
            }};
}

Measure nearestImageMeasure(const RealDataPtr& data) {
    return {{"nearest_image", "nearest_distance"}, {"nearest_query"}, [data](Channels& c) {
                NearestRows nearest = nearestRows(*data->table, c["nearest_query"].values);
                c["nearest_image"] = {c["nearest_query"].shape, std::move(nearest.rows)};
                c["nearest_distance"] = column(std::move(nearest.distances));
            }};
}

}  // namespace core::lessons
