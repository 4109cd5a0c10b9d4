// linear_classification_statistics_ on the CPU: the product of features and weights, tile by tile
// in a buffer that stays in cache, each tile scored as soon as it is there.
// The op itself, its words for wrong arguments, and what it means: ftcore/ops/linear_classification.py.

#include <torch/csrc/stable/library.h>
#include <torch/headeronly/util/BFloat16.h>
#include <torch/headeronly/util/Half.h>

#include <cstring>
#include <string>

#include "arguments.h"
#include "chunk.h"
#include "chunked.h"
#include "counts_of_heads.h"
#include "matrix.h"

namespace ftcore {
namespace {

constexpr int64_t kTileBytes = 15 << 17;  // of a tile of whole rows
constexpr int64_t kLongestRow = 3072;     // classes of a tile of whole rows, of 128 rows then
constexpr int64_t kTileRows = 512, kTileClasses = 512;  // of a tile of some of the classes
// With fewer columns, some libraries add up products in another order.
constexpr int64_t kExpectedRows = 256;
constexpr int64_t kGroupedClasses = 1024;  // of all the heads whose products are one

// What the op is given, one head after the other.
struct Problem {
  Tensor features, weight;  // (N, D), (heads, C, D)
  std::optional<Tensor> bias;  // (heads, C)
  Tensor targets;           // (N,)
  ScalarType type;
  Logit logit;
  int64_t heads, rows, depth, classes, bins;
  std::optional<int64_t> ignore_index;
  RowOutputs outputs;

  int64_t element_size() const { return features.element_size(); }
  const char* at(const Tensor& t, int64_t element) const {
    return static_cast<const char*>(t.data_ptr()) + element * element_size();
  }
  const int64_t* target(int64_t row) const {
    return static_cast<const int64_t*>(targets.data_ptr()) + row;
  }

  Matrix feature_rows(int64_t begin, int64_t count) const {
    const int64_t stride = features.stride(0);
    return {at(features, begin * stride), count, depth, stride, features.stride(1)};
  }
  Matrix weights(int64_t begin, int64_t count) const {  // begin counts classes of all heads
    return {at(weight, begin * depth), count, depth, depth, 1};
  }
  Matrix biases(int64_t begin, int64_t count) const {  // as a row
    return {bias ? at(*bias, begin) : nullptr, 1, count, 0, 1};
  }

  // A batch of `count` rows from `begin` on, whose logits are somewhere else.
  Batch batch(const void* logits, int64_t begin, int64_t count) const {
    Batch batch{};
    batch.logits = logits;
    batch.targets = target(begin);
    batch.type = logit;
    batch.inner = std::max<int64_t>(count, 1);
    batch.inner_stride = batch.classes = classes;
    batch.class_stride = 1;
    batch.bins = bins;
    batch.has_ignore_index = ignore_index.has_value();
    batch.ignore_index = ignore_index.value_or(0);
    return batch;
  }

  RowOutputs outputs_of(int64_t head, int64_t row) const {
    const int64_t place = head * rows + row;
    return {outputs.labels ? outputs.labels + 3 * place : nullptr,
            outputs.values ? outputs.values + 4 * place : nullptr};
  }
};

// Tiles of whole rows, of several heads side by side if they have few classes. With very few
// classes they are transposed, which is how the row kernel wants them, unless that makes so few rows
// that some libraries round by the number of threads.
struct WholeRows {
  const Problem& p;
  int64_t group = 1;  // heads

  explicit WholeRows(const Problem& problem) : p(problem) {
    for (int64_t heads = p.classes > 128 ? 1 : kGroupedClasses / p.classes; heads > 1; --heads) {
      if (p.heads % heads != 0) continue;
      group = heads;
      break;
    }
  }

  int64_t columns() const { return group * p.classes; }
  int64_t step() const {
    const int64_t rows = kTileBytes / (columns() * p.element_size());
    return std::clamp<int64_t>(rows, 128, 4096) / 16 * 16;
  }
  int64_t tile_bytes() const { return step() * columns() * p.element_size(); }

  void score(int64_t g, int64_t begin, int64_t rows, const CountsOfHeads& places, int64_t* counts,
             double* sums, char* scratch) const {
    const Matrix features = p.feature_rows(begin, rows);
    const Matrix weights = p.weights(g * columns(), columns());
    const Matrix bias = p.biases(g * columns(), columns());
    const bool is_transposed = p.classes <= kFewClasses && columns() >= 16;
    const Matrix tile = is_transposed ? Matrix{scratch, columns(), rows, rows, 1}
                                      : Matrix{scratch, rows, columns(), columns(), 1};
    if (is_transposed) {
      multiply(tile, weights, features.transposed(), bias.transposed(), p.type,
               p.element_size());
    } else {
      multiply(tile, features, weights.transposed(), bias, p.type, p.element_size());
    }
    for (int64_t k = 0; k < group; ++k) {
      const int64_t first = k * p.classes * (is_transposed ? rows : 1), head = g * group + k;
      Batch batch = p.batch(scratch + first * p.element_size(), begin, rows);
      batch.inner_stride = is_transposed ? 1 : columns();
      batch.class_stride = is_transposed ? rows : 1;
      row_kernels().score_chunk(batch, 0, rows, places.at(counts + k * places.own_size(), head),
                                sums + k * (kScalarSums + p.bins), p.outputs_of(head, begin),
                                scratch + tile_bytes());
    }
  }
};

double element(const char* data, int64_t index, Logit type) {
  switch (type) {
    case Logit::f16:
      return static_cast<float>(reinterpret_cast<const torch::headeronly::Half*>(data)[index]);
    case Logit::bf16:
      return static_cast<float>(reinterpret_cast<const torch::headeronly::BFloat16*>(data)[index]);
    case Logit::f32:
      return reinterpret_cast<const float*>(data)[index];
    default:
      return reinterpret_cast<const double*>(data)[index];
  }
}

// Tiles of some of the classes, one after the other. The rank of a target counts logits against the
// target's own, which is needed beforehand and has to be the very same number: it is computed as
// such a tile is, and compared when its tile comes. If it differs, the rows are read once more.
struct StreamedRows {
  const Problem& p;

  int64_t step() const { return kTileRows; }
  int64_t tile_bytes() const { return kTileRows * kTileClasses * p.element_size(); }
  int64_t gathered_bytes() const { return kExpectedRows * (p.depth + 1) * p.element_size(); }

  void score(int64_t head, int64_t begin, int64_t rows, const CountsOfHeads& places,
             int64_t* counts, double* sums, char* scratch) const {
    std::vector<int64_t> classes(rows);  // -1 where none is to be scored
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t t = p.target(begin)[r];
      const bool is_class = t >= 0 && t < p.classes && !(p.ignore_index && t == *p.ignore_index);
      classes[r] = is_class ? t : -1;
    }
    std::vector<OpenRow> open(rows);
    expect(head, begin, classes, open, scratch);
    read(head, begin, classes, open, scratch);
    if (!is_as_expected(classes, open)) {
      for (OpenRow& row : open) row.z_target = row.z_seen;
      read(head, begin, classes, open, scratch);
    }
    row_kernels().close_rows(p.batch(nullptr, begin, rows), rows, open.data(),
                             places.at(counts, head), sums, p.outputs_of(head, begin));
  }

 private:
  void expect(int64_t head, int64_t begin, const std::vector<int64_t>& classes,
              std::vector<OpenRow>& open, char* tile) const {
    char* const gathered = tile + tile_bytes();
    char* const bias = gathered + kExpectedRows * p.depth * p.element_size();
    const int64_t size = p.element_size(), rows = static_cast<int64_t>(open.size());
    for (int64_t start = 0; start < rows; start += kExpectedRows) {
      const int64_t count = std::min(kExpectedRows, rows - start);
      for (int64_t k = 0; k < kExpectedRows; ++k) {
        const int64_t row = start + (k < count ? k : 0);
        const int64_t place = head * p.classes + std::max<int64_t>(classes[row], 0);
        std::memcpy(gathered + k * p.depth * size, p.at(p.weight, place * p.depth), p.depth * size);
        if (p.bias) std::memcpy(bias + k * size, p.at(*p.bias, place), size);
      }
      const Matrix weights{gathered, kExpectedRows, p.depth, p.depth, 1};
      multiply({tile, count, kExpectedRows, kExpectedRows, 1},
               p.feature_rows(begin + start, count), weights.transposed(),
               {p.bias ? bias : nullptr, 1, kExpectedRows, 0, 1}, p.type, p.element_size());
      for (int64_t k = 0; k < count; ++k) {
        open[start + k].z_target = element(tile, k * kExpectedRows + k, p.logit);
      }
    }
  }

  void read(int64_t head, int64_t begin, const std::vector<int64_t>& classes,
            std::vector<OpenRow>& open, char* tile) const {
    const int64_t rows = static_cast<int64_t>(open.size());
    for (OpenRow& row : open) row = OpenRow{row.z_target, 0, {}, 0, false, true};
    for (int64_t c = 0; c < p.classes; c += kTileClasses) {
      const int64_t width = std::min(kTileClasses, p.classes - c), place = head * p.classes + c;
      multiply({tile, rows, width, width, 1}, p.feature_rows(begin, rows),
               p.weights(place, width).transposed(), p.biases(place, width), p.type, p.element_size());
      Batch batch = p.batch(tile, begin, rows);
      batch.targets = classes.data();
      batch.classes = batch.inner_stride = width;
      row_kernels().read_tile(batch, rows, c, open.data());
    }
  }

  static bool is_as_expected(const std::vector<int64_t>& classes,
                             const std::vector<OpenRow>& open) {
    for (size_t r = 0; r < open.size(); ++r) {
      if (classes[r] >= 0 && open[r].is_finite && open[r].z_seen != open[r].z_target) return false;
    }
    return true;
  }
};

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
                                       const Tensor targets, std::optional<int64_t> ignore_index,
                                       int64_t bins, bool confusion,
                                       std::optional<Tensor> row_labels,
                                       std::optional<Tensor> row_values) {
  check(counts, sums, features, weight, bias, targets, bins, confusion, row_labels, row_values);
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
