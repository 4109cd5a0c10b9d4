// multilabel_statistics_ on the CPU: checks, and the loop over chunks of rows.
// The op itself, its words for wrong arguments, and what it means: ftcore/ops/multilabel.py.

#include <torch/csrc/stable/library.h>

#include "../torch/table.h"
#include "chunk.h"
#include "chunked.h"
#include "columns.h"

namespace ftcore {
namespace {

constexpr int64_t kGrain = 1 << 15;  // logits worth a thread
// Labels whose histograms, 2 MiB then, are worth a copy for each thread.
constexpr int64_t kMostOwnLabels = 128;

void multilabel_statistics_(Tensor counts, Tensor sums, const Tensor logits, const Tensor targets,
                            std::optional<Tensor> row_weights,
                            std::optional<int64_t> ignore_index) {
  const int64_t heads = counts.dim() - 1, last = logits.dim() - 1;
  check_table(logits, targets, heads);
  const std::vector<int64_t> lead = sizes(logits, 0, heads);
  const Weights weights(row_weights, lead, sizes(logits, heads, last), logits.device());
  const TableOfHeads logit(logits, heads);
  const Tensor target = as_labels(targets);
  const int64_t labels = logit.columns, size = MultilabelCounts::size(labels, true);
  check_output("counts", counts, lead, size, ScalarType::Long, logits.device());
  check_output("sums", sums, lead, kMultilabelSums * labels, ScalarType::Double, logits.device());
  Output count(counts), sum(sums);
  int64_t* const all = count.data<int64_t>();
  const bool shares = labels > kMostOwnLabels && torch::stable::get_num_threads() > 1;
  const int64_t step = column_chunk_rows(labels);
  const Chunked chunked{
      .heads = logit.heads(),
      .chunks = (logit.rows + step - 1) / step,
      .grain = std::max<int64_t>(1, kGrain / (step * labels)),
      .counts = all,
      .count_size = size,
      .own_count_size = MultilabelCounts::size(labels, !shares),
      .sums = sum.data<double>(),
      .sum_size = kMultilabelSums * labels,
      .scratch_size = multilabel_scratch_size(labels),
  };
  chunked.run([&](int64_t head, int64_t chunk, int64_t* own, double* chunk_sums, void* scratch) {
    const MultilabelBatch batch{logit.of(head),  target.data_ptr(), is_byte(target),
                                weights.of(head), labels,            ignore_index.has_value(),
                                ignore_index.value_or(0)};
    MultilabelCounts places(own, labels);
    if (shares) {
      const MultilabelCounts shared(all + head * size, labels);
      places.positives = shared.positives;
      places.negatives = shared.negatives;
      places.shares_histograms = true;
    }
    row_kernels().add_multilabel(batch, chunk * step, std::min((chunk + 1) * step, logit.rows),
                                 places, chunk_sums, scratch);
  });
  count.finish();
  sum.finish();
}

}  // namespace
}  // namespace ftcore

STABLE_TORCH_LIBRARY_IMPL(ftcore, CPU, m) {
  m.impl("multilabel_statistics_", TORCH_BOX(&ftcore::multilabel_statistics_));
}
