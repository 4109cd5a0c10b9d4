// Replicates shared out among threads, each with memory of its own.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <system_error>
#include <thread>
#include <vector>

namespace ftcore::resample {

// Calls worker(r) for each r < replicates, on a thread for each worker: whichever is free takes the
// next. A worker has all memory it needs and throws nothing. The threads end here, so that a
// process can fork before and after.
template <class Worker>
void for_each_replicate(int64_t replicates, std::vector<Worker>& workers) {
  std::atomic<int64_t> next{0};
  const auto work = [&](Worker& worker) noexcept {
    for (int64_t r = next++; r < replicates; r = next++) worker(r);
  };
  std::vector<std::thread> threads;
  threads.reserve(workers.size());
  try {
    for (size_t t = 1; t < workers.size(); ++t) threads.emplace_back(work, std::ref(workers[t]));
  } catch (const std::system_error&) {
    // No more threads are to be had: those that there are do all of it.
  }
  work(workers.front());
  for (std::thread& thread : threads) thread.join();
}

}  // namespace ftcore::resample
