// linear_classification_statistics_ on the CPU: the product of features and weights, tile by tile
// in a buffer that stays in cache, each tile scored as soon as it is there. The op itself, its words
// for wrong arguments, and what it means: ftcore/ops/linear_classification.py.

#include <torch/csrc/stable/library.h>

#include "arguments.h"
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

void check(const Tensor& counts, const Tensor& sums, const Tensor& features, const Tensor& weight,
           const std::optional<Tensor>& bias, const Tensor& targets, int64_t bins, bool confusion,
           const std::optional<Tensor>& labels, const std::optional<Tensor>& values) {
  const int64_t heads = counts.dim() - 1;
  STD_TORCH_CHECK(heads >= 0 && features.dim() == 2 && weight.dim() == heads + 2 && bins >= 1,
                  "features, weight and counts do not fit");
  std::vector<int64_t> lead;
  for (int64_t d = 0; d < heads; ++d) lead.push_back(weight.size(d));
  const int64_t rows = features.size(0), classes = weight.size(heads);
  std::vector<int64_t> places = lead, of_bias = lead;
  places.push_back(rows);
  of_bias.push_back(classes);
  STD_TORCH_CHECK(classes >= 1 && weight.size(heads + 1) == features.size(1) &&
                      weight.scalar_type() == features.scalar_type() && weight.is_cpu() &&
                      features.is_cpu() && has_shape(targets, {rows}) && is_integer(targets) &&
                      targets.is_cpu(),
                  "features, weight and targets do not fit");
  STD_TORCH_CHECK(!bias || (has_shape(*bias, of_bias) && bias->is_cpu() &&
                            bias->scalar_type() == weight.scalar_type()),
                  "the bias does not fit");
  check_output("counts", counts, lead, Counts::size(classes, bins, confusion), ScalarType::Long);
  check_output("sums", sums, lead, kScalarSums + bins, ScalarType::Double);
  if (labels) check_output("row_labels", *labels, places, 3, ScalarType::Long);
  if (values) check_output("row_values", *values, places, 4, ScalarType::Double);
}

void linear_classification_statistics_(Tensor counts, Tensor sums, const Tensor features,
                                       const Tensor weight, const std::optional<Tensor> bias,
                                       const Tensor targets, std::optional<Tensor> row_weights,
                                       std::optional<int64_t> ignore_index,
                                       int64_t bins, bool confusion,
                                       std::optional<Tensor> row_labels,
                                       std::optional<Tensor> row_values) {
  check(counts, sums, features, weight, bias, targets, bins, confusion, row_labels, row_values);
  const std::vector<int64_t> lead(weight.sizes().begin(), weight.sizes().end() - 2);
  const Weights weights(row_weights, lead, {features.size(0)});
  Output count(counts), sum(sums);
  std::optional<Output> labels, values;
  if (row_labels) labels.emplace(*row_labels);
  if (row_values) values.emplace(*row_values);
  const int64_t heads = counts.dim() - 1;
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
      .outputs = {labels ? labels->data<int64_t>() : nullptr,
                  values ? values->data<double>() : nullptr},
  };
  const CountsOfHeads places{count.data<int64_t>(), p.classes, bins, confusion};
  if (p.classes <= kLongestRow) {
    const WholeRows tiles(p);
    score_all(p, tiles, tiles.group, places, sum.data<double>(), kRunBytes);
  } else {
    const StreamedRows tiles{p};
    score_all(p, tiles, 1, places, sum.data<double>(), tiles.gathered_bytes());
  }
  count.finish();
  sum.finish();
  if (labels) labels->finish();
  if (values) values->finish();
}

}  // namespace
}  // namespace ftcore

STABLE_TORCH_LIBRARY_IMPL(ftcore, CPU, m) {
  m.impl("linear_classification_statistics_",
         TORCH_BOX(&ftcore::linear_classification_statistics_));
}
