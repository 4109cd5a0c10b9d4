// Which counter a row belongs to.
#pragma once

#include "classification.h"

namespace ftcore {

// Why a row is not scored. A row of weight 0 is left out altogether.
constexpr int64_t kIgnored = -1, kInvalid = -2, kLeftOut = -3, kNonFinite = -4;

// The class of row r from 0 to C - 1, or why it is not to be scored.
FTCORE_HOST_DEVICE inline int64_t classify(const Batch& batch, int64_t r) {
  if (batch.weight(r) == 0) return kLeftOut;
  const int64_t target = batch.targets[r];
  if (batch.has_ignore_index && target == batch.ignore_index) return kIgnored;
  return target >= 0 && target < batch.classes ? target : kInvalid;
}

}  // namespace ftcore
