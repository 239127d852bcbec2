#include "core/lessons/ddpm/measures.h"

#include <algorithm>
#include <cmath>

#include "core/data/forward_process.h"
#include "core/data/metrics.h"

namespace core::lessons {
namespace {

constexpr size_t nearestRowsOfTest = 16;
constexpr size_t pixels = size_t(pictureSide) * pictureSide;

using Channels = std::map<std::string, Tensor>;

// One number of each sample: they are independent.
std::vector<float> firstNumbers(const std::vector<float>& all, const Dataset& data) {
    std::vector<float> out;
    const size_t apart = data.pictures ? 1 : size_t(data.test->columns);
    for (size_t i = 0; i < all.size(); i += apart) out.push_back(all[i]);
    return out;
}

}  // namespace

Measure scheduleMeasure(const NoiseSchedule& schedule) {
    return {{"schedule", "schedule_linear"}, {}, [&schedule](Channels& c) {
                c["schedule"] = schedule.curves();
                c["schedule_linear"] = schedule.linear();
            }};
}

Measure chainMeasure(const NoiseSchedule& schedule, const DatasetPtr& data) {
    Measure m{{"chain_xt", "chain_ks", "chain_ks_limit"}, {"forward_t", "forward_xt"}, nullptr};
    m.compute = [&schedule, data, states = std::vector<std::vector<float>>(),
                 of = std::vector<double>()](Channels& c) mutable {
        const int64_t count = data->pictures ? 2 : 500;
        if (const std::vector<double> abar = schedule.abars(); of != abar) {
            states = forwardChain(data->testRows(count), abar, 1);
            of = abar;
        }
        const std::vector<float>& x = states[size_t(c["forward_t"].values[0])];
        const std::vector<float> chain = firstNumbers(x, *data);
        // Of the same pictures: two others would differ whatever became of them.
        std::vector<float> closed = firstNumbers(c["forward_xt"].values, *data);
        if (data->pictures) closed.resize(chain.size());
        c["chain_xt"] = {{int(count), data->test->columns}, x};
        c["chain_ks"] = scalar(smirnovDistance(chain, closed));
        c["chain_ks_limit"] = scalar(smirnovLimit(int64_t(chain.size()), int64_t(closed.size())));
    };
    return m;
}

Measure nearestMeasure(const DatasetPtr& data) {
    Measure m{{"nearest_image", "nearest_distance", "nearest_baseline"}, {"nearest_row"}, nullptr};
    const int64_t count = std::min<int64_t>(nearestRowsOfTest, data->test->rows);
    // One more picture of the test set each time, until there are enough for a mean.
    m.compute = [data, test = data->testRows(count), apart = 0.0, seen = size_t(0)](Channels& c) mutable {
        std::vector<float> query = c["nearest_row"].values;
        const bool another = seen < test.size() / pixels;
        if (another)
            query.insert(query.end(), test.begin() + int64_t(seen * pixels),
                         test.begin() + int64_t((seen + 1) * pixels));
        for (float& v : query) v = 0.5f * (v + 1);
        const NearestRows found = nearestRows(*data->train, query);
        if (another) {
            apart += 2 * double(found.distances[1]);
            ++seen;
        }
        Tensor image{{1, int(pixels)}, {}};
        for (size_t i = 0; i < pixels; ++i) image.values.push_back(2 * found.rows[i] - 1);
        c["nearest_image"] = std::move(image);
        c["nearest_distance"] = scalar(2 * double(found.distances[0]));
        c["nearest_baseline"] = scalar(apart / double(seen));
    };
    return m;
}

Measure distanceMeasure(const DatasetPtr& data) {
    Measure m{{"w2", "w2_baseline", "w2_count"}, {"judged"}, nullptr};
    m.computePart = [data, work = FigureWork(), of = std::vector<float>()](Channels& c) mutable {
        if (!work || of != c["judged"].values) {
            of = c["judged"].values;
            work = planeFigures(of, data->test, judgedPoints, data->baselines);
        }
        std::map<std::string, double> figures;
        if (!work(figures)) return false;
        work = nullptr;
        for (const auto& [name, value] : figures) c[name] = scalar(value);
        return true;
    };
    return m;
}

Measure marginalMeasure(const DatasetPtr& data) {
    Measure m{{"marginal"}, {"forward_xt", "forward_abar"}, nullptr};
    m.compute = [data](Channels& c) {
        std::vector<float> density;
        if (data->exact) {
            const Mixture p = diffused(*data->exact, double(c["forward_abar"].values[0]));
            for (int j = 0; j < densityGrid.side; ++j)
                for (int i = 0; i < densityGrid.side; ++i)
                    density.push_back(float(p.density(densityGrid.coordinate(i), densityGrid.coordinate(j))));
        } else {
            density = planeDensity(c["forward_xt"].values, densityGrid, 0.12);
        }
        c["marginal"] = column(std::move(density));
    };
    return m;
}

Measure scoreMeasure(const DatasetPtr& data) {
    Measure m{{"score_exact", "score_error", "score_rmse"}, {"score_field", "forward_abar"}, nullptr};
    m.compute = [data](Channels& c) {
        const Mixture p = diffused(*data->exact, double(c["forward_abar"].values[0]));
        const std::vector<float>& learned = c["score_field"].values;
        Tensor exact{{arrowGrid.side * arrowGrid.side, 2}, {}};
        std::vector<float> error;
        double weighed = 0, weight = 0;  // where points are
        for (int j = 0; j < arrowGrid.side; ++j)
            for (int i = 0; i < arrowGrid.side; ++i) {
                const double x = arrowGrid.coordinate(i), y = arrowGrid.coordinate(j);
                const std::array<double, 2> s = p.score(x, y);
                const double dx = double(learned[exact.values.size()]) - s[0];
                const double dy = double(learned[exact.values.size() + 1]) - s[1];
                exact.values.insert(exact.values.end(), {float(s[0]), float(s[1])});
                error.push_back(float(std::hypot(dx, dy)));
                const double density = p.density(x, y);
                weighed += density * (dx * dx + dy * dy);
                weight += density;
            }
        c["score_exact"] = std::move(exact);
        c["score_error"] = column(std::move(error));
        c["score_rmse"] = scalar(std::sqrt(weighed / weight));
    };
    return m;
}

Measure floorMeasure(const NoiseSchedule& schedule, const DatasetPtr& data) {
    Measure m{{"loss_floor"}, {}, nullptr};
    m.compute = [&schedule, data, floors = std::vector<float>(),
                 of = std::vector<double>()](Channels& c) mutable {
        if (const std::vector<double> abar = schedule.abars(); of != abar) {
            floors.clear();
            of = abar;
            for (int b = 0; b < timeBins; ++b) {
                const auto [first, last] = schedule.timesOf(b);
                double sum = 0;
                for (double at : {1 / 6.0, 3 / 6.0, 5 / 6.0})
                    sum += lossFloor(*data->exact, abar[size_t(first + std::lround(at * (last - first)))]);
                floors.push_back(float(sum / 3));
            }
        }
        c["loss_floor"] = column(floors);
    };
    return m;
}

}  // namespace core::lessons
