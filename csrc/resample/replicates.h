// What is done with each replicate: its draws or swaps in memory that a thread keeps to itself.
#pragma once

#include <cstdint>
#include <vector>

#include "draws.h"
#include "threads.h"

namespace ftcore::resample {

// Which replicates of how many units, and by how many threads.
struct Plan {
  uint32_t units;
  int64_t first, replicates;
  uint64_t seed;
  int64_t threads;
};

template <class Value, class Fill, class Use>
struct Worker {
  const Plan& plan;
  const Fill& fill;
  const Use& use;
  std::vector<Value> memory;

  void operator()(int64_t r) {
    fill(static_cast<uint32_t>(plan.first + r), memory.data());
    use(r, static_cast<const Value*>(memory.data()));
  }
};

template <class Value, class Fill, class Use>
void fill_and_use(const Plan& plan, const Fill& fill, const Use& use) {
  const int64_t most = plan.replicates < plan.threads ? plan.replicates : plan.threads;
  const Worker<Value, Fill, Use> worker{plan, fill, use, std::vector<Value>(plan.units)};
  std::vector<Worker<Value, Fill, Use>> workers(static_cast<size_t>(most < 1 ? 1 : most), worker);
  for_each_replicate(plan.replicates, workers);
}

// Calls use(r, count) for each replicate, with how often it drew each unit.
template <class Use>
void for_each_bootstrap(const Plan& plan, const Use& use) {
  const auto fill = [&](uint32_t index, auto* count) {
    count_draws(Replicate(plan.seed, index, plan.units), count);
  };
  if (plan.units <= 65535) {
    fill_and_use<uint16_t>(plan, fill, use);  // stays longer in the nearest cache
  } else {
    fill_and_use<uint32_t>(plan, fill, use);
  }
}

// Calls use(r, swap) for each replicate, with 1 for each unit that it swaps, and 0 for the others.
template <class Use>
void for_each_permutation(const Plan& plan, const Use& use) {
  const auto fill = [&](uint32_t index, uint8_t* swap) {
    draw_swaps(plan.seed, index, plan.units, swap);
  };
  fill_and_use<uint8_t>(plan, fill, use);
}

}  // namespace ftcore::resample
