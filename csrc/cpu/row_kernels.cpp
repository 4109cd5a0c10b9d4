// The choice of an instruction set.

#include <cstdlib>
#include <string>

#include "chunk.h"

namespace ftcore {
namespace {

const RowKernels& best_kernels() {
#if defined(__x86_64__)
  // What is asked of torch's own kernels holds here too.
  const char* const asked = std::getenv("ATEN_CPU_CAPABILITY");
  const std::string most = asked == nullptr ? "" : asked;
  if (most == "default") return kernels_default;
  if (most != "avx2" && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return kernels_avx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return kernels_avx2;
#endif
  return kernels_default;
}

}  // namespace

const RowKernels& row_kernels() {
  static const RowKernels& kernels = best_kernels();
  return kernels;
}

}  // namespace ftcore
