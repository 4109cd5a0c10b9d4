// What a target asks for, and what is computed again in float64 where lanes cannot tell.

constexpr int64_t kIgnored = -1, kInvalid = -2;

// The class from 0 to C - 1, or kIgnored or kInvalid.
FTCORE_INLINE int64_t classify(const Batch& batch, int64_t target) {
  if (batch.has_ignore_index && target == batch.ignore_index) return kIgnored;
  return target >= 0 && target < batch.classes ? target : kInvalid;
}

// 1 / sum exp(z - max) in float64 of C logits `stride` apart.
template <class T>
__attribute__((noinline)) double exact_confidence(const T* logits, int64_t classes, int64_t stride,
                                                  double max) {
  double total = 0;
  for (int64_t c = 0; c < classes; ++c) {
    total += __builtin_exp(static_cast<double>(load_one(logits + c * stride)) - max);
  }
  return 1.0 / total;
}

// Scores a row of any logits whatever, whose target is known; says whether it is finite.
template <class T>
__attribute__((noinline)) bool score_exactly(Row& row, const T* logits, int64_t classes,
                                             int64_t stride) {
  const auto z = [&](int64_t c) { return static_cast<double>(load_one(logits + c * stride)); };
  double zeros = 0, max = z(0);
  const double z_target = z(row.target);
  row.prediction = row.rank = 0;
  for (int64_t c = 0; c < classes; ++c) {
    zeros += z(c) * 0.0;
    if (z(c) > max) {
      max = z(c);
      row.prediction = c;
    }
    row.rank += z(c) > z_target || (z(c) == z_target && c < row.target);
  }
  if (zeros != 0) return false;
  RowSums sums{0, 0, 0};
  for (int64_t c = 0; c < classes; ++c) {
    const double d = z(c) - max, e = c == row.prediction ? 0.0 : __builtin_exp(d);
    sums.rest += e;
    if (e > 0) sums.weighted += e * d;
    sums.squares += e * e;
  }
  const double below = max - z_target;
  finish_row(row, sums, below, __builtin_exp(-below), __builtin_log1p(sums.rest));
  return true;
}
