// Work in chunks whose size depends on shapes alone, so that any number of threads gives the same
// bytes: each chunk has sums of its own, added up in order; counts are exact in any order.
#pragma once

#include <torch/csrc/stable/ops.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace ftcore {

class Scratch {
 public:
  explicit Scratch(int64_t size) : bytes_(new char[size + kAlign]) {}
  void* get() const {
    const auto address = reinterpret_cast<uintptr_t>(bytes_.get());
    return bytes_.get() + (kAlign - address % kAlign) % kAlign;
  }

 private:
  static constexpr int64_t kAlign = 64;
  std::unique_ptr<char[]> bytes_;
};

struct Chunked {
  int64_t heads, chunks;      // chunks of each head
  int64_t grain;              // chunks worth a thread
  int64_t* counts;            // (heads, count_size)
  int64_t count_size;
  int64_t own_count_size;     // of these, the first that a thread keeps for itself
  double* sums;               // (heads, sum_size)
  int64_t sum_size;
  int64_t scratch_size;       // bytes, for each thread
  bool is_always_parallel = false;  // also a single chunk, so that what it calls uses one thread

  // Calls work(head, chunk, counts, sums, scratch) for all, with counts (own_count_size,) and sums
  // (sum_size,) to add to. Any thread may hold own counts: then `counts` is not the head's.
  template <class Work>
  void run(const Work& work) const {
    const int64_t all = heads * chunks;
    std::vector<double> chunk_sums(all * sum_size, 0.0);
    const bool is_alone = all <= grain && !is_always_parallel;
    if (is_alone || torch::stable::get_num_threads() == 1) {
      const Scratch scratch(scratch_size);
      for (int64_t i = 0; i < all; ++i) {
        work(i / chunks, i % chunks, counts + i / chunks * count_size, &chunk_sums[i * sum_size],
             scratch.get());
      }
    } else {
      std::mutex mutex;
      const int64_t items = std::max<int64_t>(all, grain + 1);
      torch::stable::parallel_for(0, items, grain, [&](int64_t begin, int64_t end) {
        end = std::min(end, all);
        const Scratch scratch(scratch_size);
        std::vector<int64_t> own(own_count_size, 0);
        for (int64_t i = begin; i < end; ++i) {
          const int64_t head = i / chunks;
          work(head, i % chunks, own.data(), &chunk_sums[i * sum_size], scratch.get());
          if (i + 1 < end && (i + 1) / chunks == head) continue;
          const std::lock_guard<std::mutex> lock(mutex);
          for (int64_t k = 0; k < own_count_size; ++k) {
            counts[head * count_size + k] += own[k];
            own[k] = 0;
          }
        }
      });
    }
    for (int64_t head = 0; head < heads; ++head) {
      double* const first = &chunk_sums[head * chunks * sum_size];
      for (int64_t chunk = 1; chunk < chunks; ++chunk) {
        for (int64_t k = 0; k < sum_size; ++k) first[k] += first[chunk * sum_size + k];
      }
      for (int64_t k = 0; chunks > 0 && k < sum_size; ++k) sums[head * sum_size + k] += first[k];
    }
  }
};

}  // namespace ftcore
