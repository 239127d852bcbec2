// A mixture of isotropic Gaussians on the line or in the plane: density, score and draws in closed form.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace core {

struct Component {
    double weight = 1;  // any positive number; the mixture divides by the sum
    std::array<double, 2> mean{};
    double sigma = 1;
};

class Mixture {
  public:
    // Throws where there is no component, or a weight or sigma is not positive and finite.
    Mixture(int dimensions, std::vector<Component> components);

    int dimensions() const { return m_dimensions; }
    int modes() const { return int(m_components.size()); }
    const std::vector<Component>& components() const { return m_components; }  // weights sum to 1

    // Of a point (x, y); on the line y is not looked at.
    double density(double x, double y = 0) const;
    double logDensity(double x, double y = 0) const;
    std::array<double, 2> score(double x, double y = 0) const;  // gradient of the log density

    // The mode whose mean is fewest of its own sigmas away, and how many.
    struct Nearest {
        int mode = 0;
        double sigmas = 0;
    };
    Nearest nearestMode(double x, double y = 0) const;

    // count independent points, count x dimensions; point i is the same whatever count is.
    std::vector<float> draw(int64_t count, uint64_t seed) const;

    // In the plane: eight modes on a circle of radius 2; a 5 x 5 grid. Both equally weighted.
    static Mixture ring8();
    static Mixture grid25();
    // On the line: N(0, 1); two equal modes; three of unequal weight and width.
    static Mixture gaussian();
    static Mixture bimodal();
    static Mixture trimodal();

  private:
    int m_dimensions;
    std::vector<Component> m_components;
    std::vector<double> m_cumulative;  // of the weights
    std::vector<double> m_logFactor;   // log of weight over the normalising constant
};

}  // namespace core
