// Numbers below the smallest normal float make a processor a hundred times slower, and training makes them: gradients that
// vanish, Adam's running means of weights that a while no child has used.
#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace ronasmis {

// While it lives, this thread takes such numbers as 0; libtorch's threads, made under it, keep to that. JavaScript's own
// arithmetic, outside of it, stays exact.
class FlushDenormals {
 public:
#if defined(__x86_64__)
  FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | kFlushToZero | kDenormalsAreZero); }
  ~FlushDenormals() { _mm_setcsr(before_); }

 private:
  static constexpr unsigned kFlushToZero = 0x8000;
  static constexpr unsigned kDenormalsAreZero = 0x0040;
  unsigned before_;
#else
  // Other processors handle them at full speed.
  FlushDenormals() {}
#endif
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;
};

}  // namespace ronasmis
