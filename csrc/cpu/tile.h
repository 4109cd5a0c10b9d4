// A tile of rows with one lane for each row, class after class, in a buffer that stays in cache.
// Serves few classes, and class dimensions that are not the innermost.

// A shuffle of two vectors within each 16 bytes of them. Of every four lanes, the first takes place
// `first`, the others follow as `order` says: 0 interleaves, 1 keeps pairs together.
template <int order, int first, class V, int... lanes>
FTCORE_INLINE V shuffle_parts(V a, V b, Numbers<lanes...>) {
  return __builtin_shufflevector(
      a, b,
      (lanes / 4 * 4 + first + (order == 0 ? lanes % 4 / 2 : lanes % 2) +
       kCount<V> * (order == 0 ? lanes % 2 : lanes % 4 / 2))...);
}
template <int order, int first>
FTCORE_INLINE Floats shuffle_parts(Floats a, Floats b) {
  return shuffle_parts<order, first>(a, b, typename CountTo<kFloats>::type());
}

template <class T>
struct TileReader {
  using L = typename LanesOf<T>::type;
  using Value = typename L::Value;
  using Four = typename VectorOf<float, 4>::type;
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
               batch.classes >= 4 && std::is_same_v<Value, float>) {
      const T* from = row(r);
      fetch_ahead(from, batch.classes * width * int64_t{sizeof(T)});
      fetch_ahead(batch.targets + r, width * int64_t{sizeof(int64_t)});
      transpose(from);
    } else {
      gather(r, rows);
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

  // Rows one after the other, four classes at a time; the last four may overlap.
  FTCORE_INLINE void transpose(const float* from) const {
    const int64_t classes = batch.classes;
    for (int64_t c = 0; c < classes; c += 4) {
      const int64_t start = c + 4 <= classes ? c : classes - 4;
      const float* at = from + start;
      const Floats p = fours(at), q = fours(at + classes);
      const Floats r = fours(at + 2 * classes), s = fours(at + 3 * classes);
      const Floats pq_low = shuffle_parts<0, 0>(p, q), pq_high = shuffle_parts<0, 2>(p, q);
      const Floats rs_low = shuffle_parts<0, 0>(r, s), rs_high = shuffle_parts<0, 2>(r, s);
      Value* to = tile + start * width;
      store_vector(to, shuffle_parts<1, 0>(pq_low, rs_low));
      store_vector(to + width, shuffle_parts<1, 2>(pq_low, rs_low));
      store_vector(to + 2 * width, shuffle_parts<1, 0>(pq_high, rs_high));
      store_vector(to + 3 * width, shuffle_parts<1, 2>(pq_high, rs_high));
    }
  }

  template <class U>
  FTCORE_INLINE void transpose(const U* from) const {
    Value rows[kFloats * kFewClasses];
    for (int64_t v = 0; v < batch.classes; ++v) {
      store_vector(rows + v * kFloats, load(from + v * kFloats));
    }
    transpose(rows);
  }

  FTCORE_INLINE void transpose(const double*) const {}

  // Four classes of every fourth row.
  FTCORE_INLINE Floats fours(const float* from) const {
    const int64_t step = 4 * batch.classes;
    const auto four = [&](int row) { return load_vector<Four>(from + row * step); };
    if constexpr (kFloats == 16) {
      return join(join(four(0), four(1)), join(four(2), four(3)));
    } else if constexpr (kFloats == 8) {
      return join(four(0), four(1));
    } else {
      return four(0);
    }
  }
};
