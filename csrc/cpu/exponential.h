// exp and log1p of short vectors, for the ranges that a softmax needs.

// exp(x) for x <= 0 and for what is not a number. A result below 1.2e-38 may be 0; that of an
// infinite x is. exp(0) is exactly 1.
#if defined(FTCORE_AVX512)
// 2**t with t = x / log(2): for f = t - floor(t), 2**f is the polynomial of degree 5 that is 1 at
// f = 0 and whose relative error, 7e-8, is the least.
FTCORE_INLINE Floats exponential(Floats x) {
  const Floats t = x * 1.44269504f;
  const __m512 t_bits = reinterpret_cast<__m512>(t);
  const Floats f = reinterpret_cast<Floats>(_mm512_maskz_reduce_ps(-1, t_bits, 1));
  Floats p = f * 1.8739488811e-3f + 8.9992787263e-3f;
  p = p * f + 5.5816138755e-2f;
  p = p * f + 2.4015847488e-1f;
  p = p * f + 6.9315201924e-1f;
  p = p * f + 1.0f;
  return reinterpret_cast<Floats>(_mm512_maskz_scalef_ps(-1, reinterpret_cast<__m512>(p), t_bits));
}
#else
// 2**n * 2**f with n the integer nearest to t = x / log(2) and |f| <= 1/2, where 2**f is the
// polynomial of degree 5 that is 1 at f = 0 and whose relative error, 1.1e-7, is the least. Adding
// 1.5 * 2**23 rounds to that integer and leaves it in the low bits; -127 gives the bits of 0.
FTCORE_INLINE Floats exponential(Floats x) {
  const float shift = 12582912.0f;
  const Floats t = larger(Floats{} - 127.0f, x * 1.44269504f), shifted = t + shift;
  const Floats f = t - (shifted - shift);
  Floats p = f * 1.326465280726552e-3f + 9.671511128544807e-3f;
  p = p * f + 5.550733953714371e-2f;
  p = p * f + 2.4022242426872253e-1f;
  p = p * f + 6.931470036506653e-1f;
  p = p * f + 1.0f;
  return reinterpret_cast<Floats>(reinterpret_cast<Ints>(p) +
                                  (reinterpret_cast<Ints>(shifted) << 23));
}
#endif

// To 4 units of 1e-16: the Taylor polynomial of degree 13 on |r| <= log(2) / 2.
FTCORE_INLINE Doubles exponential(Doubles given) {
  const double log2_e = 1.4426950408889634, shift = 6755399441055744.0;
  const double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
  const Doubles x = larger(Doubles{} - 708.0, given);
  const Doubles shifted = x * log2_e + shift;
  const Doubles n = shifted - shift;
  const Doubles r = (x - n * ln2_high) - n * ln2_low;
  Doubles p = r * (1.0 / 6227020800.0) + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  const Doubles e = reinterpret_cast<Doubles>(reinterpret_cast<Longs>(p) +
                                              (reinterpret_cast<Longs>(shifted) << 52));
  return x <= -708.0 ? Doubles{} : e;
}

// log(1 + x) for x >= 0, with all digits of a small x. 1 + x = 2**k * m with m around 1, and
// log(m) = 2 artanh((m - 1) / (m + 1)); what the rounding of 1 + x lost comes back to first order.
template <class V>
FTCORE_INLINE V log1p_of(V x, V inverse) {
  using I = typename VectorOf<int32_t, kCount<V>>::type;
  const int32_t root_half = 0x3f3504f3;
  const V u = x + 1.0f;
  const I u_bits = reinterpret_cast<I>(u) - root_half;
  const V m = reinterpret_cast<V>((u_bits & 0x7fffff) + root_half);
  const V k = __builtin_convertvector(u_bits >> 23, V);
  const V s = (m - 1.0f) / (m + 1.0f), s2 = s * s;
  V p = s2 * (2.0f / 9.0f) + 2.0f / 7.0f;
  p = p * s2 + 2.0f / 5.0f;
  p = p * s2 + 2.0f / 3.0f;
  p = p * s2 + 2.0f;
  return k * 6.93147182e-1f + (p * s + (x - (u - 1.0f)) * inverse);
}

// Single values by way of a vector, which is quicker than a call.
template <class L>
FTCORE_INLINE double exponential_of(typename L::Value x) {
  return exponential(typename L::Vector{} + x)[0];
}

template <class L>
FTCORE_INLINE double log1p_of(double x) {
  if constexpr (std::is_same_v<L, Lanes64>) return __builtin_log1p(x);
  using Four = typename VectorOf<float, 4>::type;
  const Four wide = Four{} + static_cast<float>(x);
  return log1p_of(wide, 1.0f / (wide + 1.0f))[0];
}
