// Short vectors of 64 bytes in the compiler's own vector extension, which lowers them to whatever
// registers the instruction set has. Included once for each instruction set, in its own namespace.

#define FTCORE_INLINE inline __attribute__((always_inline))

typedef float f32x16 __attribute__((vector_size(64)));
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef double f64x8 __attribute__((vector_size(64)));
typedef int64_t i64x8 __attribute__((vector_size(64)));
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x8 __attribute__((vector_size(32)));
typedef int32_t i32x8 __attribute__((vector_size(32)));
typedef uint16_t u16x16 __attribute__((vector_size(32)));

struct Lanes32 {
  using Value = float;
  using Vector = f32x16;
  using Integer = int32_t;
  using Mask = i32x16;  // -1 where true
  static constexpr int count = 16;
};

struct Lanes64 {
  using Value = double;
  using Vector = f64x8;
  using Integer = int64_t;
  using Mask = i64x8;
  static constexpr int count = 8;
};

template <class V, class T>
FTCORE_INLINE V load_vector(const T* from) {
  V vector;
  __builtin_memcpy(&vector, from, sizeof vector);
  return vector;
}

template <class V, class T>
FTCORE_INLINE void store_vector(T* to, V vector) {
  __builtin_memcpy(to, &vector, sizeof vector);
}

template <class L>
FTCORE_INLINE typename L::Mask lane_numbers() {
  typename L::Mask numbers;
  for (int lane = 0; lane < L::count; ++lane) numbers[lane] = lane;
  return numbers;
}

// Of two values one of which is not a number, the second: as x86 does it.
FTCORE_INLINE f32x16 larger(f32x16 a, f32x16 b) {
#if defined(FTCORE_AVX512)
  return reinterpret_cast<f32x16>(
      _mm512_maskz_max_ps(-1, reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b)));
#else
  return a > b ? a : b;
#endif
}

FTCORE_INLINE f64x8 larger(f64x8 a, f64x8 b) {
#if defined(FTCORE_AVX512)
  return reinterpret_cast<f64x8>(
      _mm512_maskz_max_pd(-1, reinterpret_cast<__m512d>(a), reinterpret_cast<__m512d>(b)));
#else
  return a > b ? a : b;
#endif
}

FTCORE_INLINE bool any(i32x16 mask) {
#if defined(FTCORE_AVX512)
  return _mm512_movepi32_mask(reinterpret_cast<__m512i>(mask)) != 0;
#else
  const i64x8 wide = reinterpret_cast<i64x8>(mask);
  int64_t bits = 0;
  for (int lane = 0; lane < 8; ++lane) bits |= wide[lane];
  return bits != 0;
#endif
}

// The number of the first lane that is set; one of them is.
FTCORE_INLINE int first(i32x16 mask) {
#if defined(FTCORE_AVX512)
  return __builtin_ctz(_mm512_movepi32_mask(reinterpret_cast<__m512i>(mask)));
#else
  int lane = 0;
  while (!mask[lane]) ++lane;
  return lane;
#endif
}

FTCORE_INLINE int first(i64x8 mask) { return first(reinterpret_cast<i32x16>(mask)) / 2; }

// The same in four masks one after the other.
FTCORE_INLINE int first(i32x16 a, i32x16 b, i32x16 c, i32x16 d) {
#if defined(FTCORE_AVX512)
  const auto bits = [](i32x16 mask) {
    return uint64_t{_mm512_movepi32_mask(reinterpret_cast<__m512i>(mask))};
  };
  return __builtin_ctzll(bits(a) | bits(b) << 16 | bits(c) << 32 | bits(d) << 48);
#else
  if (any(a)) return first(a);
  if (any(b)) return 16 + first(b);
  return any(c) ? 32 + first(c) : 48 + first(d);
#endif
}

FTCORE_INLINE int first(i64x8 a, i64x8 b, i64x8 c, i64x8 d) {
  const auto narrow = [](i64x8 mask) { return reinterpret_cast<i32x16>(mask); };
  return first(narrow(a), narrow(b), narrow(c), narrow(d)) / 2;
}

FTCORE_INLINE bool any(i64x8 mask) { return any(reinterpret_cast<i32x16>(mask)); }

FTCORE_INLINE f32x8 low(f32x16 v) { return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7); }
FTCORE_INLINE f32x8 high(f32x16 v) {
  return __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
}
FTCORE_INLINE i32x8 low(i32x16 v) { return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7); }
FTCORE_INLINE i32x8 high(i32x16 v) {
  return __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
}

FTCORE_INLINE i32x16 join(i32x8 a, i32x8 b) {
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

FTCORE_INLINE f64x8 widen(f32x8 v) { return __builtin_convertvector(v, f64x8); }

// The sum of all lanes in float64.
FTCORE_INLINE f64x8 fold(f32x16 v) { return widen(low(v)) + widen(high(v)); }
FTCORE_INLINE f64x8 fold(f64x8 v) { return v; }

FTCORE_INLINE double sum_lanes(f64x8 v) {
  v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3);
  v += __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5);
  return v[0] + v[1];
}

FTCORE_INLINE int64_t sum_lanes(i32x16 v) {
  v += __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
  return int64_t{v[0]} + v[1] + v[2] + v[3];
}

FTCORE_INLINE int64_t sum_lanes(i64x8 v) {
  v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3);
  v += __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5);
  return v[0] + v[1];
}

FTCORE_INLINE float max_lane(f32x16 v) {
  v = larger(v, __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  v = larger(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  const float a = v[0] > v[1] ? v[0] : v[1], b = v[2] > v[3] ? v[2] : v[3];
  return a > b ? a : b;
}

FTCORE_INLINE double max_lane(f64x8 v) {
  v = larger(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3));
  v = larger(v, __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5));
  return v[0] > v[1] ? v[0] : v[1];
}
