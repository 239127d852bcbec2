#include "core/data/sample_figures.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "core/data/frechet.h"
#include "core/data/picture_features.h"
#include "core/data/transport.h"

namespace core {
namespace {

// Pictures that the classifier looks at in one part, some milliseconds.
constexpr size_t picturesAtOnce = 32;
constexpr size_t pixels = size_t(PictureFeatures::side) * PictureFeatures::side;

// The distance of `made` to the fresh points, and that of other fresh points if it is not known yet.
struct PlaneWork {
    std::vector<float> made;
    TablePtr table;
    int count;
    Baselines baselines;
    std::unique_ptr<Pairing> pairing{};

    bool operator()(std::map<std::string, double>& figures) {
        const std::span<const float> fresh(table->values), drawn(made);
        const size_t size = 2 * size_t(count);
        const auto known = baselines->find(count);
        const bool first = known == baselines->end();
        if (!pairing)
            pairing = std::make_unique<Pairing>(first ? fresh.subspan(size, size) : drawn.first(size),
                                                fresh.first(size), 2);
        // A row takes a time of count^2.
        if (!pairing->advance(std::max(1, 32'000'000 / (count * count)))) return false;
        const double apart = pairing->distance();
        pairing.reset();
        if (first) {
            (*baselines)[count] = apart;
            return false;
        }
        figures["w2"] = apart;
        figures["w2_baseline"] = known->second;
        figures["w2_count"] = count;
        return true;
    }
};

struct GarmentWork {
    std::vector<float> made;
    TablePtr training;
    Baselines baselines;
    std::vector<float> features{};

    // The classifier's input: grey in [0, 1].
    std::vector<float> pictures(bool real, size_t from, size_t to) const {
        std::vector<float> out;
        for (size_t i = from * pixels; i < to * pixels; ++i)
            out.push_back(real ? float(training->bytes[i]) / 255
                               : std::clamp(0.5f * (made[i] + 1), 0.0f, 1.0f));
        return out;
    }

    bool operator()(std::map<std::string, double>& figures) {
        const PictureFeatures& network = PictureFeatures::shipped();
        const size_t count = made.size() / pixels, done = features.size() / PictureFeatures::width;
        const auto known = baselines->find(int(count));
        const bool real = known == baselines->end();
        if (done < count) {
            const std::vector<float> more =
                network.features(pictures(real, done, std::min(done + picturesAtOnce, count)));
            features.insert(features.end(), more.begin(), more.end());
            return false;
        }
        const double apart =
            frechetDistance(featureMoments(features, PictureFeatures::width), network.ofTestSet());
        features.clear();
        if (real) {
            (*baselines)[int(count)] = apart;
            return false;
        }
        figures["frechet"] = apart;
        figures["frechet_baseline"] = known->second;
        figures["frechet_count"] = double(count);
        return true;
    }
};

// std::function wants what it holds to be copyable; this work is done by one.
template <class Work>
FigureWork shared(Work work) {
    return [work = std::make_shared<Work>(std::move(work))](std::map<std::string, double>& figures) {
        return (*work)(figures);
    };
}

}  // namespace

FigureWork planeFigures(std::vector<float> points, TablePtr fresh, int most, Baselines baselines) {
    const int count = int(std::min({int64_t(points.size()) / 2, int64_t(most), fresh->rows / 2}));
    return shared(PlaneWork{std::move(points), std::move(fresh), count, std::move(baselines)});
}

FigureWork garmentFigures(std::vector<float> pictures, TablePtr training, Baselines baselines) {
    return shared(GarmentWork{std::move(pictures), std::move(training), std::move(baselines)});
}

FigureWork roundTripFigures(std::vector<float> data, std::vector<float> noise, std::vector<float> back) {
    return [data = std::move(data), noise = std::move(noise),
            back = std::move(back)](std::map<std::string, double>& figures) {
        double lost = 0, power = 0;
        for (size_t i = 0; i < data.size(); ++i) {
            lost += std::pow(double(back[i]) - double(data[i]), 2);
            power += std::pow(double(noise[i]), 2);
        }
        figures["round_trip"] = std::sqrt(lost / double(data.size()));
        figures["noise_rms"] = std::sqrt(power / double(data.size()));
        return true;
    };
}

}  // namespace core
