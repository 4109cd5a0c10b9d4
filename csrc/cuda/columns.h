// How ops with columns are divided among blocks of threads, by rows and columns alone: a head's sums
// are added up in the same order on any GPU, however many heads there are. Host code; the kernels
// receive what it comes to.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../core/multilabel.h"
#include "../core/regression.h"

namespace ftcore {

constexpr int kColumnThreads = 256;
constexpr int kMostWidth = 32;
constexpr int64_t kRowsOfWord = 32;          // of the verdicts on rows, a bit each
constexpr int64_t kMostChunkRows = 1 << 14;

// A block has a chunk of the rows of a tile of columns; a thread has one of these columns, and every
// `depth`-th of these rows.
struct ColumnPlan {
  int64_t rows, columns;
  int64_t tiles;  // all of `width` columns, but for the last
  int width, depth;
  int64_t chunk_rows, chunks;  // rows are whole words of verdicts

  FTCORE_HOST_DEVICE int64_t words() const { return chunks * (chunk_rows / kRowsOfWord); }
  int64_t blocks(int64_t heads) const { return heads * chunks * tiles; }
};

inline ColumnPlan column_plan(int64_t rows, int64_t columns) {
  // With fewer rows for a thread, the sums of chunks would take memory like the table itself.
  constexpr int64_t wanted_blocks = 1024, least = 16;
  const auto parts = [](int64_t all, int64_t size) { return (all + size - 1) / size; };
  ColumnPlan plan{};
  plan.rows = rows;
  plan.columns = columns;
  plan.tiles = parts(columns, kMostWidth);
  plan.width = static_cast<int>(parts(columns, plan.tiles));
  plan.depth = kColumnThreads / plan.width;
  const int64_t own = std::max(least, parts(rows * plan.tiles, wanted_blocks * plan.depth));
  plan.chunk_rows = std::min(kMostChunkRows, parts(own * plan.depth, kRowsOfWord) * kRowsOfWord);
  plan.chunks = parts(rows, plan.chunk_rows);
  return plan;
}

// Where sums go: first the chunks' own, then all of them to the state.
struct ColumnSums {
  double* sums;              // (heads, size)
  int64_t size;
  double* chunks = nullptr;  // (heads, size, chunks of the plan), to be written
};

// All that kernels need to know of a call. Strides count elements, from one head to the next; they
// are 0 where heads share.
struct RegressionJob {
  RegressionBatch batch;  // of the first head
  ColumnPlan plan;
  int64_t heads, output_stride, weight_stride;
  int64_t* counts;  // (heads, 3 * columns)
  ColumnSums sums;
};

struct MultilabelJob {
  MultilabelBatch batch;  // of the first head
  ColumnPlan plan;
  int64_t heads, logit_stride, weight_stride;
  int64_t* counts;  // (heads, MultilabelCounts::size)
  ColumnSums sums;
  uint32_t* verdicts = nullptr;  // (heads, tiles, 2, words of the plan), to be written

  FTCORE_HOST_DEVICE MultilabelCounts counts_of(int64_t head) const {
    return {counts + head * MultilabelCounts::size(plan.columns, true), plan.columns};
  }
  int64_t verdict_size() const { return heads * plan.tiles * 2 * plan.words(); }
};

}  // namespace ftcore
