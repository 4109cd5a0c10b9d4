// The kernels of ops with columns compiled, for every type of elements.

#include "score_columns.h"

#include "launching_columns.cuh"
#include "on_stream.cuh"

namespace ftcore {

void launch_on(void* stream, const RegressionJob& job) {
  launch_job(job, OnStream{static_cast<cudaStream_t>(stream)});
}

void launch_on(void* stream, const MultilabelJob& job) {
  launch_job(job, OnStream{static_cast<cudaStream_t>(stream)});
}

}  // namespace ftcore
