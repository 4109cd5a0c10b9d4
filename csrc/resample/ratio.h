// Ratios of sums over units: F1 of spans, word error rate, and, over ones, plain means.
#pragma once

#include <cstdint>

#include "ranking.h"

namespace ftcore::resample {

inline double divide(double numerator, double denominator) {
  return denominator == 0 ? kUndefined : numerator / denominator;
}

// The ratio of two sums over `units` numbers that lie `stride` apart, each as often as its unit
// counts, added up in order.
template <class Count>
double ratio(const double* numerator, const double* denominator, const Count* weight, int64_t units,
             int64_t stride) {
  double above = 0, below = 0;
  for (int64_t u = 0; u < units; ++u) {
    const double count = static_cast<double>(weight[u]);
    above += count * numerator[u * stride];
    below += count * denominator[u * stride];
  }
  return divide(above, below);
}

// The ratio of one of two models after units swapped theirs: numbers are (2, units), and `model` is
// 0 for the first.
inline double swapped_ratio(const double* numerator, const double* denominator,
                            const uint8_t* swap, int64_t units, int model) {
  double above = 0, below = 0;
  for (int64_t u = 0; u < units; ++u) {
    const int64_t place = (swap[u] ^ model) * units + u;
    above += numerator[place];
    below += denominator[place];
  }
  return divide(above, below);
}

}  // namespace ftcore::resample
