// A block's counters in shared memory, as far as TallyShape has them, and the confidences of bins.
// Integers alone: they are exact in any order. A weight that is not small goes to the state at once.
#pragma once

#include <cuda_runtime.h>

#include "../core/fixed_point.h"
#include "../core/outcome.h"
#include "adding.cuh"
#include "group.cuh"
#include "plan.h"

namespace ftcore {

// Addresses are computed where they are needed, which is cheaper than to keep them in registers.
struct Tally {
  const TallyShape& shape;
  bool has_confusion;
  int64_t* state;  // the head's counts, in global memory
  void* shared;    // TallyShape::bytes

  __device__ Counts counts() const { return {state, shape.classes, shape.bins, has_confusion}; }
  __device__ int64_t* whole() const { return static_cast<int64_t*>(shared); }  // of FixedPoint
  __device__ int32_t* limbs() const { return reinterpret_cast<int32_t*>(whole() + shape.bins); }
  __device__ int32_t* unscored() const { return limbs() + kLimbs * shape.bins; }
  __device__ int32_t* bin_count() const { return unscored() + TallyShape::reasons; }
  __device__ int32_t* bin_correct() const { return bin_count() + shape.bins; }
  __device__ int32_t* rank() const { return bin_correct() + shape.bins; }
  __device__ int32_t* square() const { return rank() + shape.ranks; }
  __device__ int32_t* support() const { return rank() + shape.ranks; }
  __device__ int32_t* predicted() const { return support() + shape.classes; }
  __device__ int32_t* correct() const { return predicted() + shape.classes; }

  __device__ void clear() const {
    int32_t* const words = static_cast<int32_t*>(shared);
    const int size = static_cast<int>(shape.bytes() / 4);
    for (int i = threadIdx.x; i < size; i += blockDim.x) words[i] = 0;
  }

  // Adds a scored row, which counts `weight` times; digits: see fixed_point.
  __device__ void add(const Row& row, int64_t bin, int64_t weight, int digits) const {
    add_confidence(row.confidence, bin, weight, digits);
    if (!is_small(weight)) {
      add_to(counts().n, weight);
      add_to(counts().rank + row.rank, weight);
      add_bin(counts().bin_count + bin, counts().bin_correct + bin, row, weight);
      add_margins(row, weight);
      add_pair(row, weight);
      return;
    }
    const int32_t amount = static_cast<int32_t>(weight);
    add_bin(bin_count() + bin, bin_correct() + bin, row, amount);
    if (row.rank < shape.ranks) {
      add_to(rank() + row.rank, amount);
    } else {
      add_to(counts().rank + row.rank, weight);
    }
    if (shape.has_square) {
      add_to(square() + row.target * shape.classes + row.prediction, amount);
    } else if (!shape.has_margins) {
      add_margins(row, weight);
      add_pair(row, weight);
    } else {
      add_to(support() + row.target, amount);
      add_to(predicted() + row.prediction, amount);
      if (row.prediction == row.target) {
        add_to(correct() + row.target, amount);  // and to the diagonal in the end
      } else {
        add_pair(row, weight);
      }
    }
  }

  __device__ void add_unscored(int64_t reason, int64_t weight) const {
    const int place = reason == kIgnored ? 0 : reason == kNonFinite ? 1 : 2;
    if (reason == kLeftOut) return;
    if (is_small(weight)) {
      add_to(unscored() + place, static_cast<int32_t>(weight));
    } else {
      add_to(counts().ignored + place, weight);  // the three lie in this order
    }
  }

  // The sum of confidences of a bin, once all rows are there.
  __device__ double confidence(int64_t bin) const {
    double sum = 0;
    for (int k = 0; k < kLimbs; ++k) {
      sum = (sum + limbs()[k * shape.bins + bin]) * (1.0 / (1 << kLimbBits));
    }
    return sum + static_cast<double>(whole()[bin]);
  }

  __device__ void flush() const {
    const int64_t first = threadIdx.x, step = blockDim.x;
    if (first < kWarp) flush_scalars();
    for (int64_t bin = first; bin < shape.bins; bin += step) {
      add_to(counts().bin_count + bin, int64_t{bin_count()[bin]});
      add_to(counts().bin_correct + bin, int64_t{bin_correct()[bin]});
    }
    for (int64_t c = first; c < shape.ranks; c += step) {
      add_to(counts().rank + c, int64_t{rank()[c]});
    }
    if (shape.has_square) flush_square();
    if (shape.has_margins) flush_margins();
  }

 private:
  template <class Cell>
  static __device__ void add_bin(Cell* count, Cell* correct, const Row& row, Cell weight) {
    add_to(count, weight);
    if (row.prediction == row.target) add_to(correct, weight);
  }

  __device__ void add_confidence(double confidence, int64_t bin, int64_t weight,
                                 int digits) const {
    const FixedPoint exact = fixed_point(confidence, weight, digits);
#pragma unroll
    for (int k = 0; k < kLimbs; ++k) add_to(limbs() + k * shape.bins + bin, exact.limb[k]);
    add_to(whole() + bin, exact.whole);
  }

  __device__ void add_margins(const Row& row, int64_t weight) const {
    add_to(counts().support + row.target, weight);
    add_to(counts().predicted + row.prediction, weight);
    if (row.prediction == row.target) add_to(counts().correct + row.target, weight);
  }

  __device__ void add_pair(const Row& row, int64_t weight) const {
    if (!has_confusion) return;
    add_to(counts().confusion + row.target * shape.classes + row.prediction, weight);
  }

  __device__ void flush_scalars() const {
    const int lane = Warp{}.lane();
    int64_t rows = 0;
    for (int64_t bin = lane; bin < shape.bins; bin += kWarp) rows += bin_count()[bin];
    rows = Warp{}.sum(rows);
    if (lane == 0) add_to(counts().n, rows);
    if (lane < TallyShape::reasons) add_to(counts().ignored + lane, int64_t{unscored()[lane]});
  }

  __device__ void flush_margins() const {
    for (int64_t c = threadIdx.x; c < shape.classes; c += blockDim.x) {
      const int64_t diagonal = correct()[c];
      add_to(counts().support + c, int64_t{support()[c]});
      add_to(counts().predicted + c, int64_t{predicted()[c]});
      add_to(counts().correct + c, diagonal);
      if (has_confusion) add_to(counts().confusion + c * (shape.classes + 1), diagonal);
    }
  }

  __device__ void flush_square() const {
    const int64_t classes = shape.classes, c = threadIdx.x;  // there are more threads than classes
    const int32_t* const cells = square();
    for (int64_t i = c; has_confusion && i < classes * classes; i += blockDim.x) {
      add_to(counts().confusion + i, int64_t{cells[i]});
    }
    if (c >= classes) return;
    int64_t given = 0, guessed = 0;
    for (int64_t k = 0; k < classes; ++k) {
      given += cells[c * classes + k];
      guessed += cells[k * classes + c];
    }
    add_to(counts().support + c, given);
    add_to(counts().predicted + c, guessed);
    add_to(counts().correct + c, int64_t{cells[c * (classes + 1)]});
  }
};

}  // namespace ftcore
