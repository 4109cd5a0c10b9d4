// The Python module: NumPy arrays in and out, without the interpreter's lock in between.
//
// ftcore/resampling/reference.py has the same functions in NumPy; the callers there check arguments.
#include <cstdint>
#include <stdexcept>
#include <vector>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "philox.h"
#include "ranking.h"
#include "ratio.h"
#include "replicates.h"

namespace py = pybind11;

namespace ftcore::resample {
namespace {

template <class Value>
using Array = py::array_t<Value, py::array::c_style>;

template <class Value>
Array<Value> empty(int64_t rows, int64_t columns) {
  return Array<Value>({rows, columns});
}

void require(bool condition, const char* message) {
  if (!condition) throw std::invalid_argument(message);
}

// The rows of entries (columns, N); each must name a unit that there is.
std::vector<Entries> columns_of(const Array<uint32_t>& bits, uint64_t units) {
  require(bits.ndim() == 2, "entries must be (columns, N)");
  for (int64_t i = 0; i < bits.size(); ++i) {
    require(Entry{bits.data()[i]}.unit() < units, "an entry names a unit that does not exist");
  }
  std::vector<Entries> columns;
  for (int64_t k = 0; k < bits.shape(0); ++k) columns.emplace_back(bits.data(k, 0), bits.shape(1));
  return columns;
}

Plan plan(uint32_t units, uint32_t first, uint32_t replicates, uint64_t seed, uint32_t threads) {
  require(units >= 1, "there must be a unit");
  return {units, first, replicates, seed, threads};
}

Array<uint32_t> philox4x32(const Array<uint32_t>& counters, uint64_t key) {
  require(counters.ndim() == 2 && counters.shape(1) == 4, "counters must be (n, 4)");
  Array<uint32_t> result = empty<uint32_t>(counters.shape(0), 4);
  for (int64_t i = 0; i < counters.shape(0); ++i) {
    const uint32_t* const c = counters.data(i, 0);
    const Words words = philox({c[0], c[1], c[2], c[3]}, key);
    for (int64_t k = 0; k < 4; ++k) *result.mutable_data(i, k) = words[static_cast<size_t>(k)];
  }
  return result;
}

Array<int64_t> draws(const Plan& plan) {
  Array<int64_t> result = empty<int64_t>(plan.replicates, plan.units);
  int64_t* const out = result.mutable_data();
  py::gil_scoped_release release;
  for_each_bootstrap(plan, [=](int64_t r, const auto* count) {
    for (int64_t u = 0; u < plan.units; ++u) out[r * plan.units + u] = count[u];
  });
  return result;
}

Array<bool> swaps(const Plan& plan) {
  Array<bool> result = empty<bool>(plan.replicates, plan.units);
  bool* const out = result.mutable_data();
  py::gil_scoped_release release;
  for_each_permutation(plan, [=](int64_t r, const uint8_t* swap) {
    for (int64_t u = 0; u < plan.units; ++u) out[r * plan.units + u] = swap[u] != 0;
  });
  return result;
}

template <class Statistic>
Array<double> bootstrap(const Array<uint32_t>& bits, const Plan& plan, Statistic statistic) {
  const std::vector<Entries> columns = columns_of(bits, plan.units);
  const int64_t width = static_cast<int64_t>(columns.size());
  Array<double> result = empty<double>(plan.replicates, width);
  double* const out = result.mutable_data();
  py::gil_scoped_release release;
  for_each_bootstrap(plan, [&](int64_t r, const auto* count) {
    for (int64_t k = 0; k < width; ++k) {
      out[r * width + k] = statistic(columns[static_cast<size_t>(k)], count);
    }
  });
  return result;
}

Array<double> bootstrap_auroc(const Array<uint32_t>& entries, const Plan& plan) {
  return bootstrap(entries, plan, [](const Entries& column, const auto* count) {
    return auroc(column, count);
  });
}

Array<double> bootstrap_average_precision(const Array<uint32_t>& entries, const Plan& plan) {
  return bootstrap(entries, plan, [](const Entries& column, const auto* count) {
    return average_precision(column, count);
  });
}

Array<double> permute_auroc(const Array<uint32_t>& entries, const Plan& plan) {
  const std::vector<Entries> columns = columns_of(entries, 2 * uint64_t{plan.units});
  require(columns.size() == 1, "entries must be one column");
  Array<double> result(plan.replicates);
  double* const out = result.mutable_data();
  py::gil_scoped_release release;
  for_each_permutation(plan, [&](int64_t r, const uint8_t* swap) {
    out[r] = swapped_difference(columns.front(), swap);
  });
  return result;
}

Array<double> bootstrap_ratio(const Array<double>& numerators, const Array<double>& denominators,
                              const Plan& plan) {
  for (const Array<double>* const rows : {&numerators, &denominators}) {
    require(rows->ndim() == 2 && rows->shape(0) == plan.units, "rows must be (units, columns)");
  }
  const int64_t width = numerators.shape(1);
  require(denominators.shape(1) == width, "as many columns below as above");
  Array<double> result = empty<double>(plan.replicates, width);
  double* const out = result.mutable_data();
  const double *const above = numerators.data(), *const below = denominators.data();
  py::gil_scoped_release release;
  for_each_bootstrap(plan, [=](int64_t r, const auto* count) {
    for (int64_t k = 0; k < width; ++k) {
      out[r * width + k] = ratio(above + k, below + k, count, plan.units, width);
    }
  });
  return result;
}

Array<double> permute_ratio(const Array<double>& numerators, const Array<double>& denominators,
                            const Plan& plan) {
  for (const Array<double>* const rows : {&numerators, &denominators}) {
    require(rows->ndim() == 2 && rows->shape(0) == 2 && rows->shape(1) == plan.units,
            "rows must be (2, units)");
  }
  Array<double> result(plan.replicates);
  double* const out = result.mutable_data();
  const double *const above = numerators.data(), *const below = denominators.data();
  py::gil_scoped_release release;
  for_each_permutation(plan, [=](int64_t r, const uint8_t* swap) {
    out[r] = swapped_ratio(above, below, swap, plan.units, 0) -
             swapped_ratio(above, below, swap, plan.units, 1);
  });
  return result;
}

}  // namespace
}  // namespace ftcore::resample

PYBIND11_MODULE(ftcore_resample, m, py::mod_gil_not_used()) {
  using namespace ftcore::resample;
  py::class_<Plan>(m, "Plan");
  m.def("plan", &plan);
  m.def("philox4x32", &philox4x32);
  m.def("draws", &draws);
  m.def("swaps", &swaps);
  m.def("bootstrap_auroc", &bootstrap_auroc);
  m.def("bootstrap_average_precision", &bootstrap_average_precision);
  m.def("permute_auroc", &permute_auroc);
  m.def("bootstrap_ratio", &bootstrap_ratio);
  m.def("permute_ratio", &permute_ratio);
}
