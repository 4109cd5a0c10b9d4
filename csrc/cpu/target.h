// What a target asks for, and a confidence recomputed where its bin is in doubt.

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
