// What the host's side of all the GPU's kernels shares.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <initializer_list>
#include <limits>

#include "arguments.h"
#include "driver.h"

namespace ronasmis::cuda {

// Whether the GPU's kernels compute what this tensor is given to.
inline bool takes(const at::Tensor& tensor) { return tensor.is_cuda() || (emulated() && tensor.is_cpu()); }

// Throws where neither a processor's loops nor the GPU's kernels can read the tensor, called `name`.
inline void check_readable(const at::Tensor& tensor, const char* name) {
  TORCH_CHECK(tensor.is_cpu() || tensor.is_cuda(), name, " must be on a processor or an NVIDIA GPU, not on ", tensor.device());
  const at::ScalarType type = tensor.scalar_type();
  TORCH_CHECK(type == at::kFloat || type == at::kBFloat16 || (type == at::kHalf && takes(tensor)), name, " must be float32 or bfloat16",
              takes(tensor) ? " or float16" : "");
}

// A source compiled for a tensor's data type, of which threads read `width` values at once.
inline Variant variant_of(const char* file, const at::Tensor& tensor, int width = 1) {
  const at::ScalarType type = tensor.scalar_type();
  return {file, type == at::kBFloat16 ? 1 : type == at::kHalf ? 2 : 0, width};
}

// How many neighbouring channels of channels_last_3d volumes can be read at once.
inline int width_of(int64_t channels, std::initializer_list<at::Tensor> volumes) {
  bool wide = channels % 4 == 0;
  for (const at::Tensor& volume : volumes)
    wide = wide && reinterpret_cast<uintptr_t>(volume.const_data_ptr()) % (4 * volume.element_size()) == 0;
  return wide ? 4 : 1;
}

inline int64_t divide_up(int64_t value, int64_t by) { return (value + by - 1) / by; }

// The kernels count voxels in 32 bits, and the driver takes batches of 65,535 at most.
inline int small(int64_t value, int64_t most = std::numeric_limits<int>::max()) {
  TORCH_CHECK(value <= most, "a batch or volume of ", value, " is more than the GPU's kernels take: ", most);
  return static_cast<int>(value);
}

inline unsigned batch_of(const at::Tensor& tensor) { return static_cast<unsigned>(small(tensor.size(0), 65535)); }

inline int voxels_of(const at::Tensor& volume) { return small(volume.size(2) * volume.size(3) * volume.size(4)); }

// Passes `arguments` as the kernel declares them: pointers, numbers, and what arguments.h has.
template <typename... Arguments>
void launch_kernel(const at::Tensor& on, const Variant& variant, const char* kernel, const Grid& grid, const Arguments&... arguments) {
  const void* const pointers[] = {static_cast<const void*>(&arguments)...};
  launch(on.device(), variant, kernel, grid, pointers);
}

}  // namespace ronasmis::cuda
