#include "views/ticks.h"

#include <fmt/format.h>

#include <cmath>

namespace views {

namespace {

double roundStep(double raw) {
    const double power = std::pow(10, std::floor(std::log10(raw)));
    const double digit = raw / power;
    return power * (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10);
}

std::string plain(double value, double step) {
    if (std::abs(value) < step * 1e-6) return "0";
    if (std::abs(value) >= 1e7 || step < 1e-4) return figure(value, 2);
    if (step >= 1) return count(int64_t(std::llround(value)));
    const int decimals = std::max(0, int(std::ceil(-std::log10(step) - 1e-9)));
    return (value < 0 ? "−" : "") + fmt::format("{:.{}f}", std::abs(value), decimals);
}

std::string powerOfTen(int exponent) {
    if (exponent >= -2 && exponent <= 3)
        return plain(std::pow(10, exponent), std::pow(10, std::min(exponent, 0)));
    return (exponent < 0 ? "10^{−" : "10^{") + std::to_string(std::abs(exponent)) + "}";
}

}  // namespace

std::vector<Tick> ticksOf(const Axis& axis, int wanted) {
    std::vector<Tick> ticks;
    const double low = std::min(axis.low, axis.high), high = std::max(axis.low, axis.high);
    if (!std::isfinite(low) || !std::isfinite(high) || !(high > low)) return ticks;
    wanted = std::clamp(wanted, 2, 8);
    if (axis.log && low > 0) {
        const int first = int(std::ceil(std::log10(low) - 1e-9)),
                  last = int(std::floor(std::log10(high) + 1e-9));
        const int stride = std::max(1, (last - first + wanted) / wanted);
        for (int e = first; e <= last; e += stride) ticks.push_back({std::pow(10, e), powerOfTen(e)});
        if (ticks.size() >= 2) return ticks;
        // Less than two decades: 1, 2, 5.
        ticks.clear();
        for (int e = first - 1; e <= last; ++e) {
            for (int digit : {1, 2, 5}) {
                const double value = digit * std::pow(10, e);
                if (value >= low && value <= high)
                    ticks.push_back({value, plain(value, std::pow(10, std::min(e, 0)))});
            }
        }
        return ticks;
    }
    double step = roundStep((high - low) / wanted);
    if (axis.whole) step = std::max(1.0, step);
    if (!(step > 0) || !std::isfinite(step)) return ticks;
    const double begin = std::ceil(low / step - 1e-9);
    for (int i = 0; i < 2 * wanted + 2; ++i) {
        const double value = (begin + i) * step;
        if (value > high + step * 1e-9) break;
        ticks.push_back({value, plain(value, step)});
    }
    return ticks;
}

Axis axisOver(double low, double high, std::string label, bool log) {
    Axis axis{.label = std::move(label), .log = log};
    if (!std::isfinite(low) || !std::isfinite(high) || low > high) {
        low = log ? 0.1 : 0;
        high = 1;
    }
    if (log) {
        high = std::max(high, 1e-30);
        low = std::clamp(low, high * 1e-8, high);
        axis.low = std::pow(10, std::floor(std::log10(low) - 0.02));
        axis.high = std::pow(10, std::ceil(std::log10(high) + 0.02));
        return axis;
    }
    if (high - low < 1e-9 * std::max(1.0, std::abs(high))) {
        const double room = std::max(0.5, std::abs(high) * 0.1);
        low -= room;
        high += room;
    }
    const double step = roundStep((high - low) / 5);
    axis.low = std::floor(low / step + 1e-9) * step;
    axis.high = std::ceil(high / step - 1e-9) * step;
    return axis;
}

}  // namespace views
