// Logits in memory: 16 bytes at once, and where rows begin.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <cstring>

#include "../core/classification.h"
#include "elements.cuh"

namespace ftcore {

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
