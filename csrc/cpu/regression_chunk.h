// Sums of a regression, tile by tile: values are read as float64, what is not to be scored is
// replaced by the center, which adds nothing, and the sums are plain loops over the tile.

// Terms of `count` values, each to the sums of its place: eight sums, `width` places each.
template <bool is_weighted>
FTCORE_INLINE void add_terms(const double* __restrict output, const double* __restrict target,
                             const double* __restrict weight, int64_t count, double center,
                             double* __restrict sums, int64_t width) {
#pragma GCC ivdep
  for (int64_t j = 0; j < count; ++j) {
    const RegressionTerms term = regression_terms(output[j], target[j], center);
    const double w = is_weighted ? weight[j] : 1.0;
    sums[j] += w * term.absolute;
    sums[width + j] += w * term.squared;
    sums[2 * width + j] += w * term.error;
    sums[3 * width + j] += w * term.output;
    sums[4 * width + j] += w * term.target;
    sums[5 * width + j] += w * term.output_squared;
    sums[6 * width + j] += w * term.target_squared;
    sums[7 * width + j] += w * term.product;
  }
}

struct RegressionTile {
  const RegressionBatch& batch;
  const RegressionCounts counts;
  const TileShape shape;
  double *output, *target, *weight, *sums;
  int64_t total = 0;  // of the weights

  RegressionTile(const RegressionBatch& batch_, int64_t* counts_, void* scratch)
      : batch(batch_),
        counts(counts_, batch_.columns),
        shape(batch_.columns),
        output(static_cast<double*>(scratch)),
        target(output + shape.size),
        weight(target + shape.size),
        sums(weight + shape.size) {
    for (int64_t k = 0; k < kRegressionSums * shape.width; ++k) sums[k] = 0;
  }

  FTCORE_INLINE void add(int64_t r, int64_t rows) {
    const int64_t count = rows * batch.columns;
    read_doubles(batch.outputs, r, rows, batch.columns, output);
    read_doubles(batch.targets, r, rows, batch.columns, target);
    if (batch.weights == nullptr) {
      total += rows;
    } else {
      read_weights(r, rows);
    }
    int64_t unscored = 0;
    for (int64_t i = 0; i < count; ++i) unscored |= output[i] * 0.0 + target[i] * 0.0 != 0.0;
    if (__builtin_expect(unscored != 0, 0)) leave_out(r, rows);
    for (int64_t i = 0; i < count; i += shape.width) {
      const int64_t part = count - i < shape.width ? count - i : shape.width;
      if (batch.weights == nullptr) {
        add_terms<false>(output + i, target + i, nullptr, part, batch.center, sums, shape.width);
      } else {
        add_terms<true>(output + i, target + i, weight + i, part, batch.center, sums, shape.width);
      }
    }
  }

  // A row of weight 0 is left out whatever it holds: even an infinite term times 0 is no number.
  FTCORE_INLINE void read_weights(int64_t r, int64_t rows) {
    const int64_t* const __restrict from = batch.weights + r;
    double *const __restrict o = output, *const __restrict t = target, *const __restrict w = weight;
    const int64_t columns = batch.columns;
    const double center = batch.center;
    for (int64_t row = 0; row < rows; ++row) total += from[row];
    if (columns == 1) {
      for (int64_t row = 0; row < rows; ++row) w[row] = static_cast<double>(from[row]);
    } else {
      for (int64_t row = 0; row < rows; ++row) {
        for (int64_t k = 0; k < columns; ++k) w[row * columns + k] = static_cast<double>(from[row]);
      }
    }
    for (int64_t i = 0; i < rows * columns; ++i) {
      o[i] = w[i] == 0.0 ? center : o[i];
      t[i] = w[i] == 0.0 ? center : t[i];
    }
  }

  // Takes what is not finite out of the tile, and counts it.
  __attribute__((noinline)) void leave_out(int64_t r, int64_t rows) {
    for (int64_t i = 0; i < rows * batch.columns; ++i) {
      int64_t* const place = counts.of(regression_outcome(output[i], target[i]));
      if (place == counts.n) continue;
      const int64_t k = i % batch.columns;
      const int64_t w = batch.weights == nullptr ? 1 : batch.weights[r + i / batch.columns];
      place[k] += w;
      counts.n[k] -= w;
      output[i] = target[i] = batch.center;
    }
  }

  FTCORE_INLINE void finish(double* chunk_sums) const {
    for (int64_t k = 0; k < batch.columns; ++k) counts.n[k] += total;
    for (int64_t s = 0; s < kRegressionSums; ++s) {
      for (int64_t j = 0; j < shape.width; ++j) {
        chunk_sums[s * batch.columns + j % batch.columns] += sums[s * shape.width + j];
      }
    }
  }
};

void add_regression(const RegressionBatch& batch, int64_t begin, int64_t end, int64_t* counts,
                    double* sums, void* scratch) {
  RegressionTile tile(batch, counts, scratch);
  for (int64_t r = begin; r < end; r += tile.shape.rows) {
    tile.add(r, end - r < tile.shape.rows ? end - r : tile.shape.rows);
  }
  tile.finish(sums);
}
