// The kernels compiled, for every type of logits and every way through them.

#include "score.h"

#include "launching.cuh"

namespace ftcore {
namespace {

struct OnStream {
  cudaStream_t stream;

  void operator()(void (*kernel)(Job), const Grid& grid, const Job& job) const {
    kernel<<<static_cast<unsigned>(grid.blocks), grid.threads, grid.shared_bytes, stream>>>(job);
    STD_CUDA_KERNEL_LAUNCH_CHECK();
  }
};

}  // namespace

void launch_on(void* stream, const Job& job) {
  launch_job(job, OnStream{static_cast<cudaStream_t>(stream)});
}

}  // namespace ftcore
