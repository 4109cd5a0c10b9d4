// What classification_statistics_ reads and writes, as raw pointers, and what one row comes to.
// Knows no torch and no device: CPU and CUDA kernels share it.
#pragma once

#include <cmath>
#include <cstdint>

#include "element.h"

namespace ftcore {

using Logit = Element;

// Row r = o * inner + i of the logits starts at o * outer_stride + i * inner_stride; strides count
// elements. Targets and weights lie one after the other.
struct Batch {
  const void* logits;
  const int64_t* targets;
  const int64_t* weights;  // null where each row counts once
  Logit type;
  int64_t inner, outer_stride, inner_stride;
  int64_t classes, class_stride;
  int64_t bins;
  bool has_ignore_index;
  int64_t ignore_index;

  FTCORE_HOST_DEVICE int64_t weight(int64_t r) const { return weights == nullptr ? 1 : weights[r]; }
};

// The vector of counts, as ClassificationLayout in ftcore/ops/classification_layout.py says.
struct Counts {
  int64_t *n, *ignored, *non_finite, *invalid;
  int64_t *rank, *support, *predicted, *correct, *bin_count, *bin_correct;
  int64_t* confusion;  // null where it is not kept
  bool shares_confusion = false;  // with other threads

  static FTCORE_HOST_DEVICE int64_t size(int64_t classes, int64_t bins, bool confusion) {
    return 4 + 4 * classes + 2 * bins + (confusion ? classes * classes : 0);
  }

  FTCORE_HOST_DEVICE Counts(int64_t* start, int64_t classes, int64_t bins, bool has_confusion)
      : n(start),
        ignored(start + 1),
        non_finite(start + 2),
        invalid(start + 3),
        rank(start + 4),
        support(rank + classes),
        predicted(support + classes),
        correct(predicted + classes),
        bin_count(correct + classes),
        bin_correct(bin_count + bins),
        confusion(has_confusion ? bin_correct + bins : nullptr) {}
};

constexpr int64_t kScalarSums = 3;  // nll, brier, entropy; then bin_confidence (bins,)

// One scored row, as ROW_LABELS and ROW_VALUES say.
struct Row {
  int64_t target, prediction, rank;
  double confidence, nll, brier, entropy;
};

struct RowOutputs {  // null where they are not wanted
  int64_t* labels;
  double* values;

  FTCORE_HOST_DEVICE RowOutputs from(int64_t place) const {
    return {labels == nullptr ? nullptr : labels + 3 * place,
            values == nullptr ? nullptr : values + 4 * place};
  }

  FTCORE_HOST_DEVICE void put(int64_t place, const Row& row) const {
    if (labels != nullptr) {
      int64_t* label = labels + 3 * place;
      label[0] = row.target;
      label[1] = row.prediction;
      label[2] = row.rank;
    }
    if (values != nullptr) {
      double* value = values + 4 * place;
      value[0] = row.confidence;
      value[1] = row.nll;
      value[2] = row.brier;
      value[3] = row.entropy;
    }
  }

  FTCORE_HOST_DEVICE void put_unscored(int64_t place, int64_t target) const {
    put(place, Row{target, -1, -1, NAN, NAN, NAN, NAN});
  }
};

// Sums over the classes other than the prediction, of e = exp(z - max). The prediction's own term,
// which is 1, is left out, so that a confident row keeps the digits of 1 - confidence.
struct RowSums {
  double rest;      // sum of e
  double weighted;  // sum of e * (z - max)
  double squares;   // sum of e * e
};

// below: max - z_target; e_target: exp(-below); log_total: log1p(sums.rest).
FTCORE_HOST_DEVICE inline void finish_row(Row& row, const RowSums& sums, double below,
                                          double e_target, double log_total) {
  const double inverse = 1.0 / (1.0 + sums.rest);
  row.confidence = inverse;
  row.nll = log_total + below;
  row.entropy = log_total - sums.weighted * inverse;
  const bool is_correct = row.target == row.prediction;
  const double missing = (is_correct ? sums.rest : 1.0 + sums.rest - e_target) * inverse;
  const double others = is_correct ? sums.squares : 1.0 + sums.squares - e_target * e_target;
  row.brier = missing * missing + others * inverse * inverse;
}

// Whether a confidence known to a few units of 1e-7 may lie on either side of the edge of a bin.
FTCORE_HOST_DEVICE inline bool is_near_edge(double confidence, int64_t bins) {
  const double place = confidence * static_cast<double>(bins);
  const double edge = floor(place + 0.5);
  return fabs(place - edge) <= 4e-6 * place && edge < static_cast<double>(bins);
}

FTCORE_HOST_DEVICE inline int64_t bin_of(double confidence, int64_t bins) {
  const int64_t bin = static_cast<int64_t>(confidence * static_cast<double>(bins));
  return bin < bins ? bin : bins - 1;
}

}  // namespace ftcore
