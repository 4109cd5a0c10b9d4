// What the ops with columns are given, on any device: tensors (*heads, *rows, columns) as one table
// for each head, and targets as their kernels read them.
#pragma once

#include "arguments.h"

namespace ftcore {

class TableOfHeads {
 public:
  int64_t rows, columns;

  // With `heads` leading dimensions, rows and a column or more.
  TableOfHeads(const Tensor& given, int64_t heads) : tensor_(given) {
    const int64_t last = given.dim() - 1;
    auto stride = merged_stride(tensor_, heads, last);
    if (!stride) {
      tensor_ = torch::stable::contiguous(given);
      stride = merged_stride(tensor_, heads, last);
    }
    rows = product(tensor_, heads, last);
    columns = tensor_.size(last);
    table_ = {nullptr, logit_type(tensor_), *stride, columns == 1 ? 1 : tensor_.stride(last)};
    if (rows == 1) table_.row_stride = columns;
    offsets_ = offsets_of(tensor_, heads);
  }

  int64_t heads() const { return static_cast<int64_t>(offsets_.size()); }

  // Elements from one head to the next, where all heads are as far apart.
  int64_t head_stride() const { return heads() < 2 ? 0 : offsets_[1] - offsets_[0]; }

  Table of(int64_t head) const {
    Table table = table_;
    table.data = static_cast<const char*>(tensor_.data_ptr()) +
                 offsets_[head] * static_cast<int64_t>(tensor_.element_size());
    return table;
  }

 private:
  Tensor tensor_;  // as given, or a contiguous copy
  Table table_;
  std::vector<int64_t> offsets_;  // in elements
};

// Whether `table` is (*heads, *rows, columns), of one column or more, and `targets` the same but
// for the heads, and both on one device.
inline void check_table(const Tensor& table, const Tensor& targets, int64_t heads) {
  STD_TORCH_CHECK(heads >= 0 && table.dim() > heads && table.size(table.dim() - 1) >= 1,
                  "there must be a column");
  STD_TORCH_CHECK(targets.device() == table.device() &&
                      has_shape(targets, sizes(table, heads, table.dim())),
                  "targets have another shape or device");
}

// Targets as they are where they are floats; integers in float64.
inline Tensor as_floats(const Tensor& targets) {
  return is_integer(targets) ? torch::stable::to(targets, ScalarType::Double) : targets;
}

inline bool is_byte(const Tensor& t) {
  return t.scalar_type() == ScalarType::Byte || t.scalar_type() == ScalarType::Bool;
}

// Targets of labels, one row after the other, as bytes or as int64.
inline Tensor as_labels(const Tensor& targets) {
  STD_TORCH_CHECK(is_integer(targets) || is_byte(targets), "targets must be bool or integers");
  return is_byte(targets) ? torch::stable::contiguous(targets) : contiguous_int64(targets);
}

}  // namespace ftcore
