// Which kernels a job takes. `launch` runs a kernel of so many blocks, threads and bytes of shared
// memory: on a stream, or in the tests on the CPU.
#pragma once

#include "grid.cuh"
#include "scoring.cuh"

namespace ftcore {

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
  with_element(job.batch.type, [&](auto logit) { launch_rows<decltype(logit)>(job, launch); });
  launch(add_chunks, Grid{job.heads * job.sum_size(), kWarp, 0}, job);
}

}  // namespace ftcore
