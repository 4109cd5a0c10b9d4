// Rows that are read tile after tile, some classes at a time, and closed when all have been read.

template <class T>
struct OpenRows {
  using L = typename LanesOf<T>::type;
  using Value = typename L::Value;

  const Batch& tile;
  int64_t first_class;
  Exponentials<T> exponentials{};  // of the row before, if there is one
  OpenRow* pending = nullptr;
  RowPart part{};

  FTCORE_INLINE void read(int64_t r, OpenRow& row) {
    if (tile.targets[r] < 0 || !row.is_finite) return;
    const T* logits = static_cast<const T*>(tile.logits) + r * tile.inner_stride;
    const int64_t target = tile.targets[r] - first_class;
    const bool is_here = target >= 0 && target < tile.classes;
    if (is_here) row.z_seen = load_one(logits + target);
    if (tile.classes < PairOf<T>::count) {
      read_slowly(logits, row, target);
      return;
    }
    Scan<T> scan(logits, tile.classes, target, static_cast<Value>(row.z_target));
    if (pending != nullptr) {
      pass<true, true>(scan, exponentials);
      settle();
    } else {
      pass<true, false>(scan, exponentials);
    }
    const Value max = max_lane(scan.max);
    if (!is_moderate<T>(max)) {
      read_slowly(logits, row, target);
      return;
    }
    row.above += scan.rank();
    part = RowPart{max, scan.find(max), {}};
    exponentials.begin(scan, part.prediction, max);
    pending = &row;
  }

  FTCORE_INLINE void end() {
    if (pending == nullptr) return;
    Scan<T> none(exponentials.logits, tile.classes, 0, 0);
    pass<false, true>(none, exponentials);
    settle();
  }

 private:
  FTCORE_INLINE void settle() {
    part.sums = exponentials.sums();
    OpenRow& row = *pending;
    pending = nullptr;
    if (part.sums.weighted - part.sums.weighted == 0) {
      add(row, part);
    } else {
      int64_t above;  // counted already
      row.is_finite = read_exactly(part, above, exponentials.logits, tile.classes, 1, 0, 0.0);
      if (row.is_finite) add(row, part);
    }
  }

  FTCORE_INLINE void read_slowly(const T* logits, OpenRow& row, int64_t target) {
    RowPart exact;
    int64_t above;
    row.is_finite = read_exactly(exact, above, logits, tile.classes, 1, target, row.z_target);
    row.above += above;
    if (row.is_finite) add(row, exact);
  }

  FTCORE_INLINE void add(OpenRow& row, RowPart added) {
    added.prediction += first_class;
    row.part = row.is_begun ? merge(row.part, added) : added;
    row.is_begun = true;
  }
};

template <class T>
void read_open_rows(const Batch& tile, int64_t rows, int64_t first_class, OpenRow* open) {
  OpenRows<T> all{tile, first_class};
  for (int64_t r = 0; r < rows; ++r) all.read(r, open[r]);
  all.end();
}

FTCORE_INLINE void close_row(const Batch& batch, int64_t r, const OpenRow& open,
                             const Counts& counts, double* sums, const RowOutputs& outputs) {
  const int64_t target = classify(batch, r);
  if (target < 0 || !open.is_finite) {
    put_unscored(batch, counts, outputs, target < 0 ? target : kNonFinite, r);
    return;
  }
  Row row{target, open.part.prediction, open.above, 0, 0, 0, 0};
  const double below = open.part.max - open.z_target;
  finish_row(row, open.part.sums, below, __builtin_exp(-below),
             __builtin_log1p(open.part.sums.rest));
  put(batch, counts, sums, outputs, row, r);
}
