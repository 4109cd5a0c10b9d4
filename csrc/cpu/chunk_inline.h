// The body of chunk_<instruction set>.cpp, which sets FTCORE_ISA to a namespace of its own and
// includes all that is not to be compiled for that instruction set beforehand.

namespace ftcore {
namespace FTCORE_ISA {

#include "lanes.h"
// clang-format off: each needs those before it
#include "exponential.h"
#include "loading.h"
#include "target.h"
#include "counting.h"
#include "scan.h"
#include "row_sums.h"
#include "long_rows.h"
#include "tile.h"
#include "tile_rows.h"
#include "open_rows.h"
#include "few_classes.h"
// clang-format on

template <class T>
void score(const Batch& batch, int64_t begin, int64_t end, const Counts& counts, double* sums,
           const RowOutputs& outputs, void* scratch) {
  const bool few = batch.classes <= kFewClasses;
  if (batch.class_stride == 1 && !few) {
    score_long_rows<T>(batch, begin, end, counts, sums, outputs);
    return;
  }
  if constexpr (!std::is_same_v<T, double>) {
    if (few && batch.bins <= kFewBins && batch.weights == nullptr) {
      score_few_classes<T>(batch, begin, end, counts, sums, outputs, scratch);
      return;
    }
  }
  score_tiles<T>(batch, begin, end, counts, sums, outputs, scratch);
}

void score_chunk(const Batch& batch, int64_t begin, int64_t end, const Counts& counts,
                 double* sums, const RowOutputs& outputs, void* scratch) {
  switch (batch.type) {
    case Logit::f16:
      return score<Half>(batch, begin, end, counts, sums, outputs, scratch);
    case Logit::bf16:
      return score<BFloat>(batch, begin, end, counts, sums, outputs, scratch);
    case Logit::f32:
      return score<float>(batch, begin, end, counts, sums, outputs, scratch);
    case Logit::f64:
      return score<double>(batch, begin, end, counts, sums, outputs, scratch);
  }
}

void read_tile(const Batch& tile, int64_t rows, int64_t first_class, OpenRow* open) {
  switch (tile.type) {
    case Logit::f16:
      return read_open_rows<Half>(tile, rows, first_class, open);
    case Logit::bf16:
      return read_open_rows<BFloat>(tile, rows, first_class, open);
    case Logit::f32:
      return read_open_rows<float>(tile, rows, first_class, open);
    case Logit::f64:
      return read_open_rows<double>(tile, rows, first_class, open);
  }
}

void close_rows(const Batch& batch, int64_t rows, const OpenRow* open, const Counts& counts,
                double* sums, const RowOutputs& outputs) {
  for (int64_t r = 0; r < rows; ++r) close_row(batch, r, open[r], counts, sums, outputs);
}

}  // namespace FTCORE_ISA
}  // namespace ftcore
