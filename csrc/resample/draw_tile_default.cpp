// Tiles of draws for any processor, and the choice of an instruction set.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "draws.h"

namespace ftcore::resample {

#include "draw_tile_inline.h"

bool draw_tile_default(const Replicate& replicate, uint32_t first_block, uint64_t* unit) {
  return draw_tile(replicate, first_block, unit);
}

DrawTile* best_draw_tile() {
#if defined(__x86_64__)
  // What is asked of torch's own kernels holds here too.
  const char* const asked = std::getenv("ATEN_CPU_CAPABILITY");
  const std::string most = asked == nullptr ? "" : asked;
  if (most == "default") return draw_tile_default;
  if (most != "avx2" && __builtin_cpu_supports("avx512f")) return draw_tile_avx512;
  if (__builtin_cpu_supports("avx2")) return draw_tile_avx2;
#endif
  return draw_tile_default;
}

}  // namespace ftcore::resample
