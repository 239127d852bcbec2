// Numbers as people read them: significant digits, a true minus, powers of ten where needed.
#pragma once

#include <QString>

namespace app {

// "0.496", "−1.39", "237", "1.20×10⁻⁵"; an en dash for what is not finite. Whole digits before the point
// are never rounded away: 1234 with three digits is "1234".
QString numberText(double value, int digits);

}  // namespace app
