// How a group of threads reads one row, once as a rule: online softmax in the lanes, which then
// agree on the prediction and add up what they found.
#pragma once

#include "../core/lane.h"
#include "group.cuh"
#include "logits.cuh"

namespace ftcore {

// Of the classes that a lane reads: its part of the softmax, and those that rank before the target.
template <class Real>
struct Scan {
  static constexpr int most = 128;  // logits whose sums may be in Real
  Lane<Real> lane;
  Real z_target;
  int32_t target, above = 0, unsettled = 0;

  __device__ Scan(Real z, int32_t c) : z_target(z), target(c) {}
  __device__ void add(Real z, int32_t c) {
    lane.add(z, c);
    above += c < target ? z >= z_target : z > z_target;
  }
  __device__ void pause(int added) {
    unsettled += added;
    if (unsettled < most) return;
    lane.settle();
    unsettled = 0;
  }
};

struct ExactScan {
  ExactLane lane;
  __device__ void add(double z, int32_t c) { lane.add(z, c); }
  __device__ void pause(int) const {}
};

struct ExactSums {
  double max;
  int32_t prediction;
  RowSums sums{0, 0, 0};
  __device__ void add(double z, int32_t c) {
    if (c != prediction) add_exactly(sums, z - max);
  }
  __device__ void pause(int) const {}
};

// A row in memory, of classes `stride` apart.
template <class T>
struct Strided {
  const T* first;
  int64_t stride;
  int32_t classes;

  __device__ auto at(int32_t c) const { return real(load(first + c * stride)); }

  template <class Group, class Visitor>
  __device__ void visit(const Group& group, Visitor& visitor) const {
#pragma unroll 4
    for (int32_t c = group.lane(); c < classes; c += Group::size) {
      visitor.add(at(c), c);
      visitor.pause(1);
    }
  }
};

// A row of neighbouring classes, read 16 bytes at once but for its ends.
template <class T>
struct Dense {
  const T* first;
  int32_t classes;

  __device__ auto at(int32_t c) const { return real(load(first + c)); }

  template <class Group, class Visitor>
  __device__ void visit(const Group& group, Visitor& visitor) const {
    constexpr int width = Vector<T>::width;
    const int past = static_cast<int>(reinterpret_cast<uintptr_t>(first) % 16 / sizeof(T));
    const int32_t head = past == 0 ? 0 : min(classes, width - past), lane = group.lane();
    const int32_t vectors = (classes - head) / width;
    if (lane < head) visitor.add(at(lane), lane);
#pragma unroll 2
    for (int32_t v = lane; v < vectors; v += Group::size) {
      const int32_t c = head + v * width;
      const Vector<T> z = Vector<T>::load(first + c);
#pragma unroll
      for (int k = 0; k < width; ++k) visitor.add(real(z.items[k]), c + k);
      visitor.pause(width);
    }
    const int32_t c = head + vectors * width + lane;
    if (c < classes) visitor.add(at(c), c);
  }
};

// What a row was found to be; not a prediction if it is not finite.
struct Found {
  RowPart part;
  int32_t above;
  __device__ bool is_finite() const { return part.prediction >= 0; }
};

// Any row whatever. `above` is right already.
template <class Source, class Group>
__device__ __noinline__ RowPart read_exactly(const Source row, const Group group) {
  ExactScan scan;
  row.visit(group, scan);
  const double zeros = group.sum(scan.lane.zeros);
  if (zeros != 0) return {0, -1, {0, 0, 0}};
  const auto leader = group.lead(Leader<double>{scan.lane.max, scan.lane.prediction});
  ExactSums second{leader.max, leader.prediction};
  row.visit(group, second);
  return {leader.max,
          leader.prediction,
          {group.sum(second.sums.rest), group.sum(second.sums.weighted),
           group.sum(second.sums.squares)}};
}

// `row` is where the logits are to be read from, `original` the same row in memory.
template <class Real, class Source, class Original, class Group>
__device__ Found read_row(const Source& row, const Original& original, const Group& group,
                          int32_t target, int64_t bins) {
  Scan<Real> scan(row.at(target), target);
  row.visit(group, scan);
  scan.lane.settle();
  const auto leader = group.lead(Leader<Real>{scan.lane.max, scan.lane.prediction});
  const RowSums own = scan.lane.relative_to(leader.max, leader.prediction);
  Found found{{leader.max,
               leader.prediction,
               {group.sum(own.rest), group.sum(own.weighted), group.sum(own.squares)}},
              group.sum(scan.above)};
  const bool is_narrow = sizeof(Real) < sizeof(double);
  if (!is_sound(found.part) ||
      (is_narrow && is_near_edge(1.0 / (1.0 + found.part.sums.rest), bins))) {
    found.part = read_exactly(original, group);
  }
  return found;
}

}  // namespace ftcore
