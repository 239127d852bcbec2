#include "core/data/transport.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/base/error.h"

namespace core {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

}  // namespace

Pairing::Pairing(std::span<const float> a, std::span<const float> b, int columns) {
    CHECK(columns > 0 && !a.empty() && a.size() == b.size() && a.size() % size_t(columns) == 0,
          "pairing: expected two sets of as many points of {} numbers, got {} and {} numbers", columns,
          a.size(), b.size());
    m_n = int(a.size()) / columns;
    const auto n = size_t(m_n);
    m_cost.resize(n * n);
    for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j < n; ++j) {
            double sum = 0;
            for (size_t c = 0; c < size_t(columns); ++c) {
                const double d = double(a[i * size_t(columns) + c]) - double(b[j * size_t(columns) + c]);
                sum += d * d;
            }
            m_cost[i * n + j] = float(sum);
        }
    m_price.assign(n, 0);
    m_columnOf.assign(n, -1);
    m_rowOf.assign(n, -1);
}

bool Pairing::advance(int rows) {
    if (!m_begun) {
        m_begun = true;
        reduceColumns();
        for (int i = 0; i < m_n; ++i)
            if (m_columnOf[size_t(i)] < 0) m_free.push_back(i);
        for (int pass = 0; pass < 2; ++pass) m_free = reduceRows(m_free);
        std::reverse(m_free.begin(), m_free.end());
        return m_free.empty();
    }
    for (; rows > 0 && !m_free.empty(); --rows) {
        augment(m_free.back());
        m_free.pop_back();
    }
    return m_free.empty();
}

double Pairing::distance() const {
    double sum = 0;
    for (int i = 0; i < m_n; ++i) sum += double(row(i)[m_columnOf[size_t(i)]]);
    return std::sqrt(sum / m_n);
}

// Each column goes to its cheapest row, if that one is still free.
void Pairing::reduceColumns() {
    std::vector<int> cheapest(size_t(m_n), 0);
    for (int j = 0; j < m_n; ++j) m_price[size_t(j)] = double(row(0)[j]);
    for (int i = 1; i < m_n; ++i)
        for (int j = 0; j < m_n; ++j)
            if (double(row(i)[j]) < m_price[size_t(j)]) {
                m_price[size_t(j)] = double(row(i)[j]);
                cheapest[size_t(j)] = i;
            }
    for (int j = m_n - 1; j >= 0; --j) {
        const int i = cheapest[size_t(j)];
        if (m_columnOf[size_t(i)] < 0) pair(i, j);
    }
}

// Free rows take the column that is cheapest for them and lower its price until the second best is as
// good.
std::vector<int> Pairing::reduceRows(const std::vector<int>& free) {
    std::vector<int> left;
    for (int start : free) {
        int i = start;
        for (int tries = 0; i >= 0; ++tries) {
            const float* cost = row(i);
            double best = infinite, second = infinite;
            int column = -1;
            for (int j = 0; j < m_n; ++j) {
                const double c = double(cost[j]) - m_price[size_t(j)];
                if (c >= second) continue;
                if (c >= best) {
                    second = c;
                } else {
                    second = best;
                    best = c;
                    column = j;
                }
            }
            const int evicted = m_rowOf[size_t(column)];
            if (best == second && evicted >= 0) {
                left.push_back(i);  // nothing can be gained here without a longer way
                break;
            }
            m_price[size_t(column)] -= second - best;
            if (evicted >= 0) m_columnOf[size_t(evicted)] = -1;
            pair(i, column);
            i = evicted;
            if (i >= 0 && tries == m_n) {
                left.push_back(i);
                break;
            }
        }
    }
    return left;
}

// The shortest way, by prices, from a free row to a free column (Dijkstra); pairs along it change sides.
void Pairing::augment(int start) {
    const auto n = size_t(m_n);
    m_distance.resize(n);
    m_from.assign(n, start);
    m_todo.resize(n);
    for (int j = 0; j < m_n; ++j) {
        m_distance[size_t(j)] = double(row(start)[j]) - m_price[size_t(j)];
        m_todo[size_t(j)] = j;
    }
    size_t done = 0;
    int end = -1;
    double shortest = 0;
    while (end < 0) {
        size_t at = done;
        for (size_t k = done + 1; k < n; ++k)
            if (m_distance[size_t(m_todo[k])] < m_distance[size_t(m_todo[at])]) at = k;
        std::swap(m_todo[done], m_todo[at]);
        const int j = m_todo[done];
        shortest = m_distance[size_t(j)];
        const int i = m_rowOf[size_t(j)];
        if (i < 0) {
            end = j;
            break;
        }
        ++done;
        const float* cost = row(i);
        const double base = double(cost[j]) - m_price[size_t(j)] - shortest;
        for (size_t k = done; k < n; ++k) {
            const int other = m_todo[k];
            const double d = double(cost[other]) - m_price[size_t(other)] - base;
            if (d >= m_distance[size_t(other)]) continue;
            m_distance[size_t(other)] = d;
            m_from[size_t(other)] = i;
        }
    }
    for (size_t k = 0; k < done; ++k) m_price[size_t(m_todo[k])] += m_distance[size_t(m_todo[k])] - shortest;
    for (int j = end; j >= 0;) {
        const int i = m_from[size_t(j)], before = m_columnOf[size_t(i)];
        pair(i, j);
        j = i == start ? -1 : before;
    }
}

void Pairing::pair(int i, int j) {
    m_columnOf[size_t(i)] = j;
    m_rowOf[size_t(j)] = i;
}

double wasserstein2(std::span<const float> a, std::span<const float> b, int columns) {
    Pairing pairing(a, b, columns);
    while (!pairing.advance(1000)) {
    }
    return pairing.distance();
}

}  // namespace core
