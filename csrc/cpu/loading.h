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

FTCORE_INLINE i32x16 load_u16(const void* from) {
  u16x16 bits;
  __builtin_memcpy(&bits, from, sizeof bits);
  return __builtin_convertvector(bits, i32x16);
}

FTCORE_INLINE f32x16 load(const float* from) { return load_vector<f32x16>(from); }
FTCORE_INLINE f64x8 load(const double* from) { return load_vector<f64x8>(from); }
FTCORE_INLINE f32x16 load(const BFloat* from) {
  return reinterpret_cast<f32x16>(load_u16(from) << 16);
}
FTCORE_INLINE f32x16 load(const Half* from) {
  // Shifted into place, a half is its value times 2**-112; exponent 31 means infinity or NaN.
  const i32x16 bits = load_u16(from), magnitude = (bits & 0x7fff) << 13;
  const f32x16 scaled = reinterpret_cast<f32x16>(magnitude) * 0x1p112f;
  const i32x16 special = (bits & 0x7c00) == 0x7c00;
  return reinterpret_cast<f32x16>(reinterpret_cast<i32x16>(scaled) | (special & 0x7f800000) |
                                  ((bits & 0x8000) << 16));
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

template <class T>
FTCORE_INLINE T minus_infinity() {
  return -__builtin_inf();
}
template <>
FTCORE_INLINE Half minus_infinity() {
  return {0xfc00};
}
template <>
FTCORE_INLINE BFloat minus_infinity() {
  return {0xff80};
}
