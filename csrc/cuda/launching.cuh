// Which kernels a job takes. `launch` runs a kernel of so many blocks, threads and bytes of shared
// memory: on a stream, or in the tests on the CPU.
#pragma once

#include "scoring.cuh"

namespace ftcore {

struct Grid {
  int64_t blocks;
  int threads;
  int64_t shared_bytes;
};

template <class T, class Launch>
void launch_rows(const Job& job, const Launch& launch) {
  const Grid grid{job.heads * job.plan.chunks, job.plan.threads, job.plan.shared_bytes()};
  switch (job.plan.way) {
    case Way::staged:
      return launch(score_rows<T, Staged>, grid, job);
    case Way::columns:
      return launch(score_rows<T, Columns>, grid, job);
    case Way::warps:
      return launch(score_rows<T, Warps>, grid, job);
    case Way::blocks:
      return launch(score_rows<T, Blocks>, grid, job);
  }
}

template <class Launch>
void launch_job(const Job& job, const Launch& launch) {
  if (job.heads == 0 || job.rows == 0) return;
  switch (job.batch.type) {
    case Logit::f16:
      launch_rows<Half>(job, launch);
      break;
    case Logit::bf16:
      launch_rows<BFloat16>(job, launch);
      break;
    case Logit::f32:
      launch_rows<float>(job, launch);
      break;
    case Logit::f64:
      launch_rows<double>(job, launch);
      break;
  }
  launch(add_chunks, Grid{job.heads * job.sum_size(), kWarp, 0}, job);
}

}  // namespace ftcore
