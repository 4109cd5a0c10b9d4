// The two kernels: rows to counts and to the sums of a chunk, and the sums of chunks to the state.
#pragma once

#include "tally.cuh"
#include "ways.cuh"

namespace ftcore {

// What a thread adds up for itself, in the order of its rows: nll, brier, entropy.
struct Totals {
  double sums[kScalarSums] = {};

  __device__ void add(const Row& row, int64_t weight) {
    const double times = static_cast<double>(weight);
    sums[0] += times * row.nll;
    sums[1] += times * row.brier;
    sums[2] += times * row.entropy;
  }
};

// A head's own batch and outputs.
inline __device__ Job job_of(Job job, int64_t head, int64_t element_size) {
  job.batch.logits =
      static_cast<const char*>(job.batch.logits) + head * job.head_stride * element_size;
  if (job.batch.weights != nullptr) job.batch.weights += head * job.weight_stride;
  job.outputs = job.outputs.from(head * job.output_stride);
  job.counts += head * Counts::size(job.batch.classes, job.batch.bins, job.has_confusion);
  return job;
}

template <class T>
__device__ void finish(const Rows<T>& rows, int64_t begin, const Finding& finding,
                       const RowOutputs& outputs, const Tally& tally, Totals& totals) {
  using Real = typename Rows<T>::Real;
  if (finding.place < 0) return;
  const int64_t r = begin + finding.place, weight = rows.batch.weight(r);
  if (finding.outcome < 0 || !finding.found.is_finite()) {
    tally.add_unscored(finding.outcome < 0 ? finding.outcome : kNonFinite, weight);
    outputs.put_unscored(r, rows.batch.targets[r]);
    return;
  }
  const double z_target = rows.strided(r).at(finding.outcome);
  const Row row =
      row_of<Real>(finding.found.part, finding.outcome, z_target, finding.found.above);
  totals.add(row, weight);
  tally.add(row, bin_of(row.confidence, rows.batch.bins), weight, sizeof(Real) == 4 ? 2 : 3);
  outputs.put(r, row);
}

// Adds the threads' totals in an order of their own: lanes of a warp, then warps.
inline __device__ void reduce(const Totals& totals, double* slots, double* chunk_sums,
                              int64_t chunks) {
  const Warp group;
  const int warp = threadIdx.x / kWarp, warps = blockDim.x / kWarp, k = threadIdx.x;
#pragma unroll
  for (int i = 0; i < kScalarSums; ++i) {
    const double sum = group.sum(totals.sums[i]);
    if (group.lane() == 0) slots[warp * kScalarSums + i] = sum;
  }
  __syncthreads();
  if (k >= kScalarSums) return;
  double sum = 0;
  for (int i = 0; i < warps; ++i) sum += slots[i * kScalarSums + k];
  chunk_sums[k * chunks] = sum;
}

template <class T, class Way>
__global__ void __launch_bounds__(Way::threads, 512 / Way::threads)
    score_rows(const __grid_constant__ Job all) {
  extern __shared__ __align__(16) char shared[];
  const Plan& plan = all.plan;
  const int64_t head = blockIdx.x / plan.chunks, chunk = blockIdx.x % plan.chunks;
  const Job job = job_of(all, head, sizeof(T));
  double* const slots = reinterpret_cast<double*>(shared + plan.staged_bytes);
  const Tally tally{all.plan.tally, all.has_confusion, job.counts,
                    shared + plan.staged_bytes + plan.reduction_bytes()};
  tally.clear();
  __syncthreads();
  const int64_t first = chunk * plan.chunk_rows, past = first + plan.chunk_rows;
  const int64_t end = past < job.rows ? past : job.rows;
  const Rows<T> rows{job.batch, plan, end, shared, slots};
  Totals totals;
  for (int64_t begin = first; begin < end; begin += plan.pass_rows) {
    finish(rows, begin, Way::read(rows, begin), job.outputs, tally, totals);
  }
  __syncthreads();
  double* const chunk_sums = all.chunk_sums + head * job.sum_size() * plan.chunks + chunk;
  reduce(totals, slots, chunk_sums, plan.chunks);
  for (int64_t bin = threadIdx.x; bin < job.batch.bins; bin += blockDim.x) {
    chunk_sums[(kScalarSums + bin) * plan.chunks] = tally.confidence(bin);
  }
  tally.flush();
}

// One warp for each of the (heads, 3 + bins) sums.
static __global__ void __launch_bounds__(kWarp) add_chunks(const __grid_constant__ Job job) {
  add_in_order(job.chunk_sums + blockIdx.x * job.plan.chunks, job.plan.chunks,
               job.sums + blockIdx.x);
}

}  // namespace ftcore
