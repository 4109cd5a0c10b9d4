// Rows whose classes lie one after the other, in two passes: the first finds the largest logit and
// the rank of the target, the second adds up exponentials. The second pass over a row and the first
// over the next run side by side, so that memory is read while the exponentials take their time.

constexpr int64_t kBlock = 32;  // pairs of vectors summed up in float32 before they go into float64

// Passes over `scan` and `sums`, or over one of them; both rows have the same number of classes.
template <bool scans, bool adds, class T>
FTCORE_INLINE void pass(Scan<T>& scan, Exponentials<T>& sums) {
  const int64_t classes = scans ? scan.classes : sums.classes;
  const int64_t pairs = classes / PairOf<T>::count;
  typename Exponentials<T>::Sums a{}, b{};
  for (int64_t begin = 0; begin < pairs; begin += kBlock) {
    const int64_t end = begin + kBlock < pairs ? begin + kBlock : pairs;
    int64_t pair = begin;
    for (; pair + 1 < end; pair += 2) {
      if constexpr (scans) scan.add_two(pair);
      if constexpr (adds) sums.add(pair, a, b);
      if constexpr (adds) sums.add(pair + 1, a, b);
    }
    if (pair < end) {
      if constexpr (scans) scan.add(pair);
      if constexpr (adds) sums.add(pair, a, b);
    }
    if (adds && end < pairs) sums.settle(a, b);
  }
  const int64_t seen = pairs * PairOf<T>::count, last = classes - PairOf<T>::count;
  if (scans && seen < classes) scan.add_last(pairs);
  if constexpr (adds) {
    if (sums.edge < pairs) sums.add_part(sums.edge * PairOf<T>::count, 0, a, b);
    if (seen < classes) sums.add_part(last, seen - last, a, b);
    sums.settle(a, b);
  }
}

template <class T>
struct LongRows {
  using L = typename LanesOf<T>::type;
  using Value = typename L::Value;

  const Batch& batch;
  const Counts& counts;
  double* sums;
  const RowOutputs& outputs;
  Exponentials<T> exponentials{};  // of the row before, if there is one
  bool is_pending = false;
  int64_t place = 0;
  Row row{};
  Value max = 0, z_target = 0;

  FTCORE_INLINE void add(int64_t r) {
    const int64_t target = classify(batch, r);
    if (target < 0) {
      put_unscored(batch, counts, outputs, target, r);
      return;
    }
    const T* logits = static_cast<const T*>(batch.logits) + r / batch.inner * batch.outer_stride +
                      r % batch.inner * batch.inner_stride;
    Scan<T> scan(logits, batch.classes, target, load_one(logits + target));
    if (is_pending) {
      pass<true, true>(scan, exponentials);
      finish();
    } else {
      pass<true, false>(scan, exponentials);
    }
    place = r;
    row = Row{target, 0, scan.rank(), 0, 0, 0, 0};
    z_target = scan.z_target;
    max = max_lane(scan.max);
    is_pending = is_moderate<T>(max);
    if (!is_pending) {
      put_exactly(logits);
      return;
    }
    row.prediction = scan.find(max);
    fetch(counts, batch.classes, row);
    exponentials.begin(scan, row.prediction, max);
  }

  FTCORE_INLINE void end() {
    if (!is_pending) return;
    Scan<T> none(exponentials.logits, batch.classes, 0, 0);
    pass<false, true>(none, exponentials);
    finish();
  }

 private:
  FTCORE_INLINE void finish() {
    const RowSums row_sums = exponentials.sums();
    if (__builtin_expect(!(row_sums.weighted - row_sums.weighted == 0), 0)) {
      put_exactly(exponentials.logits);
      return;
    }
    const double below = static_cast<double>(max) - static_cast<double>(z_target);
    finish_row(row, row_sums, below, exponential_of<L>(z_target - max), log1p_of<L>(row_sums.rest));
    if (is_near_edge(row.confidence, batch.bins)) {
      row.confidence = exact_confidence(exponentials.logits, batch.classes, 1, max);
    }
    put(batch, counts, sums, outputs, row, place);
  }

  FTCORE_INLINE void put_exactly(const T* logits) {
    if (score_exactly(row, logits, batch.classes, 1)) {
      put(batch, counts, sums, outputs, row, place);
    } else {
      put_unscored(batch, counts, outputs, kNonFinite, place);
    }
  }
};

template <class T>
void score_long_rows(const Batch& batch, int64_t begin, int64_t end, const Counts& counts,
                     double* sums, const RowOutputs& outputs) {
  LongRows<T> rows{batch, counts, sums, outputs};
  for (int64_t r = begin; r < end; ++r) rows.add(r);
  rows.end();
}
