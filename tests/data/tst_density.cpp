// Densities on a grid: mass is kept, a point gives the kernel, many points the density smoothed.
#include <QtTest>
#include <cmath>

#include "core/data/density.h"
#include "core/data/mixture.h"

namespace {

double massOf(const std::vector<float>& density, const core::PlaneGrid& grid) {
    const double cell = 2 * grid.extent / (grid.side - 1);
    double sum = 0;
    for (float d : density) sum += d * cell * cell;
    return sum;
}

}  // namespace

class DensityTest : public QObject {
    Q_OBJECT

  private slots:
    void massIsTheShareInside() {
        const core::PlaneGrid grid;
        const std::vector<float> points{0, 0, 1, 1, -1, 2, 9, 0, 0, std::nanf("")};
        const std::vector<float> density = core::planeDensity(points, grid, 0.2);
        QCOMPARE(density.size(), size_t(grid.side * grid.side));
        QVERIFY(std::abs(massOf(density, grid) - 0.6) < 1e-4);
    }

    void onePointGivesTheKernelAtItsPlace() {
        const core::PlaneGrid grid{61, 3};  // points 0.1 apart, one of them at (1, -0.5)
        const std::vector<float> density = core::planeDensity(std::vector<float>{1, -0.5f}, grid, 0.3);
        for (int row = 0; row < 61; ++row)
            for (int column = 0; column < 61; ++column) {
                const double dx = grid.coordinate(column) - 1, dy = grid.coordinate(row) + 0.5;
                const double expected = std::exp(-(dx * dx + dy * dy) / 0.18) / (2 * M_PI * 0.09);
                QVERIFY(std::abs(density[size_t(row) * 61 + size_t(column)] - expected) < 0.01);
            }
    }

    void manyPointsGiveTheDensitySmoothed() {
        const core::Mixture exact(2, {{1, {-1, 0.5}, 0.4}, {2, {1.2, -0.3}, 0.5}});
        core::Mixture smoothed(
            2, {{1, {-1, 0.5}, std::hypot(0.4, 0.2)}, {2, {1.2, -0.3}, std::hypot(0.5, 0.2)}});
        const core::PlaneGrid grid;
        const std::vector<float> density = core::planeDensity(exact.draw(200000, 3), grid, 0.2);
        for (int row = 0; row < grid.side; ++row)
            for (int column = 0; column < grid.side; ++column) {
                const double expected = smoothed.density(grid.coordinate(column), grid.coordinate(row));
                QVERIFY(std::abs(density[size_t(row * grid.side + column)] - expected) < 0.01);
            }
    }
};

QTEST_GUILESS_MAIN(DensityTest)
#include "tst_density.moc"
