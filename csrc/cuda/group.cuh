// Threads that read a row together, and what they do together: each of these functions is called by
// all of them, and gives all of them the same result, bit for bit.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "plan.h"

namespace ftcore {

constexpr unsigned kAllLanes = 0xffffffffu;

template <class Real>
struct Leader {  // the largest logit, and the first class that has it
  Real max;
  int32_t prediction;

  __device__ void meet(Real other_max, int32_t other) {
    if (other_max > max || (other_max == max && other < prediction)) {
      max = other_max;
      prediction = other;
    }
  }
};

// Rounded by itself. Left to the compiler, a lane could add its own product unrounded, and the lanes
// of a warp would no longer agree.
inline __device__ double add(double a, double b) { return __dadd_rn(a, b); }
inline __device__ int32_t add(int32_t a, int32_t b) { return a + b; }
inline __device__ int64_t add(int64_t a, int64_t b) { return a + b; }

struct Alone {
  __device__ int lane() const { return 0; }
  static constexpr int size = 1;
  template <class Number>
  __device__ Number sum(Number x) const {
    return x;
  }
  template <class Real>
  __device__ Leader<Real> lead(Leader<Real> leader) const {
    return leader;
  }
};

struct Warp {
  static constexpr int size = kWarp;
  __device__ int lane() const { return static_cast<int>(threadIdx.x) % kWarp; }

  template <class Number>
  __device__ Number sum(Number x) const {
#pragma unroll
    for (int step = kWarp / 2; step > 0; step /= 2) {
      x = add(x, __shfl_xor_sync(kAllLanes, x, step));
    }
    return x;
  }

  template <class Real>
  __device__ Leader<Real> lead(Leader<Real> leader) const {
#pragma unroll
    for (int step = kWarp / 2; step > 0; step /= 2) {
      const Real max = __shfl_xor_sync(kAllLanes, leader.max, step);
      leader.meet(max, __shfl_xor_sync(kAllLanes, leader.prediction, step));
    }
    return leader;
  }
};

struct Block {
  static constexpr int size = kTogetherThreads, warps = size / kWarp;
  double* slots;  // shared, 2 for each warp
  __device__ int lane() const { return static_cast<int>(threadIdx.x); }

  template <class Number>
  __device__ Number sum(Number x) const {
    Number* const own = reinterpret_cast<Number*>(slots);
    x = Warp{}.sum(x);
    own[lane() / kWarp] = x;  // the same from each lane
    __syncthreads();
    Number total = own[0];
#pragma unroll
    for (int warp = 1; warp < warps; ++warp) total += own[warp];
    __syncthreads();
    return total;
  }

  template <class Real>
  __device__ Leader<Real> lead(Leader<Real> leader) const {
    Real* const largest = reinterpret_cast<Real*>(slots);
    int32_t* const first = reinterpret_cast<int32_t*>(slots + warps);
    leader = Warp{}.lead(leader);
    largest[lane() / kWarp] = leader.max;
    first[lane() / kWarp] = leader.prediction;
    __syncthreads();
    leader = {largest[0], first[0]};
#pragma unroll
    for (int warp = 1; warp < warps; ++warp) leader.meet(largest[warp], first[warp]);
    __syncthreads();
    return leader;
  }
};

}  // namespace ftcore
