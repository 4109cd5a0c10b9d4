// A tile of rows with one lane for each row, class after class, in a buffer that stays in cache.
// Serves few classes, and class dimensions that are not the innermost.

template <class T>
struct TileReader {
  using L = typename LanesOf<T>::type;
  using Value = typename L::Value;
  static constexpr int width = L::count;

  const Batch& batch;
  Value* tile;  // (C, width)

  FTCORE_INLINE const T* row(int64_t r) const {
    return static_cast<const T*>(batch.logits) + r / batch.inner * batch.outer_stride +
           r % batch.inner * batch.inner_stride;
  }

  // Rows r to r + rows, at most `width` of them; lanes without a row hold zeros.
  FTCORE_INLINE void read(int64_t r, int rows) const {
    const bool in_one = rows == width && r % batch.inner + rows <= batch.inner;
    if (in_one && batch.inner_stride == 1) {
      const T* from = row(r);
      for (int64_t c = 0; c < batch.classes; ++c) {
        store_vector(tile + c * width, load(from + c * batch.class_stride));
      }
    } else if (in_one && batch.class_stride == 1 && batch.inner_stride == batch.classes &&
               batch.classes >= 4 && width == 16) {
      transpose(row(r));
    } else {
      gather(r, rows);
    }
  }

  // As many tiles one after the other as lie in cache, each (C, width), so that a far stride
  // between the classes is taken once for a run of rows. Returns their number, or 0 if not so.
  FTCORE_INLINE int read_run(int64_t r, int64_t end) const {
    const int64_t last = end - r < batch.inner - r % batch.inner ? end : r + batch.inner - r % batch.inner;
    const int64_t fit = kRunBytes / (64 * batch.classes), whole = (last - r) / width;
    const int64_t tiles = fit < whole ? fit : whole;
    if (batch.inner_stride != 1 || batch.classes == 1) return 0;
    const T* from = row(r);
    for (int64_t c = 0; c < batch.classes; ++c) {
      for (int64_t k = 0; k < tiles; ++k) {
        store_vector(tile + (k * batch.classes + c) * width,
                     load(from + c * batch.class_stride + k * width));
      }
    }
    return static_cast<int>(tiles);
  }

  // Fetches tile k of the run after the one at r.
  FTCORE_INLINE void fetch_run(int64_t r, int64_t end, int64_t tiles, int64_t k) const {
    if (r + (tiles + k + 1) * width > end) return;
    const T* from = row(r + (tiles + k) * width);
    for (int64_t c = 0; c < batch.classes; ++c) {
      __builtin_prefetch(from + c * batch.class_stride);
    }
  }

  FTCORE_INLINE void gather(int64_t r, int rows) const {
    if (rows < width) __builtin_memset(tile, 0, sizeof(Value) * batch.classes * width);
    for (int lane = 0; lane < rows; ++lane) {
      const T* from = row(r + lane);
      for (int64_t c = 0; c < batch.classes; ++c) {
        tile[c * width + lane] = load_one(from + c * batch.class_stride);
      }
    }
  }

  // Sixteen rows one after the other, four classes at a time; the last four may overlap.
  FTCORE_INLINE void transpose(const float* from) const {
    const int64_t classes = batch.classes;
    for (int64_t c = 0; c < classes; c += 4) {
      const int64_t start = c + 4 <= classes ? c : classes - 4;
      const f32x16 a = quads(from, start, 0), b = quads(from, start, 1);
      const f32x16 d = quads(from, start, 2), e = quads(from, start, 3);
      const f32x16 ab_low = interleave_low(a, b), ab_high = interleave_high(a, b);
      const f32x16 de_low = interleave_low(d, e), de_high = interleave_high(d, e);
      Value* to = tile + start * width;
      store_vector(to, pair_low(ab_low, de_low));
      store_vector(to + width, pair_high(ab_low, de_low));
      store_vector(to + 2 * width, pair_low(ab_high, de_high));
      store_vector(to + 3 * width, pair_high(ab_high, de_high));
    }
  }

  template <class U>
  FTCORE_INLINE void transpose(const U* from) const {
    Value rows[16 * kFewClasses];
    for (int64_t v = 0; v < batch.classes; ++v) store_vector(rows + v * 16, load(from + v * 16));
    transpose(rows);
  }

  FTCORE_INLINE void transpose(const double*) const {}

  // Four classes of rows k, k + 4, k + 8 and k + 12.
  FTCORE_INLINE f32x16 quads(const float* from, int64_t start, int64_t k) const {
    const int64_t step = 4 * batch.classes;
    const float* at = from + k * batch.classes + start;
    const f32x4 a = load_vector<f32x4>(at), b = load_vector<f32x4>(at + step);
    const f32x4 c = load_vector<f32x4>(at + 2 * step), d = load_vector<f32x4>(at + 3 * step);
    const f32x8 ab = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
    const f32x8 cd = __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7);
    return __builtin_shufflevector(ab, cd, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  }

  static FTCORE_INLINE f32x16 interleave_low(f32x16 a, f32x16 b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
  }
  static FTCORE_INLINE f32x16 interleave_high(f32x16 a, f32x16 b) {
    return __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15,
                                   31);
  }
  static FTCORE_INLINE f32x16 pair_low(f32x16 a, f32x16 b) {
    return __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
  }
  static FTCORE_INLINE f32x16 pair_high(f32x16 a, f32x16 b) {
    return __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30,
                                   31);
  }
};
