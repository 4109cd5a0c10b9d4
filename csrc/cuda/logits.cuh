// Logits of each type in memory, one at a time or 16 bytes at once.
#pragma once

#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <cstring>

#include "../core/classification.h"

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

template <class T>
struct Vector {
  static constexpr int width = 16 / sizeof(T);
  T items[width];

  static __device__ Vector load(const T* p) {  // p is a multiple of 16
    const uint4 bytes = __ldg(reinterpret_cast<const uint4*>(p));
    Vector vector;
    memcpy(&vector, &bytes, sizeof bytes);
    return vector;
  }
};

// Where row r begins, in elements.
inline __device__ int64_t offset_of(const Batch& batch, int64_t r) {
  if (r < batch.inner) return r * batch.inner_stride;
  constexpr int64_t most = 0xffffffff;
  if (r <= most && batch.inner <= most) {  // several times quicker
    const uint32_t row = static_cast<uint32_t>(r), inner = static_cast<uint32_t>(batch.inner);
    const uint32_t outer = row / inner;
    return outer * batch.outer_stride + (row - outer * inner) * batch.inner_stride;
  }
  return r / batch.inner * batch.outer_stride + r % batch.inner * batch.inner_stride;
}

}  // namespace ftcore
