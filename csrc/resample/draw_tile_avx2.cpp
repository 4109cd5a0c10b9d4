// Tiles of draws for x86-64-v3.
#if defined(__x86_64__)
#include <cstdint>
#include <cstring>

#include <immintrin.h>

#include "draws.h"

#pragma GCC target("avx2")
#define FTCORE_AVX2

namespace ftcore::resample {

#include "draw_tile_inline.h"

bool draw_tile_avx2(const Replicate& replicate, uint32_t first_block, uint64_t* unit) {
  return draw_tile(replicate, first_block, unit);
}

}  // namespace ftcore::resample
#endif
