// classification_statistics_ on CUDA: one job of all heads and rows.
// The op itself, its words for wrong arguments, and what it means: ftcore/ops/classification.py.

#include "score.h"  // first: see USE_CUDA there

#include <torch/csrc/stable/library.h>

#include "../torch/classification_arguments.h"
#include "../torch/geometry.h"

namespace ftcore {
namespace {

void classification_statistics_(Tensor counts, Tensor sums, const Tensor logits,
                                const Tensor targets, int64_t class_dim,
                                std::optional<Tensor> row_weights,
                                std::optional<int64_t> ignore_index, int64_t bins, bool confusion,
                                std::optional<Tensor> row_labels,
                                std::optional<Tensor> row_values) {
  const Given given{counts, sums, row_labels, row_values, bins, confusion};
  const int64_t dim = check_logits(given, logits, targets, class_dim), heads = given.heads();
  const Device device = logits.device();
  const Weights weights(row_weights, sizes(logits, 0, heads), sizes(targets, 0, targets.dim()),
                        device);
  check_limits(logits.size(dim), bins);
  const torch::stable::accelerator::DeviceGuard guard(device.index());
  const bool has_stride = merged_stride(logits, 0, heads).has_value();  // from head to head
  const Geometry g =
      geometry_of(has_stride ? logits : torch::stable::contiguous(logits), heads, dim);
  const Tensor classes_of_rows = contiguous_int64(targets);
  Outputs outputs(given);
  Job job{
      .batch = g.batch(classes_of_rows, bins, ignore_index),
      .heads = g.heads,
      .rows = g.rows,
      .head_stride = *merged_stride(g.logits, 0, heads),
      .weight_stride = weights.head_stride(),
      .output_stride = g.rows,
      .outputs = outputs.rows(),
      .has_confusion = confusion,
      .counts = outputs.counts(),
      .sums = outputs.sums(),
  };
  job.batch.weights = weights.of(0);
  score(job, device);
  outputs.finish();
}

}  // namespace
}  // namespace ftcore

STABLE_TORCH_LIBRARY_IMPL(ftcore, CUDA, m) {
  m.impl("classification_statistics_", TORCH_BOX(&ftcore::classification_statistics_));
}
