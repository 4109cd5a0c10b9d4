// The kernels compiled, for every type of logits and every way through them.

#ifndef USE_CUDA
#define USE_CUDA  // torch declares its functions for CUDA then
#endif
#include <torch/csrc/stable/macros.h>

#include "launching.cuh"
#include "score.h"

namespace ftcore {
namespace {

struct OnStream {
  cudaStream_t stream;

  template <class Argument>
  void operator()(void (*kernel)(Argument), const Grid& grid,
                  const std::decay_t<Argument>& argument) const {
    kernel<<<static_cast<unsigned>(grid.blocks), grid.threads, grid.shared_bytes, stream>>>(
        argument);
    STD_CUDA_KERNEL_LAUNCH_CHECK();
  }
};

}  // namespace

void score(const Job& job, void* stream) {
  launch_job(job, OnStream{static_cast<cudaStream_t>(stream)});
}

}  // namespace ftcore
