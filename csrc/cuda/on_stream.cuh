// How kernels are launched on a stream.
#pragma once

#include "score.h"  // first: see USE_CUDA there

#include "grid.cuh"

namespace ftcore {

struct OnStream {
  cudaStream_t stream;

  template <class Job>
  void operator()(void (*kernel)(Job), const Grid& grid, const Job& job) const {
    kernel<<<static_cast<unsigned>(grid.blocks), grid.threads, grid.shared_bytes, stream>>>(job);
    STD_CUDA_KERNEL_LAUNCH_CHECK();
  }
};

}  // namespace ftcore
