// classification_statistics_ on the CPU: checks, geometry, and the loop over chunks of rows.
// The op itself, its words for wrong arguments, and what it means: ftcore/ops/classification.py.

#include <torch/csrc/stable/library.h>

#include "arguments.h"
#include "chunk.h"
#include "chunked.h"
#include "counts_of_heads.h"

namespace ftcore {
namespace {

// One head's logits as Batch knows them, and the heads' places.
struct Geometry {
  Tensor logits;  // as given, or a contiguous copy
  int64_t heads = 1, rows = 1, inner = 1, outer_stride = 0, inner_stride = 0;
  int64_t classes = 0, class_stride = 0;
  std::vector<int64_t> head_offsets;  // in elements
};

Geometry geometry_of(const Tensor& given, int64_t heads, int64_t dim) {
  Geometry g;
  g.logits = given;
  auto outer = merged_stride(given, heads, dim);
  auto inner = merged_stride(given, dim + 1, given.dim());
  if (!outer || !inner) {
    g.logits = torch::stable::contiguous(given);
    outer = merged_stride(g.logits, heads, dim);
    inner = merged_stride(g.logits, dim + 1, given.dim());
  }
  const Tensor& t = g.logits;
  const int64_t outer_size = product(t, heads, dim);
  g.heads = product(t, 0, heads);
  g.inner = product(t, dim + 1, t.dim());
  g.rows = outer_size * g.inner;
  g.outer_stride = *outer;
  g.inner_stride = *inner;
  g.classes = t.size(dim);
  g.class_stride = t.stride(dim);
  if (outer_size == 1 || g.inner == 1 || g.outer_stride == g.inner * g.inner_stride) {
    g.inner_stride = g.inner == 1 ? g.outer_stride : g.inner_stride;
    g.inner = std::max<int64_t>(g.rows, 1);
  }
  g.head_offsets = offsets_of(t, heads);
  return g;
}

std::vector<int64_t> sizes(const Tensor& t) { return {t.sizes().begin(), t.sizes().end()}; }

// Returns the class dimension, counted from the front.
int64_t check(const Tensor& counts, const Tensor& sums, const Tensor& logits,
              const Tensor& targets, int64_t class_dim, int64_t bins, bool confusion,
              const std::optional<Tensor>& labels, const std::optional<Tensor>& values) {
  const int64_t heads = counts.dim() - 1, dims = logits.dim();
  const int64_t dim = class_dim < 0 ? class_dim + dims : class_dim;
  STD_TORCH_CHECK(heads >= 0 && dim >= heads && dim < dims, "there is no such class dimension");
  STD_TORCH_CHECK(is_integer(targets), "targets must be integers");
  const int64_t classes = logits.size(dim);
  STD_TORCH_CHECK(classes >= 1 && bins >= 1, "there must be a class and a bin");
  std::vector<int64_t> lead, rows, places;
  for (int64_t d = 0; d < dims; ++d) {
    if (d == dim) continue;
    (d < heads ? lead : rows).push_back(logits.size(d));
    places.push_back(logits.size(d));
  }
  STD_TORCH_CHECK(logits.is_cpu() && targets.is_cpu() && has_shape(targets, rows),
                  "targets do not fit the logits");
  const int64_t size = Counts::size(classes, bins, confusion);
  check_output("counts", counts, lead, size, ScalarType::Long);
  check_output("sums", sums, lead, kScalarSums + bins, ScalarType::Double);
  if (labels) check_output("row_labels", *labels, places, 3, ScalarType::Long);
  if (values) check_output("row_values", *values, places, 4, ScalarType::Double);
  return dim;
}

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
  const int64_t dim = check(counts, sums, logits, targets, class_dim, bins, confusion, row_labels,
                            row_values);
  const Geometry g = geometry_of(logits, counts.dim() - 1, dim);
  const Tensor classes_of_rows = contiguous_int64(targets);
  const std::vector<int64_t> lead(logits.sizes().begin(), logits.sizes().begin() + counts.dim() - 1);
  const Weights weights(row_weights, lead, sizes(targets));
  Output count(counts), sum(sums);
  std::optional<Output> labels, values;
  if (row_labels) labels.emplace(*row_labels);
  if (row_values) values.emplace(*row_values);
  const Batch batch{
      .logits = nullptr,
      .targets = static_cast<const int64_t*>(classes_of_rows.data_ptr()),
      .weights = nullptr,
      .type = logit_type(g.logits),
      .inner = g.inner,
      .outer_stride = g.outer_stride,
      .inner_stride = g.inner_stride,
      .classes = g.classes,
      .class_stride = g.class_stride,
      .bins = bins,
      .has_ignore_index = ignore_index.has_value(),
      .ignore_index = ignore_index.value_or(0),
  };
  const int64_t step = chunk_rows(g.classes);
  const CountsOfHeads places{count.data<int64_t>(), g.classes, bins, confusion};
  const Chunked chunked{
      .heads = g.heads,
      .chunks = (g.rows + step - 1) / step,
      .grain = std::max<int64_t>(1, kGrain / (step * g.classes)),
      .counts = places.all,
      .count_size = places.size(),
      .own_count_size = places.own_size(),
      .sums = sum.data<double>(),
      .sum_size = kScalarSums + bins,
      .scratch_size = std::max<int64_t>(g.classes * 64, kRunBytes),
  };
  chunked.run([&](int64_t head, int64_t chunk, int64_t* own, double* chunk_sums, void* scratch) {
    Batch part = batch;
    part.logits = static_cast<const char*>(g.logits.data_ptr()) +
                  g.head_offsets[head] * static_cast<int64_t>(g.logits.element_size());
    part.weights = weights.of(head);
    const RowOutputs outputs{labels ? labels->data<int64_t>() + head * g.rows * 3 : nullptr,
                             values ? values->data<double>() + head * g.rows * 4 : nullptr};
    row_kernels().score_chunk(part, chunk * step, std::min((chunk + 1) * step, g.rows),
                              places.at(own, head), chunk_sums, outputs, scratch);
  });
  count.finish();
  sum.finish();
  if (labels) labels->finish();
  if (values) values->finish();
}

}  // namespace
}  // namespace ftcore

STABLE_TORCH_LIBRARY_IMPL(ftcore, CPU, m) {
  m.impl("classification_statistics_", TORCH_BOX(&ftcore::classification_statistics_));
}
