// What multilabel_statistics_ reads and writes, as raw pointers, and what one label of a row adds.
// Knows no torch and no device: CPU and CUDA kernels share it.
#pragma once

#include <cstdint>

#include "element.h"

namespace ftcore {

// Targets (rows, labels) lie one row after the other, as bytes or as int64.
struct MultilabelBatch {
  Table logits;
  const void* targets;
  bool has_byte_targets;
  const int64_t* weights;  // null where each row counts once
  int64_t labels;
  bool has_ignore_index;
  int64_t ignore_index;
};

// Bins of logits, as ftcore/ops/logit_bins.py says.
constexpr int32_t kLogitSteps = 16 << 5;  // of each sign: octaves times bins of an octave
constexpr int64_t kLogitBins = 2 * (kLogitSteps + 1) + 1;

// Of the bits of a finite float.
FTCORE_HOST_DEVICE inline int32_t logit_bin(int32_t bits) {
  constexpr int32_t drop = 23 - 5, first = (127 - 8) << 5, last = kLogitSteps + 1;
  const int32_t place = ((bits & 0x7fffffff) >> drop) - first + 1;
  const int32_t step = place < 0 ? 0 : place > last ? last : place;
  return bits < 0 ? last - step : last + step;
}

// The vector of counts, as MultilabelLayout in ftcore/ops/multilabel_layout.py says.
struct MultilabelCounts {
  int64_t *rows, *exact;
  int64_t *ignored, *invalid, *non_finite;
  int64_t *true_positive, *false_positive, *false_negative, *true_negative;  // these seven (labels,)
  int64_t *positives, *negatives;                                             // (labels, kLogitBins)
  bool shares_histograms = false;  // with other threads

  static FTCORE_HOST_DEVICE int64_t size(int64_t labels, bool with_histograms) {
    return 2 + 7 * labels + (with_histograms ? 2 * labels * kLogitBins : 0);
  }

  FTCORE_HOST_DEVICE MultilabelCounts(int64_t* start, int64_t labels)
      : rows(start),
        exact(start + 1),
        ignored(start + 2),
        invalid(ignored + labels),
        non_finite(invalid + labels),
        true_positive(non_finite + labels),
        false_positive(true_positive + labels),
        false_negative(false_positive + labels),
        true_negative(false_negative + labels),
        positives(true_negative + labels),
        negatives(positives + labels * kLogitBins) {}
};

constexpr int64_t kMultilabelSums = 2;  // nll, brier: each (labels,)

// What a target asks for. The first bit of a code is whether the label is there.
constexpr int32_t kIsThere = 1, kIgnoredLabel = 2, kInvalidLabel = 3;

FTCORE_HOST_DEVICE inline int32_t label_code(int64_t target, bool has_ignore_index,
                                             int64_t ignore_index) {
  const int32_t code = target == 1 ? kIsThere : target == 0 ? 0 : kInvalidLabel;
  return has_ignore_index && target == ignore_index ? kIgnoredLabel : code;
}

// Where a label counts: which of the vectors of counts from `ignored` on. The first three are not
// scored.
enum LabelOutcome : int32_t {
  kIgnoredOutcome,
  kInvalidOutcome,
  kNonFiniteOutcome,
  kTruePositive,
  kFalsePositive,
  kFalseNegative,
  kTrueNegative,
  kLabelOutcomes
};

FTCORE_HOST_DEVICE inline bool is_scored(LabelOutcome outcome) {
  return outcome > kNonFiniteOutcome;
}

FTCORE_HOST_DEVICE inline bool is_mistake(LabelOutcome outcome) {
  return outcome == kFalsePositive || outcome == kFalseNegative;
}

template <class T>
FTCORE_ALWAYS_INLINE LabelOutcome label_outcome(T z, int32_t code) {
  if (code == kIgnoredLabel) return kIgnoredOutcome;
  if (code == kInvalidLabel) return kInvalidOutcome;
  if (z * 0 != 0) return kNonFiniteOutcome;
  if (code == kIsThere) return z >= 0 ? kTruePositive : kFalseNegative;
  return z >= 0 ? kFalsePositive : kTrueNegative;
}

template <class T>
struct BinaryLoss {
  T nll, brier;
};

// Of a logit z, with magnitude |z|, e = exp(-|z|) and log_total = log1p(e); is_wrong says whether
// its sign is not the target's. Both losses keep their digits where the logit is far from 0.
template <class T>
FTCORE_ALWAYS_INLINE BinaryLoss<T> binary_loss(T magnitude, T e, T log_total, bool is_wrong) {
  const T missing = (is_wrong ? T{1} : e) / (T{1} + e);
  return {is_wrong ? log_total + magnitude : log_total, missing * missing};
}

}  // namespace ftcore
