// What the ops that score a classifier check, on any device, and what they write to.
#pragma once

#include "arguments.h"

namespace ftcore {

// What an op adds to, and what takes the rows, as given.
struct Given {
  Tensor counts, sums;
  std::optional<Tensor> labels, values;
  int64_t bins;
  bool confusion;

  int64_t heads() const { return counts.dim() - 1; }  // dimensions

  void check(const std::vector<int64_t>& lead, const std::vector<int64_t>& rows, int64_t classes,
             Device device) const {
    STD_TORCH_CHECK(classes >= 1 && bins >= 1, "there must be a class and a bin");
    std::vector<int64_t> places = lead;
    places.insert(places.end(), rows.begin(), rows.end());
    const int64_t size = Counts::size(classes, bins, confusion);
    check_output("counts", counts, lead, size, ScalarType::Long, device);
    check_output("sums", sums, lead, kScalarSums + bins, ScalarType::Double, device);
    if (labels) check_output("row_labels", *labels, places, 3, ScalarType::Long, device);
    if (values) check_output("row_values", *values, places, 4, ScalarType::Double, device);
  }
};

// The same as memory to write to.
class Outputs {
 public:
  explicit Outputs(const Given& given) : counts_(given.counts), sums_(given.sums) {
    if (given.labels) labels_.emplace(*given.labels);
    if (given.values) values_.emplace(*given.values);
  }
  int64_t* counts() const { return counts_.data<int64_t>(); }
  double* sums() const { return sums_.data<double>(); }
  RowOutputs rows() const {
    return {labels_ ? labels_->data<int64_t>() : nullptr,
            values_ ? values_->data<double>() : nullptr};
  }
  void finish() {
    counts_.finish();
    sums_.finish();
    if (labels_) labels_->finish();
    if (values_) values_->finish();
  }

 private:
  Output counts_, sums_;
  std::optional<Output> labels_, values_;
};

// Returns the class dimension, counted from the front.
inline int64_t check_logits(const Given& given, const Tensor& logits, const Tensor& targets,
                            int64_t class_dim) {
  const int64_t heads = given.heads(), dims = logits.dim();
  const int64_t dim = class_dim < 0 ? class_dim + dims : class_dim;
  STD_TORCH_CHECK(heads >= 0 && dim >= heads && dim < dims, "there is no such class dimension");
  std::vector<int64_t> rows = sizes(logits, heads, dim);
  const std::vector<int64_t> inner = sizes(logits, dim + 1, dims);
  rows.insert(rows.end(), inner.begin(), inner.end());
  STD_TORCH_CHECK(is_integer(targets), "targets must be integers");
  STD_TORCH_CHECK(targets.device() == logits.device() && has_shape(targets, rows),
                  "targets do not fit the logits");
  given.check(sizes(logits, 0, heads), rows, logits.size(dim), logits.device());
  return dim;
}

inline void check_linear(const Given& given, const Tensor& features, const Tensor& weight,
                         const std::optional<Tensor>& bias, const Tensor& targets) {
  const int64_t heads = given.heads();
  const Device device = features.device();
  STD_TORCH_CHECK(heads >= 0 && features.dim() == 2 && weight.dim() == heads + 2,
                  "features, weight and counts do not fit");
  const int64_t rows = features.size(0), classes = weight.size(heads);
  STD_TORCH_CHECK(weight.size(heads + 1) == features.size(1) &&
                      weight.scalar_type() == features.scalar_type() &&
                      weight.device() == device && has_shape(targets, {rows}) &&
                      is_integer(targets) && targets.device() == device,
                  "features, weight and targets do not fit");
  STD_TORCH_CHECK(!bias || (has_shape(*bias, sizes(weight, 0, heads + 1)) &&
                            bias->device() == device &&
                            bias->scalar_type() == weight.scalar_type()),
                  "the bias does not fit");
  given.check(sizes(weight, 0, heads), {rows}, classes, device);
}

}  // namespace ftcore
