#pragma once

namespace support {

// A sanitizer makes everything ten times slower.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int slower = 10;
#else
constexpr int slower = 1;
#endif

}  // namespace support
