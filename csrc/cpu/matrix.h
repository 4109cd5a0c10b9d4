// Matrices that lie anywhere in memory, and their product by the library that torch uses.
#pragma once

#include <torch/csrc/inductor/aoti_torch/generated/c_shim_cpu.h>
#include <torch/csrc/stable/device.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <array>
#include <cstring>

namespace ftcore {

struct Matrix {
  const void* data;
  int64_t rows, columns, row_stride, column_stride;  // strides count elements

  Matrix transposed() const { return {data, columns, rows, column_stride, row_stride}; }

  torch::stable::Tensor view(torch::headeronly::ScalarType type) const {
    const std::array<int64_t, 2> sizes{rows, columns}, strides{row_stride, column_stride};
    return torch::stable::from_blob(const_cast<void*>(data), sizes, strides,
                                    torch::stable::Device(torch::headeronly::DeviceType::CPU),
                                    type);
  }
};

// out = a b + bias, for a bias of the shape of out, of broadcast strides, or of no data at all. The
// rows of out lie one after the other.
inline void multiply(const Matrix& out, const Matrix& a, const Matrix& b, const Matrix& bias,
                     torch::headeronly::ScalarType type, int64_t element_size) {
  const auto to = out.view(type), left = a.view(type), right = b.view(type);
  if (bias.data == nullptr) {
    STABLE_TORCH_ERROR_CODE_CHECK(aoti_torch_cpu_mm_out(to.get(), left.get(), right.get()));
    return;
  }
  // Quicker than to let the product be preceded by a broadcast copy.
  char* row = static_cast<char*>(const_cast<void*>(out.data));
  const char* from = static_cast<const char*>(bias.data);
  const int64_t bytes = out.columns * element_size;
  for (int64_t r = 0; r < out.rows; ++r, row += bytes, from += bias.row_stride * element_size) {
    if (bias.column_stride == 1) {
      std::memcpy(row, from, bytes);
      continue;
    }
    for (int64_t done = 0; done < bytes; done += element_size) {
      std::memcpy(row + done, from, element_size);
    }
  }
  STABLE_TORCH_ERROR_CODE_CHECK(
      aoti_torch_cpu_addmm_out(to.get(), to.get(), left.get(), right.get(), 1.0, 1.0));
}

}  // namespace ftcore
