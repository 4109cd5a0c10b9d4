// Rows by tiles, one lane for each row.

template <class L>
struct TileScores {
  using V = typename L::Vector;
  using M = typename L::Mask;
  using Value = typename L::Value;
  using Integer = typename L::Integer;
  static constexpr int width = L::count;

  V max, z_target;
  M prediction, above, is_finite;
  V rest, weighted, squares;  // RowSums of every lane

  FTCORE_INLINE void scan(const Value* tile, int64_t classes, M target) {
    max = load_vector<V>(tile);
    prediction = M{};
    z_target = max;
    V zeros = max * Value{0};
    for (int64_t c = 1; c < classes; ++c) {
      const V z = load_vector<V>(tile + c * width);
      const M number = M{} + static_cast<Integer>(c);
      prediction = z > max ? number : prediction;
      max = larger(z, max);
      zeros += z * Value{0};
      z_target = target == number ? z : z_target;
    }
    is_finite = zeros == zeros;
    above = M{};
    rest = weighted = squares = V{};
  }

  // Adds classes begin <= c < end.
  FTCORE_INLINE void sum(const Value* tile, int64_t begin, int64_t end, M target) {
    for (int64_t c = begin; c < end; ++c) {
      const V z = load_vector<V>(tile + c * width);
      const M number = M{} + static_cast<Integer>(c);
      above = (z > z_target) | ((z == z_target) & (number < target)) ? above - 1 : above;
      const V d = clamp_low(z - max);
      const V e = prediction == number ? V{} : drop_clamped(exponential(d), d);
      rest += e;
      weighted += e * d;
      squares += e * e;
    }
  }
};

constexpr int64_t kPadding = -3;  // a lane without a row

FTCORE_INLINE i64x8 classify(const Batch& batch, i64x8 target) {
  const i64x8 is_class = (target >= 0) & (target < batch.classes);
  const i64x8 known = is_class ? target : i64x8{} + kInvalid;
  if (!batch.has_ignore_index) return known;
  return target == batch.ignore_index ? i64x8{} + kIgnored : known;
}

template <class L>
FTCORE_INLINE typename L::Mask read_targets(const Batch& batch, int64_t r, int rows) {
  int64_t given[L::count];
  const int64_t* from = batch.targets + r;
  if (rows < L::count) {
    __builtin_memcpy(given, from, sizeof(int64_t) * rows);
    from = given;
  }
  typename L::Mask target;
  const i64x8 first = classify(batch, load_vector<i64x8>(from));
  if constexpr (L::count == 8) {
    target = first;
  } else {
    const i64x8 second = classify(batch, load_vector<i64x8>(from + 8));
    target = join(__builtin_convertvector(first, i32x8), __builtin_convertvector(second, i32x8));
  }
  if (rows == L::count) return target;
  const auto number = lane_numbers<L>();
  const auto padding = typename L::Mask{} + static_cast<typename L::Integer>(kPadding);
  return number < static_cast<typename L::Integer>(rows) ? target : padding;
}

template <class T>
void score_tiles(const Batch& batch, int64_t begin, int64_t end, const Counts& counts,
                 double* sums, const RowOutputs& outputs, void* scratch) {
  using L = typename LanesOf<T>::type;
  using Value = typename L::Value;
  constexpr int width = L::count;
  constexpr int64_t block = 64;  // classes summed up in float32 before they go into float64
  Value* tile = static_cast<Value*>(scratch);
  const TileReader<T> reader{batch, tile};
  for (int64_t r = begin; r < end; r += width) {
    const int rows = static_cast<int>(end - r < width ? end - r : width);
    reader.read(r, rows);
    const auto target = read_targets<L>(batch, r, rows);
    TileScores<L> scores;
    scores.scan(tile, batch.classes, target);
    RowSums row_sums[width] = {};
    for (int64_t c = 0; c < batch.classes; c += block) {
      scores.rest = scores.weighted = scores.squares = typename L::Vector{};
      scores.sum(tile, c, c + block < batch.classes ? c + block : batch.classes, target);
      for (int lane = 0; lane < width; ++lane) {
        row_sums[lane].rest += scores.rest[lane];
        row_sums[lane].weighted += scores.weighted[lane];
        row_sums[lane].squares += scores.squares[lane];
      }
    }
    for (int lane = 0; lane < rows; ++lane) {
      const int64_t t = target[lane];
      if (t < 0 || !scores.is_finite[lane]) {
        ++*(t == kIgnored ? counts.ignored : t < 0 ? counts.invalid : counts.non_finite);
        outputs.put_unscored(r + lane, batch.targets[r + lane]);
        continue;
      }
      Row row{t, scores.prediction[lane], -scores.above[lane], 0, 0, 0, 0};
      const double max = scores.max[lane], below = max - double{scores.z_target[lane]};
      finish_row(row, row_sums[lane], below, __builtin_exp(-below),
                 __builtin_log1p(row_sums[lane].rest));
      if (is_near_edge(row.confidence, batch.bins)) {
        row.confidence = exact_confidence(tile + lane, batch.classes, width, max);
      }
      const int64_t bin = bin_of(row.confidence, batch.bins);
      count(counts, batch.classes, row, bin);
      add(sums, row, bin);
      ++*counts.n;
      outputs.put(r + lane, row);
    }
  }
}
