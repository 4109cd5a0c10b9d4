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

const RowKernels kernels_avx2 = {
    .score_chunk = avx2::score_chunk,
    .read_tile = avx2::read_tile,
    .close_rows = avx2::close_rows,
    .add_regression = avx2::add_regression,
    .add_multilabel = avx2::add_multilabel,
};

}  // namespace ftcore
#endif
