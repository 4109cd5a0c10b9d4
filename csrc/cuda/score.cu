// The kernels compiled, for every type of logits and every way through them.

#include "score.h"

#include "launching.cuh"
#include "on_stream.cuh"

namespace ftcore {
void launch_on(void* stream, const Job& job) {
  launch_job(job, OnStream{static_cast<cudaStream_t>(stream)});
}

}  // namespace ftcore
