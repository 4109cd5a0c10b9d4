// The row kernel for x86-64-v4.
#if defined(__x86_64__)
#include <cmath>
#include <cstdint>
#include <type_traits>

#include <immintrin.h>

#include "chunk.h"

#pragma GCC target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma,bmi,bmi2,f16c,lzcnt,popcnt")
#define FTCORE_ISA avx512
#define FTCORE_AVX512  // the compiler does not tell what the pragma above asked for
#include "chunk_inline.h"

namespace ftcore {

void score_chunk_avx512(const Batch& batch, int64_t begin, int64_t end, const Counts& counts,
                      double* sums, const RowOutputs& outputs, void* scratch) {
  avx512::score_chunk(batch, begin, end, counts, sums, outputs, scratch);
}

}  // namespace ftcore
#endif
