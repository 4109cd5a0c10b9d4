// Which kernels a job with columns takes; see launching.cuh.
#pragma once

#include "grid.cuh"
#include "multilabel.cuh"
#include "regression.cuh"

namespace ftcore {

template <class Job, class Launch>
void launch_sums(const Job& job, const Launch& launch) {
  launch(add_column_chunks<Job>, Grid{job.heads * job.sums.size, kWarp, 0}, job);
}

template <class Launch>
void launch_job(const RegressionJob& job, const Launch& launch) {
  if (job.heads == 0 || job.plan.rows == 0) return;
  const Grid grid{job.plan.blocks(job.heads), kColumnThreads, slot_bytes(kRegressionSums)};
  with_element(job.batch.outputs.type, [&](auto output) {
    with_element(job.batch.targets.type, [&](auto target) {
      launch(add_regression<decltype(output), decltype(target)>, grid, job);
    });
  });
  launch_sums(job, launch);
}

template <class Launch>
void launch_job(const MultilabelJob& job, const Launch& launch) {
  if (job.heads == 0 || job.plan.rows == 0) return;
  const Grid grid{job.plan.blocks(job.heads), kColumnThreads, multilabel_bytes(job.plan)};
  with_element(job.batch.logits.type, [&](auto logit) {
    if (job.batch.has_byte_targets) {
      launch(add_multilabel<decltype(logit), uint8_t>, grid, job);
    } else {
      launch(add_multilabel<decltype(logit), int64_t>, grid, job);
    }
  });
  launch_sums(job, launch);
  launch(count_rows, Grid{job.heads * job.plan.chunks, kColumnThreads, 0}, job);
}

}  // namespace ftcore
