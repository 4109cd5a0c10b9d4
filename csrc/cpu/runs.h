// Runs of tiles whose classes lie far apart in memory, as in images (N, C, H, W). A run takes from
// each class as much as lies together, while the run before it is scored: classes whose distance is
// a power of two share the same few lines of a cache, which cannot hold them until they are needed.

template <class T>
struct Run {
  using L = typename LanesOf<T>::type;
  using Value = typename L::Value;
  static constexpr int width = L::count;
  static constexpr int64_t kAhead = 4;  // classes

  const Batch& batch;
  Value* buffer;  // kRunBytes; then tiles of (C, width) one after the other
  const T* from = nullptr;
  int64_t tiles = 0, copied = 0;  // copied: classes

  // The rows from r on, as many as fit and lie together; none if their lanes are not neighbours.
  FTCORE_INLINE void begin(int64_t r, int64_t end) {
    tiles = copied = 0;
    if (batch.inner_stride != 1 || batch.classes == 1 || r >= end) return;
    const int64_t in_block = r % batch.inner, left = batch.inner - in_block;
    const int64_t whole = (end - r < left ? end - r : left) / width;
    const int64_t fit = kRunBytes / (kVectorBytes * batch.classes);
    tiles = fit < whole ? fit : whole;
    from = static_cast<const T*>(batch.logits) + r / batch.inner * batch.outer_stride + in_block;
  }

  FTCORE_INLINE void copy(int64_t classes) {
    for (; copied < classes; ++copied) {
      const T* at = from + copied * batch.class_stride;
      const T* ahead = copied + kAhead < batch.classes ? at + kAhead * batch.class_stride : at;
      Value* to = buffer + copied * width;
      for (int64_t k = 0; k < tiles; ++k) {
        __builtin_prefetch(ahead + k * width);
        store_vector(to + k * batch.classes * width, load(at + k * width));
      }
    }
  }

  FTCORE_INLINE const Value* tile(int64_t k) const { return buffer + k * batch.classes * width; }
};
