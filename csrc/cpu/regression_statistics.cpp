// regression_statistics_ on the CPU: checks, and the loop over chunks of rows.
// The op itself, its words for wrong arguments, and what it means: ftcore/ops/regression.py.

#include <torch/csrc/stable/library.h>

#include <cmath>

#include "../torch/table.h"
#include "chunk.h"
#include "chunked.h"
#include "columns.h"

namespace ftcore {
namespace {

constexpr int64_t kGrain = 1 << 16;  // values worth a thread

void regression_statistics_(Tensor counts, Tensor sums, const Tensor outputs, const Tensor targets,
                            std::optional<Tensor> row_weights, double center) {
  const int64_t heads = counts.dim() - 1, last = outputs.dim() - 1;
  check_table(outputs, targets, heads);
  STD_TORCH_CHECK(std::isfinite(center), "center must be finite");
  const std::vector<int64_t> lead = sizes(outputs, 0, heads);
  const Weights weights(row_weights, lead, sizes(outputs, heads, last), outputs.device());
  const TableOfHeads output(outputs, heads), target(as_floats(targets), 0);
  const int64_t columns = output.columns;
  check_output("counts", counts, lead, kRegressionCounts * columns, ScalarType::Long,
               outputs.device());
  check_output("sums", sums, lead, kRegressionSums * columns, ScalarType::Double, outputs.device());
  Output count(counts), sum(sums);
  const int64_t step = column_chunk_rows(columns);
  const Chunked chunked{
      .heads = output.heads(),
      .chunks = (output.rows + step - 1) / step,
      .grain = std::max<int64_t>(1, kGrain / (step * columns)),
      .counts = count.data<int64_t>(),
      .count_size = kRegressionCounts * columns,
      .own_count_size = kRegressionCounts * columns,
      .sums = sum.data<double>(),
      .sum_size = kRegressionSums * columns,
      .scratch_size = regression_scratch_size(columns),
  };
  chunked.run([&](int64_t head, int64_t chunk, int64_t* own, double* chunk_sums, void* scratch) {
    const RegressionBatch batch{output.of(head), target.of(0), weights.of(head), columns, center};
    row_kernels().add_regression(batch, chunk * step, std::min((chunk + 1) * step, output.rows),
                                 own, chunk_sums, scratch);
  });
  count.finish();
  sum.finish();
}

}  // namespace
}  // namespace ftcore

STABLE_TORCH_LIBRARY_IMPL(ftcore, CPU, m) {
  m.impl("regression_statistics_", TORCH_BOX(&ftcore::regression_statistics_));
}
