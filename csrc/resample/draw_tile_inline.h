// A tile of draws in short vectors, in the compiler's own vector extension: `draw_tile`, compiled
// once for each instruction set. Each 64-bit lane holds a 32-bit word, for the product of two.

namespace {

#if defined(FTCORE_AVX512)
constexpr int kLanes = 8;
#elif defined(FTCORE_AVX2)
constexpr int kLanes = 4;
#else
constexpr int kLanes = 2;
#endif
typedef uint64_t Lanes __attribute__((vector_size(8 * kLanes)));

constexpr int kAbreast = 2;  // vectors whose rounds alternate, so that neither waits for a product
static_assert(kTileBlocks % (kAbreast * kLanes) == 0);

constexpr uint64_t kLow = 0xFFFFFFFF;

inline __attribute__((always_inline)) Lanes each(uint64_t value) { return Lanes{} + value; }

// The products of the low halves. Without the instruction's name, GCC multiplies all 64 bits.
inline __attribute__((always_inline)) Lanes multiply(Lanes a, Lanes b) {
#if defined(FTCORE_AVX512)
  return reinterpret_cast<Lanes>(
      // In the name without a mask GCC 12 warns of a variable of its own.
      _mm512_maskz_mul_epu32(0xFF, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(FTCORE_AVX2)
  return reinterpret_cast<Lanes>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__x86_64__)
  return reinterpret_cast<Lanes>(
      _mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  return (a & each(kLow)) * (b & each(kLow));
#endif
}

// One round; the high halves of what it leaves in words 1 and 3 mean nothing.
inline __attribute__((always_inline)) void mix(Lanes word[4], uint32_t key0, uint32_t key1) {
  const Lanes product0 = multiply(each(kMultiplier0), word[0]);
  const Lanes product1 = multiply(each(kMultiplier1), word[2]);
  word[0] = (product1 >> 32) ^ (word[1] & each(kLow)) ^ each(key0);
  word[1] = product1;
  word[2] = (product0 >> 32) ^ (word[3] & each(kLow)) ^ each(key1);
  word[3] = product0;
}

inline __attribute__((always_inline)) bool draw_tile(const Replicate& replicate,
                                                     uint32_t first_block, uint64_t* unit) {
  Lanes lane{}, rejected{};
  for (int l = 0; l < kLanes; ++l) lane[l] = static_cast<uint64_t>(l);
  for (int block = 0; block < kTileBlocks; block += kAbreast * kLanes) {
    Lanes word[kAbreast][4];
    for (int v = 0; v < kAbreast; ++v) {
      word[v][0] = lane + (first_block + static_cast<uint64_t>(block + v * kLanes));
      word[v][1] = each(replicate.index);
      word[v][2] = each(0);
      word[v][3] = each(kDrawing);
    }
    uint32_t key0 = static_cast<uint32_t>(replicate.seed);
    uint32_t key1 = static_cast<uint32_t>(replicate.seed >> 32);
#pragma GCC unroll 10
    for (int round = 0; round < kRounds; ++round) {
      for (int v = 0; v < kAbreast; ++v) mix(word[v], key0, key1);
      key0 += kStep0;
      key1 += kStep1;
    }
    for (int v = 0; v < kAbreast; ++v) {
      for (int k = 0; k < 4; ++k) {
        const Lanes product = multiply(word[v][k], each(replicate.units));
        const Lanes drawn = product >> 32;
        std::memcpy(unit + k * kTileBlocks + block + v * kLanes, &drawn, sizeof drawn);
        rejected |= reinterpret_cast<Lanes>((product & each(kLow)) < each(replicate.threshold));
      }
    }
  }
  uint64_t any = 0;
  for (int l = 0; l < kLanes; ++l) any |= rejected[l];
  return any != 0;
}

}  // namespace
