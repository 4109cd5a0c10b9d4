// How launching.cuh runs kernels on the CPU.
#pragma once

#include "../../../csrc/cuda/launching.cuh"

namespace on_cpu {

struct Launch {
  void operator()(void (*kernel)(ftcore::Job), const ftcore::Grid& grid,
                  const ftcore::Job& job) const {
    run(grid.blocks, grid.threads, grid.shared_bytes, [&] { kernel(job); });
  }
};

}  // namespace on_cpu
