// Reading logits of every type as lanes of float32, or of float64 for float64.

struct Half {
  uint16_t bits;
};
struct BFloat {
  uint16_t bits;
};

template <class T>
struct LanesOf {
  using type = Lanes32;
};
template <>
struct LanesOf<double> {
  using type = Lanes64;
};

using Shorts = VectorOf<uint16_t, kFloats>::type;

FTCORE_INLINE Ints load_shorts(const void* from) {
  Shorts bits;
  __builtin_memcpy(&bits, from, sizeof bits);
  return __builtin_convertvector(bits, Ints);
}

FTCORE_INLINE Floats load(const float* from) { return load_vector<Floats>(from); }
FTCORE_INLINE Doubles load(const double* from) { return load_vector<Doubles>(from); }
FTCORE_INLINE Floats load(const BFloat* from) {
  return reinterpret_cast<Floats>(load_shorts(from) << 16);
}
FTCORE_INLINE Floats load(const Half* from) {
#if defined(FTCORE_AVX512)
  const auto bits = load_vector<VectorOf<int64_t, 4>::type>(from);
  return reinterpret_cast<Floats>(_mm512_maskz_cvtph_ps(-1, reinterpret_cast<__m256i>(bits)));
#elif defined(FTCORE_AVX2)
  const auto bits = load_vector<VectorOf<int64_t, 2>::type>(from);
  return reinterpret_cast<Floats>(_mm256_cvtph_ps(reinterpret_cast<__m128i>(bits)));
#else
  // Shifted into place, a half is its value times 2**-112; exponent 31 means infinity or NaN.
  const Ints bits = load_shorts(from), magnitude = (bits & 0x7fff) << 13;
  const Floats scaled = reinterpret_cast<Floats>(magnitude) * 0x1p112f;
  const Ints special = (bits & 0x7c00) == 0x7c00;
  return reinterpret_cast<Floats>(reinterpret_cast<Ints>(scaled) | (special & 0x7f800000) |
                                  ((bits & 0x8000) << 16));
#endif
}

FTCORE_INLINE float load_one(const float* from) { return *from; }
FTCORE_INLINE double load_one(const double* from) { return *from; }
FTCORE_INLINE float load_one(const BFloat* from) {
  return __builtin_bit_cast(float, uint32_t{from->bits} << 16);
}
FTCORE_INLINE float load_one(const Half* from) {
  const uint32_t bits = from->bits;
  const float scaled = __builtin_bit_cast(float, (bits & 0x7fff) << 13) * 0x1p112f;
  const uint32_t special = (bits & 0x7c00) == 0x7c00 ? 0x7f800000u : 0u;
  return __builtin_bit_cast(
      float, __builtin_bit_cast(uint32_t, scaled) | special | ((bits & 0x8000) << 16));
}

// Two vectors of neighbouring logits. Those of bfloat16 come apart quickest as every second one.
template <class T>
struct PairOf {
  using L = typename LanesOf<T>::type;
  using V = typename L::Vector;
  using M = typename L::Mask;
  using Integer = typename L::Integer;
  static constexpr int count = 2 * L::count;
  static constexpr bool is_alternate = std::is_same_v<T, BFloat>;

  V a, b;

  static FTCORE_INLINE PairOf read(const T* from) {
    if constexpr (is_alternate) {
      const Ints both = load_vector<Ints>(from);
      return {reinterpret_cast<Floats>(both << 16),
              reinterpret_cast<Floats>(both & static_cast<int32_t>(0xffff0000))};
    } else {
      return {load(from), load(from + L::count)};
    }
  }

  // The place of each lane among the logits read.
  static FTCORE_INLINE M place_a() { return lane_numbers<L>() * Integer{is_alternate ? 2 : 1}; }
  static FTCORE_INLINE M place_b() {
    return place_a() + static_cast<Integer>(is_alternate ? 1 : L::count);
  }

  // The first place that is set in either mask; one is.
  static FTCORE_INLINE int first(M a, M b) {
    if constexpr (is_alternate) {
      const uint64_t end = uint64_t{1} << L::count;
      const int in_a = 2 * __builtin_ctzll(bits(a) | end);
      const int in_b = 2 * __builtin_ctzll(bits(b) | end) + 1;
      return static_cast<int>(choose(in_a < in_b, in_a, in_b));
    } else {
      return __builtin_ctzll(bits(a) | bits(b) << L::count | uint64_t{1} << (2 * L::count));
    }
  }
};

// So low that its exponential is 0 beside a moderate logit, and yet finite.
template <class T>
FTCORE_INLINE T lowest();
template <>
FTCORE_INLINE float lowest() {
  return -3.40282347e38f;
}
template <>
FTCORE_INLINE double lowest() {
  return -1.7976931348623157e308;
}
template <>
FTCORE_INLINE Half lowest() {
  return {0xfbff};
}
template <>
FTCORE_INLINE BFloat lowest() {
  return {0xff7f};
}

template <class T>
FTCORE_INLINE bool is_moderate(typename LanesOf<T>::type::Value max) {
  if constexpr (std::is_same_v<T, Half>) return max > -65000.0f && max <= 65504.0f;
  const double limit = std::is_same_v<T, double> ? 1e290 : 1e30;
  return max > -limit && max < limit;
}
