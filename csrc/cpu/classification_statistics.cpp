// classification_statistics_ on the CPU: the loop over chunks of rows.
// The op itself, its words for wrong arguments, and what it means: ftcore/ops/classification.py.

#include <torch/csrc/stable/library.h>

#include "../torch/classification_arguments.h"
#include "../torch/geometry.h"
#include "chunk.h"
#include "chunked.h"
#include "counts_of_heads.h"

namespace ftcore {
namespace {

// Rows of a chunk, which depend on the shape alone: so many that its sums cost nothing beside it.
int64_t chunk_rows(int64_t classes) {
  const int64_t rows = std::clamp<int64_t>((1 << 17) / classes, 2 * kTileLanes, 4096);
  return rows / kTileLanes * kTileLanes;
}

constexpr int64_t kGrain = 1 << 16;  // logits worth a thread

void classification_statistics_(Tensor counts, Tensor sums, const Tensor logits,
                                const Tensor targets, int64_t class_dim,
                                std::optional<Tensor> row_weights,
                                std::optional<int64_t> ignore_index, int64_t bins, bool confusion,
                                std::optional<Tensor> row_labels,
                                std::optional<Tensor> row_values) {
  const Given given{counts, sums, row_labels, row_values, bins, confusion};
  const int64_t dim = check_logits(given, logits, targets, class_dim), heads = given.heads();
  const Weights weights(row_weights, sizes(logits, 0, heads), sizes(targets, 0, targets.dim()),
                        logits.device());
  const Geometry g = geometry_of(logits, heads, dim);
  const Tensor classes_of_rows = contiguous_int64(targets);
  const Batch batch = g.batch(classes_of_rows, bins, ignore_index);
  Outputs outputs(given);
  const int64_t step = chunk_rows(g.classes);
  const CountsOfHeads places{outputs.counts(), g.classes, bins, confusion};
  const Chunked chunked{
      .heads = g.heads,
      .chunks = (g.rows + step - 1) / step,
      .grain = std::max<int64_t>(1, kGrain / (step * g.classes)),
      .counts = places.all,
      .count_size = places.size(),
      .own_count_size = places.own_size(),
      .sums = outputs.sums(),
      .sum_size = kScalarSums + bins,
      .scratch_size = std::max<int64_t>(g.classes * 64, kScratchBytes),
  };
  chunked.run([&](int64_t head, int64_t chunk, int64_t* own, double* chunk_sums, void* scratch) {
    Batch part = batch;
    part.logits = static_cast<const char*>(batch.logits) +
                  g.head_offsets[head] * static_cast<int64_t>(g.logits.element_size());
    part.weights = weights.of(head);
    row_kernels().score_chunk(part, chunk * step, std::min((chunk + 1) * step, g.rows),
                              places.at(own, head), chunk_sums,
                              outputs.rows().from(head * g.rows), scratch);
  });
  outputs.finish();
}

}  // namespace
}  // namespace ftcore

STABLE_TORCH_LIBRARY_IMPL(ftcore, CPU, m) {
  m.impl("classification_statistics_", TORCH_BOX(&ftcore::classification_statistics_));
}
