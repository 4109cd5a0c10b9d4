// Short vectors as wide as the registers, in the compiler's own vector extension. Included once for
// each instruction set, in its own namespace.

#define FTCORE_INLINE inline __attribute__((always_inline))

#if defined(FTCORE_AVX512)
constexpr int kVectorBytes = 64;
#elif defined(FTCORE_AVX2)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

template <class T, int n>
struct VectorOf {
  typedef T type __attribute__((vector_size(n * sizeof(T))));
};

constexpr int kFloats = kVectorBytes / 4, kDoubles = kVectorBytes / 8;
using Floats = VectorOf<float, kFloats>::type;
using Ints = VectorOf<int32_t, kFloats>::type;
using Doubles = VectorOf<double, kDoubles>::type;
using Longs = VectorOf<int64_t, kDoubles>::type;
using HalfFloats = VectorOf<float, kDoubles>::type;
using HalfInts = VectorOf<int32_t, kDoubles>::type;

struct Lanes32 {
  using Value = float;
  using Vector = Floats;
  using Integer = int32_t;
  using Mask = Ints;  // -1 where true
  static constexpr int count = kFloats;
};

struct Lanes64 {
  using Value = double;
  using Vector = Doubles;
  using Integer = int64_t;
  using Mask = Longs;
  static constexpr int count = kDoubles;
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

template <int... numbers>
struct Numbers {};
template <int n, int... numbers>
struct CountTo : CountTo<n - 1, n - 1, numbers...> {};
template <int... numbers>
struct CountTo<0, numbers...> {
  using type = Numbers<numbers...>;
};

template <class V>
using ValueOf = std::remove_reference_t<decltype(V{}[0])>;
template <class V>
constexpr int kCount = sizeof(V) / sizeof(ValueOf<V>);

// The lanes from `start` on, half as many.
template <int start, class V, int... numbers>
FTCORE_INLINE auto take(V v, Numbers<numbers...>) {
  return __builtin_shufflevector(v, v, (numbers + start)...);
}
template <class V>
FTCORE_INLINE auto low(V v) {
  return take<0>(v, typename CountTo<kCount<V> / 2>::type());
}
template <class V>
FTCORE_INLINE auto high(V v) {
  return take<kCount<V> / 2>(v, typename CountTo<kCount<V> / 2>::type());
}

template <class V, int... numbers>
FTCORE_INLINE auto join(V a, V b, Numbers<numbers...>) {
  return __builtin_shufflevector(a, b, numbers...);
}
template <class V>
FTCORE_INLINE auto join(V a, V b) {
  return join(a, b, typename CountTo<2 * kCount<V>>::type());
}

template <class L>
FTCORE_INLINE typename L::Mask lane_numbers() {
  typename L::Mask numbers;
  for (int lane = 0; lane < L::count; ++lane) numbers[lane] = lane;
  return numbers;
}

// Of two values one of which is not a number, the second: as x86 does it.
template <class V>
FTCORE_INLINE V larger(V a, V b) {
  return a > b ? a : b;
}
#if defined(FTCORE_AVX512)
FTCORE_INLINE Floats larger(Floats a, Floats b) {
  return reinterpret_cast<Floats>(
      _mm512_maskz_max_ps(-1, reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b)));
}
FTCORE_INLINE Doubles larger(Doubles a, Doubles b) {
  return reinterpret_cast<Doubles>(
      _mm512_maskz_max_pd(-1, reinterpret_cast<__m512d>(a), reinterpret_cast<__m512d>(b)));
}
#elif defined(FTCORE_AVX2)
FTCORE_INLINE Floats larger(Floats a, Floats b) {
  return reinterpret_cast<Floats>(
      _mm256_max_ps(reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b)));
}
FTCORE_INLINE Doubles larger(Doubles a, Doubles b) {
  return reinterpret_cast<Doubles>(
      _mm256_max_pd(reinterpret_cast<__m256d>(a), reinterpret_cast<__m256d>(b)));
}
#endif

// A choice that no processor could foresee, and that must not become a branch.
FTCORE_INLINE int64_t choose(bool first, int64_t a, int64_t b) {
  return b ^ ((a ^ b) & -int64_t{first});
}

// One bit for each lane of a mask.
FTCORE_INLINE uint64_t bits(Ints mask) {
#if defined(FTCORE_AVX512)
  return _mm512_movepi32_mask(reinterpret_cast<__m512i>(mask));
#elif defined(FTCORE_AVX2)
  return static_cast<uint32_t>(_mm256_movemask_ps(reinterpret_cast<__m256>(mask)));
#else
  uint64_t set = 0;
  for (int lane = 0; lane < kFloats; ++lane) set |= uint64_t{mask[lane] != 0} << lane;
  return set;
#endif
}

FTCORE_INLINE uint64_t bits(Longs mask) {
#if defined(FTCORE_AVX512)
  return _mm512_movepi64_mask(reinterpret_cast<__m512i>(mask));
#elif defined(FTCORE_AVX2)
  return static_cast<uint32_t>(_mm256_movemask_pd(reinterpret_cast<__m256d>(mask)));
#else
  uint64_t set = 0;
  for (int lane = 0; lane < kDoubles; ++lane) set |= uint64_t{mask[lane] != 0} << lane;
  return set;
#endif
}

template <class M>
FTCORE_INLINE bool any(M mask) {
  return bits(mask) != 0;
}

FTCORE_INLINE Doubles widen(HalfFloats v) { return __builtin_convertvector(v, Doubles); }

// As many lanes of float64, whose sum is the same.
FTCORE_INLINE Doubles fold(Floats v) { return widen(low(v)) + widen(high(v)); }
FTCORE_INLINE Doubles fold(Doubles v) { return v; }

template <class V>
FTCORE_INLINE auto sum_lanes(V v) {
  if constexpr (sizeof(V) > 16) {
    return sum_lanes(low(v) + high(v));
  } else if constexpr (kCount<V> == 2) {
    return v[0] + v[1];
  } else {
    return (v[0] + v[2]) + (v[1] + v[3]);
  }
}

template <class V>
FTCORE_INLINE auto max_lane(V v) {
  if constexpr (sizeof(V) > 16) {
    const auto a = low(v), b = high(v);
    return max_lane(a > b ? a : b);
  } else {
    auto max = v[0];
    for (int lane = 1; lane < kCount<V>; ++lane) max = v[lane] > max ? v[lane] : max;
    return max;
  }
}

template <class V>
FTCORE_INLINE auto min_lane(V v) {
  return -max_lane(-v);
}
