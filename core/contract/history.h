// One scalar over training steps in bounded memory: no step is lost, old ones share a bucket.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace core {

class History {
  public:
    static constexpr size_t capacity = 1024;

    struct Bucket {
        int64_t step;  // the last step that fell into it
        float mean, low, high;
        int count;
    };

    // Steps must not decrease. A non-finite value is kept as a gap.
    void add(int64_t step, float value) {
        if (!m_buckets.empty() && m_buckets.back().count < m_stride) {
            merge(m_buckets.back(), {step, value, value, value, 1});
        } else {
            if (m_buckets.size() == capacity) halve();
            m_buckets.push_back({step, value, value, value, 1});
        }
        m_last = value;
    }

    // What was looked at once more on the same step, after something was changed there, is the last value.
    void addOrReplace(int64_t step, float value) {
        if (m_buckets.empty() || m_buckets.back().step < step) return add(step, value);
        Bucket& last = m_buckets.back();
        if (value == m_last || step != last.step) return;
        if (last.count == 1) {
            last = {step, value, value, value, 1};
        } else {
            last.mean += (value - m_last) / float(last.count);
            last.low = std::min(last.low, value);
            last.high = std::max(last.high, value);
        }
        m_last = value;
    }

    // Forgets everything after `step` (a run that went back in time). Of a bucket that the step divides, the
    // part before it stays, with the mean and range of the whole.
    void truncate(int64_t step) {
        Bucket divided{.count = 0};
        while (!m_buckets.empty() && m_buckets.back().step > step) {
            divided = m_buckets.back();
            m_buckets.pop_back();
        }
        const int64_t before = m_buckets.empty() ? 0 : m_buckets.back().step;
        if (divided.count > 1 && step > before) {
            const double share = double(step - before) / double(divided.step - before);
            divided.count = std::max(1, int(share * divided.count));
            divided.step = step;
            m_buckets.push_back(divided);
        }
        if (!m_buckets.empty()) m_last = m_buckets.back().mean;
    }

    const std::vector<Bucket>& buckets() const { return m_buckets; }
    bool empty() const { return m_buckets.empty(); }
    float last() const { return m_last; }

  private:
    static void merge(Bucket& into, const Bucket& from) {
        const float total = float(into.count + from.count);
        into.mean = (into.mean * float(into.count) + from.mean * float(from.count)) / total;
        into.low = std::min(into.low, from.low);
        into.high = std::max(into.high, from.high);
        into.count += from.count;
        into.step = from.step;
    }
    void halve() {
        for (size_t i = 0; i < capacity / 2; ++i) {
            m_buckets[i] = m_buckets[2 * i];
            merge(m_buckets[i], m_buckets[2 * i + 1]);
        }
        m_buckets.resize(capacity / 2);
        m_stride *= 2;
    }

    std::vector<Bucket> m_buckets;
    int m_stride = 1;
    float m_last = 0;
};

}  // namespace core
