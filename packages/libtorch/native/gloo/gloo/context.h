// Gloo's own headers do not come with libtorch, but c10d's header names some of their types, all behind pointers. These are as much of
// them as it takes to read that header: nothing of Gloo is made or called from here. Where a libtorch has the real ones, they are taken.
#pragma once

#include <chrono>

namespace gloo {

class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};

}  // namespace gloo
