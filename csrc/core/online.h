// A row of logits read in parts: what a part comes to, and how two parts become one (the online
// softmax of Milakov & Gimelshein 2018, arXiv:1805.02867).
#pragma once

#include "classification.h"

namespace ftcore {

// Of some classes of a row: the largest logit, the first class that has it, and the sums over the
// other ones of these classes, relative to it.
struct RowPart {
  double max;
  int64_t prediction;
  RowSums sums;
};

// The parts have different classes; both are finite.
FTCORE_HOST_DEVICE inline RowPart merge(const RowPart& a, const RowPart& b) {
  const bool b_leads = b.max > a.max || (b.max == a.max && b.prediction < a.prediction);
  RowPart result = b_leads ? b : a;
  const RowPart& other = b_leads ? a : b;
  const double d = other.max - result.max, scale = exp(d);
  if (scale == 0) return result;
  const double total = 1.0 + other.sums.rest;  // with the other prediction's own term
  result.sums.rest += scale * total;
  result.sums.weighted += scale * (other.sums.weighted + d * total);
  result.sums.squares += scale * scale * (1.0 + other.sums.squares);
  return result;
}

}  // namespace ftcore
