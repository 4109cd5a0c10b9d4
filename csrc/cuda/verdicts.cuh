// Which rows of many labels are right: blocks that have some labels of a row each leave their
// verdict, a second kernel puts these together.
#pragma once

#include "columns.cuh"

namespace ftcore {

// Of each row of a chunk, whether any label of a tile is not scored, and whether any is wrong: two
// bits, in two runs of words of shared memory, which go to a place of the tile's own.
struct Verdicts {
  uint32_t* words;
  int64_t count;  // of each run

  static FTCORE_HOST_DEVICE int64_t bytes(const ColumnPlan& plan) {
    return plan.chunk_rows / kRowsOfWord * 2 * 4;
  }

  __device__ Verdicts(const ColumnPlan& plan, void* shared)
      : words(static_cast<uint32_t*>(shared)), count(plan.chunk_rows / kRowsOfWord) {}

  __device__ void clear() const {
    for (int64_t i = threadIdx.x; i < 2 * count; i += kColumnThreads) words[i] = 0;
  }
  __device__ void find(int64_t row, bool is_wrong) const {  // from the first of the chunk
    atomicOr(words + (is_wrong ? count : 0) + row / kRowsOfWord, 1u << row % kRowsOfWord);
  }
  __device__ void put(const MultilabelJob& job, const Place& place) const {
    const int64_t all = job.plan.words();
    uint32_t* const own = job.verdicts + (place.head * job.plan.tiles + place.tile) * 2 * all +
                          place.chunk * count;
    for (int64_t i = threadIdx.x; i < count; i += kColumnThreads) {
      own[i] = words[i];
      own[all + i] = words[count + i];
    }
  }
};

// Counts a row if all its labels were scored, and if they are right too.
inline __device__ void count_row(const MultilabelJob& job, int64_t head, int64_t r,
                                 int64_t (&own)[2]) {
  const int64_t words = job.plan.words();
  const uint32_t* word = job.verdicts + head * job.plan.tiles * 2 * words + r / kRowsOfWord;
  uint32_t unscored = 0, wrong = 0;
  for (int64_t tile = 0; tile < job.plan.tiles; ++tile, word += 2 * words) {
    unscored |= word[0];
    wrong |= word[words];
  }
  const uint32_t bit = 1u << r % kRowsOfWord;
  const int64_t weight =
      job.batch.weights == nullptr ? 1 : job.batch.weights[head * job.weight_stride + r];
  if ((unscored & bit) == 0) own[0] += weight;
  if (((unscored | wrong) & bit) == 0) own[1] += weight;
}

// A block a chunk of rows, a thread one row after the other.
static __global__ void __launch_bounds__(kColumnThreads) count_rows(const __grid_constant__ MultilabelJob job) {
  const ColumnPlan& plan = job.plan;
  const int64_t head = blockIdx.x / plan.chunks, begin = blockIdx.x % plan.chunks * plan.chunk_rows;
  const int64_t past = begin + plan.chunk_rows, end = past < plan.rows ? past : plan.rows;
  int64_t own[2] = {};
  for (int64_t r = begin + threadIdx.x; r < end; r += kColumnThreads) count_row(job, head, r, own);
  const int64_t rows = Warp{}.sum(own[0]), exact = Warp{}.sum(own[1]);
  if (Warp{}.lane() != 0) return;
  const MultilabelCounts counts = job.counts_of(head);
  add_to(counts.rows, rows);
  add_to(counts.exact, exact);
}

}  // namespace ftcore
