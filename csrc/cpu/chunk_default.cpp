// The row kernel for any processor.
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "chunk.h"

#define FTCORE_ISA baseline
#include "chunk_inline.h"

namespace ftcore {

void score_chunk_default(const Batch& batch, int64_t begin, int64_t end, const Counts& counts,
                      double* sums, const RowOutputs& outputs, void* scratch) {
  baseline::score_chunk(batch, begin, end, counts, sums, outputs, scratch);
}

}  // namespace ftcore
