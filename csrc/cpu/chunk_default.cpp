// The row kernel for any processor.
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "chunk.h"

#define FTCORE_ISA baseline
#include "chunk_inline.h"

namespace ftcore {

const RowKernels kernels_default = {
    .score_chunk = baseline::score_chunk,
    .read_tile = baseline::read_tile,
    .close_rows = baseline::close_rows,
    .add_regression = baseline::add_regression,
    .add_multilabel = baseline::add_multilabel,
};

}  // namespace ftcore
