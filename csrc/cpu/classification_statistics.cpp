// classification_statistics_ on the CPU: checks, geometry, and the loop over chunks of rows.
// The op itself, its words for wrong arguments, and what it means: ftcore/ops/classification.py.

#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>
#include <torch/headeronly/core/ScalarType.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "chunk.h"

namespace ftcore {
namespace {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;

// One head's logits as Batch knows them, and the heads' places.
struct Geometry {
  Tensor logits;  // as given, or a contiguous copy
  int64_t heads = 1, rows = 1, inner = 1, outer_stride = 0, inner_stride = 0;
  int64_t classes = 0, class_stride = 0;
  std::vector<int64_t> head_offsets;  // in elements
};

// Dimensions begin <= d < end as one, or nothing if no single stride steps through them.
std::optional<int64_t> merged_stride(const Tensor& t, int64_t begin, int64_t end) {
  int64_t size = 1, stride = 0;
  for (int64_t d = end - 1; d >= begin; --d) {
    if (t.size(d) == 1) continue;
    if (size == 1) {
      stride = t.stride(d);
    } else if (t.stride(d) != size * stride) {
      return std::nullopt;
    }
    size *= t.size(d);
  }
  return stride;
}

int64_t product(const Tensor& t, int64_t begin, int64_t end) {
  int64_t size = 1;
  for (int64_t d = begin; d < end; ++d) size *= t.size(d);
  return size;
}

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
  g.head_offsets.assign(g.heads, 0);
  int64_t repeat = 1;
  for (int64_t d = heads - 1; d >= 0; --d) {
    for (int64_t h = 0; h < g.heads; ++h) {
      g.head_offsets[h] += h / repeat % t.size(d) * t.stride(d);
    }
    repeat *= t.size(d);
  }
  return g;
}

Logit logit_type(const Tensor& logits) {
  switch (logits.scalar_type()) {
    case ScalarType::Half:
      return Logit::f16;
    case ScalarType::BFloat16:
      return Logit::bf16;
    case ScalarType::Float:
      return Logit::f32;
    case ScalarType::Double:
      return Logit::f64;
    default:
      STD_TORCH_CHECK(false, "logits must be a float of 16 to 64 bits");
  }
}

bool has_shape(const Tensor& t, const std::vector<int64_t>& shape) {
  return t.dim() == static_cast<int64_t>(shape.size()) &&
         std::equal(shape.begin(), shape.end(), t.sizes().begin());
}

void check_output(const char* name, const Tensor& t, std::vector<int64_t> shape, int64_t last,
                  ScalarType type) {
  shape.push_back(last);
  STD_TORCH_CHECK(t.is_cpu() && t.scalar_type() == type && has_shape(t, shape), name,
                  " has the wrong type, shape or device");
}

// Returns the class dimension, counted from the front.
int64_t check(const Tensor& counts, const Tensor& sums, const Tensor& logits,
              const Tensor& targets, int64_t class_dim, int64_t bins, bool confusion,
              const std::optional<Tensor>& labels, const std::optional<Tensor>& values) {
  const int64_t heads = counts.dim() - 1, dims = logits.dim();
  const int64_t dim = class_dim < 0 ? class_dim + dims : class_dim;
  STD_TORCH_CHECK(heads >= 0 && dim >= heads && dim < dims, "there is no such class dimension");
  const ScalarType t = targets.scalar_type();
  STD_TORCH_CHECK(t == ScalarType::Long || t == ScalarType::Int || t == ScalarType::Short ||
                      t == ScalarType::Char || t == ScalarType::Byte,
                  "targets must be integers");
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

ScoreChunk* best_score_chunk() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return score_chunk_avx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return score_chunk_avx2;
#endif
  return score_chunk_default;
}

// Rows of a chunk, which depend on the shape alone: so many that its sums cost nothing beside it.
int64_t chunk_rows(int64_t classes) {
  const int64_t rows = std::clamp<int64_t>((1 << 17) / classes, 1, 4096);
  return rows < kTileLanes ? rows : rows / kTileLanes * kTileLanes;
}

constexpr int64_t kGrain = 1 << 16;  // logits worth a thread
constexpr int64_t kAlign = 64;

class Scratch {
 public:
  explicit Scratch(int64_t size) : bytes_(new char[size + kAlign]) {}
  void* get() const {
    const auto address = reinterpret_cast<uintptr_t>(bytes_.get());
    return bytes_.get() + (kAlign - address % kAlign) % kAlign;
  }

 private:
  std::unique_ptr<char[]> bytes_;
};

// Adds one head. Chunks write sums of their own, added up in order; counts are exact in any order,
// so each thread has some of its own as long as it works.
void add_head(const Batch& batch, int64_t rows, bool confusion, int64_t* counts, double* sums,
              const RowOutputs& outputs) {
  static ScoreChunk* const score_chunk = best_score_chunk();
  const int64_t step = chunk_rows(batch.classes), chunks = (rows + step - 1) / step;
  const int64_t width = kScalarSums + batch.bins;
  std::vector<double> chunk_sums(chunks * width, 0.0);
  const auto score = [&](int64_t begin, int64_t end, const Counts& places) {
    const Scratch scratch(std::max<int64_t>(batch.classes * 64, kRunBytes));
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      score_chunk(batch, chunk * step, std::min((chunk + 1) * step, rows), places,
                  &chunk_sums[chunk * width], outputs, scratch.get());
    }
  };
  const int64_t grain = std::max<int64_t>(1, kGrain / (step * batch.classes));
  if (chunks <= grain || torch::stable::get_num_threads() == 1) {
    score(0, chunks, Counts(counts, batch.classes, batch.bins, confusion));
  } else {
    // Large matrices take longer to clear and to add up than their few increments to share.
    const bool shares = confusion && batch.classes > 128;
    const int64_t size = Counts::size(batch.classes, batch.bins, confusion && !shares);
    std::mutex mutex;
    torch::stable::parallel_for(0, chunks, grain, [&](int64_t begin, int64_t end) {
      std::vector<int64_t> own(size, 0);
      Counts places(own.data(), batch.classes, batch.bins, confusion);
      if (shares) {
        places.confusion = Counts(counts, batch.classes, batch.bins, confusion).confusion;
        places.shares_confusion = true;
      }
      score(begin, end, places);
      const std::lock_guard<std::mutex> lock(mutex);
      for (int64_t i = 0; i < size; ++i) counts[i] += own[i];
    });
  }
  for (int64_t chunk = 1; chunk < chunks; ++chunk) {
    for (int64_t i = 0; i < width; ++i) chunk_sums[i] += chunk_sums[chunk * width + i];
  }
  for (int64_t i = 0; chunks > 0 && i < width; ++i) sums[i] += chunk_sums[i];
}

// An output that is not contiguous is written to a copy, which goes back at the end.
class Output {
 public:
  explicit Output(Tensor given) : given_(given), used_(torch::stable::contiguous(given)) {}
  template <class T>
  T* data() const {
    return static_cast<T*>(used_.data_ptr());
  }
  void finish() {
    if (used_.data_ptr() != given_.data_ptr()) torch::stable::copy_(given_, used_);
  }

 private:
  Tensor given_, used_;
};

void classification_statistics_(Tensor counts, Tensor sums, const Tensor logits,
                                const Tensor targets, int64_t class_dim,
                                std::optional<int64_t> ignore_index, int64_t bins, bool confusion,
                                std::optional<Tensor> row_labels,
                                std::optional<Tensor> row_values) {
  const int64_t dim = check(counts, sums, logits, targets, class_dim, bins, confusion, row_labels,
                            row_values);
  const Geometry g = geometry_of(logits, counts.dim() - 1, dim);
  const Tensor classes_of_rows =
      torch::stable::contiguous(targets.scalar_type() == ScalarType::Long
                                    ? targets
                                    : torch::stable::to(targets, ScalarType::Long));
  Output count(counts), sum(sums);
  std::optional<Output> labels, values;
  if (row_labels) labels.emplace(*row_labels);
  if (row_values) values.emplace(*row_values);
  Batch batch{nullptr,       static_cast<const int64_t*>(classes_of_rows.data_ptr()),
              logit_type(g.logits), g.inner, g.outer_stride, g.inner_stride,
              g.classes,     g.class_stride, bins, ignore_index.has_value(),
              ignore_index.value_or(0)};
  const char* data = static_cast<const char*>(g.logits.data_ptr());
  const int64_t size = Counts::size(g.classes, bins, confusion), width = kScalarSums + bins;
  for (int64_t h = 0; h < g.heads && g.rows > 0; ++h) {
    batch.logits = data + g.head_offsets[h] * static_cast<int64_t>(g.logits.element_size());
    const RowOutputs outputs{labels ? labels->data<int64_t>() + h * g.rows * 3 : nullptr,
                             values ? values->data<double>() + h * g.rows * 4 : nullptr};
    add_head(batch, g.rows, confusion, count.data<int64_t>() + h * size,
             sum.data<double>() + h * width, outputs);
  }
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
