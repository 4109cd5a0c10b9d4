// How launching.cuh and launching_columns.cuh run kernels on the CPU.
#pragma once

#include "../../../csrc/cuda/launching.cuh"
#include "../../../csrc/cuda/launching_columns.cuh"

namespace on_cpu {

struct Launch {
  template <class Job>
  void operator()(void (*kernel)(Job), const ftcore::Grid& grid, const Job& job) const {
    run(grid.blocks, grid.threads, grid.shared_bytes, [&] { kernel(job); });
  }
};

}  // namespace on_cpu
