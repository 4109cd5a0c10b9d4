// CUDA's words as plain C++, so that a compiler without CUDA builds the kernels: every thread of a
// block is a fiber (fibers.h), which barriers and shuffles switch.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "fibers.h"

#define __global__
#define __device__
#define __host__
#define __shared__
#define __noinline__ __attribute__((noinline))
#define __align__(n) __attribute__((aligned(n)))
#define __launch_bounds__(...)
#define __grid_constant__

using std::min;

struct Coordinate {
  unsigned x;
};
inline Coordinate blockIdx, blockDim, threadIdx;  // threadIdx is set whenever a fiber goes on

struct alignas(16) uint4 {
  unsigned x, y, z, w;
};

template <class T>
T __ldg(const T* p) {
  on_cpu::check_read(p, sizeof(T));
  return *p;
}

inline double __dadd_rn(double a, double b) { return a + b; }

inline void __syncthreads() { on_cpu::barrier(); }

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes) {
  return on_cpu::exchange(mask, value, (threadIdx.x % 32) ^ static_cast<unsigned>(lanes));
}

// Fibers are switched nowhere else, so nothing comes between.
template <class T>
T atomicAdd(T* address, T amount) {
  const T before = *address;
  *address = static_cast<T>(before + amount);
  return before;
}

inline uint32_t atomicOr(uint32_t* address, uint32_t bits) {
  const uint32_t before = *address;
  *address = before | bits;
  return before;
}

inline int __float_as_int(float value) {
  int bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline float __uint_as_float(unsigned bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Dynamic shared memory of the one block that runs.
namespace ftcore {
extern char shared[] __attribute__((aligned(16)));
}
