// linear_classification_statistics_ on the CPU: the product of features and weights, tile by tile
// in a buffer that stays in cache, each tile scored as soon as it is there. The op itself, its words
// for wrong arguments, and what it means: ftcore/ops/linear_classification.py.

#include <torch/csrc/stable/library.h>

#include "../torch/classification_arguments.h"
#include "chunked.h"
#include "linear_tiles.h"

namespace ftcore {
namespace {

template <class Tiles>
void score_all(const Problem& p, const Tiles& tiles, int64_t group, const CountsOfHeads& places,
               double* sums, int64_t extra_bytes) {
  const Chunked chunked{
      .heads = p.heads / group,
      .chunks = (p.rows + tiles.step() - 1) / tiles.step(),
      .grain = 1,
      .counts = places.all,
      .count_size = group * places.size(),
      .own_count_size = group * places.own_size(),
      .sums = sums,
      .sum_size = group * (kScalarSums + p.bins),
      .scratch_size = tiles.tile_bytes() + extra_bytes,
      .is_always_parallel = true,  // so that products are computed by one thread each
  };
  chunked.run([&](int64_t g, int64_t chunk, int64_t* own, double* chunk_sums, void* scratch) {
    const int64_t begin = chunk * tiles.step(), rows = std::min(tiles.step(), p.rows - begin);
    tiles.score(g, begin, rows, places, own, chunk_sums, static_cast<char*>(scratch));
  });
}

void linear_classification_statistics_(Tensor counts, Tensor sums, const Tensor features,
                                       const Tensor weight, const std::optional<Tensor> bias,
                                       const Tensor targets, std::optional<Tensor> row_weights,
                                       std::optional<int64_t> ignore_index,
                                       int64_t bins, bool confusion,
                                       std::optional<Tensor> row_labels,
                                       std::optional<Tensor> row_values) {
  const Given given{counts, sums, row_labels, row_values, bins, confusion};
  check_linear(given, features, weight, bias, targets);
  const int64_t heads = given.heads();
  const Weights weights(row_weights, sizes(weight, 0, heads), {features.size(0)},
                        features.device());
  Outputs outputs(given);
  const bool is_matrix = features.stride(0) == 1 || features.stride(1) == 1;
  const Problem p{
      .features = is_matrix ? features : torch::stable::contiguous(features),
      .weight = torch::stable::contiguous(weight),
      .bias = bias ? std::optional(torch::stable::contiguous(*bias)) : std::nullopt,
      .targets = contiguous_int64(targets),
      .weights_of_rows = weights,
      .type = features.scalar_type(),
      .logit = logit_type(features),
      .heads = product(weight, 0, heads),
      .rows = features.size(0),
      .depth = features.size(1),
      .classes = weight.size(heads),
      .bins = bins,
      .ignore_index = ignore_index,
      .outputs = outputs.rows(),
  };
  const CountsOfHeads places{outputs.counts(), p.classes, bins, confusion};
  if (p.classes <= kLongestRow) {
    const WholeRows tiles(p);
    score_all(p, tiles, tiles.group, places, outputs.sums(), kScratchBytes);
  } else {
    const StreamedRows tiles{p};
    score_all(p, tiles, 1, places, outputs.sums(), tiles.gathered_bytes());
  }
  outputs.finish();
}

}  // namespace
}  // namespace ftcore

STABLE_TORCH_LIBRARY_IMPL(ftcore, CPU, m) {
  m.impl("linear_classification_statistics_",
         TORCH_BOX(&ftcore::linear_classification_statistics_));
}
