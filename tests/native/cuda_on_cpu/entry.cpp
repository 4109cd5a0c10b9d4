// What the tests call: a job run on the CPU, and deliberate mistakes that must be found.
#include "../../../csrc/cuda/launching.cuh"
#include "on_cpu.h"

#include <vector>

namespace {

void skip_barrier() {
  if (threadIdx.x < 7) __syncthreads();
}
void leave_a_lane_out() {
  if (threadIdx.x != 3) __shfl_xor_sync(~0u, 1, 1);
}
void mix() {
  if (threadIdx.x < 8) {
    __syncthreads();
  } else {
    __shfl_xor_sync(~0u, 1, 1);
  }
}
void read_outside() { __ldg(reinterpret_cast<const int*>(16)); }
void write_past_shared_memory() { ftcore::shared[64] = 1; }

}  // namespace

// As tests/native/emulator.py has it.
struct Arguments {
  const void* logits;
  const int64_t *targets, *weights;
  int64_t *counts, *labels;
  double *sums, *values;
  int64_t logit_bytes, type, heads, rows, head_stride, inner, outer_stride, inner_stride, classes;
  int64_t class_stride, bins, has_ignore_index, ignore_index, weight_stride, has_confusion;
};

namespace {

ftcore::Job job_of(const Arguments& a) {
  ftcore::Job job{};
  job.batch = {a.logits, a.targets, a.weights, static_cast<ftcore::Logit>(a.type), a.inner,
               a.outer_stride, a.inner_stride, a.classes, a.class_stride, a.bins,
               a.has_ignore_index != 0, a.ignore_index};
  job.heads = a.heads;
  job.rows = job.output_stride = a.rows;
  job.head_stride = a.head_stride;
  job.weight_stride = a.weight_stride;
  job.outputs = {a.labels, a.values};
  job.has_confusion = a.has_confusion != 0;
  job.counts = a.counts;
  job.sums = a.sums;
  job.plan = ftcore::plan_of(job.batch, a.heads, a.rows);
  return job;
}

}  // namespace

EXPORTED int64_t way_of(const Arguments* a) {
  return static_cast<int64_t>(job_of(*a).plan.way);
}

// Returns what went wrong, or null.
EXPORTED const char* score(const Arguments* a) {
  return on_cpu::caught([&] {
    ftcore::Job job = job_of(*a);
    std::vector<double> chunk_sums(job.heads * job.sum_size() * job.plan.chunks, NAN);
    job.chunk_sums = chunk_sums.data();
    on_cpu::forget_memory();
    on_cpu::allow_reads(a->logits, a->logit_bytes);
    ftcore::launch_job(job, on_cpu::Launch{});
  });
}

EXPORTED const char* mistake(int64_t which) {
  void (*const kernels[])() = {skip_barrier, leave_a_lane_out, mix, read_outside,
                               write_past_shared_memory};
  on_cpu::forget_memory();
  return on_cpu::caught([&] { on_cpu::run(1, 64, 64, kernels[which]); });
}
