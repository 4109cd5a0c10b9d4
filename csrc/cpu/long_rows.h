// Rows whose classes lie one after the other, one row at a time: a scan for the largest logit and
// the rank of the target, then one for the exponentials, while the row is in cache.

constexpr int kBlock = 64;  // vectors summed up in float32 before they go into float64

// The greatest value less than z, which is finite and not 0.
FTCORE_INLINE float previous(float z) {
  const int32_t bits = __builtin_bit_cast(int32_t, z);
  return __builtin_bit_cast(float, z > 0 ? bits - 1 : bits + 1);
}
FTCORE_INLINE double previous(double z) {
  const int64_t bits = __builtin_bit_cast(int64_t, z);
  return __builtin_bit_cast(double, z > 0 ? bits - 1 : bits + 1);
}

// Loops run over all vectors of a row, whatever its target and prediction are, so that the
// processor foresees their ends and begins with the next row.
template <class T>
struct LongRow {
  using L = typename LanesOf<T>::type;
  using V = typename L::Vector;
  using M = typename L::Mask;
  using Value = typename L::Value;
  using Integer = typename L::Integer;
  static constexpr int64_t width = L::count;

  const T* logits;
  const T* next;    // the row after this one, fetched while this one's exponentials take their time
  int64_t classes;  // at least one vector

  V max;
  V zeros;  // stays 0 while all logits are finite: 0 * z is not a number for the others
  M above;  // counts down

  // Logits above the target's, and those equal to it that come before it, are above `before`.
  FTCORE_INLINE void scan(int64_t whole, int64_t edge, Value z_target) {
    const Value limits[2] = {z_target, z_target == 0 ? z_target : previous(z_target)};
    V max_a = max, max_b = max, zeros_a = {}, zeros_b = {};
    M above_a = {}, above_b = {};
    int64_t v = 0;
    for (; v + 1 < whole; v += 2) {
      const V a = load(logits + v * width), b = load(logits + (v + 1) * width);
      max_a = larger(a, max_a);
      max_b = larger(b, max_b);
      zeros_a += a * Value{0};
      zeros_b += b * Value{0};
      above_a = a > limits[v < edge] ? above_a - 1 : above_a;
      above_b = b > limits[v + 1 < edge] ? above_b - 1 : above_b;
    }
    if (v < whole) {
      const V a = load(logits + v * width);
      max_a = larger(a, max_a);
      zeros_a += a * Value{0};
      above_a = a > limits[v < edge] ? above_a - 1 : above_a;
    }
    max = larger(max_a, max_b);
    zeros = zeros_a + zeros_b;
    above = above_a + above_b;
  }

  FTCORE_INLINE M numbers(int64_t start) const {
    return lane_numbers<L>() + static_cast<Integer>(start);
  }

  // Sets max, zeros and above; returns the rank.
  FTCORE_INLINE int64_t scan_all(int64_t target, Value z_target) {
    const int64_t whole = classes / width, last = classes - width;
    const int64_t edge = target / width < whole ? target / width : whole;
    max = load(logits);
    scan(whole, edge, z_target);
    const auto goal = static_cast<Integer>(target);
    if (whole * width < classes) {
      const V a = load(logits + last);
      max = larger(a, max);
      zeros += a * Value{0};
      above += (a > z_target) & (numbers(last) >= static_cast<Integer>(whole * width));
    }
    // Equal ones before the target, in its own vector.
    const int64_t start = edge < whole ? edge * width : last;
    const M number = numbers(start);
    const int64_t own = edge < whole ? start : whole * width;
    above += (load(logits + start) == z_target) & (number < goal) &
             (number >= static_cast<Integer>(own));
    if (z_target == 0) {  // what lies just below 0 may be taken for 0
      for (int64_t v = 0; v < edge; ++v) above += load(logits + v * width) == z_target;
    }
    return -sum_lanes(above);
  }

  // The first class whose logit is `largest`.
  FTCORE_INLINE int64_t find(Value largest) const {
    int64_t start = 0;
    for (; start + 4 * width <= classes; start += 4 * width) {
      const T* from = logits + start;
      const M a = load(from) == largest, b = load(from + width) == largest;
      const M c = load(from + 2 * width) == largest, d = load(from + 3 * width) == largest;
      if (any(a | b | c | d)) return start + first(a, b, c, d);
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
    const int64_t whole = classes / width, edge = prediction / width;
    const V largest = V{} + max_value;
    // The prediction's vector, without the prediction.
    T patched[width];
    const T* patch = logits;
    if (edge < whole) {
      __builtin_memcpy(patched, logits + edge * width, sizeof patched);
      patched[prediction % width] = minus_infinity<T>();
      patch = patched;
    }
    f64x8 rest = {}, weighted = {}, squares = {};
    for (int64_t begin = 0; begin < whole; begin += kBlock) {
      const int64_t end = begin + kBlock < whole ? begin + kBlock : whole;
      Sums a{}, b{};
      int64_t v = begin;
      for (; v + 1 < end; v += 2) {
        __builtin_prefetch(next + v * width);
        if (sizeof(V) == sizeof(patched)) __builtin_prefetch(next + (v + 1) * width);
        a.add(load(v == edge ? patch : logits + v * width), largest);
        b.add(load(v + 1 == edge ? patch : logits + (v + 1) * width), largest);
      }
      if (v < end) a.add(load(v == edge ? patch : logits + v * width), largest);
      rest += fold(a.rest + b.rest);
      weighted += fold(a.weighted + b.weighted);
      squares += fold(a.squares + b.squares);
    }
    if (whole * width < classes) {
      const int64_t start = classes - width;
      Sums last{};
      last.add(load(logits + start), largest,
               (numbers(start) >= static_cast<Integer>(whole * width)) &
                   (numbers(start) != static_cast<Integer>(prediction)));
      rest += fold(last.rest);
      weighted += fold(last.weighted);
      squares += fold(last.squares);
    }
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
  if (counts.confusion == nullptr) return;
  int64_t* const cell = counts.confusion + row.target * classes + row.prediction;
  if (counts.shares_confusion) {
    __atomic_fetch_add(cell, 1, __ATOMIC_RELAXED);
  } else {
    ++*cell;
  }
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
    scan.next = r % batch.inner + 1 < batch.inner ? logits + batch.inner_stride : logits;
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
