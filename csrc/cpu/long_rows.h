// Rows whose classes lie one after the other, one row at a time: a scan for the largest logit and
// the rank of the target, then one for the exponentials, while the row is in cache.

constexpr int kBlock = 64;  // vectors summed up in float32 before they go into float64

template <class T>
struct LongRow {
  using L = typename LanesOf<T>::type;
  using V = typename L::Vector;
  using M = typename L::Mask;
  using Value = typename L::Value;
  static constexpr int64_t width = L::count;

  const T* logits;
  const T* next;    // the row after this one, fetched half during each scan
  int64_t classes;  // at least one vector

  V max;
  V zeros;  // stays 0 while all logits are finite: 0 * z is not a number for the others
  M above;  // counts down

  // Vectors begin <= v < end; `tied` counts logits equal to the target's as above it.
  template <bool tied>
  FTCORE_INLINE void scan(int64_t begin, int64_t end, Value z_target) {
    V max_a = max, max_b = max, zeros_a = zeros, zeros_b = zeros;
    M above_a = above, above_b = {};
    int64_t v = begin;
    for (; v + 1 < end; v += 2) {
      __builtin_prefetch(next + v / 2 * width);
      const V a = load(logits + v * width), b = load(logits + (v + 1) * width);
      max_a = larger(a, max_a);
      max_b = larger(b, max_b);
      zeros_a += a * Value{0};
      zeros_b += b * Value{0};
      above_a += tied ? a >= z_target : a > z_target;
      above_b += tied ? b >= z_target : b > z_target;
    }
    if (v < end) {
      const V a = load(logits + v * width);
      max_a = larger(a, max_a);
      zeros_a += a * Value{0};
      above_a += tied ? a >= z_target : a > z_target;
    }
    max = larger(max_a, max_b);
    zeros = zeros_a + zeros_b;
    above = above_a + above_b;
  }

  // One vector from `start` on, of which the classes from `first` on count.
  FTCORE_INLINE void scan_edge(int64_t start, int64_t first, int64_t target, Value z_target) {
    using Integer = typename L::Integer;
    const V a = load(logits + start);
    const M number = lane_numbers<L>() + static_cast<Integer>(start);
    max = larger(a, max);
    zeros += a * Value{0};
    above += ((a > z_target) | ((a == z_target) & (number < static_cast<Integer>(target)))) &
             (number >= static_cast<Integer>(first));
  }

  // Sets max, zeros and above; returns the rank.
  FTCORE_INLINE int64_t scan_all(int64_t target, Value z_target) {
    const int64_t whole = classes / width, edge = target / width;
    max = load(logits);
    zeros = V{};
    above = M{};
    if (edge < whole) {
      scan<true>(0, edge, z_target);
      scan_edge(edge * width, edge * width, target, z_target);
      scan<false>(edge + 1, whole, z_target);
    } else {
      scan<true>(0, whole, z_target);
    }
    if (whole * width < classes) scan_edge(classes - width, whole * width, target, z_target);
    return -sum_lanes(above);
  }

  // The first class whose logit is `largest`.
  FTCORE_INLINE int64_t find(Value largest) const {
    int64_t start = 0;
    for (; start + 4 * width <= classes; start += 4 * width) {
      const T* from = logits + start;
      if (any((load(from) == largest) | (load(from + width) == largest) |
              (load(from + 2 * width) == largest) | (load(from + 3 * width) == largest))) {
        break;
      }
    }
    for (; start + width <= classes; start += width) {
      const M hit = load(logits + start) == largest;
      if (any(hit)) return start + first(hit);
    }
    return classes - width + first(load(logits + classes - width) == largest);
  }

  struct Sums {
    V rest, weighted, squares;
    FTCORE_INLINE void add(V z, V largest) {
      const V d = clamp_low(z - largest);
      const V e = drop_clamped(exponential(d), d);
      rest += e;
      weighted += e * d;
      squares += e * e;
    }
    FTCORE_INLINE void add(V z, V largest, M counts) {
      const V d = clamp_low(z - largest);
      const V e = counts ? drop_clamped(exponential(d), d) : V{};
      rest += e;
      weighted += e * d;
      squares += e * e;
    }
  };

  FTCORE_INLINE RowSums sum(int64_t prediction, Value max_value) const {
    using Integer = typename L::Integer;
    const int64_t whole = classes / width, edge = prediction / width;
    const V largest = V{} + max_value;
    f64x8 rest = {}, weighted = {}, squares = {};
    for (int64_t begin = 0; begin < whole; begin += kBlock) {
      const int64_t end = begin + kBlock < whole ? begin + kBlock : whole;
      Sums a{}, b{};
      // The prediction's vector is stepped over here, and added below without it.
      const int64_t stop = edge >= begin && edge < end ? edge : end;
      int64_t v = begin;
      for (int part = 0; part < 2; ++part) {
        const int64_t last = part == 0 ? stop : end;
        for (; v + 1 < last; v += 2) {
          __builtin_prefetch(next + (whole + v) / 2 * width);
          a.add(load(logits + v * width), largest);
          b.add(load(logits + (v + 1) * width), largest);
        }
        if (v < last) a.add(load(logits + v * width), largest);
        v = stop + 1;
      }
      rest += fold(a.rest + b.rest);
      weighted += fold(a.weighted + b.weighted);
      squares += fold(a.squares + b.squares);
    }
    Sums edges{};
    if (edge < whole) {
      const M number = lane_numbers<L>() + static_cast<Integer>(edge * width);
      edges.add(load(logits + edge * width), largest,
                number != static_cast<Integer>(prediction));
    }
    if (whole * width < classes) {
      const M number = lane_numbers<L>() + static_cast<Integer>(classes - width);
      edges.add(load(logits + classes - width), largest,
                (number >= static_cast<Integer>(whole * width)) &
                    (number != static_cast<Integer>(prediction)));
    }
    rest += fold(edges.rest);
    weighted += fold(edges.weighted);
    squares += fold(edges.squares);
    return {sum_lanes(rest), sum_lanes(weighted), sum_lanes(squares)};
  }
};

FTCORE_INLINE void count(const Counts& counts, int64_t classes, const Row& row, int64_t bin) {
  const bool is_correct = row.prediction == row.target;
  ++counts.rank[row.rank];
  ++counts.support[row.target];
  ++counts.predicted[row.prediction];
  counts.correct[row.target] += is_correct;
  ++counts.bin_count[bin];
  counts.bin_correct[bin] += is_correct;
  if (counts.confusion != nullptr) ++counts.confusion[row.target * classes + row.prediction];
}

// The counters that a row will add to, which are seldom in cache when there are many classes.
FTCORE_INLINE void fetch(const Counts& counts, int64_t classes, const Row& row) {
  __builtin_prefetch(counts.rank + row.rank, 1);
  __builtin_prefetch(counts.support + row.target, 1);
  __builtin_prefetch(counts.predicted + row.prediction, 1);
  if (counts.confusion != nullptr) {
    __builtin_prefetch(counts.confusion + row.target * classes + row.prediction, 1);
  }
}

// Single values by way of a vector, which is quicker than a call.
template <class L>
FTCORE_INLINE double exponential_of(typename L::Value x) {
  const auto clamped = clamp_low(typename L::Vector{} + x);
  return drop_clamped(exponential(clamped), clamped)[0];
}

template <class L>
FTCORE_INLINE double log1p_of(double x) {
  if constexpr (L::count == 8) return __builtin_log1p(x);
  const f32x16 wide = f32x16{} + static_cast<float>(x);
  return log1p_of(wide, 1.0f / (wide + 1.0f))[0];
}

FTCORE_INLINE void add(double* sums, const Row& row, int64_t bin) {
  sums[0] += row.nll;
  sums[1] += row.brier;
  sums[2] += row.entropy;
  sums[kScalarSums + bin] += row.confidence;
}

template <class T>
void score_long_rows(const Batch& batch, int64_t begin, int64_t end, const Counts& counts,
                     double* sums, const RowOutputs& outputs) {
  using L = typename LanesOf<T>::type;
  const T* base = static_cast<const T*>(batch.logits);
  for (int64_t r = begin; r < end; ++r) {
    const int64_t given = batch.targets[r], target = classify(batch, given);
    if (target < 0) {
      ++*(target == kIgnored ? counts.ignored : counts.invalid);
      outputs.put_unscored(r, given);
      continue;
    }
    const T* logits = base + r / batch.inner * batch.outer_stride +
                      r % batch.inner * batch.inner_stride;
    LongRow<T> scan;
    scan.logits = logits;
    scan.next = r + 1 < end ? logits + batch.inner_stride : logits;
    scan.classes = batch.classes;
    const typename L::Value z_target = load_one(logits + target);
    Row row{target, 0, scan.scan_all(target, z_target), 0, 0, 0, 0};
    if (any(scan.zeros != scan.zeros)) {
      ++*counts.non_finite;
      outputs.put_unscored(r, given);
      continue;
    }
    const typename L::Value max = max_lane(scan.max);
    row.prediction = scan.find(max);
    fetch(counts, batch.classes, row);
    const RowSums row_sums = scan.sum(row.prediction, max);
    const double below = static_cast<double>(max) - static_cast<double>(z_target);
    finish_row(row, row_sums, below, exponential_of<L>(z_target - max), log1p_of<L>(row_sums.rest));
    if (is_near_edge(row.confidence, batch.bins)) {
      row.confidence = exact_confidence(logits, batch.classes, 1, max);
    }
    const int64_t bin = bin_of(row.confidence, batch.bins);
    count(counts, batch.classes, row, bin);
    add(sums, row, bin);
    ++*counts.n;
    outputs.put(r, row);
  }
}
