// The row kernel, compiled once for each instruction set: see chunk_<instruction set>.cpp.
#pragma once

#include <cstdint>

#include "../core/classification.h"

namespace ftcore {

constexpr int64_t kFewClasses = 32;
constexpr int64_t kTileLanes = 16;
constexpr int64_t kRunBytes = 12 * 1024;  // fits in a first-level cache twice

// Adds rows begin <= r < end to the counts, and to `sums` (3 + bins,) in the order of the rows.
// `scratch` holds C * 64 bytes, and kRunBytes at least, aligned to 64. At most 4,096 rows.
using ScoreChunk = void(const Batch& batch, int64_t begin, int64_t end, const Counts& counts,
                        double* sums, const RowOutputs& outputs, void* scratch);

ScoreChunk score_chunk_default;
#if defined(__x86_64__)
ScoreChunk score_chunk_avx2;
ScoreChunk score_chunk_avx512;
#endif

}  // namespace ftcore
