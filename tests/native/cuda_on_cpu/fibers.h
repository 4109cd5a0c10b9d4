// Runs blocks of threads one after the other, the threads of a block as fibers, and finds what a
// GPU would not forgive: a barrier that not all threads reach, a shuffle that lacks a lane, a read
// outside of what it may read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <stdexcept>

namespace on_cpu {

constexpr int kWarp = 32;
constexpr int64_t kSharedBytes = 48 << 10;

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Kernels may read these bytes through __ldg, until forget_memory().
void allow_reads(const void* begin, std::size_t bytes);
void forget_memory();
void check_read(const void* address, std::size_t bytes);

void barrier();

// Hands 8 bytes to the lanes of this warp and returns what lane `from` has handed over.
uint64_t exchange_bits(unsigned mask, uint64_t bits, unsigned from);

template <class T>
T exchange(unsigned mask, T value, unsigned from) {
  static_assert(sizeof(T) <= sizeof(uint64_t));
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits = exchange_bits(mask, bits, from);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Throws Failure. Shared memory begins as garbage; nothing past its end may be written.
void run(int64_t blocks, int threads, int64_t shared_bytes, const std::function<void()>& kernel);

}  // namespace on_cpu
