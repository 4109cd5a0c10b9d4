// The way from an op to the kernels.
#pragma once

#ifndef USE_CUDA
#define USE_CUDA  // so that torch's headers, included after this, declare what is for CUDA
#endif
#include <torch/csrc/stable/accelerator.h>
#include <torch/csrc/stable/ops.h>

#include "../torch/arguments.h"
#include "plan.h"

namespace ftcore {

// Queues the kernels of a planned job on a stream of CUDA's.
void launch_on(void* stream, const Job& job);

inline void check_limits(int64_t classes, int64_t bins) {
  STD_TORCH_CHECK(bins <= kMostBins, "CUDA kernels have up to ", kMostBins, " bins, not ", bins,
                  "; FTCORE_KERNEL=torch computes without them");
  STD_TORCH_CHECK(classes < (int64_t{1} << 31), "CUDA kernels have fewer than 2^31 classes, not ",
                  classes);
}

inline void check_blocks(int64_t blocks) {
  STD_TORCH_CHECK(blocks < int64_t{1} << 31,
                  "there are more rows than CUDA kernels can have at once; split the batch");
}

inline void* current_stream(Device device) {
  void* stream = nullptr;
  STABLE_TORCH_ERROR_CODE_CHECK(aoti_torch_get_current_cuda_stream(device.index(), &stream));
  return stream;
}

// Plans a job and queues it on the current stream, without waiting for it. What it needs besides
// comes from torch's allocator, which gives it to others only after the job, so that graphs of
// CUDA's may record it.
inline void score(Job job, Device device) {
  if (job.heads == 0 || job.rows == 0) return;
  job.plan = plan_of(job.batch, job.heads, job.rows);
  check_blocks(job.heads * std::max(job.plan.chunks, job.sum_size()));
  const std::vector<int64_t> size{job.heads * job.sum_size() * job.plan.chunks};
  const Tensor chunk_sums =
      torch::stable::empty(size, ScalarType::Double, std::nullopt, device);
  job.chunk_sums = static_cast<double*>(chunk_sums.data_ptr());
  launch_on(current_stream(device), job);
}

}  // namespace ftcore
