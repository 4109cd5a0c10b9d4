// Tiles of few classes in float32, where counting costs as much as the mathematics: the whole row
// is finished in lanes, and takes two small increments, from which all counts follow. Each row
// counts once here.

constexpr int64_t kFewBins = 64;

struct SmallHistogram {
  static constexpr int width = Lanes32::count;

  // The last of each is for rows that are not scored.
  uint32_t cells[kFewClasses * kFewClasses + 1];  // (target, prediction)
  // (rank, bin): rows above bit 44, below it their confidences in units of 2**-30, which add up
  // exactly and thus in any order. Rank 0 is a correct prediction.
  uint64_t ranks[kFewClasses * kFewBins + 1];

  // What rows add to it waits until there is time: while later exponentials are under way.
  alignas(64) int32_t cell_of[2 * width], rank_of[2 * width], confidence_of[2 * width];
  int waiting = 0;  // rows

  explicit SmallHistogram(const Batch& batch) {
    const int64_t classes = batch.classes;
    __builtin_memset(cells, 0, sizeof cells[0] * (classes * classes + 1));
    __builtin_memset(ranks, 0, sizeof ranks[0] * (classes * batch.bins + 1));
  }

  FTCORE_INLINE void put(Ints cell, Ints rank, Ints confidence) {
    store_vector(cell_of + waiting, cell);
    store_vector(rank_of + waiting, rank);
    store_vector(confidence_of + waiting, confidence);
    waiting += width;
  }

  FTCORE_INLINE void count_four() {
    if (waiting == 0) return;
    waiting -= 4;
#pragma GCC unroll 4
    for (int row = waiting; row < waiting + 4; ++row) {
      ++cells[cell_of[row]];
      ranks[rank_of[row]] += (uint64_t{1} << 44) + static_cast<uint64_t>(confidence_of[row]);
    }
  }

  FTCORE_INLINE void count_waiting() {
    while (waiting > 0) count_four();
  }

  void settle(const Batch& batch, const Counts& counts, double* sums) {
    count_waiting();
    const int64_t classes = batch.classes;
    for (int64_t t = 0; t < classes; ++t) {
      for (int64_t p = 0; p < classes; ++p) {
        const int64_t cell = t * classes + p, rows = cells[cell];
        counts.support[t] += rows;
        counts.predicted[p] += rows;
        if (t == p) counts.correct[t] += rows;
        if (counts.confusion != nullptr) counts.confusion[cell] += rows;
      }
    }
    uint64_t confidences[kFewBins] = {};
    for (int64_t rank = 0; rank < classes; ++rank) {
      for (int64_t bin = 0; bin < batch.bins; ++bin) {
        const uint64_t both = ranks[rank * batch.bins + bin];
        const int64_t rows = static_cast<int64_t>(both >> 44);
        *counts.n += rows;
        counts.rank[rank] += rows;
        counts.bin_count[bin] += rows;
        if (rank == 0) counts.bin_correct[bin] += rows;
        confidences[bin] += both & ((uint64_t{1} << 44) - 1);
      }
    }
    for (int64_t bin = 0; bin < batch.bins; ++bin) {
      sums[kScalarSums + bin] += static_cast<double>(confidences[bin]) * 0x1p-30;
    }
  }
};

struct FewClasses {
  using L = Lanes32;
  static constexpr int width = L::count;

  const Batch& batch;
  const Counts& counts;
  double* sums;
  const RowOutputs& outputs;
  SmallHistogram histogram{batch};
  Doubles nll{}, brier{}, entropy{};
  Ints ignored{}, invalid{};

  // Tiles one after the other, side by side so that none waits for its own long chain of sums.
  template <int tiles, class Between = Nothing>
  FTCORE_INLINE void add_tiles(const float* tile, int64_t r, int rows,
                               const Between& between = {}) {
    TileScores<L> scores[tiles];
    for (int k = 0; k < tiles; ++k) {
      scores[k].begin(tile + k * batch.classes * width,
                      read_targets<L>(batch, r + k * width, rows));
    }
    scan_tiles<tiles>(scores, batch.classes);
    sum_tiles<tiles>(scores, 0, batch.classes, [&] {
      between();
      histogram.count_four();
    });
    histogram.count_waiting();
    for (int k = 0; k < tiles; ++k) add(scores[k], r + k * width, rows);
  }

  FTCORE_INLINE void add(const TileScores<L>& s, int64_t r, int rows) {
    const Ints target = s.target;
    const Ints is_known = target >= 0, scored = is_known & s.is_sound();
    ignored += target == static_cast<int32_t>(kIgnored);
    invalid += target == static_cast<int32_t>(kInvalid);

    const LaneResults row = finish_lanes(s.rest, s.weighted, s.squares, s.max - s.z_target,
                                         target == s.prediction);
    const Floats zero = {};
    nll += fold(scored ? row.nll : zero);
    brier += fold(scored ? row.brier : zero);
    entropy += fold(scored ? row.entropy : zero);

    const Floats confidence = exact_near_edges(s, row.confidence, scored);
    count(s, scored, confidence);
    if (__builtin_expect(any(is_known & ~scored), 0)) {
      for (int lane = 0; lane < rows; ++lane) {
        if (target[lane] >= 0 && !scored[lane]) add_exactly(r + lane, s.tile + lane, target[lane]);
      }
    }
    if (outputs.labels == nullptr && outputs.values == nullptr) return;
    for (int lane = 0; lane < rows; ++lane) {
      const int64_t place = r + lane;
      if (target[lane] < 0) outputs.put_unscored(place, batch.targets[place]);
      if (!scored[lane]) continue;
      outputs.put(place, Row{target[lane], s.prediction[lane], -s.above[lane], confidence[lane],
                             row.nll[lane], row.brier[lane], row.entropy[lane]});
    }
  }

  __attribute__((noinline)) void add_exactly(int64_t place, const float* logits, int64_t target) {
    Row row{target, 0, 0, 0, 0, 0, 0};
    if (score_exactly(row, logits, batch.classes, width)) {
      put(batch, counts, sums, outputs, row, place);
    } else {
      put_unscored(batch, counts, outputs, kNonFinite, place);
    }
  }

  // Confidences whose bin is in doubt are recomputed, and moved into their bin if they are off it.
  FTCORE_INLINE Floats exact_near_edges(const TileScores<L>& s, Floats confidence,
                                        Ints scored) const {
    const Ints doubtful = are_near_edge(confidence, batch.bins) & scored;
    if (__builtin_expect(any(doubtful), 0)) {
      for (int lane = 0; lane < width; ++lane) {
        if (!doubtful[lane]) continue;
        const double exact =
            exact_confidence(s.tile + lane, batch.classes, width, double{s.max[lane]});
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

  FTCORE_INLINE void count(const TileScores<L>& s, Ints scored, Floats confidence) {
    const int32_t classes = static_cast<int32_t>(batch.classes);
    const int32_t bins = static_cast<int32_t>(batch.bins);
    const Floats known = scored ? confidence : Floats{};
    Ints bin = __builtin_convertvector(known * static_cast<float>(bins), Ints);
    bin = bin < bins ? bin : Ints{} + (bins - 1);
    const Ints rank = scored ? bin - s.above * bins : Ints{} + classes * bins;
    const Ints cell = scored ? s.target * classes + s.prediction : Ints{} + classes * classes;
    const Ints fixed = __builtin_convertvector(known * 0x1p30f, Ints);
    histogram.put(cell, rank, fixed);
  }

  void settle() {
    *counts.ignored -= sum_lanes(ignored);
    *counts.invalid -= sum_lanes(invalid);
    sums[0] += sum_lanes(nll);
    sums[1] += sum_lanes(brier);
    sums[2] += sum_lanes(entropy);
    histogram.settle(batch, counts, sums);
  }
};

// Scores rows from r on that come in runs, and returns the first that does not.
template <class T>
FTCORE_INLINE int64_t score_runs(FewClasses& few, int64_t r, int64_t end, float* scratch) {
  constexpr int width = FewClasses::width;
  Run<T> runs[2] = {{few.batch, scratch}, {few.batch, scratch + kRunBytes / sizeof(float)}};
  runs[0].begin(r, end);
  runs[0].copy();
  for (int turn = 0; runs[turn].tiles > 0; turn ^= 1) {
    const Run<T>& run = runs[turn];
    Run<T>& next = runs[turn ^ 1];
    next.begin(r + run.tiles * width, end);
    const auto copy_two = [&next] {
      if (!next.is_copied()) next.copy_one();
      if (!next.is_copied()) next.copy_one();
    };
    for (int64_t k = 0; k < run.tiles; k += 2, r += 2 * width) {
      if (k + 1 < run.tiles) {
        few.add_tiles<2>(run.tile(k), r, width, copy_two);
      } else {
        few.add_tiles<1>(run.tile(k), r, width);
        r -= width;
      }
    }
    next.copy();
  }
  return r;
}

template <class T>
void score_few_classes(const Batch& batch, int64_t begin, int64_t end, const Counts& counts,
                       double* sums, const RowOutputs& outputs, void* scratch) {
  constexpr int width = FewClasses::width;
  float* const tile = static_cast<float*>(scratch);
  const TileReader<T> reader{batch, tile}, second{batch, tile + batch.classes * width};
  FewClasses few{batch, counts, sums, outputs};
  for (int64_t r = score_runs<T>(few, begin, end, tile); r < end;
       r = score_runs<T>(few, r, end, tile)) {
    const int rows = static_cast<int>(end - r < width ? end - r : width);
    reader.read(r, rows);
    if (end - r >= 2 * width) {
      second.read(r + width, width);
      few.add_tiles<2>(tile, r, width);
      r += 2 * width;
    } else {
      few.add_tiles<1>(tile, r, rows);
      r += rows;
    }
  }
  few.settle();
}
