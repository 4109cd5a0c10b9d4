// What every kernel knows: functions for host and device, and elements of several types in a table.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define FTCORE_HOST_DEVICE __host__ __device__
#else
#define FTCORE_HOST_DEVICE
#endif

// A template of these is compiled for an instruction set where it is used: no copy of it may be
// left for the linker to take instead of another file's.
#define FTCORE_ALWAYS_INLINE FTCORE_HOST_DEVICE inline __attribute__((always_inline))

namespace ftcore {

enum class Element { f16, bf16, f32, f64 };

// Rows of columns; strides count elements.
struct Table {
  const void* data;
  Element type;
  int64_t row_stride, column_stride;
};

}  // namespace ftcore
