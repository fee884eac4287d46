// The GPU's kernels as a library for a processor: what native/cuda/driver.cc launches when it is told to emulate.
#include "emulation.h"

#include <map>
#include <string>
#include <utility>

#include "arguments.h"

#define KERNEL static

namespace {

using Launch = void (*)(const unsigned* grid, const void* const* arguments);

template <typename... Parameters, size_t... kIndices>
void call(void (*kernel)(Parameters...), const void* const* arguments, std::index_sequence<kIndices...>) {
  kernel(*static_cast<const std::remove_cv_t<Parameters>*>(arguments[kIndices])...);
}

template <typename... Parameters>
void call(void (*kernel)(Parameters...), const void* const* arguments) {
  call(kernel, arguments, std::index_sequence_for<Parameters...>());
}

template <auto kernel>
void launch(const unsigned* grid, const void* const* arguments) {
  emulation::body = [arguments] { call(kernel, arguments); };
  gridDim = {grid[0], grid[1], grid[2]};
  blockDim = {grid[3], 1, 1};
  for (blockIdx.z = 0; blockIdx.z < gridDim.z; ++blockIdx.z)
    for (blockIdx.y = 0; blockIdx.y < gridDim.y; ++blockIdx.y)
      for (blockIdx.x = 0; blockIdx.x < gridDim.x; ++blockIdx.x) emulation::run_block(grid[3]);
}

namespace float32 {
#define VALUE 0
#define WIDTH 1
#include "variant.h"
}  // namespace float32
namespace float32_wide {
#define VALUE 0
#define WIDTH 4
#include "variant.h"
}  // namespace float32_wide
namespace bfloat16 {
#define VALUE 1
#define WIDTH 1
#include "variant.h"
}  // namespace bfloat16
namespace bfloat16_wide {
#define VALUE 1
#define WIDTH 4
#include "variant.h"
}  // namespace bfloat16_wide
namespace float16 {
#define VALUE 2
#define WIDTH 1
#include "variant.h"
}  // namespace float16
namespace float16_wide {
#define VALUE 2
#define WIDTH 4
#include "variant.h"
}  // namespace float16_wide

}  // namespace

extern "C" __attribute__((visibility("default"))) int ronasmis_emulated_launch(const char* kernel, int value, int width, const unsigned* grid,
                                                                              const void* const* arguments) {
  static const std::map<std::string, Launch>* const variants[3][2] = {{&float32::kernels, &float32_wide::kernels},
                                                                      {&bfloat16::kernels, &bfloat16_wide::kernels},
                                                                      {&float16::kernels, &float16_wide::kernels}};
  const auto& kernels = *variants[value][width == 4 ? 1 : 0];
  const auto found = kernels.find(kernel);
  if (found == kernels.end()) return 1;
  found->second(grid, arguments);
  return 0;
}
