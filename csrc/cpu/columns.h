// How ops with columns divide their rows: into chunks for the threads, and these into tiles.
#pragma once

#include <cstdint>

namespace ftcore {

// Rows of a tile lie one after the other. As many of them as fill the registers are added up as if
// they were one row of `width` columns, whose sums become those of the columns at the end.
struct TileShape {
  int64_t width, rows, size;

  explicit TileShape(int64_t columns) {
    const int64_t wide = 32, elements = 512;
    const int64_t group = columns >= wide ? 1 : (wide / columns + 7) / 8 * 8;
    width = group * columns;
    rows = width >= elements ? group : elements / width * group;
    size = (rows * columns + 15) / 16 * 16;
  }
};

// Rows of a chunk, which depend on the shape alone: so many that its sums, a few for each column,
// cost little beside it.
inline int64_t column_chunk_rows(int64_t columns) {
  const int64_t rows = (int64_t{1} << 17) / columns, least = 128, most = 1 << 14;
  return rows < least ? least : rows > most ? most : rows;
}

// Bytes of three tiles in float64 and of eight sums.
inline int64_t regression_scratch_size(int64_t columns) {
  const TileShape shape(columns);
  return 8 * (3 * shape.size + 8 * shape.width);
}

// Bytes of six tiles in float64 or int64 and of five sums.
inline int64_t multilabel_scratch_size(int64_t labels) {
  const TileShape shape(labels);
  return 8 * (6 * shape.size + 5 * shape.width);
}

}  // namespace ftcore
