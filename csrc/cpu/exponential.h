// exp and log1p of short vectors, for the ranges that a softmax needs.

// exp(x) = 2**n * 2**f, with n the integer nearest to x / log(2) and |f| <= 1/2. Adding 1.5 * 2**k,
// k the number of digits less one, rounds to that integer and leaves it in the low bits.

// For -87 <= x <= 0, to 3 units of 1e-7: 2**f is the polynomial of degree 5 that is 1 at f = 0 and
// whose relative error, 1.1e-7, is the least.
FTCORE_INLINE f32x16 exponential(f32x16 x) {
  const float log2_e = 1.44269504f, shift = 12582912.0f;
  const f32x16 shifted = x * log2_e + shift;
  const f32x16 f = x * log2_e - (shifted - shift);
  f32x16 p = f * 1.326465280726552e-3f + 9.671511128544807e-3f;
  p = p * f + 5.550733953714371e-2f;
  p = p * f + 2.4022242426872253e-1f;
  p = p * f + 6.931470036506653e-1f;
  p = p * f + 1.0f;
  return reinterpret_cast<f32x16>(reinterpret_cast<i32x16>(p) +
                                  (reinterpret_cast<i32x16>(shifted) << 23));
}

// For -708 <= x <= 0, to 4 units of 1e-16: the Taylor polynomial of degree 13 on |r| <= log(2) / 2.
FTCORE_INLINE f64x8 exponential(f64x8 x) {
  const double log2_e = 1.4426950408889634, shift = 6755399441055744.0;
  const double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
  const f64x8 shifted = x * log2_e + shift;
  const f64x8 n = shifted - shift;
  const f64x8 r = (x - n * ln2_high) - n * ln2_low;
  f64x8 p = r * (1.0 / 6227020800.0) + 1.0 / 479001600.0;
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
  return reinterpret_cast<f64x8>(reinterpret_cast<i64x8>(p) +
                                 (reinterpret_cast<i64x8>(shifted) << 52));
}

// The least difference z - max that exponential() takes; what lies below it is moved there and
// adds at most 1.7e-38, or nothing at all in float64.
FTCORE_INLINE f32x16 clamp_low(f32x16 x) { return larger(x, f32x16{} - 87.0f); }
FTCORE_INLINE f64x8 clamp_low(f64x8 x) { return larger(x, f64x8{} - 708.0); }
FTCORE_INLINE f32x16 drop_clamped(f32x16 e, f32x16) { return e; }
FTCORE_INLINE f64x8 drop_clamped(f64x8 e, f64x8 clamped) { return clamped > -708.0 ? e : f64x8{}; }

// log(1 + x) for x >= 0, with all digits of a small x. 1 + x = 2**k * m with m around 1, and
// log(m) = 2 artanh((m - 1) / (m + 1)); what the rounding of 1 + x lost comes back to first order.
FTCORE_INLINE f32x16 log1p_of(f32x16 x, f32x16 inverse) {
  const int32_t root_half = 0x3f3504f3;
  const f32x16 u = x + 1.0f;
  const i32x16 bits = reinterpret_cast<i32x16>(u) - root_half;
  const f32x16 m = reinterpret_cast<f32x16>((bits & 0x7fffff) + root_half);
  const f32x16 k = __builtin_convertvector(bits >> 23, f32x16);
  const f32x16 s = (m - 1.0f) / (m + 1.0f), s2 = s * s;
  f32x16 p = s2 * (2.0f / 9.0f) + 2.0f / 7.0f;
  p = p * s2 + 2.0f / 5.0f;
  p = p * s2 + 2.0f / 3.0f;
  p = p * s2 + 2.0f;
  return k * 6.93147182e-1f + (p * s + (x - (u - 1.0f)) * inverse);
}

FTCORE_INLINE f64x8 log1p_of(f64x8 x, f64x8) {
  for (int lane = 0; lane < 8; ++lane) x[lane] = __builtin_log1p(x[lane]);
  return x;
}
