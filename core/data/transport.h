// Optimal transport between two samples of equal size.
#pragma once

#include <span>
#include <vector>

namespace core {

// Pairs the points of two sets [n, columns] so that the sum of squared distances is least, exactly, bit by
// bit. (Jonker and Volgenant 1987: a price for each column, and rows that look for the column that is
// cheapest after its price.) In all it takes a time between n^2 and n^3: a second for 2000 points.
class Pairing {
  public:
    Pairing(std::span<const float> a, std::span<const float> b, int columns);

    // So many rows more, each in a time of n^2 at most; true when all are paired.
    bool advance(int rows);
    // The 2-Wasserstein distance of the sets: the root of the mean squared distance of the pairs.
    double distance() const;

  private:
    const float* row(int i) const { return m_cost.data() + size_t(i) * size_t(m_n); }
    void reduceColumns();
    std::vector<int> reduceRows(const std::vector<int>& free);
    void augment(int start);
    void pair(int i, int j);

    int m_n;
    std::vector<float> m_cost;  // [n, n]
    std::vector<double> m_price, m_distance;
    std::vector<int> m_columnOf, m_rowOf, m_from, m_todo;
    std::vector<int> m_free;  // rows that have no column yet
    bool m_begun = false;
};

// All at once.
double wasserstein2(std::span<const float> a, std::span<const float> b, int columns);

}  // namespace core
