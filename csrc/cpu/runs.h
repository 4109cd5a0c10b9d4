// Runs of tiles whose classes lie far apart in memory, as in images (N, C, H, W). A run takes from
// each class as much as lies together, while the run before it is scored: classes whose distance is
// a power of two share the same few lines of a cache, which cannot hold them until they are needed.
// It takes them a vector at a time, so that memory is never asked for more at once than it can do.

template <class T>
struct Run {
  using L = typename LanesOf<T>::type;
  using Value = typename L::Value;
  static constexpr int width = L::count;
  static constexpr int64_t kAhead = 3;  // classes

  const Batch& batch;
  Value* buffer;  // kRunBytes; then tiles of (C, width) one after the other
  const T* from = nullptr;
  int64_t tiles = 0;
  int64_t c = 0, k = 0;  // the class to be copied next, and of which tile; all are where c is C

  // The rows from r on, as many as fit and lie together; none if their lanes are not neighbours.
  FTCORE_INLINE void begin(int64_t r, int64_t end) {
    tiles = k = 0;
    c = batch.classes;
    if (batch.inner_stride != 1 || batch.classes == 1 || r >= end) return;
    const int64_t in_block = r % batch.inner, left = batch.inner - in_block;
    const int64_t whole = (end - r < left ? end - r : left) / width;
    const int64_t fit = kRunBytes / (kVectorBytes * batch.classes);
    tiles = fit < whole ? fit : whole;
    if (tiles > 0) c = 0;
    from = static_cast<const T*>(batch.logits) + r / batch.inner * batch.outer_stride + in_block;
  }

  FTCORE_INLINE bool is_copied() const { return c == batch.classes; }

  // What is fetched ahead, past the last class, is the start of the run after this one.
  FTCORE_INLINE void copy_one() {
    const T* at = from + c * batch.class_stride + k * width;
    const bool is_last = c + kAhead >= batch.classes;
    __builtin_prefetch(at + kAhead * batch.class_stride +
                       (is_last ? tiles * width - batch.classes * batch.class_stride : 0));
    store_vector(buffer + (k * batch.classes + c) * width, load(at));
    if (++k < tiles) return;
    k = 0;
    ++c;
  }

  FTCORE_INLINE void copy() {
    while (!is_copied()) copy_one();
  }

  FTCORE_INLINE const Value* tile(int64_t k) const { return buffer + k * batch.classes * width; }
};
