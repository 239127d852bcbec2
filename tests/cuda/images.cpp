// What the kernels for images compute, against those of FP32, and the same bits however it is run.
#include "tests/cuda/image_rows.h"
#include "tests/cuda/on_card.h"

using namespace core;
using namespace support;

// The kernels for images' sizes, in TF32 against those of FP32.
void support::images() {
    test = "images";
    for (const ImageRow& image : imageRows()) {
        row = image.row.name;
        try {
            const auto recorded = record(image.row);
            const OnCard exact(recorded->graph, recorded->layout, {.exact = true});
            const OnCard fast(recorded->graph, recorded->layout, {}),
                plain(recorded->graph, recorded->layout, {.captured = false});
            for (const OnCard* on : {&exact, &fast, &plain}) on->executor->run(3, 5);
            const auto expected = exact.channels(), got = fast.channels();
            expect(plain.channels() == got, "uncaptured gave other bits");
            fast.executor->run(3, 5);
            expect(fast.channels() == got, "another run gave other bits");
            double worst = 0;
            for (const auto& [channel, values] : expected) {
                if (values.size() == 1) continue;
                double apart = 0, all = 0;
                for (size_t i = 0; i < values.size(); ++i) {
                    const double off = double(values[i]) - double(got.at(channel)[i]);
                    apart += off == off ? off * off : 1e30, all += double(values[i]) * double(values[i]);
                }
                const double error = std::sqrt(apart / all);
                worst = std::max(worst, error);
                expect(error < image.tolerance, fmt::format("{}: {} of the whole", channel, error));
            }
            std::printf("%-34s off by %.2g\n", row.c_str(), worst);
        } catch (const std::exception& e) {
            expect(false, e.what());
        }
    }
}
