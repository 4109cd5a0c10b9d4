// What is computed again in float64 where lanes cannot tell.

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

// What any logits whatever come to, `stride` apart; false if one of them is not finite. `above` are
// those that rank before the target, whose logit is z_target and whose place may be none of these.
template <class T>
__attribute__((noinline)) bool read_exactly(RowPart& part, int64_t& above, const T* logits,
                                            int64_t classes, int64_t stride, int64_t target,
                                            double z_target) {
  const auto z = [&](int64_t c) { return static_cast<double>(load_one(logits + c * stride)); };
  double zeros = 0;
  part = RowPart{z(0), 0, {0, 0, 0}};
  above = 0;
  for (int64_t c = 0; c < classes; ++c) {
    zeros += z(c) * 0.0;
    if (z(c) > part.max) {
      part.max = z(c);
      part.prediction = c;
    }
    above += z(c) > z_target || (z(c) == z_target && c < target);
  }
  if (zeros != 0) return false;
  for (int64_t c = 0; c < classes; ++c) {
    const double d = z(c) - part.max, e = c == part.prediction ? 0.0 : __builtin_exp(d);
    part.sums.rest += e;
    if (e > 0) part.sums.weighted += e * d;
    part.sums.squares += e * e;
  }
  return true;
}

// Scores a row of any logits whatever, whose target is known; says whether it is finite.
template <class T>
FTCORE_INLINE bool score_exactly(Row& row, const T* logits, int64_t classes, int64_t stride) {
  RowPart part;
  const double z_target = load_one(logits + row.target * stride);
  if (!read_exactly(part, row.rank, logits, classes, stride, row.target, z_target)) return false;
  row.prediction = part.prediction;
  const double below = part.max - z_target;
  finish_row(row, part.sums, below, __builtin_exp(-below), __builtin_log1p(part.sums.rest));
  return true;
}
