// The kernel of a regression: what each thread adds up of its column, in float64 and in order.
#pragma once

#include "columns.cuh"

namespace ftcore {

struct RegressionTotals {
  double sums[kRegressionSums] = {};
  int64_t counts[kRegressionCounts] = {};

  // A row of weight 0 is left out whatever it holds: even an infinite term times 0 is no number.
  __device__ void add(double output, double target, double center, int64_t weight) {
    const int outcome = static_cast<int>(regression_outcome(output, target));
#pragma unroll
    for (int k = 0; k < kRegressionCounts; ++k) counts[k] += k == outcome ? weight : 0;
    if (outcome != static_cast<int>(RegressionOutcome::n) || weight == 0) return;
    const RegressionTerms term = regression_terms(output, target, center);
    const double times = static_cast<double>(weight);
    sums[0] += times * term.absolute;
    sums[1] += times * term.squared;
    sums[2] += times * term.error;
    sums[3] += times * term.output;
    sums[4] += times * term.target;
    sums[5] += times * term.output_squared;
    sums[6] += times * term.target_squared;
    sums[7] += times * term.product;
  }
};

template <class Output, class Target>
struct RegressionValue {
  Output output;
  Target target;
  int64_t weight;
};

template <class Output, class Target>
__global__ void __launch_bounds__(kColumnThreads, 2) add_regression(const __grid_constant__ RegressionJob job) {
  extern __shared__ __align__(16) char shared[];
  const Place place(job.plan, lies_along_rows(job.batch.outputs));
  const Column<Output> outputs(job.batch.outputs, place.head * job.output_stride, place.column);
  const Column<Target> targets(job.batch.targets, 0, place.column);
  const int64_t* const weights = job.batch.weights + place.head * job.weight_stride;
  const bool is_weighted = job.batch.weights != nullptr;
  RegressionTotals totals;
  visit(
      job.plan, place,
      [&](int64_t r) {
        return RegressionValue<Output, Target>{outputs.at(r), targets.at(r),
                                               is_weighted ? weights[r] : 1};
      },
      [&](int64_t, const RegressionValue<Output, Target>& value) {
        totals.add(real(value.output), real(value.target), job.batch.center, value.weight);
      });
  add_lanes(job.plan, place, totals.sums, shared);
  put_sums(job.plan, place, job.sums, totals.sums);
  add_lanes(job.plan, place, totals.counts, shared);
  put_counts(job.plan, place, job.counts + place.head * kRegressionCounts * job.plan.columns,
             totals.counts);
}

}  // namespace ftcore
