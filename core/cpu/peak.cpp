#include "core/cpu/peak.h"

#include <immintrin.h>

#include <algorithm>
#include <ctime>
#include <numeric>
#include <string_view>
#include <vector>

#include "core/cpu/call.h"
#include "core/cpu/pool.h"

namespace core::cpu {
namespace {

// More chains than latency times issue width, so that the multipliers are never idle.
constexpr int chains = 16;

// Each function makes `rounds` times `chains` fused multiply-adds and says what that was in operations.
using Loop = double (*)(int64_t rounds, float* sink);

__attribute__((target("avx512f"))) double loop512(int64_t rounds, float* sink) {
    __m512 x[chains];
    for (int i = 0; i < chains; ++i) x[i] = _mm512_set1_ps(1 + float(i));
    const __m512 a = _mm512_set1_ps(*sink), b = _mm512_set1_ps(1e-3f);
    for (int64_t round = 0; round < rounds; ++round)
#pragma GCC unroll 16
        for (int i = 0; i < chains; ++i) x[i] = _mm512_fmadd_ps(x[i], a, b);
    for (int i = 1; i < chains; ++i) x[0] = _mm512_add_ps(x[0], x[i]);
    *sink = _mm512_cvtss_f32(x[0]);
    return 2.0 * 16 * chains * double(rounds);
}

// Sixteen registers are all there are: ten chains, and two operands.
__attribute__((target("avx2,fma"))) double loop256(int64_t rounds, float* sink) {
    constexpr int few = 10;
    __m256 x[few];
    for (int i = 0; i < few; ++i) x[i] = _mm256_set1_ps(1 + float(i));
    const __m256 a = _mm256_set1_ps(*sink), b = _mm256_set1_ps(1e-3f);
    for (int64_t round = 0; round < rounds; ++round)
#pragma GCC unroll 10
        for (int i = 0; i < few; ++i) x[i] = _mm256_fmadd_ps(x[i], a, b);
    for (int i = 1; i < few; ++i) x[0] = _mm256_add_ps(x[0], x[i]);
    *sink = _mm256_cvtss_f32(x[0]);
    return 2.0 * 8 * few * double(rounds);
}

// No fused instruction: a multiplication and an addition.
double loop128(int64_t rounds, float* sink) {
    constexpr int few = 10;
    __m128 x[few];
    for (int i = 0; i < few; ++i) x[i] = _mm_set1_ps(1 + float(i));
    const __m128 a = _mm_set1_ps(*sink), b = _mm_set1_ps(1e-3f);
    for (int64_t round = 0; round < rounds; ++round)
#pragma GCC unroll 10
        for (int i = 0; i < few; ++i) x[i] = _mm_add_ps(_mm_mul_ps(x[i], a), b);
    for (int i = 1; i < few; ++i) x[0] = _mm_add_ps(x[0], x[i]);
    *sink = _mm_cvtss_f32(x[0]);
    return 2.0 * 4 * few * double(rounds);
}

Loop bestLoop() {
    const std::string_view name = bestKernels().name;
    return name == kernelsNamed("sse")->name ? loop128 : name.find("512") != name.npos ? loop512 : loop256;
}

double threadSeconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

}  // namespace

double measurePeak(int threads) {
    struct Work {
        Loop loop = bestLoop();
        std::vector<float> sinks;
        std::vector<double> rates;
    };
    constexpr int64_t rounds = 1 << 18;
    constexpr int runs = 12;
    Pool pool(threads);
    double best = 0;
    for (int run = 0; run < runs; ++run) {
        Work work;
        work.sinks.assign(size_t(threads) * 16, 0.999f);
        work.rates.assign(size_t(threads), 0);
        pool.run(
            [](void* self, int64_t index, int) {
                Work& w = *static_cast<Work*>(self);
                // Of the time that the thread had: whether it had to share its core says nothing of the core.
                const double start = threadSeconds();
                const double operations = w.loop(rounds, &w.sinks[size_t(index) * 16]);
                w.rates[size_t(index)] = operations / (threadSeconds() - start);
            },
            &work, threads);
        best = std::max(best, std::accumulate(work.rates.begin(), work.rates.end(), 0.0) / 1e9);
    }
    return best;
}

}  // namespace core::cpu
