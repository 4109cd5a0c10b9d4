// How what blocks have found comes to a state: integers atomically, floats in order.
#pragma once

#include <cuda_runtime.h>

#include "group.cuh"

namespace ftcore {

inline __device__ void add_to(int32_t* cell, int32_t amount) {
  if (amount != 0) atomicAdd(cell, amount);
}

inline __device__ void add_to(int64_t* cell, int64_t amount) {
  if (amount == 0) return;
  atomicAdd(reinterpret_cast<unsigned long long*>(cell), static_cast<unsigned long long>(amount));
}

// Adds the sums of all chunks to the state's, one warp.
inline __device__ void add_in_order(const double* chunk_sums, int64_t chunks, double* total) {
  double sum = 0;
  for (int64_t chunk = threadIdx.x; chunk < chunks; chunk += kWarp) sum += chunk_sums[chunk];
  sum = Warp{}.sum(sum);
  if (threadIdx.x == 0) *total += sum;
}

}  // namespace ftcore
