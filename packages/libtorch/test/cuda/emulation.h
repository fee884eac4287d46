// What the kernels use of CUDA, on a processor: blocks run one after the other, and the threads of a block take turns on stacks of their
// own, each until it waits for the others. The order of the turns changes each time, so that a missing __syncthreads() is found.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#define __device__
#define __global__
#define __restrict__
// One block at a time: a block's memory is a function's own.
#define __shared__ static

struct Index {
  unsigned x, y, z;
};

inline Index threadIdx, blockIdx, blockDim, gridDim;

template <typename Number>
Number min(Number a, Number b) {
  return b < a ? b : a;
}
template <typename Number>
Number max(Number a, Number b) {
  return a < b ? b : a;
}
template <typename Number>
void atomicAdd(Number* sum, Number value) {
  *sum += value;
}

inline float __uint_as_float(unsigned bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
inline unsigned __float_as_uint(float value) {
  unsigned bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline float float_of_half(unsigned short bits) {
  _Float16 value;
  std::memcpy(&value, &bits, sizeof value);
  return static_cast<float>(value);
}
inline unsigned short half_of_float(float value) {
  const auto half = static_cast<_Float16>(value);
  unsigned short bits;
  std::memcpy(&bits, &half, sizeof bits);
  return bits;
}

namespace emulation {

constexpr size_t kStackBytes = 64 << 10;

// Begun by a ucontext, and switched by jumps, for which the kernel need not be asked.
struct Thread {
  std::unique_ptr<char[]> stack{new char[kStackBytes]};
  ucontext_t beginning;
  jmp_buf place;
  bool begun = false;
  bool done = true;
};

inline std::vector<Thread> threads;
inline jmp_buf turns;
inline unsigned current;
inline std::function<void()> body;

inline void wait() {
  if (_setjmp(threads[current].place) == 0) _longjmp(turns, 1);
}

inline void run_thread() {
  for (;;) {
    body();
    threads[current].done = true;
    wait();
  }
}

inline void take_turn() {
  Thread& thread = threads[current];
  threadIdx = {current, 0, 0};
  if (_setjmp(turns) != 0) return;
  if (thread.begun) _longjmp(thread.place, 1);
  thread.begun = true;
  getcontext(&thread.beginning);
  thread.beginning.uc_stack.ss_sp = thread.stack.get();
  thread.beginning.uc_stack.ss_size = kStackBytes;
  makecontext(&thread.beginning, run_thread, 0);
  setcontext(&thread.beginning);
}

inline void run_block(unsigned count) {
  if (threads.empty()) threads = std::vector<Thread>(1024);
  for (unsigned i = 0; i < count; ++i) threads[i].done = false;
  bool running = true;
  for (unsigned phase = 0; running; ++phase) {
    running = false;
    for (unsigned turn = 0; turn < count; ++turn) {
      // 37 shares no factor with a number of threads that is a multiple of 32.
      current = (turn * 37 + phase * 101) % count;
      if (threads[current].done) continue;
      take_turn();
      running = running || !threads[current].done;
    }
  }
}

}  // namespace emulation

inline void __syncthreads() { emulation::wait(); }
