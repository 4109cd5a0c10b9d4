// Confidences times weights as integers, which add up exactly and thus in any order.
#pragma once

#include <cmath>
#include <cstdint>

#include "classification.h"

namespace ftcore {

constexpr int kLimbBits = 18, kLimbs = 3;
constexpr int64_t kMostTerms = 2048;  // that 32 bits hold of a limb, or of a small weight
constexpr int64_t kSmall = (int64_t{1} << 31) / kMostTerms;

FTCORE_HOST_DEVICE inline bool is_small(int64_t value) { return value > -kSmall && value < kSmall; }

// whole + sum over k of limb[k] * 2^(18 * (k - 3)). Limbs add up in 32 bits, kMostTerms of them.
struct FixedPoint {
  int32_t limb[kLimbs];
  int64_t whole;  // 0 unless the weight is large
};

// `digits` says how many limbs of the confidence count: 2 are exact to 2^-37, 3 to 2^-55.
FTCORE_HOST_DEVICE inline FixedPoint fixed_point(double confidence, int64_t weight, int digits) {
  const int unused = kLimbBits * (kLimbs - digits);
  const double units = confidence * static_cast<double>(int64_t{1} << (kLimbBits * digits));
  __extension__ typedef __int128 Wide;
  Wide product = (static_cast<Wide>(static_cast<int64_t>(rint(units))) << unused) * weight;
  FixedPoint result;
  for (int k = 0; k < kLimbs; ++k) {
    const bool is_last = k + 1 == kLimbs;
    if (is_last && product > -kSmall && product < kSmall) {
      result.limb[k] = static_cast<int32_t>(product);
      product = 0;
    } else {
      result.limb[k] = static_cast<int32_t>(product & ((1 << kLimbBits) - 1));
      product >>= kLimbBits;
    }
  }
  result.whole = static_cast<int64_t>(product);
  return result;
}

}  // namespace ftcore
