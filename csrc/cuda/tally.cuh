// A block's counters in shared memory, as far as TallyShape has them, and the confidences of bins.
// Integers alone: they are exact in any order.
#pragma once

#include <cuda_runtime.h>

#include "../core/fixed_point.h"
#include "plan.h"

namespace ftcore {

inline __device__ void add_to(int32_t* cell, int32_t amount) {
  if (amount != 0) atomicAdd(cell, amount);
}

inline __device__ void add_to(int64_t* cell, int64_t amount) {
  if (amount == 0) return;
  atomicAdd(reinterpret_cast<unsigned long long*>(cell), static_cast<unsigned long long>(amount));
}

struct Tally {
  TallyShape shape;
  Counts counts;   // of the head, in global memory
  int64_t* whole;  // (bins,) of FixedPoint, as all that follows in shared memory
  int32_t *limbs, *rank, *bin_count, *bin_correct, *square, *support, *predicted, *correct;

  __device__ Tally(const TallyShape& shape_, const Counts& counts_, void* shared)
      : shape(shape_),
        counts(counts_),
        whole(static_cast<int64_t*>(shared)),
        limbs(reinterpret_cast<int32_t*>(whole + shape.bins)),
        rank(limbs + kLimbs * shape.bins),
        bin_count(rank + shape.ranks),
        bin_correct(bin_count + shape.bins),
        square(bin_correct + shape.bins),
        support(square),
        predicted(support + shape.classes),
        correct(predicted + shape.classes) {}

  __device__ void clear() const {
    int32_t* const words = reinterpret_cast<int32_t*>(whole);
    const int size = static_cast<int>(shape.bytes() / 4);
    for (int i = threadIdx.x; i < size; i += blockDim.x) words[i] = 0;
  }

  // Adds a scored row, which counts `weight` times; digits: see fixed_point.
  __device__ void add(const Row& row, int64_t bin, int64_t weight, int digits) const {
    add_confidence(row.confidence, bin, weight, digits);
    if (!is_small(weight)) {
      add_at_once(row, bin, weight);
      return;
    }
    const int32_t amount = static_cast<int32_t>(weight);
    const bool is_correct = row.prediction == row.target;
    if (row.rank < shape.ranks) {
      add_to(rank + row.rank, amount);
    } else {
      add_to(counts.rank + row.rank, weight);
    }
    add_to(bin_count + bin, amount);
    if (is_correct) add_to(bin_correct + bin, amount);
    if (shape.has_square) {
      add_to(square + row.target * shape.classes + row.prediction, amount);
    } else if (shape.has_margins) {
      add_to(support + row.target, amount);
      add_to(predicted + row.prediction, amount);
      if (is_correct) {
        add_to(correct + row.target, amount);
      } else {
        add_pair(row, weight);
      }
    } else {
      add_margins(row, weight);
      add_pair(row, weight);
    }
  }

  // The sum of confidences of a bin, once all rows are there.
  __device__ double confidence(int64_t bin) const {
    double sum = 0;
    for (int k = 0; k < kLimbs; ++k) {
      sum = (sum + limbs[k * shape.bins + bin]) * (1.0 / (1 << kLimbBits));
    }
    return sum + static_cast<double>(whole[bin]);
  }

  __device__ void flush() const {
    const int64_t first = threadIdx.x, step = blockDim.x;
    for (int64_t c = first; c < shape.ranks; c += step) {
      add_to(counts.rank + c, int64_t{rank[c]});
    }
    for (int64_t bin = first; bin < shape.bins; bin += step) {
      add_to(counts.bin_count + bin, int64_t{bin_count[bin]});
      add_to(counts.bin_correct + bin, int64_t{bin_correct[bin]});
    }
    if (shape.has_square) flush_square();
    if (!shape.has_margins) return;
    for (int64_t c = first; c < shape.classes; c += step) {
      add_to(counts.support + c, int64_t{support[c]});
      add_to(counts.predicted + c, int64_t{predicted[c]});
      add_correct(c, correct[c]);
    }
  }

 private:
  __device__ void add_confidence(double confidence, int64_t bin, int64_t weight,
                                 int digits) const {
    const FixedPoint exact = fixed_point(confidence, weight, digits);
#pragma unroll
    for (int k = 0; k < kLimbs; ++k) add_to(limbs + k * shape.bins + bin, exact.limb[k]);
    add_to(whole + bin, exact.whole);
  }

  __device__ void add_margins(const Row& row, int64_t weight) const {
    add_to(counts.support + row.target, weight);
    add_to(counts.predicted + row.prediction, weight);
    if (row.prediction == row.target) add_to(counts.correct + row.target, weight);
  }

  __device__ void add_pair(const Row& row, int64_t weight) const {
    if (counts.confusion == nullptr) return;
    add_to(counts.confusion + row.target * shape.classes + row.prediction, weight);
  }

  __device__ void add_at_once(const Row& row, int64_t bin, int64_t weight) const {
    add_to(counts.rank + row.rank, weight);
    add_to(counts.bin_count + bin, weight);
    if (row.prediction == row.target) add_to(counts.bin_correct + bin, weight);
    add_margins(row, weight);
    add_pair(row, weight);
  }

  __device__ void add_correct(int64_t c, int64_t amount) const {
    add_to(counts.correct + c, amount);
    if (counts.confusion != nullptr) add_to(counts.confusion + c * (shape.classes + 1), amount);
  }

  __device__ void flush_square() const {
    const int64_t classes = shape.classes, c = threadIdx.x;  // there are more threads than classes
    if (counts.confusion != nullptr) {
      for (int64_t i = c; i < classes * classes; i += blockDim.x) {
        add_to(counts.confusion + i, int64_t{square[i]});
      }
    }
    if (c >= classes) return;
    int64_t given = 0, guessed = 0;
    for (int64_t k = 0; k < classes; ++k) {
      given += square[c * classes + k];
      guessed += square[k * classes + c];
    }
    add_to(counts.support + c, given);
    add_to(counts.predicted + c, guessed);
    add_to(counts.correct + c, int64_t{square[c * (classes + 1)]});
  }
};

}  // namespace ftcore
