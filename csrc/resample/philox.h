// Philox 4x32-10: random words as a pure function of a counter and a key.
//
// Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". Which counter stands for what
// is said here and in ftcore/resampling/philox.py, which draws the very same words.
#pragma once

#include <array>
#include <cstdint>

namespace ftcore::resample {

constexpr uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
constexpr uint32_t kStep0 = 0x9E3779B9, kStep1 = 0xBB67AE85;
constexpr int kRounds = 10;

// The last word of a counter: what the words are for.
constexpr uint32_t kDrawing = 0, kSwapping = 1;

using Words = std::array<uint32_t, 4>;

inline Words philox(Words counter, uint64_t key) {
  uint32_t key0 = static_cast<uint32_t>(key), key1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t product0 = uint64_t{kMultiplier0} * counter[0];
    const uint64_t product1 = uint64_t{kMultiplier1} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key0,
               static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key1,
               static_cast<uint32_t>(product0)};
    key0 += kStep0;
    key1 += kStep1;
  }
  return counter;
}

}  // namespace ftcore::resample
