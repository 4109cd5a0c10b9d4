// Adding a row to the counts and sums, as often as its weight says.

FTCORE_INLINE void count(const Counts& counts, int64_t classes, const Row& row, int64_t bin,
                         int64_t weight) {
  const int64_t correct = row.prediction == row.target ? weight : 0;
  *counts.n += weight;
  counts.rank[row.rank] += weight;
  counts.support[row.target] += weight;
  counts.predicted[row.prediction] += weight;
  counts.correct[row.target] += correct;
  counts.bin_count[bin] += weight;
  counts.bin_correct[bin] += correct;
  if (counts.confusion == nullptr) return;
  int64_t* const cell = counts.confusion + row.target * classes + row.prediction;
  if (counts.shares_confusion) {
    __atomic_fetch_add(cell, weight, __ATOMIC_RELAXED);
  } else {
    *cell += weight;
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

FTCORE_INLINE void add(double* sums, const Row& row, int64_t bin, double weight) {
  sums[0] += weight * row.nll;
  sums[1] += weight * row.brier;
  sums[2] += weight * row.entropy;
  sums[kScalarSums + bin] += weight * row.confidence;
}

FTCORE_INLINE void put(const Batch& batch, const Counts& counts, double* sums,
                       const RowOutputs& outputs, const Row& row, int64_t place) {
  const int64_t bin = bin_of(row.confidence, batch.bins), weight = batch.weight(place);
  count(counts, batch.classes, row, bin, weight);
  add(sums, row, bin, static_cast<double>(weight));
  outputs.put(place, row);
}

FTCORE_INLINE void put_unscored(const Batch& batch, const Counts& counts,
                                const RowOutputs& outputs, int64_t reason, int64_t place) {
  if (reason != kLeftOut) {
    int64_t* const counter = reason == kIgnored   ? counts.ignored
                             : reason == kInvalid ? counts.invalid
                                                  : counts.non_finite;
    *counter += batch.weight(place);
  }
  outputs.put_unscored(place, batch.targets[place]);
}
