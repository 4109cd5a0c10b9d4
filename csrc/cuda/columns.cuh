// What kernels of ops with columns have in common: where a thread is at work, how it reads, and how
// the threads of a column add up what they have.
#pragma once

#include <cuda_runtime.h>

#include "adding.cuh"
#include "columns.h"
#include "elements.cuh"
#include "group.cuh"

namespace ftcore {

// Where a thread is at work. `lane` counts the threads of its column; one that is idle has none.
struct Place {
  int64_t head, chunk, tile;
  int64_t begin, end;  // rows of the chunk
  int64_t column;
  int lane, slot;  // slot: of as many as threads, lanes of a column a width apart
  bool is_idle;

  // Neighbouring threads have neighbouring columns, or, where these lie far apart, rows. Which of
  // the two makes no difference to what is added to what.
  __device__ Place(const ColumnPlan& plan, bool along_rows) {
    const int thread = threadIdx.x;
    tile = blockIdx.x % plan.tiles;
    chunk = blockIdx.x / plan.tiles % plan.chunks;
    head = blockIdx.x / plan.tiles / plan.chunks;
    begin = chunk * plan.chunk_rows;
    end = begin + plan.chunk_rows < plan.rows ? begin + plan.chunk_rows : plan.rows;
    lane = along_rows ? thread % plan.depth : thread / plan.width;
    const int c = along_rows ? thread / plan.depth : thread % plan.width;
    column = tile * plan.width + c;
    is_idle = lane >= plan.depth || c >= plan.width || column >= plan.columns;
    slot = lane * plan.width + c;
  }
};

inline __device__ bool lies_along_rows(const Table& table) {
  return table.column_stride > table.row_stride;
}

// A column of a table.
template <class T>
struct Column {
  const T* first;
  int64_t stride;

  __device__ Column(const Table& table, int64_t offset, int64_t column)
      : first(static_cast<const T*>(table.data) + offset + column * table.column_stride),
        stride(table.row_stride) {}
  __device__ T at(int64_t r) const { return load(first + r * stride); }
};

// Calls add(r, read(r)) for each row of a thread, in order. Some are read before the first of them
// is added, so that they are on their way together.
template <class Read, class Add>
__device__ void visit(const ColumnPlan& plan, const Place& place, const Read& read,
                      const Add& add) {
  constexpr int at_once = 4;
  if (place.is_idle) return;
  for (int64_t r = place.begin + place.lane; r < place.end; r += at_once * plan.depth) {
    decltype(read(r)) values[at_once] = {};
#pragma unroll
    for (int k = 0; k < at_once; ++k) {
      const int64_t row = r + k * plan.depth;
      if (row < place.end) values[k] = read(row);
    }
#pragma unroll
    for (int k = 0; k < at_once; ++k) {
      const int64_t row = r + k * plan.depth;
      if (row < place.end) add(row, values[k]);
    }
  }
}

// Bytes of shared memory in which so many numbers of 8 bytes of each thread are added up.
FTCORE_HOST_DEVICE constexpr int64_t slot_bytes(int64_t numbers) { return numbers * kColumnThreads * 8; }

// Adds up `own` over the threads of each column, in an order that depends on the plan alone. All
// threads call it; the first lane of each column gets the sums.
template <int size, class Number>
__device__ void add_lanes(const ColumnPlan& plan, const Place& place, Number (&own)[size],
                          void* shared) {
  Number* const slots = static_cast<Number*>(shared) + place.slot;
  __syncthreads();  // whatever was there has been read
  if (!place.is_idle) {
#pragma unroll
    for (int k = 0; k < size; ++k) slots[k * kColumnThreads] = own[k];
  }
  for (int left = plan.depth; left > 1;) {
    const int half = (left + 1) / 2;
    __syncthreads();
    if (!place.is_idle && place.lane < left / 2) {
#pragma unroll
      for (int k = 0; k < size; ++k) {
        slots[k * kColumnThreads] += slots[k * kColumnThreads + half * plan.width];
      }
    }
    left = half;
  }
  if (place.is_idle || place.lane > 0) return;
#pragma unroll
  for (int k = 0; k < size; ++k) own[k] = slots[k * kColumnThreads];  // this thread's own, last
}

// Leaves a column's sums of this chunk where add_column_chunks finds them.
template <int size>
__device__ void put_sums(const ColumnPlan& plan, const Place& place, const ColumnSums& sums,
                         const double (&own)[size]) {
  if (place.is_idle || place.lane > 0) return;
#pragma unroll
  for (int k = 0; k < size; ++k) {
    const int64_t sum = place.head * sums.size + k * plan.columns + place.column;
    sums.chunks[sum * plan.chunks + place.chunk] = own[k];
  }
}

// Adds a column's counts, `columns` apart from `first` on.
template <int size>
__device__ void put_counts(const ColumnPlan& plan, const Place& place, int64_t* first,
                           const int64_t (&own)[size]) {
  if (place.is_idle || place.lane > 0) return;
#pragma unroll
  for (int k = 0; k < size; ++k) add_to(first + k * plan.columns + place.column, own[k]);
}

// One warp for each of the (heads, size) sums.
template <class Job>
__global__ void __launch_bounds__(kWarp) add_column_chunks(const __grid_constant__ Job job) {
  add_in_order(job.sums.chunks + blockIdx.x * job.plan.chunks, job.plan.chunks,
               job.sums.sums + blockIdx.x);
}

}  // namespace ftcore
