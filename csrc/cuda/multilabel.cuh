// The kernel of many labels: what each thread adds up of its label.
#pragma once

#include "../core/lane.h"
#include "columns.cuh"
#include "verdicts.cuh"

namespace ftcore {

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

// Histograms of few labels in 32 bits of shared memory, added to the state's at the end of the
// block; other labels, and weights that are not small, add to the state's at once.
struct Histograms {
  static constexpr int64_t most_labels = 5;
  static_assert(2 * most_labels * kLogitBins * 4 + kMostChunkRows / kRowsOfWord * 2 * 4 <=
                kSharedBytes);  // with the verdicts
  static constexpr int64_t small = (int64_t{1} << 31) / kMostChunkRows;  // 32 bits hold so many

  int64_t* state;   // (2, labels, bins)
  int32_t* shared;  // the same, or null
  int64_t labels;

  static FTCORE_HOST_DEVICE int64_t bytes(int64_t labels) {
    return labels <= most_labels ? 2 * labels * kLogitBins * 4 : 0;
  }

  __device__ Histograms(const MultilabelCounts& counts, int64_t labels_, void* shared_)
      : state(counts.positives),
        shared(labels_ <= most_labels ? static_cast<int32_t*>(shared_) : nullptr),
        labels(labels_) {}

  __device__ int64_t cells() const { return shared == nullptr ? 0 : 2 * labels * kLogitBins; }
  __device__ void clear() const {
    for (int64_t i = threadIdx.x; i < cells(); i += kColumnThreads) shared[i] = 0;
  }
  __device__ void add(bool is_there, int64_t label, int32_t bin, int64_t weight) const {
    const int64_t cell = ((is_there ? 0 : labels) + label) * kLogitBins + bin;
    if (shared != nullptr && weight > -small && weight < small) {
      add_to(shared + cell, static_cast<int32_t>(weight));
    } else {
      add_to(state + cell, weight);
    }
  }
  __device__ void flush() const {
    for (int64_t i = threadIdx.x; i < cells(); i += kColumnThreads) {
      add_to(state + i, int64_t{shared[i]});
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
  int64_t label;
  Histograms histograms;
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
    const int32_t bin = logit_bin(__float_as_int(static_cast<float>(z)));
    histograms.add(code == kIsThere, label, bin, weight);
  }
};

// Of shared memory.
inline int64_t multilabel_bytes(const ColumnPlan& plan) {
  const int64_t histograms = Histograms::bytes(plan.columns);
  return Verdicts::bytes(plan) + std::max(histograms, slot_bytes(kLabelOutcomes));
}

template <class Logit, class Target>
__global__ void __launch_bounds__(kColumnThreads, sizeof(Logit) < 8 ? 3 : 2) add_multilabel(const __grid_constant__ MultilabelJob job) {
  extern __shared__ __align__(16) char shared[];
  using Real = typename RealOf<Logit>::type;
  const MultilabelBatch& batch = job.batch;
  const ColumnPlan& plan = job.plan;
  const Place place(plan, lies_along_rows(batch.logits));
  const Column<Logit> logits(batch.logits, place.head * job.logit_stride, place.column);
  const Target* const targets = static_cast<const Target*>(batch.targets) + place.column;
  const int64_t* const weights = batch.weights + place.head * job.weight_stride;
  const MultilabelCounts counts = job.counts_of(place.head);
  char* const rest = shared + Verdicts::bytes(plan);  // histograms, and then what is added up
  LabelOfHead<Real> label{batch, place.column, Histograms(counts, plan.columns, rest),
                          Verdicts(plan, shared)};
  label.histograms.clear();
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
  __syncthreads();
  label.histograms.flush();
  label.verdicts.put(job, place);
  add_lanes(plan, place, label.totals.sums, rest);
  put_sums(plan, place, job.sums, label.totals.sums);
  add_lanes(plan, place, label.totals.counts, rest);
  put_counts(plan, place, counts.ignored, label.totals.counts);
}

}  // namespace ftcore
