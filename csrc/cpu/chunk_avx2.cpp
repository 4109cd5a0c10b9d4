// The row kernel for x86-64-v3.
#if defined(__x86_64__)
#include <cmath>
#include <cstdint>
#include <type_traits>

#include <immintrin.h>

#include "chunk.h"

#pragma GCC target("avx2,fma,bmi,bmi2,f16c,lzcnt,popcnt")
#define FTCORE_ISA avx2
#define FTCORE_AVX2
#include "chunk_inline.h"

namespace ftcore {

void score_chunk_avx2(const Batch& batch, int64_t begin, int64_t end, const Counts& counts,
                      double* sums, const RowOutputs& outputs, void* scratch) {
  avx2::score_chunk(batch, begin, end, counts, sums, outputs, scratch);
}

}  // namespace ftcore
#endif
