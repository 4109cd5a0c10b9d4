// Where logits of any strides lie.
#pragma once

#include "arguments.h"

namespace ftcore {

// One head's logits as Batch knows them, and the heads' places.
struct Geometry {
  Tensor logits;  // as given, or a contiguous copy
  int64_t heads = 1, rows = 1, inner = 1, outer_stride = 0, inner_stride = 0;
  int64_t classes = 0, class_stride = 0;
  std::vector<int64_t> head_offsets;  // in elements

  Batch batch(const Tensor& targets, int64_t bins, std::optional<int64_t> ignore_index) const {
    return {
        .logits = logits.data_ptr(),
        .targets = static_cast<const int64_t*>(targets.data_ptr()),
        .weights = nullptr,
        .type = logit_type(logits),
        .inner = inner,
        .outer_stride = outer_stride,
        .inner_stride = inner_stride,
        .classes = classes,
        .class_stride = class_stride,
        .bins = bins,
        .has_ignore_index = ignore_index.has_value(),
        .ignore_index = ignore_index.value_or(0),
    };
  }
};

inline Geometry geometry_of(const Tensor& given, int64_t heads, int64_t dim) {
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

}  // namespace ftcore
