// What the ops have in common, on any device, in checking their arguments and in finding their way
// through strides.
#pragma once

#include <torch/csrc/stable/device.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>
#include <torch/headeronly/core/ScalarType.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "../core/classification.h"

namespace ftcore {

using torch::headeronly::ScalarType;
using torch::stable::Device;
using torch::stable::Tensor;

// Dimensions begin <= d < end as one, or nothing if no single stride steps through them.
inline std::optional<int64_t> merged_stride(const Tensor& t, int64_t begin, int64_t end) {
  int64_t size = 1, stride = 0;
  for (int64_t d = end - 1; d >= begin; --d) {
    if (t.size(d) == 1) continue;
    if (size == 1) {
      stride = t.stride(d);
    } else if (t.stride(d) != size * stride) {
      return std::nullopt;
    }
    size *= t.size(d);
  }
  return stride;
}

inline int64_t product(const Tensor& t, int64_t begin, int64_t end) {
  int64_t size = 1;
  for (int64_t d = begin; d < end; ++d) size *= t.size(d);
  return size;
}

// Where each of the first `heads` dimensions' elements begins, in elements.
inline std::vector<int64_t> offsets_of(const Tensor& t, int64_t heads) {
  std::vector<int64_t> offsets(product(t, 0, heads), 0);
  int64_t repeat = 1;
  for (int64_t d = heads - 1; d >= 0; --d) {
    for (size_t h = 0; h < offsets.size(); ++h) {
      offsets[h] += static_cast<int64_t>(h) / repeat % t.size(d) * t.stride(d);
    }
    repeat *= t.size(d);
  }
  return offsets;
}

inline bool has_shape(const Tensor& t, const std::vector<int64_t>& shape) {
  return t.dim() == static_cast<int64_t>(shape.size()) &&
         std::equal(shape.begin(), shape.end(), t.sizes().begin());
}

inline std::vector<int64_t> sizes(const Tensor& t, int64_t begin, int64_t end) {
  return {t.sizes().begin() + begin, t.sizes().begin() + end};
}

inline void check_output(const char* name, const Tensor& t, std::vector<int64_t> shape,
                         int64_t last, ScalarType type, Device device) {
  shape.push_back(last);
  STD_TORCH_CHECK(t.device() == device && t.scalar_type() == type && has_shape(t, shape), name,
                  " has the wrong type, shape or device");
}

inline Logit logit_type(const Tensor& logits) {
  switch (logits.scalar_type()) {
    case ScalarType::Half:
      return Logit::f16;
    case ScalarType::BFloat16:
      return Logit::bf16;
    case ScalarType::Float:
      return Logit::f32;
    case ScalarType::Double:
      return Logit::f64;
    default:
      STD_TORCH_CHECK(false, "logits and outputs must be floats of 16 to 64 bits");
  }
}

inline bool is_integer(const Tensor& t) {
  const ScalarType type = t.scalar_type();
  return type == ScalarType::Long || type == ScalarType::Int || type == ScalarType::Short ||
         type == ScalarType::Char || type == ScalarType::Byte;
}

inline Tensor contiguous_int64(const Tensor& t) {
  return torch::stable::contiguous(
      t.scalar_type() == ScalarType::Long ? t : torch::stable::to(t, ScalarType::Long));
}

// How often each row counts, one head after the other, or all heads alike; perhaps not given.
class Weights {
 public:
  Weights(const std::optional<Tensor>& given, const std::vector<int64_t>& heads,
          const std::vector<int64_t>& rows, Device device) {
    if (!given) return;
    std::vector<int64_t> all = heads;
    all.insert(all.end(), rows.begin(), rows.end());
    STD_TORCH_CHECK((has_shape(*given, rows) || has_shape(*given, all)) &&
                        given->device() == device &&
                        (is_integer(*given) || given->scalar_type() == ScalarType::Bool),
                    "weights do not fit");
    used_ = contiguous_int64(*given);
    const bool is_shared = has_shape(*given, rows);
    stride_ = is_shared ? 0 : product(*used_, static_cast<int64_t>(heads.size()), used_->dim());
  }
  const int64_t* of(int64_t head) const {
    if (!used_) return nullptr;
    return static_cast<const int64_t*>(used_->data_ptr()) + head * stride_;
  }
  int64_t head_stride() const { return stride_; }

 private:
  std::optional<Tensor> used_;
  int64_t stride_ = 0;
};

// An output that is not contiguous is written to a copy, which goes back at the end.
class Output {
 public:
  explicit Output(Tensor given) : given_(given), used_(torch::stable::contiguous(given)) {}
  template <class T>
  T* data() const {
    return static_cast<T*>(used_.data_ptr());
  }
  void finish() {
    if (used_.data_ptr() != given_.data_ptr()) torch::stable::copy_(given_, used_);
  }

 private:
  Tensor given_, used_;
};

}  // namespace ftcore
