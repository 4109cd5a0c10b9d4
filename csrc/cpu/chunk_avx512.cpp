// The row kernel for x86-64-v4.
#if defined(__x86_64__)
#include <cmath>
#include <cstdint>
#include <type_traits>

#include <immintrin.h>

#include "chunk.h"

#pragma GCC target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl")
#pragma GCC target("avx2,fma,bmi,bmi2,f16c,lzcnt,popcnt")
#define FTCORE_ISA avx512
#define FTCORE_AVX512  // the compiler does not tell what the pragma above asked for
#include "chunk_inline.h"

namespace ftcore {

const RowKernels kernels_avx512 = {
    .score_chunk = avx512::score_chunk,
    .read_tile = avx512::read_tile,
    .close_rows = avx512::close_rows,
    .add_regression = avx512::add_regression,
    .add_multilabel = avx512::add_multilabel,
};

}  // namespace ftcore
#endif
