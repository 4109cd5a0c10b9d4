// What every kernel knows: functions for host and device, and elements of several types in a table.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define FTCORE_HOST_DEVICE __host__ __device__
#else
#define FTCORE_HOST_DEVICE
#endif

namespace ftcore {

enum class Element { f16, bf16, f32, f64 };

// Rows of columns; strides count elements.
struct Table {
  const void* data;
  Element type;
  int64_t row_stride, column_stride;
};

}  // namespace ftcore
