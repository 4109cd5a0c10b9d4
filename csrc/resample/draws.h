// Which unit each draw of a bootstrap replicate takes, and which units a permutation swaps.
#pragma once

#include <cstdint>

#include "philox.h"

namespace ftcore::resample {

constexpr int kTileBlocks = 64;  // that are drawn side by side
constexpr int kTileDraws = 4 * kTileBlocks;

// The draws of one replicate, `units` of them, each a unit below `units` with equal probability:
// the high half of word * units, unless the low half is below `threshold`. Then the word is thrown
// away, and draw i takes the one of the next attempt in its stead (Lemire 2019, "Fast random
// integer generation in an interval"). So nothing is biased, and each draw depends on nothing else.
struct Replicate {
  uint64_t seed;
  uint32_t index, units, threshold;

  Replicate(uint64_t seed, uint32_t index, uint32_t units)
      : seed(seed), index(index), units(units), threshold((0u - units) % units) {}

  uint32_t draw(uint32_t i) const {
    for (uint32_t attempt = 0;; ++attempt) {
      const Words words = philox({i / 4, index, attempt, kDrawing}, seed);
      const uint64_t product = uint64_t{words[i % 4]} * units;
      if (static_cast<uint32_t>(product) >= threshold) return static_cast<uint32_t>(product >> 32);
    }
  }
};

// Draws kTileBlocks blocks of four from `first_block` on: draw 4 * b + k goes to
// unit[k * kTileBlocks + b - first_block]. Tells whether any word was to be thrown away; the tile
// is of no use then.
using DrawTile = bool(const Replicate& replicate, uint32_t first_block, uint64_t* unit);

DrawTile draw_tile_default;
#if defined(__x86_64__)
DrawTile draw_tile_avx2, draw_tile_avx512;
#endif

// The fastest of them that this processor runs.
DrawTile* best_draw_tile();

// Writes to `count` how often each unit was drawn. Up to 65,535 units uint16_t cannot overflow.
template <class Count>
void count_draws(const Replicate& replicate, Count* count) {
  static DrawTile* const draw_tile = best_draw_tile();
  const uint32_t units = replicate.units;
  for (uint32_t u = 0; u < units; ++u) count[u] = 0;
  uint64_t unit[kTileDraws];
  for (uint32_t first = 0; first < units; first += kTileDraws) {
    if (draw_tile(replicate, first / 4, unit)) {
      for (int i = 0; i < kTileDraws; ++i) {
        unit[i % 4 * kTileBlocks + i / 4] = replicate.draw(first + static_cast<uint32_t>(i));
      }
    }
    if (units - first >= kTileDraws) {
      for (int i = 0; i < kTileDraws; ++i) ++count[unit[i]];
    } else {
      const int left = static_cast<int>(units - first);
      for (int i = 0; i < left; ++i) ++count[unit[i % 4 * kTileBlocks + i / 4]];
    }
  }
}

// Writes to `swap` whether each unit is swapped, 0 or 1: a bit of a word each, lowest first.
inline void draw_swaps(uint64_t seed, uint32_t index, uint32_t units, uint8_t* swap) {
  for (uint32_t first = 0; first < units; first += 128) {
    const Words words = philox({first / 128, index, 0, kSwapping}, seed);
    const uint32_t count = units - first < 128 ? units - first : 128;
    for (uint32_t i = 0; i < count; ++i) swap[first + i] = words[i / 32] >> i % 32 & 1;
  }
}

}  // namespace ftcore::resample
