// Elements of each type in memory, one at a time.
#pragma once

#include <cuda_fp16.h>
#include <cuda_runtime.h>

namespace ftcore {

struct Half {
  unsigned short bits;
};
struct BFloat16 {
  unsigned short bits;
};

template <class T>
struct RealOf {
  using type = float;  // in which such logits are computed with
};
template <>
struct RealOf<double> {
  using type = double;
};

inline __device__ float real(Half x) { return __half2float(__ushort_as_half(x.bits)); }
inline __device__ float real(BFloat16 x) {
  return __uint_as_float(static_cast<unsigned>(x.bits) << 16);
}
inline __device__ float real(float x) { return x; }
inline __device__ double real(double x) { return x; }

inline __device__ Half load(const Half* p) { return {__ldg(&p->bits)}; }
inline __device__ BFloat16 load(const BFloat16* p) { return {__ldg(&p->bits)}; }
inline __device__ float load(const float* p) { return __ldg(p); }
inline __device__ double load(const double* p) { return __ldg(p); }

}  // namespace ftcore
