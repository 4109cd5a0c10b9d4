// The two kernels: rows to counts and to the sums of a chunk, and the sums of chunks to the state.
#pragma once

#include "tally.cuh"
#include "ways.cuh"

namespace ftcore {

// What a thread adds up for itself, in the order of its rows.
struct Totals {
  double nll = 0, brier = 0, entropy = 0;
  int64_t n = 0, ignored = 0, non_finite = 0, invalid = 0;

  __device__ void add(const Row& row, int64_t weight) {
    const double times = static_cast<double>(weight);
    nll += times * row.nll;
    brier += times * row.brier;
    entropy += times * row.entropy;
    n += weight;
  }
  __device__ void add_unscored(int64_t reason, int64_t weight) {
    ignored += reason == kIgnored ? weight : 0;
    invalid += reason == kInvalid ? weight : 0;
    non_finite += reason == kNonFinite ? weight : 0;
  }
};

// A head's own batch and outputs.
inline __device__ Job job_of(Job job, int64_t head, int64_t element_size) {
  job.batch.logits =
      static_cast<const char*>(job.batch.logits) + head * job.head_stride * element_size;
  if (job.batch.weights != nullptr) job.batch.weights += head * job.weight_stride;
  const int64_t place = head * job.output_stride;
  if (job.outputs.labels != nullptr) job.outputs.labels += 3 * place;
  if (job.outputs.values != nullptr) job.outputs.values += 4 * place;
  job.counts += head * Counts::size(job.batch.classes, job.batch.bins, job.has_confusion);
  return job;
}

template <class T>
__device__ void finish(const Rows<T>& rows, const Finding& finding, const RowOutputs& outputs,
                       const Tally& tally, Totals& totals) {
  using Real = typename Rows<T>::Real;
  const int64_t r = finding.row;
  if (r < 0) return;
  const int64_t weight = rows.batch.weight(r);
  if (finding.outcome < 0 || !finding.found.is_finite()) {
    totals.add_unscored(finding.outcome < 0 ? finding.outcome : kNonFinite, weight);
    outputs.put_unscored(r, rows.batch.targets[r]);
    return;
  }
  const double z_target = rows.strided(r).at(static_cast<int32_t>(finding.outcome));
  const Row row =
      row_of<Real>(finding.found.part, finding.outcome, z_target, finding.found.above);
  totals.add(row, weight);
  tally.add(row, bin_of(row.confidence, rows.batch.bins), weight, sizeof(Real) == 4 ? 2 : 3);
  outputs.put(r, row);
}

// Adds the threads' totals in an order of their own: lanes of a warp, then warps.
inline __device__ void reduce(const Totals& totals, double* slots, const Counts& counts,
                              double* chunk_sums, int64_t chunks) {
  constexpr int doubles = 3, all = 7;
  const Warp warp;
  const int w = threadIdx.x / kWarp, warps = blockDim.x / kWarp;
  const double sums[doubles] = {warp.sum(totals.nll), warp.sum(totals.brier),
                                warp.sum(totals.entropy)};
  const int64_t numbers[all - doubles] = {warp.sum(totals.n), warp.sum(totals.ignored),
                                          warp.sum(totals.non_finite), warp.sum(totals.invalid)};
  int64_t* const whole = reinterpret_cast<int64_t*>(slots);
  if (warp.lane() == 0) {
    for (int k = 0; k < doubles; ++k) slots[w * 8 + k] = sums[k];
    for (int k = doubles; k < all; ++k) whole[w * 8 + k] = numbers[k - doubles];
  }
  __syncthreads();
  const int k = threadIdx.x;
  if (k < doubles) {
    double sum = 0;
    for (int i = 0; i < warps; ++i) sum += slots[i * 8 + k];
    chunk_sums[k * chunks] = sum;
  } else if (k < all) {
    int64_t sum = 0;
    for (int i = 0; i < warps; ++i) sum += whole[i * 8 + k];
    add_to(counts.n + (k - doubles), sum);  // the four counters lie in this order
  }
}

template <class T, class Way>
__global__ void __launch_bounds__(256) score_rows(const __grid_constant__ Job all) {
  extern __shared__ __align__(16) char shared[];
  const Plan& plan = all.plan;
  const int64_t head = blockIdx.x / plan.chunks, chunk = blockIdx.x % plan.chunks;
  const Job job = job_of(all, head, sizeof(T));
  const Counts counts(job.counts, job.batch.classes, job.batch.bins, job.has_confusion);
  double* const slots = reinterpret_cast<double*>(shared + plan.staged_bytes);
  const Tally tally(plan.tally, counts, shared + plan.staged_bytes + plan.reduction_bytes());
  tally.clear();
  __syncthreads();
  const int64_t first = chunk * plan.chunk_rows, past = first + plan.chunk_rows;
  const int64_t end = past < job.rows ? past : job.rows;
  const Rows<T> rows{job.batch, plan, end, shared, slots};
  Totals totals;
  for (int64_t begin = first; begin < end; begin += plan.pass_rows) {
    finish(rows, Way::read(rows, begin), job.outputs, tally, totals);
  }
  __syncthreads();
  double* const chunk_sums = all.chunk_sums + head * job.sum_size() * plan.chunks + chunk;
  reduce(totals, slots, counts, chunk_sums, plan.chunks);
  for (int64_t bin = threadIdx.x; bin < job.batch.bins; bin += blockDim.x) {
    chunk_sums[(kScalarSums + bin) * plan.chunks] = tally.confidence(bin);
  }
  tally.flush();
}

// One warp for each of the (heads, 3 + bins) sums.
static __global__ void __launch_bounds__(kWarp) add_chunks(const __grid_constant__ Job job) {
  const double* const chunk_sums = job.chunk_sums + blockIdx.x * job.plan.chunks;
  double sum = 0;
  for (int64_t chunk = threadIdx.x; chunk < job.plan.chunks; chunk += kWarp) {
    sum += chunk_sums[chunk];
  }
  sum = Warp{}.sum(sum);
  if (threadIdx.x == 0) job.sums[blockIdx.x] += sum;
}

}  // namespace ftcore
