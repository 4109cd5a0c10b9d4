// linear_classification_statistics_ on CUDA: logits in tiles of whole rows, of many heads side by
// side, by the library that torch multiplies with; each tile is a job for the row kernels. The op
// itself, its words for wrong arguments, and what it means: ftcore/ops/linear_classification.py.

#include "score.h"  // first: see USE_CUDA there

#include <torch/csrc/inductor/aoti_torch/generated/c_shim_cuda.h>
#include <torch/csrc/stable/library.h>

#include "../torch/classification_arguments.h"

namespace ftcore {
namespace {

#ifndef FTCORE_TILE_BYTES  // tests have smaller ones
#define FTCORE_TILE_BYTES (64 << 20)
#define FTCORE_TILE_ROWS 1024
#endif
constexpr int64_t kTileBytes = FTCORE_TILE_BYTES;
constexpr int64_t kTileRows = FTCORE_TILE_ROWS;  // of as many heads at once as leave room for these

struct Range {
  int64_t first, count;
};

// Part of a tensor from its `start`-th element on.
Tensor part(const Tensor& t, int64_t start, const std::vector<int64_t>& shape,
            const std::vector<int64_t>& strides) {
  char* const data = static_cast<char*>(t.data_ptr()) + start * t.element_size();
  return torch::stable::from_blob(data, shape, strides, t.device(), t.scalar_type());
}

// out = a b + bias, if there is one.
void multiply(const Tensor& out, const Tensor& a, const Tensor& b,
              const std::optional<Tensor>& bias) {
  if (bias) {
    STABLE_TORCH_ERROR_CODE_CHECK(
        aoti_torch_cuda_addmm_out(out.get(), bias->get(), a.get(), b.get(), 1.0, 1.0));
  } else {
    STABLE_TORCH_ERROR_CODE_CHECK(aoti_torch_cuda_mm_out(out.get(), a.get(), b.get()));
  }
}

// What the op is given, one head after the other.
struct Problem {
  Tensor features, weight;     // (N, D), (heads, C, D)
  std::optional<Tensor> bias;  // (heads, C)
  Tensor targets;              // (N,)
  const Weights& weights_of_rows;
  int64_t heads, classes, bins;
  bool confusion;
  std::optional<int64_t> ignore_index;

  int64_t rows() const { return features.size(0); }
  int64_t depth() const { return features.size(1); }

  // Logits of some rows and heads: (rows, heads * C), one row after the other.
  void compute(const Tensor& tile, Range head, Range row) const {
    const int64_t columns = head.count * classes, first = head.first * classes;
    const Tensor some = part(features, row.first * features.stride(0), {row.count, depth()},
                             {features.stride(0), features.stride(1)});
    const Tensor weights = part(weight, first * depth(), {depth(), columns}, {1, depth()});
    std::optional<Tensor> biases;
    if (bias) biases.emplace(part(*bias, first, {columns}, {1}));
    multiply(part(tile, 0, {row.count, columns}, {columns, 1}), some, weights, biases);
  }

  Job job(const Tensor& tile, Range head, Range row, const Outputs& outputs) const {
    const int64_t* const weights = weights_of_rows.of(head.first);
    Job job{};
    job.batch = {
        .logits = tile.data_ptr(),
        .targets = static_cast<const int64_t*>(targets.data_ptr()) + row.first,
        .weights = weights == nullptr ? nullptr : weights + row.first,
        .type = logit_type(tile),
        .inner = row.count,
        .outer_stride = 0,
        .inner_stride = head.count * classes,
        .classes = classes,
        .class_stride = 1,
        .bins = bins,
        .has_ignore_index = ignore_index.has_value(),
        .ignore_index = ignore_index.value_or(0),
    };
    job.heads = head.count;
    job.rows = row.count;
    job.head_stride = classes;
    job.weight_stride = weights_of_rows.head_stride();
    job.output_stride = rows();
    job.outputs = outputs.rows().from(head.first * rows() + row.first);
    job.has_confusion = confusion;
    job.counts = outputs.counts() + head.first * Counts::size(classes, bins, confusion);
    job.sums = outputs.sums() + head.first * (kScalarSums + bins);
    return job;
  }

  void score_all(const Outputs& outputs) const {
    if (heads == 0 || rows() == 0) return;
    const int64_t size = classes * static_cast<int64_t>(features.element_size());
    const int64_t fitting = kTileBytes / size;  // rows of one head
    const int64_t some_heads =
        std::clamp<int64_t>(fitting / std::min(kTileRows, rows()), 1, heads);
    const int64_t some_rows = std::clamp<int64_t>(fitting / some_heads, 1, rows());
    const std::vector<int64_t> shape{some_rows * some_heads * classes};
    const Tensor tile = torch::stable::empty(shape, features.scalar_type(), std::nullopt,
                                             features.device());
    for (int64_t h = 0; h < heads; h += some_heads) {
      const Range head{h, std::min(some_heads, heads - h)};
      for (int64_t r = 0; r < rows(); r += some_rows) {
        const Range row{r, std::min(some_rows, rows() - r)};
        compute(tile, head, row);
        score(job(tile, head, row, outputs), features.device());
      }
    }
  }
};

void linear_classification_statistics_(Tensor counts, Tensor sums, const Tensor features,
                                       const Tensor weight, const std::optional<Tensor> bias,
                                       const Tensor targets, std::optional<Tensor> row_weights,
                                       std::optional<int64_t> ignore_index, int64_t bins,
                                       bool confusion, std::optional<Tensor> row_labels,
                                       std::optional<Tensor> row_values) {
  const Given given{counts, sums, row_labels, row_values, bins, confusion};
  check_linear(given, features, weight, bias, targets);
  const int64_t heads = given.heads(), classes = weight.size(heads);
  const Weights weights(row_weights, sizes(weight, 0, heads), {features.size(0)},
                        features.device());
  check_limits(classes, bins);
  const torch::stable::accelerator::DeviceGuard guard(features.device().index());
  Outputs outputs(given);
  const Problem problem{
      .features = features,
      .weight = torch::stable::contiguous(weight),
      .bias = bias ? std::optional(torch::stable::contiguous(*bias)) : std::nullopt,
      .targets = contiguous_int64(targets),
      .weights_of_rows = weights,
      .heads = product(weight, 0, heads),
      .classes = classes,
      .bins = bins,
      .confusion = confusion,
      .ignore_index = ignore_index,
  };
  problem.score_all(outputs);
  outputs.finish();
}

}  // namespace
}  // namespace ftcore

STABLE_TORCH_LIBRARY_IMPL(ftcore, CUDA, m) {
  m.impl("linear_classification_statistics_",
         TORCH_BOX(&ftcore::linear_classification_statistics_));
}
