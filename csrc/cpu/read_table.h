// Rows of a table, of any type and strides, as a tile in cache: one row after the other, in float64
// or, for narrower types, in float32.

FTCORE_INLINE void store_lanes(float* to, Floats v) { store_vector(to, v); }
FTCORE_INLINE void store_lanes(double* to, Doubles v) { store_vector(to, v); }
FTCORE_INLINE void store_lanes(double* to, Floats v) {
  store_vector(to, widen(low(v)));
  store_vector(to + kDoubles, widen(high(v)));
}

template <class T, class Value>
FTCORE_INLINE void read_run(const T* from, int64_t count, Value* to) {
  constexpr int width = LanesOf<T>::type::count;
  int64_t i = 0;
  for (; i + width <= count; i += width) store_lanes(to + i, load(from + i));
  for (; i < count; ++i) to[i] = static_cast<Value>(load_one(from + i));
}

template <class T, class Value>
void read_rows(const Table& table, int64_t r, int64_t rows, int64_t columns, Value* to) {
  const T* from = static_cast<const T*>(table.data) + r * table.row_stride;
  if (table.column_stride == 1 && table.row_stride == columns) {
    read_run(from, rows * columns, to);
    return;
  }
  for (int64_t row = 0; row < rows; ++row, from += table.row_stride, to += columns) {
    if (table.column_stride == 1) {
      read_run(from, columns, to);
    } else {
      for (int64_t c = 0; c < columns; ++c) {
        to[c] = static_cast<Value>(load_one(from + c * table.column_stride));
      }
    }
  }
}

// Rows r to r + rows in float64.
FTCORE_INLINE void read_doubles(const Table& table, int64_t r, int64_t rows, int64_t columns,
                                double* to) {
  switch (table.type) {
    case Element::f16:
      return read_rows<Half>(table, r, rows, columns, to);
    case Element::bf16:
      return read_rows<BFloat>(table, r, rows, columns, to);
    case Element::f32:
      return read_rows<float>(table, r, rows, columns, to);
    case Element::f64:
      return read_rows<double>(table, r, rows, columns, to);
  }
}
