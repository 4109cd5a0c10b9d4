#include "fibers.h"

#include <csetjmp>
#include <ucontext.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuda_runtime.h"

namespace ftcore {
alignas(16) char shared[on_cpu::kSharedBytes];
}

namespace on_cpu {
namespace {

constexpr std::size_t kStack = 128 << 10;
constexpr char kGarbage = 0x5a;

enum class Wait { nothing, barrier, shuffle, end };

struct Fiber {
  ucontext_t context;     // where it begins
  jmp_buf place;          // and where it goes on: swapcontext would ask the system each time
  bool is_begun = false;
  std::unique_ptr<char[]> stack{new char[kStack]};
  Wait wait;
  unsigned mask;          // of the shuffle it waits in
  uint64_t handed[2];     // by shuffles of even and of odd number
  unsigned shuffles;      // so far
};

struct State {
  std::vector<Fiber> fibers;
  jmp_buf scheduler;
  int current = 0, threads = 0;
  const std::function<void()>* kernel = nullptr;
  std::string failure;
  std::vector<std::pair<const char*, const char*>> readable;
} state;

Fiber& self() { return state.fibers[state.current]; }

void leave(Wait reason) {
  self().wait = reason;
  if (_setjmp(self().place) == 0) _longjmp(state.scheduler, 1);
}

[[noreturn]] void fail(const std::string& words) {
  if (state.failure.empty()) {
    state.failure = words + " (block " + std::to_string(blockIdx.x) + ", thread " +
                    std::to_string(threadIdx.x) + ")";
  }
  leave(Wait::end);
  std::abort();  // a fiber that has failed does not go on
}

void start() {
  for (;;) {  // block after block
    (*state.kernel)();
    leave(Wait::end);
  }
}

void enter(int thread) {
  state.current = thread;
  threadIdx.x = static_cast<unsigned>(thread);
  if (_setjmp(state.scheduler) != 0) return;
  if (self().is_begun) _longjmp(self().place, 1);
  self().is_begun = true;
  setcontext(&self().context);
}

// Releases a warp all of whose lanes wait in a shuffle.
bool release_shuffle(int first) {
  const int lanes = std::min(kWarp, state.threads - first);
  const unsigned mask = state.fibers[first].mask;
  for (int lane = 0; lane < lanes; ++lane) {
    const Fiber& fiber = state.fibers[first + lane];
    if (fiber.wait != Wait::shuffle || fiber.mask != mask) return false;
  }
  for (int lane = 0; lane < lanes; ++lane) state.fibers[first + lane].wait = Wait::nothing;
  return true;
}

bool release_barrier() {
  for (int t = 0; t < state.threads; ++t) {
    if (state.fibers[t].wait != Wait::barrier) return false;
  }
  for (int t = 0; t < state.threads; ++t) state.fibers[t].wait = Wait::nothing;
  return true;
}

std::string what_is_stuck() {
  const char* const names[] = {"run", "wait at a barrier", "wait in a shuffle", "have ended"};
  int count[4] = {};
  for (int t = 0; t < state.threads; ++t) ++count[static_cast<int>(state.fibers[t].wait)];
  std::string words = "block " + std::to_string(blockIdx.x) + " is stuck:";
  for (int k = 1; k < 4; ++k) words += " " + std::to_string(count[k]) + " threads " + names[k] + ";";
  return words;
}

// Those that are stuck in a block cannot begin another.
[[noreturn]] void give_up(const std::string& words) {
  for (Fiber& fiber : state.fibers) fiber.is_begun = false;
  throw Failure(words);
}

// Warps go on by themselves, as far as they can, so that what lacks a barrier shows.
void run_block() {
  for (bool is_over = false; !is_over;) {
    bool has_moved = false;
    is_over = true;
    for (int first = 0; first < state.threads; first += kWarp) {
      do {
        const int past = std::min(first + kWarp, state.threads);
        for (int t = first; t < past && state.failure.empty(); ++t) {
          if (state.fibers[t].wait != Wait::nothing) continue;
          enter(t);
          has_moved = true;
        }
      } while (state.failure.empty() && release_shuffle(first));
    }
    if (!state.failure.empty()) give_up(state.failure);
    for (int t = 0; t < state.threads; ++t) is_over &= state.fibers[t].wait == Wait::end;
    if (!is_over && !release_barrier() && !has_moved) give_up(what_is_stuck());
  }
}

void begin_block(int threads) {
  for (int t = 0; t < threads; ++t) {
    Fiber& fiber = state.fibers[t];
    fiber.wait = Wait::nothing;
    fiber.shuffles = 0;
    if (fiber.is_begun) continue;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStack;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, start, 0);
  }
}

}  // namespace

void allow_reads(const void* begin, std::size_t bytes) {
  const char* const first = static_cast<const char*>(begin);
  state.readable.emplace_back(first, first + bytes);
}

void forget_memory() { state.readable.clear(); }

void check_read(const void* address, std::size_t bytes) {
  const char* const first = static_cast<const char*>(address);
  if (reinterpret_cast<uintptr_t>(first) % bytes != 0) fail("a read is not aligned");
  for (const auto& [begin, end] : state.readable) {
    if (first >= begin && first + bytes <= end) return;
  }
  fail("a read of " + std::to_string(bytes) + " bytes is outside of every tensor");
}

void barrier() { leave(Wait::barrier); }

uint64_t exchange_bits(unsigned mask, uint64_t bits, unsigned from) {
  const int first = state.current / kWarp * kWarp;
  if (mask != ~0u || state.threads - first < kWarp) fail("a shuffle lacks lanes");
  Fiber& fiber = self();
  const unsigned parity = fiber.shuffles++ % 2;
  fiber.handed[parity] = bits;
  fiber.mask = mask;
  leave(Wait::shuffle);
  return state.fibers[first + static_cast<int>(from)].handed[parity];
}

void run(int64_t blocks, int threads, int64_t shared_bytes, const std::function<void()>& kernel) {
  if (shared_bytes > kSharedBytes) throw Failure("too much shared memory is asked for");
  if (state.fibers.size() < static_cast<std::size_t>(threads)) state.fibers.resize(threads);
  state.kernel = &kernel;
  state.threads = threads;
  state.failure.clear();
  blockDim.x = static_cast<unsigned>(threads);
  for (int64_t block = 0; block < blocks; ++block) {
    blockIdx.x = static_cast<unsigned>(block);
    std::memset(ftcore::shared, kGarbage, sizeof ftcore::shared);
    begin_block(threads);
    run_block();
    for (int64_t i = shared_bytes; i < kSharedBytes; ++i) {
      if (ftcore::shared[i] != kGarbage) throw Failure("shared memory was written past its end");
    }
  }
}

}  // namespace on_cpu
