// The ways through a pass of rows: each thread is given a row to finish, and what was found of it.
#pragma once

#include "../core/outcome.h"
#include "reading.cuh"

namespace ftcore {

// One head's batch, and how far the rows of this block go.
template <class T>
struct Rows {
  using Real = typename RealOf<T>::type;
  const Batch& batch;
  const Plan& plan;
  int64_t end;
  void* staged;     // shared: Plan::staged_bytes
  double* slots;    // shared: Plan::reduction_bytes

  __device__ const T* at(int64_t r) const {
    return static_cast<const T*>(batch.logits) + offset_of(batch, r);
  }
  __device__ int32_t outcome(int64_t r) const { return static_cast<int32_t>(classify(batch, r)); }
  __device__ int32_t classes() const { return static_cast<int32_t>(batch.classes); }
  __device__ Strided<T> strided(int64_t r) const {
    return {at(r), batch.class_stride, classes()};
  }
};

// What a thread is to finish.
struct Finding {
  int32_t place;    // the row, counted from the first of the pass; none if it is negative
  int32_t outcome;  // the target, or why it is not scored
  Found found;
};

struct Columns {
  static constexpr int threads = kAloneThreads;
  template <class T>
  static __device__ Finding read(const Rows<T>& rows, int64_t begin) {
    Finding result{static_cast<int32_t>(threadIdx.x), 0, {}};
    const int64_t r = begin + result.place;
    if (r >= rows.end) return {-1, 0, {}};
    result.outcome = rows.outcome(r);
    if (result.outcome < 0) return result;
    const Strided<T> row = rows.strided(r);
    result.found = read_row<typename Rows<T>::Real>(
        row, row, Alone{}, result.outcome, rows.batch.bins);
    return result;
  }
};

template <class T>
struct StagedRow {
  const T* first;
  int32_t classes;
  __device__ auto at(int32_t c) const { return real(first[c]); }
  template <class Visitor>
  __device__ void visit(const Alone&, Visitor& visitor) const {
#pragma unroll 4
    for (int32_t c = 0; c < classes; ++c) visitor.add(at(c), c);
  }
};

struct Staged {
  static constexpr int threads = kAloneThreads;
  template <class T>
  static __device__ void stage(const Rows<T>& rows, int64_t begin) {
    const int classes = rows.classes(), pitch = static_cast<int>(rows.plan.pitch);
    const int thread = threadIdx.x;
    const int64_t left = rows.end - begin;
    const int count = left < threads ? static_cast<int>(left) : threads;
    T* const staged = static_cast<T*>(rows.staged);
    const int row_step = threads / classes, class_step = threads % classes;
    int row = thread / classes, c = thread % classes;
#pragma unroll 4
    while (row < count) {
      staged[row * pitch + c] = load(rows.at(begin + row) + c);
      row += row_step;
      c += class_step;
      if (c >= classes) {
        c -= classes;
        ++row;
      }
    }
  }

  template <class T>
  static __device__ Finding read(const Rows<T>& rows, int64_t begin) {
    __syncthreads();  // the rows before have been read
    stage(rows, begin);
    __syncthreads();
    Finding result{static_cast<int32_t>(threadIdx.x), 0, {}};
    const int64_t r = begin + result.place;
    if (r >= rows.end) return {-1, 0, {}};
    result.outcome = rows.outcome(r);
    if (result.outcome < 0) return result;
    const T* const first = static_cast<const T*>(rows.staged) + threadIdx.x * rows.plan.pitch;
    result.found = read_row<typename Rows<T>::Real>(
        StagedRow<T>{first, rows.classes()}, rows.strided(r), Alone{},
        result.outcome, rows.batch.bins);
    return result;
  }
};

// Threads side by side read `rows_each` rows one after the other; the k-th keeps the k-th.
template <class T, class Group>
__device__ Finding read_together(const Rows<T>& rows, int64_t begin, int group_index,
                                 const Group& group) {
  Finding result{-1, 0, {}};
  const int first = group_index * rows.plan.rows_each;
  for (int k = 0; k < rows.plan.rows_each && begin + first + k < rows.end; ++k) {
    const int64_t r = begin + first + k;
    const int32_t outcome = rows.outcome(r);
    Found found{};
    if (outcome >= 0) {
      const Dense<T> row{rows.at(r), rows.classes()};
      found = read_row<typename Rows<T>::Real>(row, row, group, outcome, rows.batch.bins);
    }
    if (group.lane() == k) result = {first + k, outcome, found};
  }
  return result;
}

struct Warps {
  static constexpr int threads = kTogetherThreads;
  template <class T>
  static __device__ Finding read(const Rows<T>& rows, int64_t begin) {
    return read_together(rows, begin, threadIdx.x / kWarp, Warp{});
  }
};

struct Blocks {
  static constexpr int threads = kTogetherThreads;
  template <class T>
  static __device__ Finding read(const Rows<T>& rows, int64_t begin) {
    return read_together(rows, begin, 0, Block{rows.slots});
  }
};

}  // namespace ftcore
