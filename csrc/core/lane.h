// What one of several threads keeps of a row while it reads its share of the classes, in the
// precision Real: the online softmax of online.h, one logit at a time.
#pragma once

#include "online.h"

namespace ftcore {

FTCORE_HOST_DEVICE inline float exp_of(float x) { return expf(x); }
FTCORE_HOST_DEVICE inline double exp_of(double x) { return exp(x); }
FTCORE_HOST_DEVICE inline float log1p_of(float x) { return log1pf(x); }
FTCORE_HOST_DEVICE inline double log1p_of(double x) { return log1p(x); }

// The largest logit begins at -2^100, as if a class -1 had it, which a logit above takes no notice
// of: exp(-2^100 - z) is 0. Anything infinite or not a number, and what overflows, ends as a
// `weighted` that is not a number, and no class above -2^100 as the prediction -1: see is_sound.
template <class Real>
struct Lane {
  Real max = static_cast<Real>(-0x1p100);
  int32_t prediction = -1;
  Real rest = 0, weighted = 0, squares = 0;  // since the last settle()
  Real settled_max = static_cast<Real>(-0x1p100);
  RowSums settled{0, 0, 0};

  FTCORE_HOST_DEVICE void add(Real z, int32_t c) {
    const bool leads = z > max;
    const Real d = leads ? max - z : z - max, e = exp_of(d), total = 1 + rest;
    weighted = leads ? e * (weighted + d * total) : weighted + e * d;
    rest = leads ? e * total : rest + e;
    squares = leads ? e * e * (1 + squares) : squares + e * e;
    max = leads ? z : max;
    prediction = leads ? c : prediction;
  }

  // To be called at the end, and before then as often as sums in Real would become long.
  FTCORE_HOST_DEVICE void settle() {
    const Real d = settled_max - max;
    if (d != 0) {
      const double e = exp_of(d);
      settled.weighted = e * (settled.weighted + d * settled.rest);
      settled.rest *= e;
      settled.squares *= e * e;
      settled_max = max;
    }
    settled.rest += rest;
    settled.weighted += weighted;
    settled.squares += squares;
    rest = weighted = squares = 0;
  }

  // This lane's part of the sums of a row with this prediction and largest logit, once settled.
  FTCORE_HOST_DEVICE RowSums relative_to(Real row_max, int32_t row_prediction) const {
    if (prediction == row_prediction) return settled;
    const Real d = max - row_max;
    const double e = exp_of(d), total = 1 + settled.rest;
    return {e * total, e * (settled.weighted + d * total), e * e * (1 + settled.squares)};
  }
};

// Whether what lanes found is right; otherwise the row is to be read again by ExactLanes.
FTCORE_HOST_DEVICE inline bool is_sound(const RowPart& part) {
  return part.prediction >= 0 && part.sums.weighted - part.sums.weighted == 0;
}

// The same of any logits whatever, in float64 and two passes: this is the first.
struct ExactLane {
  double max = -INFINITY;
  int32_t prediction = -1;
  double zeros = 0;  // not a number if a logit is not finite

  FTCORE_HOST_DEVICE void add(double z, int32_t c) {
    zeros += z * 0.0;
    if (z > max) {
      max = z;
      prediction = c;
    }
  }
};

// And the second, of a class other than the prediction.
FTCORE_HOST_DEVICE inline void add_exactly(RowSums& sums, double d) {
  const double e = exp(d);
  sums.rest += e;
  if (e > 0) sums.weighted += e * d;
  sums.squares += e * e;
}

// What a row that was read comes to, whose target and z_target are known.
template <class Real>
FTCORE_HOST_DEVICE inline Row row_of(const RowPart& part, int64_t target, double z_target,
                                     int64_t rank) {
  Row row{target, part.prediction, rank, 0, 0, 0, 0};
  const double below = part.max - z_target;
  finish_row(row, part.sums, below, exp_of(static_cast<Real>(-below)),
             log1p_of(static_cast<Real>(part.sums.rest)));
  return row;
}

}  // namespace ftcore
