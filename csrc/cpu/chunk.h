// The row kernel, compiled once for each instruction set: see chunk_<instruction set>.cpp.
#pragma once

#include <cstdint>

#include "../core/classification.h"
#include "../core/multilabel.h"
#include "../core/online.h"
#include "../core/outcome.h"
#include "../core/regression.h"
#include "columns.h"

namespace ftcore {

constexpr int64_t kFewClasses = 32;
constexpr int64_t kTileLanes = 16;
constexpr int64_t kRunBytes = 16 * 1024;  // two of them fit beside each other in cache
constexpr int64_t kScratchBytes = 2 * kRunBytes;

// Adds rows begin <= r < end to the counts, and to `sums` (3 + bins,) in the order of the rows.
// `scratch` holds C * 64 bytes, and kScratchBytes at least, aligned to 64. At most 4,096 rows.
using ScoreChunk = void(const Batch& batch, int64_t begin, int64_t end, const Counts& counts,
                        double* sums, const RowOutputs& outputs, void* scratch);

// A row of which some classes have been read.
struct OpenRow {
  double z_target;           // what the target's logit is expected to be
  double z_seen;             // and what it was, once its tile has been read
  RowPart part;              // once is_begun
  int64_t above;             // of the classes read, those that rank before the target
  bool is_begun, is_finite;
};

// Reads classes first_class <= c < first_class + tile.classes of rows 0 <= r < rows, whose logits
// `tile` describes as if there were no others. Its targets are -1 where a row is not to be scored.
using ReadTile = void(const Batch& tile, int64_t rows, int64_t first_class, OpenRow* open);

// Adds rows 0 <= r < rows of a batch whose classes have all been read.
using CloseRows = void(const Batch& batch, int64_t rows, const OpenRow* open, const Counts& counts,
                       double* sums, const RowOutputs& outputs);

// Adds rows begin <= r < end to the counts (3, columns) and sums (8, columns) of a regression.
// `scratch` holds regression_scratch_size(columns) bytes, aligned to 64.
using AddRegression = void(const RegressionBatch& batch, int64_t begin, int64_t end,
                           int64_t* counts, double* sums, void* scratch);

// Adds rows begin <= r < end to the counts and sums (2, labels) of many labels. `scratch` holds
// multilabel_scratch_size(labels) bytes, aligned to 64.
using AddMultilabel = void(const MultilabelBatch& batch, int64_t begin, int64_t end,
                           const MultilabelCounts& counts, double* sums, void* scratch);

struct RowKernels {
  ScoreChunk* score_chunk;
  ReadTile* read_tile;
  CloseRows* close_rows;
  AddRegression* add_regression;
  AddMultilabel* add_multilabel;
};

extern const RowKernels kernels_default;
#if defined(__x86_64__)
extern const RowKernels kernels_avx2, kernels_avx512;
#endif

// The ones for this processor.
const RowKernels& row_kernels();

}  // namespace ftcore
