// The way from an op with columns to its kernels.
#pragma once

#include "score.h"  // first: see USE_CUDA there

#include "../torch/table.h"
#include "columns.h"

namespace ftcore {

// Queue the kernels of a job on a stream of CUDA's.
void launch_on(void* stream, const RegressionJob& job);
void launch_on(void* stream, const MultilabelJob& job);

// A table all of whose heads are as far apart.
inline TableOfHeads evenly_spaced(const Tensor& given, int64_t heads) {
  return {merged_stride(given, 0, heads) ? given : torch::stable::contiguous(given), heads};
}

// Queues a job on the current stream; what it needs besides is had as in score().
template <class Job>
void score_columns(Job job, Device device) {
  if (job.heads == 0 || job.plan.rows == 0) return;
  const int64_t sums = job.heads * job.sums.size;
  check_blocks(std::max(job.plan.blocks(job.heads), sums));
  const Tensor chunks = torch::stable::empty({sums * job.plan.chunks}, ScalarType::Double,
                                             std::nullopt, device);
  job.sums.chunks = static_cast<double*>(chunks.data_ptr());
  launch_on(current_stream(device), job);
}

}  // namespace ftcore
