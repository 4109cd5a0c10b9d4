// Tensors (*heads, *rows, columns) as one table for each head.
#pragma once

#include "../torch/arguments.h"

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
// for the heads, and both on the CPU.
inline void check_table(const Tensor& table, const Tensor& targets, int64_t heads) {
  STD_TORCH_CHECK(heads >= 0 && table.dim() > heads && table.size(table.dim() - 1) >= 1,
                  "there must be a column");
  STD_TORCH_CHECK(table.is_cpu() && targets.is_cpu() &&
                      has_shape(targets, sizes(table, heads, table.dim())),
                  "targets have another shape");
}

}  // namespace ftcore
