// What the tests of ops with columns call: a job run on the CPU.
#include "../../../csrc/cuda/launching_columns.cuh"
#include "on_cpu.h"

#include <vector>

// As tests/native/column_emulator.py has it.
struct Arguments {
  const void *outputs, *targets;
  const int64_t* weights;
  int64_t* counts;
  double* sums;
  int64_t output_bytes, target_bytes, type, target_type, heads, rows, columns;
  int64_t head_stride, row_stride, column_stride, target_row_stride, target_column_stride;
  int64_t weight_stride, has_ignore_index, ignore_index;
  double center;
};

namespace {

ftcore::Table outputs_of(const Arguments& a) {
  return {a.outputs, static_cast<ftcore::Element>(a.type), a.row_stride, a.column_stride};
}

void allow_reads_of(const Arguments& a) {
  on_cpu::forget_memory();
  on_cpu::allow_reads(a.outputs, a.output_bytes);
  on_cpu::allow_reads(a.targets, a.target_bytes);
}

template <class Job>
void run(const Arguments& a, Job& job) {
  std::vector<double> chunks(a.heads * job.sums.size * job.plan.chunks, NAN);
  job.sums.chunks = chunks.data();
  allow_reads_of(a);
  ftcore::launch_job(job, on_cpu::Launch{});
}

}  // namespace

EXPORTED const char* add_regression(const Arguments* a) {
  return on_cpu::caught([&] {
    const ftcore::Table targets{a->targets, static_cast<ftcore::Element>(a->target_type),
                                a->target_row_stride, a->target_column_stride};
    ftcore::RegressionJob job{
        .batch = {outputs_of(*a), targets, a->weights, a->columns, a->center},
        .plan = ftcore::column_plan(a->rows, a->columns),
        .heads = a->heads,
        .output_stride = a->head_stride,
        .weight_stride = a->weight_stride,
        .counts = a->counts,
        .sums = {a->sums, ftcore::kRegressionSums * a->columns},
    };
    run(*a, job);
  });
}

// Targets are bytes where their type is 0, else int64.
EXPORTED const char* add_multilabel(const Arguments* a) {
  return on_cpu::caught([&] {
    ftcore::MultilabelJob job{
        .batch = {outputs_of(*a), a->targets, a->target_type == 0, a->weights, a->columns,
                  a->has_ignore_index != 0, a->ignore_index},
        .plan = ftcore::column_plan(a->rows, a->columns),
        .heads = a->heads,
        .logit_stride = a->head_stride,
        .weight_stride = a->weight_stride,
        .counts = a->counts,
        .sums = {a->sums, ftcore::kMultilabelSums * a->columns},
    };
    std::vector<uint32_t> verdicts(job.verdict_size(), 0xa5a5a5a5);
    job.verdicts = verdicts.data();
    run(*a, job);
  });
}

EXPORTED int64_t chunks_of(int64_t rows, int64_t columns) {
  return ftcore::column_plan(rows, columns).chunks;
}
