// The way from an op to the kernels.
#pragma once

#include <cstdint>

#include "plan.h"

namespace ftcore {

// Queues a job on a stream of CUDA's, without waiting for it. The job's chunk_sums are its own until
// then, plan and all.
void score(const Job& job, void* stream);

}  // namespace ftcore
