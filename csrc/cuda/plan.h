// How a batch is divided among blocks of threads: a function of its shape alone, so that sums are
// added up in the same order on any GPU. Host code; the kernels receive what it comes to.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../core/classification.h"
#include "../core/fixed_point.h"

namespace ftcore {

constexpr int kWarp = 32;
constexpr int kAloneThreads = 128, kTogetherThreads = 256;  // of a block, by how they read rows
constexpr int64_t kMostBins = 1024;        // of which a block's counters fit into shared memory
constexpr int64_t kSharedBytes = 48 << 10;  // what any GPU has for a block

// staged: a thread a row of few classes, brought through shared memory.
// columns: a thread a row; neighbouring threads read neighbouring rows.
// warps, blocks: so many threads side by side along a row.
enum class Way { staged, columns, warps, blocks };

// Which counters a block keeps in shared memory, in 32 bits; the others are added to at once.
struct TallyShape {
  static constexpr int reasons = 3;  // ignored, non_finite, invalid
  int64_t classes, bins;
  int64_t ranks;       // the first of `rank`, where most rows are
  bool has_square;     // the confusion matrix, from which support, predicted and correct follow
  bool has_margins;    // or these three by themselves

  FTCORE_HOST_DEVICE int64_t cells() const {
    const int64_t by_class = has_square ? classes * classes : has_margins ? 3 * classes : 0;
    return reasons + 2 * bins + ranks + by_class;
  }
  FTCORE_HOST_DEVICE int64_t bytes() const { return bins * 8 + (cells() + kLimbs * bins) * 4; }
};

struct Plan {
  Way way;
  int threads;
  int rows_each;        // consecutive rows that threads side by side read, before each finishes one
  int64_t pass_rows;    // what a block reads at once
  int64_t chunk_rows;   // and in all
  int64_t chunks;       // of each head
  int64_t pitch;        // elements between staged rows
  int64_t staged_bytes;
  TallyShape tally;

  FTCORE_HOST_DEVICE int64_t reduction_bytes() const {
    return (threads / kWarp) * int64_t{4 * sizeof(double)};
  }
  FTCORE_HOST_DEVICE int64_t shared_bytes() const {
    return staged_bytes + reduction_bytes() + tally.bytes();
  }
};

inline TallyShape tally_of(int64_t classes, int64_t bins) {
  return {classes, bins, std::min<int64_t>(classes, 1024), classes <= 32,
          classes > 32 && classes <= 1024};
}

// An odd number of 32-bit words, or of doubles, between rows: then no two threads of a warp want the
// same bank.
inline int64_t pitch_of(int64_t classes, int64_t size) {
  const int64_t word = std::max<int64_t>(1, 4 / size);
  return ((classes + word - 1) / word | 1) * word;
}

inline Way way_of(const Batch& batch) {
  if (batch.class_stride != 1 || batch.classes == 1) return Way::columns;
  if (batch.classes <= 32) return Way::staged;
  return batch.classes <= 2048 ? Way::warps : Way::blocks;
}

inline Plan plan_of(const Batch& batch, int64_t heads, int64_t rows) {
  constexpr int64_t most_chunks = 2048, size_of[] = {2, 2, 4, 8};
  const auto wanted = [&](int64_t units, int64_t most) {  // for as many blocks as that
    const int64_t all = heads * rows;
    return std::clamp<int64_t>((all + units * most_chunks - 1) / (units * most_chunks), 1, most);
  };
  Plan plan{};
  plan.way = way_of(batch);
  plan.tally = tally_of(batch.classes, batch.bins);
  const bool is_alone = plan.way == Way::staged || plan.way == Way::columns;
  plan.threads = is_alone ? kAloneThreads : kTogetherThreads;
  if (plan.way == Way::staged) {
    const int64_t size = size_of[static_cast<int>(batch.type)];
    plan.pitch = pitch_of(batch.classes, size);
    plan.staged_bytes = plan.threads * plan.pitch * size;
    if (plan.shared_bytes() > kSharedBytes) {
      plan.way = Way::columns;
      plan.staged_bytes = 0;
    }
  }
  const int64_t groups = is_alone ? plan.threads : plan.way == Way::warps ? plan.threads / kWarp : 1;
  plan.rows_each = static_cast<int>(is_alone ? 1 : wanted(groups, kWarp));
  plan.pass_rows = groups * plan.rows_each;
  plan.chunk_rows = plan.pass_rows * wanted(plan.pass_rows, kMostTerms / plan.pass_rows);
  plan.chunks = (rows + plan.chunk_rows - 1) / plan.chunk_rows;
  return plan;
}

// All that a kernel needs to know of a call.
struct Job {
  Batch batch;  // of the first head
  int64_t heads, rows;
  int64_t head_stride;    // elements from one head's logits to the next
  int64_t weight_stride;  // and weights; 0 where heads share them
  int64_t output_stride;  // rows from one head's outputs to the next
  RowOutputs outputs;     // of the first head
  bool has_confusion;
  int64_t* counts;     // (heads, Counts::size)
  double* sums;        // (heads, 3 + bins)
  double* chunk_sums = nullptr;  // (heads, 3 + bins, chunks), to be written
  Plan plan{};

  FTCORE_HOST_DEVICE int64_t sum_size() const { return kScalarSums + batch.bins; }
};

}  // namespace ftcore
