// How launching.cuh and launching_columns.cuh run kernels on the CPU, for libraries that tests load.
#pragma once

#include <cstdio>

#include "../../../csrc/cuda/grid.cuh"
#include "fibers.h"

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace on_cpu {

struct Launch {
  template <class Job>
  void operator()(void (*kernel)(Job), const ftcore::Grid& grid, const Job& job) const {
    run(grid.blocks, grid.threads, grid.shared_bytes, [&] { kernel(job); });
  }
};

// Returns what went wrong, or null.
template <class Action>
const char* caught(const Action& action) {
  static char words[256];
  try {
    action();
    return nullptr;
  } catch (const std::exception& error) {
    std::snprintf(words, sizeof words, "%s", error.what());
    return words;
  }
}

}  // namespace on_cpu
