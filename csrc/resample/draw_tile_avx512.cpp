// Tiles of draws for x86-64-v4.
#if defined(__x86_64__)
#include <cstdint>
#include <cstring>

#include <immintrin.h>

#include "draws.h"

#pragma GCC target("avx512f")
#define FTCORE_AVX512  // the compiler does not tell what the pragma above asked for

namespace ftcore::resample {

#include "draw_tile_inline.h"

bool draw_tile_avx512(const Replicate& replicate, uint32_t first_block, uint64_t* unit) {
  return draw_tile(replicate, first_block, unit);
}

}  // namespace ftcore::resample
#endif
