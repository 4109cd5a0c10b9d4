// What regression_statistics_ reads and writes, as raw pointers, and what one value adds.
// Knows no torch and no device: CPU and CUDA kernels share it.
#pragma once

#include <cmath>
#include <cstdint>

#include "element.h"

namespace ftcore {

struct RegressionBatch {
  Table outputs, targets;
  const int64_t* weights;  // null where each row counts once
  int64_t columns;
  double center;
};

// The two vectors of a state, as RegressionLayout in ftcore/ops/regression_layout.py says.
constexpr int64_t kRegressionCounts = 3, kRegressionSums = 8;

// Where a value counts, in the order of the counts.
enum class RegressionOutcome { n, non_finite, invalid };

FTCORE_HOST_DEVICE inline RegressionOutcome regression_outcome(double output, double target) {
  constexpr double most = 1.7976931348623157e308;
  if (!(fabs(target) <= most)) return RegressionOutcome::invalid;
  return fabs(output) <= most ? RegressionOutcome::n : RegressionOutcome::non_finite;
}

struct RegressionCounts {
  int64_t *n, *non_finite, *invalid;  // each (columns,)

  FTCORE_HOST_DEVICE RegressionCounts(int64_t* start, int64_t columns)
      : n(start), non_finite(start + columns), invalid(start + 2 * columns) {}

  FTCORE_HOST_DEVICE int64_t* of(RegressionOutcome outcome) const {
    if (outcome == RegressionOutcome::n) return n;
    return outcome == RegressionOutcome::invalid ? invalid : non_finite;
  }
};

// What a scored value adds to each sum, in their order.
struct RegressionTerms {
  double absolute, squared, error;
  double output, target, output_squared, target_squared, product;
};

FTCORE_HOST_DEVICE inline RegressionTerms regression_terms(double output, double target,
                                                           double center) {
  const double d = output - target, p = output - center, t = target - center;
  return {fabs(d), d * d, d, p, t, p * p, t * t, p * t};
}

}  // namespace ftcore
