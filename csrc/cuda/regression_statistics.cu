// regression_statistics_ on CUDA: one job of all heads and rows.
// The op itself, its words for wrong arguments, and what it means: ftcore/ops/regression.py.

#include "score_columns.h"  // first: see USE_CUDA in score.h

#include <torch/csrc/stable/library.h>

#include <cmath>

namespace ftcore {
namespace {

void regression_statistics_(Tensor counts, Tensor sums, const Tensor outputs, const Tensor targets,
                            std::optional<Tensor> row_weights, double center) {
  const int64_t heads = counts.dim() - 1, last = outputs.dim() - 1;
  check_table(outputs, targets, heads);
  STD_TORCH_CHECK(std::isfinite(center), "center must be finite");
  const Device device = outputs.device();
  const std::vector<int64_t> lead = sizes(outputs, 0, heads);
  const Weights weights(row_weights, lead, sizes(outputs, heads, last), device);
  const int64_t columns = outputs.size(last);
  check_output("counts", counts, lead, kRegressionCounts * columns, ScalarType::Long, device);
  check_output("sums", sums, lead, kRegressionSums * columns, ScalarType::Double, device);
  const torch::stable::accelerator::DeviceGuard guard(device.index());
  const TableOfHeads output = evenly_spaced(outputs, heads), target(as_floats(targets), 0);
  Output count(counts), sum(sums);
  if (output.heads() == 0) return;
  const RegressionJob job{
      .batch = {output.of(0), target.of(0), weights.of(0), columns, center},
      .plan = column_plan(output.rows, columns),
      .heads = output.heads(),
      .output_stride = output.head_stride(),
      .weight_stride = weights.head_stride(),
      .counts = count.data<int64_t>(),
      .sums = {sum.data<double>(), kRegressionSums * columns},
  };
  score_columns(job, device);
  count.finish();
  sum.finish();
}

}  // namespace
}  // namespace ftcore

STABLE_TORCH_LIBRARY_IMPL(ftcore, CUDA, m) {
  m.impl("regression_statistics_", TORCH_BOX(&ftcore::regression_statistics_));
}
