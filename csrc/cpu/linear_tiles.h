// The two ways through a linear classifier: tiles of whole rows, and tiles of some of the classes.
#pragma once

#include <torch/headeronly/util/BFloat16.h>
#include <torch/headeronly/util/Half.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "../torch/arguments.h"
#include "chunk.h"
#include "counts_of_heads.h"
#include "matrix.h"

namespace ftcore {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;

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
  const Weights& weights_of_rows;
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
  Batch batch(int64_t head, const void* logits, int64_t begin, int64_t count) const {
    Batch batch{};
    batch.logits = logits;
    batch.targets = target(begin);
    const int64_t* const weights = weights_of_rows.of(head);
    batch.weights = weights == nullptr ? nullptr : weights + begin;
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
    return outputs.from(head * rows + row);
  }
};

// Tiles of whole rows, of several heads side by side if they have few classes. With very few
// classes they are transposed, which is how the row kernel wants them, unless that makes so few
// rows that some libraries round by the number of threads.
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
      Batch batch = p.batch(head, scratch + first * p.element_size(), begin, rows);
      batch.inner_stride = is_transposed ? 1 : columns();
      batch.class_stride = is_transposed ? rows : 1;
      row_kernels().score_chunk(batch, 0, rows, places.at(counts + k * places.own_size(), head),
                                sums + k * (kScalarSums + p.bins), p.outputs_of(head, begin),
                                scratch + tile_bytes());
    }
  }
};

inline double element(const char* data, int64_t index, Logit type) {
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
    const Batch batch = p.batch(head, nullptr, begin, rows);
    std::vector<int64_t> classes(rows);  // -1 where none is to be scored
    for (int64_t r = 0; r < rows; ++r) classes[r] = std::max<int64_t>(classify(batch, r), -1);
    std::vector<OpenRow> open(rows);
    expect(head, begin, classes, open, scratch);
    read(head, begin, classes, open, scratch);
    if (!is_as_expected(classes, open)) {
      for (OpenRow& row : open) row.z_target = row.z_seen;
      read(head, begin, classes, open, scratch);
    }
    row_kernels().close_rows(batch, rows, open.data(),
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
               p.weights(place, width).transposed(), p.biases(place, width), p.type,
               p.element_size());
      Batch batch = p.batch(head, tile, begin, rows);
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

}  // namespace ftcore
