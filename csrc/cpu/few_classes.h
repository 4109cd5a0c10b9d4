// Tiles of few classes in float32, where counting costs as much as the mathematics: the whole row
// is finished in lanes, and takes three small increments, from which all counts follow.

constexpr int64_t kFewBins = 64;
constexpr int64_t kFewRows = 4096;  // at most, between two calls of settle()

struct SmallHistogram {
  // The last of each is for rows that are not scored.
  uint32_t cells[kFewClasses * kFewClasses + 1] = {};  // (target, prediction)
  uint32_t ranks[kFewClasses + 1] = {};
  // (bin, correct): rows above bit 44, below it their confidences in units of 2**-30, which add up
  // exactly and thus in any order.
  uint64_t bins[2 * kFewBins + 1] = {};

  void settle(const Batch& batch, const Counts& counts, double* sums) {
    const int64_t classes = batch.classes;
    for (int64_t t = 0; t < classes; ++t) {
      for (int64_t p = 0; p < classes; ++p) {
        const int64_t rows = cells[t * classes + p];
        counts.support[t] += rows;
        counts.predicted[p] += rows;
        if (t == p) counts.correct[t] += rows;
        if (counts.confusion != nullptr) counts.confusion[t * classes + p] += rows;
      }
      counts.rank[t] += ranks[t];
      *counts.n += ranks[t];
    }
    for (int64_t key = 0; key < 2 * batch.bins; ++key) {
      const int64_t bin = key / 2, rows = static_cast<int64_t>(bins[key] >> 44);
      counts.bin_count[bin] += rows;
      if (key % 2 == 1) counts.bin_correct[bin] += rows;
      const uint64_t confidence = bins[key] & ((uint64_t{1} << 44) - 1);
      sums[kScalarSums + bin] += static_cast<double>(confidence) * 0x1p-30;
    }
  }
};

struct FewClasses {
  using L = Lanes32;
  static constexpr int width = L::count;

  const Batch& batch;
  const RowOutputs& outputs;
  const float* tile;
  SmallHistogram histogram;
  f64x8 nll = {}, brier = {}, entropy = {};
  i32x16 ignored = {}, invalid = {}, non_finite = {};

  FTCORE_INLINE void add(int64_t r, int rows, i32x16 target) {
    TileScores<L> s;
    s.scan(tile, batch.classes, target);
    s.sum(tile, 0, batch.classes, target);
    const i32x16 scored = (target >= 0) & s.is_finite;
    ignored += target == static_cast<int32_t>(kIgnored);
    invalid += target == static_cast<int32_t>(kInvalid);
    non_finite += (target >= 0) & ~s.is_finite;

    const f32x16 inverse = 1.0f / (s.rest + 1.0f);
    const f32x16 log_total = log1p_of(s.rest, inverse);
    const f32x16 row_entropy = log_total - s.weighted * inverse;
    const f32x16 e_target = exponential(clamp_low(s.z_target - s.max));
    const i32x16 is_correct = target == s.prediction;
    const f32x16 missing = (is_correct ? s.rest : s.rest + 1.0f - e_target) * inverse;
    const f32x16 others = is_correct ? s.squares : s.squares + 1.0f - e_target * e_target;
    const f32x16 row_brier = missing * missing + others * (inverse * inverse);

    const f32x16 zero = {};
    const f32x16 max = scored ? s.max : zero, z_target = scored ? s.z_target : zero;
    const f64x8 below_low = widen(low(max)) - widen(low(z_target));
    const f64x8 below_high = widen(high(max)) - widen(high(z_target));
    nll += fold(scored ? log_total : zero) + (below_low + below_high);
    brier += fold(scored ? row_brier : zero);
    entropy += fold(scored ? row_entropy : zero);

    const f32x16 confidence = exact_near_edges(inverse, s.max, scored);
    count(s, target, scored, confidence);
    if (outputs.labels == nullptr && outputs.values == nullptr) return;
    for (int lane = 0; lane < rows; ++lane) {
      const int64_t place = r + lane;
      if (!scored[lane]) {
        outputs.put_unscored(place, batch.targets[place]);
        continue;
      }
      const double below = double{max[lane]} - double{z_target[lane]};
      outputs.put(place, Row{target[lane], s.prediction[lane], -s.above[lane], confidence[lane],
                             log_total[lane] + below, row_brier[lane], row_entropy[lane]});
    }
  }

  // Confidences whose bin is in doubt are recomputed, and moved into their bin if they are off it.
  FTCORE_INLINE f32x16 exact_near_edges(f32x16 confidence, f32x16 max, i32x16 scored) const {
    const float bins = static_cast<float>(batch.bins), shift = 12582912.0f;
    const f32x16 place = confidence * bins, edge = (place + shift) - shift;
    const f32x16 off = larger(place - edge, edge - place);
    i32x16 doubtful = (off <= place * 8e-6f) & (edge < bins) & scored;
    if (__builtin_expect(any(doubtful), 0)) {
      for (int lane = 0; lane < width; ++lane) {
        if (!doubtful[lane]) continue;
        const double exact =
            exact_confidence(tile + lane, batch.classes, width, double{max[lane]});
        confidence[lane] = within_bin(exact);
      }
    }
    return confidence;
  }

  __attribute__((noinline)) float within_bin(double exact) const {
    const float bins = static_cast<float>(batch.bins);
    const int64_t bin = bin_of(exact, batch.bins);
    float rounded = static_cast<float>(exact);
    while (static_cast<int64_t>(rounded * bins) < bin) {
      rounded = __builtin_nextafterf(rounded, 2.0f);
    }
    while (static_cast<int64_t>(rounded * bins) > bin && bin + 1 < batch.bins) {
      rounded = __builtin_nextafterf(rounded, 0.0f);
    }
    return rounded;
  }

  FTCORE_INLINE void count(const TileScores<L>& s, i32x16 target, i32x16 scored,
                           f32x16 confidence) {
    const int32_t classes = static_cast<int32_t>(batch.classes);
    const int32_t bins = static_cast<int32_t>(batch.bins);
    const f32x16 known = scored ? confidence : f32x16{};
    i32x16 bin = __builtin_convertvector(known * static_cast<float>(bins), i32x16);
    bin = bin < bins ? bin : i32x16{} + (bins - 1);
    const i32x16 key = scored ? bin * 2 - (target == s.prediction) : i32x16{} + 2 * bins;
    const i32x16 cell = scored ? target * classes + s.prediction : i32x16{} + classes * classes;
    const i32x16 rank = scored ? -s.above : i32x16{} + classes;
    const i32x16 fixed = __builtin_convertvector(known * 0x1p30f, i32x16);
    alignas(64) int32_t keys[width], cells[width], ranks[width], amounts[width];
    store_vector(keys, key);
    store_vector(cells, cell);
    store_vector(ranks, rank);
    store_vector(amounts, fixed);
    // Else the compiler takes each lane out of the vector, which is slower than through memory.
    __asm__("" : "+m"(keys), "+m"(cells), "+m"(ranks), "+m"(amounts));
    for (int lane = 0; lane < width; ++lane) {
      ++histogram.cells[cells[lane]];
      ++histogram.ranks[ranks[lane]];
      histogram.bins[keys[lane]] += (uint64_t{1} << 44) + static_cast<uint64_t>(amounts[lane]);
    }
  }

  void settle(const Counts& counts, double* sums) {
    *counts.ignored -= sum_lanes(ignored);
    *counts.invalid -= sum_lanes(invalid);
    *counts.non_finite -= sum_lanes(non_finite);
    sums[0] += sum_lanes(nll);
    sums[1] += sum_lanes(brier);
    sums[2] += sum_lanes(entropy);
    histogram.settle(batch, counts, sums);
  }
};

template <class T>
void score_few_classes(const Batch& batch, int64_t begin, int64_t end, const Counts& counts,
                       double* sums, const RowOutputs& outputs, void* scratch) {
  float* tile = static_cast<float*>(scratch);
  const TileReader<T> reader{batch, tile};
  FewClasses few{batch, outputs, tile, {}};
  for (int64_t r = begin; r < end;) {
    constexpr int width = FewClasses::width;
    int tiles = reader.read_run(r, end), rows = width;
    if (tiles == 0) {
      rows = static_cast<int>(end - r < width ? end - r : width);
      reader.read(r, rows);
      tiles = 1;
    }
    const int64_t start = r;
    for (int k = 0; k < tiles; ++k, r += rows) {
      if (tiles > 1) reader.fetch_run(start, end, tiles, k);
      few.tile = tile + k * batch.classes * width;
      few.add(r, rows, read_targets<Lanes32>(batch, r, rows));
    }
  }
  few.settle(counts, sums);
}
