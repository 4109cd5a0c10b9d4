// The row kernel for any processor.
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "chunk.h"

#define FTCORE_ISA baseline
#include "chunk_inline.h"

namespace ftcore {

const RowKernels kernels_default = {baseline::score_chunk, baseline::read_tile,
                                    baseline::close_rows};

}  // namespace ftcore
