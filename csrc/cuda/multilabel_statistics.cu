// multilabel_statistics_ on CUDA: one job of all heads and rows.
// The op itself, its words for wrong arguments, and what it means: ftcore/ops/multilabel.py.

#include "score_columns.h"  // first: see USE_CUDA in score.h

#include <torch/csrc/stable/library.h>

namespace ftcore {
namespace {

void multilabel_statistics_(Tensor counts, Tensor sums, const Tensor logits, const Tensor targets,
                            std::optional<Tensor> row_weights,
                            std::optional<int64_t> ignore_index) {
  const int64_t heads = counts.dim() - 1, last = logits.dim() - 1;
  check_table(logits, targets, heads);
  const Device device = logits.device();
  const std::vector<int64_t> lead = sizes(logits, 0, heads);
  const Weights weights(row_weights, lead, sizes(logits, heads, last), device);
  const int64_t labels = logits.size(last);
  const int64_t size = MultilabelCounts::size(labels, true);
  check_output("counts", counts, lead, size, ScalarType::Long, device);
  check_output("sums", sums, lead, kMultilabelSums * labels, ScalarType::Double, device);
  const torch::stable::accelerator::DeviceGuard guard(device.index());
  const TableOfHeads logit = evenly_spaced(logits, heads);
  const Tensor target = as_labels(targets);
  Output count(counts), sum(sums);
  if (logit.heads() == 0) return;
  MultilabelJob job{
      .batch = {logit.of(0), target.data_ptr(), is_byte(target), weights.of(0), labels,
                ignore_index.has_value(), ignore_index.value_or(0)},
      .plan = column_plan(logit.rows, labels),
      .heads = logit.heads(),
      .logit_stride = logit.head_stride(),
      .weight_stride = weights.head_stride(),
      .counts = count.data<int64_t>(),
      .sums = {sum.data<double>(), kMultilabelSums * labels},
  };
  const Tensor verdicts = torch::stable::empty({job.verdict_size()}, ScalarType::Int,
                                               std::nullopt, device);
  job.verdicts = static_cast<uint32_t*>(verdicts.data_ptr());
  score_columns(job, device);
  count.finish();
  sum.finish();
}

}  // namespace
}  // namespace ftcore

STABLE_TORCH_LIBRARY_IMPL(ftcore, CUDA, m) {
  m.impl("multilabel_statistics_", TORCH_BOX(&ftcore::multilabel_statistics_));
}
