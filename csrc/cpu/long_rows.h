// Rows whose classes lie one after the other, in two passes: the first finds the largest logit and
// the rank of the target, the second adds up exponentials. The second pass over a row and the first
// over the next run side by side, so that memory is read while the exponentials take their time.

constexpr int64_t kBlock = 32;  // pairs of vectors summed up in float32 before they go into float64

// Scans a row, if there is one to scan, and adds up the exponentials of another, if there is one;
// both have the same number of classes.
template <bool scans, bool adds, class T>
FTCORE_INLINE RowSums pass(Scan<T>* scan, const ScannedLogits<T>& row) {
  Exponentials<T> sums(row);
  const int64_t classes = scans ? scan->classes : row.classes;
  const int64_t pairs = classes / PairOf<T>::count;
  typename Exponentials<T>::Sums a{}, b{};
  for (int64_t begin = 0; begin < pairs; begin += kBlock) {
    const int64_t end = begin + kBlock < pairs ? begin + kBlock : pairs;
    int64_t pair = begin;
    for (; pair + 1 < end; pair += 2) {
      if constexpr (scans) scan->add_two(pair);
      if constexpr (adds) sums.add(pair, a, b);
      if constexpr (adds) sums.add(pair + 1, a, b);
    }
    if (pair < end) {
      if constexpr (scans) scan->add(pair);
      if constexpr (adds) sums.add(pair, a, b);
    }
    if (adds && end < pairs) sums.settle(a, b);
  }
  const int64_t seen = pairs * PairOf<T>::count, last = classes - PairOf<T>::count;
  if (scans && seen < classes) scan->add_last(pairs);
  if constexpr (adds) {
    if (sums.edge < pairs) sums.add_part(sums.edge * PairOf<T>::count, 0, a, b);
    if (seen < classes) sums.add_part(last, seen - last, a, b);
    sums.settle(a, b);
  }
  return sums.sums();
}

// Scored rows that wait to be finished together, one lane a row. In float64 each is alone.
template <class T>
struct WaitingRows {
  static constexpr int size = kFloats;

  const Batch& batch;
  const Counts& counts;
  double* sums;
  const RowOutputs& outputs;
  int count = 0;
  Row rows[size] = {};
  int64_t places[size] = {};
  const T* logits[size] = {};
  alignas(64) float rest[size] = {}, weighted[size] = {}, squares[size] = {}, below[size] = {};
  alignas(64) int32_t is_correct[size] = {};
  float max[size] = {};

  FTCORE_INLINE void add(const Row& row, int64_t place, const T* from, const RowSums& row_sums,
                         float row_max, float z_target) {
    rows[count] = row;
    places[count] = place;
    logits[count] = from;
    max[count] = row_max;
    rest[count] = static_cast<float>(row_sums.rest);
    weighted[count] = static_cast<float>(row_sums.weighted);
    squares[count] = static_cast<float>(row_sums.squares);
    below[count] = row_max - z_target;
    is_correct[count] = -(row.prediction == row.target);
    if (++count == size) finish();
  }

  FTCORE_INLINE void finish() {
    const LaneResults result = finish_lanes(
        load_vector<Floats>(rest), load_vector<Floats>(weighted), load_vector<Floats>(squares),
        load_vector<Floats>(below), load_vector<Ints>(is_correct));
    const uint64_t doubtful = bits(are_near_edge(result.confidence, batch.bins));
    float confidence[size], nll[size], brier[size], entropy[size];
    store_vector(confidence, result.confidence);
    store_vector(nll, result.nll);
    store_vector(brier, result.brier);
    store_vector(entropy, result.entropy);
    for (int k = 0; k < count; ++k) {
      Row& row = rows[k];
      row.confidence = confidence[k];
      row.nll = nll[k];
      row.brier = brier[k];
      row.entropy = entropy[k];
      if (__builtin_expect(doubtful >> k & 1, 0)) {
        row.confidence = exact_confidence(logits[k], batch.classes, 1, max[k]);
      }
      put(batch, counts, sums, outputs, row, places[k]);
    }
    count = 0;
  }
};

// A row whose exponentials are not added up yet.
template <class T>
struct ScannedRow {
  bool is_there = false;
  int64_t place = 0;
  Row row{};
  typename LanesOf<T>::type::Value z_target = 0;
  ScannedLogits<T> scanned{};
};

template <class T>
struct LongRows {
  using L = typename LanesOf<T>::type;
  using Value = typename L::Value;

  const Batch& batch;
  const Counts& counts;
  double* sums;
  const RowOutputs& outputs;
  WaitingRows<T> waiting{batch, counts, sums, outputs};
  // Exponentials are of the row before the last, if rows are short enough to stay in cache: what
  // they need of a row, its maximum, takes as long to find as hundreds of them.
  ScannedRow<T> rows[2] = {};
  int step = batch.classes * int64_t{sizeof(T)} <= kShortRow, turn = 0;

  FTCORE_INLINE void add(int64_t r) {
    const int64_t target = classify(batch, r);
    if (target < 0) {
      put_unscored(batch, counts, outputs, target, r);
      return;
    }
    const T* logits = static_cast<const T*>(batch.logits) + r / batch.inner * batch.outer_stride +
                      r % batch.inner * batch.inner_stride;
    Scan<T> scan(logits, batch.classes, target, load_one(logits + target));
    ScannedRow<T>& row = rows[turn];
    if (row.is_there) {
      finish(row, pass<true, true>(&scan, row.scanned));
    } else {
      pass<true, false>(&scan, row.scanned);
    }
    begin(row, scan, r);
    turn ^= step;
  }

  FTCORE_INLINE void end() {
    for (int k = 0; k < 2; ++k, turn ^= step) {
      ScannedRow<T>& row = rows[turn];
      if (row.is_there) finish(row, pass<false, true, T>(nullptr, row.scanned));
      row.is_there = false;
    }
    waiting.finish();
  }

 private:
  static constexpr int64_t kShortRow = 8192;  // bytes

  FTCORE_INLINE void begin(ScannedRow<T>& row, Scan<T>& scan, int64_t place) {
    row.place = place;
    row.row = Row{scan.target, 0, scan.rank(), 0, 0, 0, 0};
    row.z_target = scan.z_target;
    const Value max = max_lane(scan.max);
    row.scanned = {scan.logits, scan.classes, 0, max};
    row.is_there = is_moderate<T>(max);
    if (!row.is_there) {
      put_exactly(row);
      return;
    }
    row.scanned.prediction = row.row.prediction = scan.find(max);
    fetch(counts, batch.classes, row.row);
  }

  FTCORE_INLINE void finish(ScannedRow<T>& given, const RowSums& row_sums) {
    const T* const logits = given.scanned.logits;
    const Value max = given.scanned.max, z_target = given.z_target;
    if (__builtin_expect(!(row_sums.weighted - row_sums.weighted == 0), 0)) {
      put_exactly(given);
    } else if constexpr (std::is_same_v<Value, float>) {
      waiting.add(given.row, given.place, logits, row_sums, max, z_target);
    } else {
      Row row = given.row;
      finish_row(row, row_sums, max - z_target, exponential_of<L>(z_target - max),
                 __builtin_log1p(row_sums.rest));
      if (is_near_edge(row.confidence, batch.bins)) {
        row.confidence = exact_confidence(logits, batch.classes, 1, max);
      }
      put(batch, counts, sums, outputs, row, given.place);
    }
  }

  FTCORE_INLINE void put_exactly(ScannedRow<T>& given) {
    if (score_exactly(given.row, given.scanned.logits, batch.classes, 1)) {
      put(batch, counts, sums, outputs, given.row, given.place);
    } else {
      put_unscored(batch, counts, outputs, kNonFinite, given.place);
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
