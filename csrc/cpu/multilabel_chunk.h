// Statistics of many labels, tile by tile: logits and targets are read, exponentials come from short
// vectors, all else are plain loops over the tile.

FTCORE_INLINE Floats log1p_lanes(Floats e) { return log1p_of(e, 1.0f / (e + 1.0f)); }
FTCORE_INLINE Doubles log1p_lanes(Doubles e) {
  for (int lane = 0; lane < kDoubles; ++lane) e[lane] = __builtin_log1p(e[lane]);
  return e;
}

// e = exp(-|z|) and log1p(e) of whole vectors.
template <class L>
FTCORE_INLINE void exponentials(const typename L::Value* z, int64_t count, typename L::Value* e,
                                typename L::Value* log_total) {
  for (int64_t i = 0; i < count; i += L::count) {
    const auto v = load(z + i);
    const auto lanes = exponential(v < 0 ? v : -v);
    store_vector(e + i, lanes);
    store_vector(log_total + i, log1p_lanes(lanes));
  }
}

// Says whether any code is neither 0 nor kIsThere.
template <class T>
FTCORE_INLINE bool read_codes(const T* __restrict from, int64_t count, bool has_ignore_index,
                              int64_t ignore_index, int32_t* __restrict code) {
  int32_t all = 0;
  for (int64_t i = 0; i < count; ++i) {
    code[i] = label_code(from[i], has_ignore_index, ignore_index);
    all |= code[i];
  }
  return (all & 2) != 0;
}

// Bits of a code once the logit has been looked at.
constexpr int32_t kIsPredicted = 2, kIsLeftOut = 4, kIsWrong = 8;

template <class L>
struct MultilabelTile {
  using Value = typename L::Value;

  const MultilabelBatch& batch;
  const MultilabelCounts& counts;
  const TileShape shape;
  Value *z, *nll, *brier;  // before they are losses: log1p(e) and e
  int32_t *code, *bin;
  int64_t* weight;
  double *factor, *nll_sums, *brier_sums;
  int64_t *there, *predicted, *both;        // of each place
  int64_t total = 0, whole = 0, right = 0;  // weights: of all rows, of those scored, of the exact

  MultilabelTile(const MultilabelBatch& batch_, const MultilabelCounts& counts_, void* scratch)
      : batch(batch_), counts(counts_), shape(batch_.labels) {
    nll_sums = static_cast<double*>(scratch);
    brier_sums = nll_sums + shape.width;
    there = reinterpret_cast<int64_t*>(brier_sums + shape.width);
    predicted = there + shape.width;
    both = predicted + shape.width;
    weight = both + shape.width;
    factor = reinterpret_cast<double*>(weight + shape.size);
    z = reinterpret_cast<Value*>(factor + shape.size);
    nll = z + shape.size;
    brier = nll + shape.size;
    code = reinterpret_cast<int32_t*>(brier + shape.size);
    bin = code + shape.size;
    for (int64_t j = 0; j < shape.width; ++j) {
      nll_sums[j] = brier_sums[j] = 0;
      there[j] = predicted[j] = both[j] = 0;
    }
    for (int64_t i = 0; i < shape.size; ++i) z[i] = 0;
  }

  template <class T>
  FTCORE_INLINE void add(int64_t r, int64_t rows) {
    const int64_t count = rows * batch.labels;
    read_rows<T>(batch.logits, r, rows, batch.labels, z);
    bool unscored = read_targets(r, count);
    int32_t spoilt = 0;
    for (int64_t i = 0; i < count; ++i) spoilt |= z[i] * 0 != 0;
    unscored |= spoilt != 0;
    if (unscored) leave_out(r, count);
    exponentials<L>(z, (count + L::count - 1) / L::count * L::count, brier, nll);
    score(count);
    if (unscored) clear(count);
    if (batch.weights == nullptr) {
      total += rows;
      for (int64_t i = 0; i < count; i += shape.width) add_places<false>(i, count);
      for (int64_t row = 0; row < rows; ++row) add_row(row, 1);
    } else {
      read_weights(r, rows);
      for (int64_t i = 0; i < count; i += shape.width) add_places<true>(i, count);
      for (int64_t row = 0; row < rows; ++row) add_row(row, batch.weights[r + row]);
    }
  }

  FTCORE_INLINE bool read_targets(int64_t r, int64_t count) {
    const int64_t start = r * batch.labels;
    if (batch.has_byte_targets) {
      return read_codes(static_cast<const uint8_t*>(batch.targets) + start, count,
                        batch.has_ignore_index, batch.ignore_index, code);
    }
    return read_codes(static_cast<const int64_t*>(batch.targets) + start, count,
                      batch.has_ignore_index, batch.ignore_index, code);
  }

  // Counts what is not to be scored, and gives it a logit that is harmless.
  __attribute__((noinline)) void leave_out(int64_t r, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const LabelOutcome outcome = label_outcome(z[i], code[i]);
      if (is_scored(outcome)) continue;
      const int64_t label = i % batch.labels;
      const int64_t w = batch.weights == nullptr ? 1 : batch.weights[r + i / batch.labels];
      counts.ignored[outcome * batch.labels + label] += w;
      counts.true_negative[label] -= w;  // where it would count otherwise
      z[i] = -1;
      code[i] = kIsLeftOut;
    }
  }

  FTCORE_INLINE void score(int64_t count) {
    const Value* const __restrict from = z;
    Value *const __restrict log_total = nll, *const __restrict e = brier;
    int32_t *const __restrict to_code = code, *const __restrict to_bin = bin;
    for (int64_t i = 0; i < count; ++i) {
      const Value value = from[i], magnitude = value < 0 ? -value : value;
      const int32_t predicts = value >= 0 ? 1 : 0, wrong = predicts ^ (to_code[i] & kIsThere);
      const BinaryLoss<Value> loss = binary_loss(magnitude, e[i], log_total[i], wrong != 0);
      log_total[i] = loss.nll;
      e[i] = loss.brier;
      to_code[i] |= predicts * kIsPredicted | wrong * kIsWrong;
    }
    for (int64_t i = 0; i < count; ++i) {
      const float narrow = static_cast<float>(from[i]);
      to_bin[i] = logit_bin(__builtin_bit_cast(int32_t, narrow));
    }
  }

  FTCORE_INLINE void clear(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const bool is_left_out = (code[i] & kIsLeftOut) != 0;
      nll[i] = is_left_out ? 0 : nll[i];
      brier[i] = is_left_out ? 0 : brier[i];
      bin[i] = is_left_out ? -1 : bin[i];
    }
  }

  FTCORE_INLINE void read_weights(int64_t r, int64_t rows) {
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t w = batch.weights[r + row];
      total += w;
      for (int64_t l = row * batch.labels; l < (row + 1) * batch.labels; ++l) {
        weight[l] = w;
        factor[l] = static_cast<double>(w);
      }
    }
  }

  template <bool is_weighted>
  FTCORE_INLINE void add_places(int64_t start, int64_t end) {
    const int64_t count = end - start < shape.width ? end - start : shape.width;
    const Value *const __restrict a = nll + start, *const __restrict b = brier + start;
    const int32_t* const __restrict codes = code + start;
    const int64_t* const __restrict w = weight + start;
    const double* const __restrict f = factor + start;
    double *const __restrict nlls = nll_sums, *const __restrict briers = brier_sums;
    int64_t *const __restrict is_there = there, *const __restrict is_predicted = predicted;
    int64_t* const __restrict is_both = both;
    for (int64_t j = 0; j < count; ++j) {
      nlls[j] += (is_weighted ? f[j] : 1.0) * static_cast<double>(a[j]);
      briers[j] += (is_weighted ? f[j] : 1.0) * static_cast<double>(b[j]);
    }
    for (int64_t j = 0; j < count; ++j) {
      const int64_t y = codes[j] & 1, p = codes[j] >> 1 & 1;
      is_there[j] += is_weighted ? w[j] & -y : y;
      is_predicted[j] += is_weighted ? w[j] & -p : p;
      is_both[j] += is_weighted ? w[j] & -(y & p) : y & p;
    }
  }

  // Of a row in the tile: its histograms, and whether all of it is right.
  FTCORE_INLINE void add_row(int64_t row, int64_t w) {
    const int32_t *const codes = code + row * batch.labels, *const bins = bin + row * batch.labels;
    int64_t* const histograms[] = {counts.negatives, counts.positives};
    int32_t found = 0;
    for (int64_t l = 0; l < batch.labels; ++l) {
      found |= codes[l];
      if (bins[l] < 0) continue;
      int64_t* const cell = histograms[codes[l] & kIsThere] + l * kLogitBins + bins[l];
      if (counts.shares_histograms) {
        __atomic_fetch_add(cell, w, __ATOMIC_RELAXED);
      } else {
        *cell += w;
      }
    }
    whole += (found & kIsLeftOut) == 0 ? w : 0;
    right += (found & (kIsLeftOut | kIsWrong)) == 0 ? w : 0;
  }

  FTCORE_INLINE void finish(double* chunk_sums) const {
    const int64_t labels = batch.labels;
    *counts.rows += whole;
    *counts.exact += right;
    for (int64_t l = 0; l < labels; ++l) counts.true_negative[l] += total;
    for (int64_t j = 0; j < shape.width; ++j) {
      const int64_t l = j % labels;
      chunk_sums[l] += nll_sums[j];
      chunk_sums[labels + l] += brier_sums[j];
      counts.true_positive[l] += both[j];
      counts.false_positive[l] += predicted[j] - both[j];
      counts.false_negative[l] += there[j] - both[j];
      counts.true_negative[l] -= there[j] + predicted[j] - both[j];
    }
  }
};

template <class T>
void add_labels(const MultilabelBatch& batch, int64_t begin, int64_t end,
                const MultilabelCounts& counts, double* sums, void* scratch) {
  MultilabelTile<typename LanesOf<T>::type> tile(batch, counts, scratch);
  const int64_t step = tile.shape.rows;
  for (int64_t r = begin; r < end; r += step) {
    tile.template add<T>(r, end - r < step ? end - r : step);
  }
  tile.finish(sums);
}

void add_multilabel(const MultilabelBatch& batch, int64_t begin, int64_t end,
                    const MultilabelCounts& counts, double* sums, void* scratch) {
  switch (batch.logits.type) {
    case Element::f16:
      return add_labels<Half>(batch, begin, end, counts, sums, scratch);
    case Element::bf16:
      return add_labels<BFloat>(batch, begin, end, counts, sums, scratch);
    case Element::f32:
      return add_labels<float>(batch, begin, end, counts, sums, scratch);
    case Element::f64:
      return add_labels<double>(batch, begin, end, counts, sums, scratch);
  }
}
