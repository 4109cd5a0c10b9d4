// Adding a scored row to the counts and sums.

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

FTCORE_INLINE void add(double* sums, const Row& row, int64_t bin) {
  sums[0] += row.nll;
  sums[1] += row.brier;
  sums[2] += row.entropy;
  sums[kScalarSums + bin] += row.confidence;
}

FTCORE_INLINE void put(const Batch& batch, const Counts& counts, double* sums,
                       const RowOutputs& outputs, const Row& row, int64_t place) {
  const int64_t bin = bin_of(row.confidence, batch.bins);
  count(counts, batch.classes, row, bin);
  add(sums, row, bin);
  ++*counts.n;
  outputs.put(place, row);
}
