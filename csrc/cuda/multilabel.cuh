// The kernels of many labels: what each thread adds up of its label, and which rows are right.
#pragma once

#include "../core/lane.h"
#include "columns.cuh"

namespace ftcore {

inline __device__ int32_t bits_of(float x) { return __float_as_int(x); }

template <class Real>
struct MultilabelTotals {
  double sums[kMultilabelSums] = {};
  int64_t counts[kLabelOutcomes] = {};

  __device__ void count(LabelOutcome outcome, int64_t weight) {
#pragma unroll
    for (int k = 0; k < kLabelOutcomes; ++k) counts[k] += k == outcome ? weight : 0;
  }

  __device__ void add(Real z, bool is_wrong, int64_t weight) {
    const Real magnitude = z < 0 ? -z : z, e = exp_of(-magnitude);
    const BinaryLoss<Real> loss = binary_loss(magnitude, e, log1p_of(e), is_wrong);
    const double times = static_cast<double>(weight);
    sums[0] += times * static_cast<double>(loss.nll);
    sums[1] += times * static_cast<double>(loss.brier);
  }
};

// Of each row of a chunk, whether any label of a tile is not scored, and whether any is wrong: two
// bits, in two runs of words of shared memory, which go to a place of the tile's own.
struct Verdicts {
  uint32_t* words;
  int64_t count;  // of each run

  static int64_t bytes(const ColumnPlan& plan) { return plan.chunk_rows / kRowsOfWord * 2 * 4; }

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

template <class Logit, class Target>
struct MultilabelValue {
  Logit logit;
  Target target;
  int64_t weight;
};

// A label of a head: adds a value to the totals, the histograms and the verdicts.
template <class Real>
struct LabelOfHead {
  const MultilabelBatch& batch;
  MultilabelCounts counts;
  int64_t label;
  Verdicts verdicts;
  MultilabelTotals<Real> totals{};

  // A row of weight 0 is left out.
  __device__ void add(int64_t row, Real z, int64_t target, int64_t weight) {
    if (weight == 0) return;
    const int32_t code = label_code(target, batch.has_ignore_index, batch.ignore_index);
    const LabelOutcome outcome = label_outcome(z, code);
    totals.count(outcome, weight);
    const bool is_wrong = is_mistake(outcome);
    if (!is_scored(outcome) || is_wrong) verdicts.find(row, is_wrong);
    if (!is_scored(outcome)) return;
    totals.add(z, is_wrong, weight);
    int64_t* const histogram = code == kIsThere ? counts.positives : counts.negatives;
    add_to(histogram + label * kLogitBins + logit_bin(bits_of(static_cast<float>(z))), weight);
  }
};

template <class Logit, class Target>
__global__ void __launch_bounds__(kColumnThreads, 2) add_multilabel(const __grid_constant__ MultilabelJob job) {
  extern __shared__ __align__(16) char shared[];
  using Real = typename RealOf<Logit>::type;
  const MultilabelBatch& batch = job.batch;
  const ColumnPlan& plan = job.plan;
  const Place place(plan, lies_along_rows(batch.logits));
  const Column<Logit> logits(batch.logits, place.head * job.logit_stride, place.column);
  const Target* const targets = static_cast<const Target*>(batch.targets) + place.column;
  const int64_t* const weights = batch.weights + place.head * job.weight_stride;
  const MultilabelCounts counts(
      job.counts + place.head * MultilabelCounts::size(plan.columns, true), plan.columns);
  LabelOfHead<Real> label{batch, counts, place.column,
                          Verdicts(plan, shared + slot_bytes(kLabelOutcomes))};
  label.verdicts.clear();
  __syncthreads();
  visit(
      plan, place,
      [&](int64_t r) {
        return MultilabelValue<Logit, Target>{logits.at(r), __ldg(targets + r * plan.columns),
                                              batch.weights == nullptr ? 1 : weights[r]};
      },
      [&](int64_t r, const MultilabelValue<Logit, Target>& value) {
        label.add(r - place.begin, real(value.logit), value.target, value.weight);
      });
  add_lanes(plan, place, label.totals.sums, shared);
  put_sums(plan, place, job.sums, label.totals.sums);
  add_lanes(plan, place, label.totals.counts, shared);
  put_counts(plan, place, counts.ignored, label.totals.counts);
  label.verdicts.put(job, place);
}

constexpr int64_t kVerdictRows = 8 * kColumnThreads;  // of a block

FTCORE_HOST_DEVICE inline int64_t verdict_blocks(const ColumnPlan& plan) {
  return (plan.rows + kVerdictRows - 1) / kVerdictRows;
}

// Counts the rows all of whose labels were scored, and those that are right: a thread a row.
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

static __global__ void __launch_bounds__(kColumnThreads) count_rows(const __grid_constant__ MultilabelJob job) {
  const int64_t blocks = verdict_blocks(job.plan);
  const int64_t head = blockIdx.x / blocks, begin = blockIdx.x % blocks * kVerdictRows;
  const int64_t past = begin + kVerdictRows, end = past < job.plan.rows ? past : job.plan.rows;
  int64_t own[2] = {};
  for (int64_t r = begin + threadIdx.x; r < end; r += kColumnThreads) count_row(job, head, r, own);
  const int64_t rows = Warp{}.sum(own[0]), exact = Warp{}.sum(own[1]);
  if (Warp{}.lane() != 0) return;
  const MultilabelCounts counts(
      job.counts + head * MultilabelCounts::size(job.plan.columns, true), job.plan.columns);
  add_to(counts.rows, rows);
  add_to(counts.exact, exact);
}

}  // namespace ftcore
