// Rows by tiles, one lane for each row.

template <class L>
struct TileScores {
  using V = typename L::Vector;
  using M = typename L::Mask;
  using Value = typename L::Value;
  using Integer = typename L::Integer;
  static constexpr int width = L::count;

  const Value* tile;  // (C, width)
  M target;
  V max, z_target, before;
  M prediction, above;
  V rest, weighted, squares;  // RowSums of every lane

  FTCORE_INLINE V at(int64_t c) const { return load_vector<V>(tile + c * width); }

  FTCORE_INLINE void begin(const Value* tile_, M target_) {
    tile = tile_;
    target = target_;
    max = z_target = at(0);
    prediction = above = M{};
    rest = weighted = squares = V{};
  }

  FTCORE_INLINE void scan(int64_t c, M number) {
    const V z = at(c);
    prediction = z > max ? number : prediction;
    max = larger(z, max);
    z_target = target == number ? z : z_target;
  }

  FTCORE_INLINE bool has_zeros() const { return any(z_target == Value{0}); }

  FTCORE_INLINE void begin_sum() {
    const M bits = reinterpret_cast<M>(z_target);
    before = reinterpret_cast<V>(z_target > Value{0} ? bits - 1 : bits + 1);
  }

  // What equals the target and comes before it is above `before`, the greatest value less than the
  // target, unless that is 0: what lies just below 0 may be taken for 0.
  template <bool zeros>
  FTCORE_INLINE void sum(int64_t c, M number) {
    const V z = at(c);
    if constexpr (zeros) {
      above = (z > z_target) | ((z == z_target) & (number < target)) ? above - 1 : above;
    } else {
      const V limit = number < target ? before : z_target;
      above = z > limit ? above - 1 : above;
    }
    const V d = z - max;
    const V e = prediction == number ? V{} : exponential(d);
    rest += e;
    weighted += e * d;
    squares += e * e;
  }

  // False where something is infinite, not a number, or too far apart to tell.
  FTCORE_INLINE M is_sound() const { return weighted - weighted == Value{0}; }
};

template <int tiles, class L>
FTCORE_INLINE void scan_tiles(TileScores<L>* scores, int64_t classes) {
  using M = typename L::Mask;
  M number{};
  for (int64_t c = 1; c < classes; ++c) {
    number += 1;
    for (int k = 0; k < tiles; ++k) scores[k].scan(c, number);
  }
  for (int k = 0; k < tiles; ++k) scores[k].begin_sum();
}

// What else may be done after each class, while the exponentials are under way.
struct Nothing {
  FTCORE_INLINE void operator()() const {}
};

template <int tiles, bool zeros, class L, class Between>
FTCORE_INLINE void sum_tiles(TileScores<L>* scores, int64_t begin, int64_t end,
                             const Between& between) {
  using M = typename L::Mask;
  M number = M{} + static_cast<typename L::Integer>(begin);
  for (int64_t c = begin; c < end; ++c) {
    for (int k = 0; k < tiles; ++k) scores[k].template sum<zeros>(c, number);
    number += 1;
    between();
  }
}

template <int tiles, class L, class Between = Nothing>
FTCORE_INLINE void sum_tiles(TileScores<L>* scores, int64_t begin, int64_t end,
                             const Between& between = {}) {
  bool zeros = false;
  for (int k = 0; k < tiles; ++k) zeros |= scores[k].has_zeros();
  if (__builtin_expect(zeros, 0)) {
    sum_tiles<tiles, true>(scores, begin, end, between);
  } else {
    sum_tiles<tiles, false>(scores, begin, end, between);
  }
}

FTCORE_INLINE Longs classify(const Batch& batch, Longs target) {
  const Longs is_class = (target >= 0) & (target < batch.classes);
  const Longs known = is_class ? target : Longs{} + kInvalid;
  if (!batch.has_ignore_index) return known;
  return target == batch.ignore_index ? Longs{} + kIgnored : known;
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
  const Longs first = classify(batch, load_vector<Longs>(from));
  if constexpr (std::is_same_v<L, Lanes64>) {
    target = first;
  } else {
    const Longs second = classify(batch, load_vector<Longs>(from + kDoubles));
    target = join(__builtin_convertvector(first, HalfInts),
                  __builtin_convertvector(second, HalfInts));
  }
  if (batch.weights != nullptr) {
    for (int lane = 0; lane < rows; ++lane) {
      if (batch.weights[r + lane] == 0) target[lane] = kLeftOut;
    }
  }
  if (rows == L::count) return target;
  const auto left_out = typename L::Mask{} + static_cast<typename L::Integer>(kLeftOut);
  return lane_numbers<L>() < static_cast<typename L::Integer>(rows) ? target : left_out;
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
    scores.begin(tile, target);
    scan_tiles<1>(&scores, batch.classes);
    RowSums row_sums[width] = {};
    for (int64_t c = 0; c < batch.classes; c += block) {
      scores.rest = scores.weighted = scores.squares = typename L::Vector{};
      sum_tiles<1>(&scores, c, c + block < batch.classes ? c + block : batch.classes);
      for (int lane = 0; lane < width; ++lane) {
        row_sums[lane].rest += scores.rest[lane];
        row_sums[lane].weighted += scores.weighted[lane];
        row_sums[lane].squares += scores.squares[lane];
      }
    }
    for (int lane = 0; lane < rows; ++lane) {
      const int64_t t = target[lane];
      if (t < 0) {
        put_unscored(batch, counts, outputs, t, r + lane);
        continue;
      }
      Row row{t, scores.prediction[lane], -scores.above[lane], 0, 0, 0, 0};
      const RowSums& lane_sums = row_sums[lane];
      if (lane_sums.weighted - lane_sums.weighted == 0) {
        const double max = scores.max[lane], below = max - double{scores.z_target[lane]};
        finish_row(row, lane_sums, below, __builtin_exp(-below), __builtin_log1p(lane_sums.rest));
        if (is_near_edge(row.confidence, batch.bins)) {
          row.confidence = exact_confidence(tile + lane, batch.classes, width, max);
        }
      } else if (!score_exactly(row, tile + lane, batch.classes, width)) {
        put_unscored(batch, counts, outputs, kNonFinite, r + lane);
        continue;
      }
      put(batch, counts, sums, outputs, row, r + lane);
    }
  }
}
