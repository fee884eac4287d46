// A volume's interleaved sub-volumes, and back: ronasmis::interleave and ronasmis::deinterleave, each the other's backward.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>
#include <cstring>

#include "interleaving.h"

namespace ronasmis {

namespace {

// Voxels that make up a piece of work worth giving to another thread.
constexpr int64_t kMovedVoxels = 1024;

// Calls `body(voxel, sub-voxel, count)` in parallel for every row of every sub-volume: its first `count` voxels, from `sub-voxel` on,
// are every `dilation`-th of the volume from `voxel` on, and its others are padding. In the volume's order, which is read once.
template <typename Body>
void for_rows(const Interleaving& s, Body&& body) {
  const int64_t step = s.dilation;
  const int64_t planes = s.part[0] * step;
  const int64_t rows = s.part[1] * step;
  const int64_t grain = std::max<int64_t>(1, kMovedVoxels / (s.part[2] * step));
  at::parallel_for(0, s.batch * planes * rows, grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t y = row % rows;
      const int64_t z = row / rows % planes;
      const int64_t batch = row / rows / planes;
      const int64_t voxel = ((batch * s.size[0] + z) * s.size[1] + y) * s.size[2];
      for (int64_t x = 0; x < step; ++x) {
        const int64_t sub_volume = ((batch * step + z % step) * step + y % step) * step + x;
        const int64_t sub_voxel = ((sub_volume * s.part[0] + z / step) * s.part[1] + y / step) * s.part[2];
        body(voxel + x, sub_voxel, s.valid(z, y, x));
      }
    }
  });
}

at::Tensor empty_volumes(const at::Tensor& like, int64_t batch, const int64_t (&size)[3]) {
  return at::empty({batch, like.size(1), size[0], size[1], size[2]}, like.options().memory_format(at::MemoryFormat::ChannelsLast3d));
}

int64_t voxel_bytes(const at::Tensor& x) { return x.size(1) * static_cast<int64_t>(x.element_size()); }

at::Tensor interleaved(const at::Tensor& input, int64_t dilation) {
  const at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast3d);
  const Interleaving s(x.size(0), dilation, x.sizes().slice(2));
  at::Tensor result = empty_volumes(x, s.batch * s.sub_volumes(), s.part);
  const int64_t bytes = voxel_bytes(x);
  const auto* from = static_cast<const char*>(x.const_data_ptr());
  auto* to = static_cast<char*>(result.mutable_data_ptr());
  for_rows(s, [&](int64_t voxel, int64_t sub_voxel, int64_t count) {
    for (int64_t i = 0; i < count; ++i) std::memcpy(to + (sub_voxel + i) * bytes, from + (voxel + i * dilation) * bytes, bytes);
    std::memset(to + (sub_voxel + count) * bytes, 0, (s.part[2] - count) * bytes);
  });
  return result;
}

at::Tensor deinterleaved(const at::Tensor& input, int64_t dilation, at::IntArrayRef size) {
  const at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast3d);
  const Interleaving s = Interleaving::of(x, dilation, size);
  at::Tensor result = empty_volumes(x, s.batch, s.size);
  const int64_t bytes = voxel_bytes(x);
  const auto* from = static_cast<const char*>(x.const_data_ptr());
  auto* to = static_cast<char*>(result.mutable_data_ptr());
  for_rows(s, [&](int64_t voxel, int64_t sub_voxel, int64_t count) {
    for (int64_t i = 0; i < count; ++i) std::memcpy(to + (voxel + i * dilation) * bytes, from + (sub_voxel + i) * bytes, bytes);
  });
  return result;
}

void check(const at::Tensor& input) {
  TORCH_CHECK(input.dim() == 5 && input.numel() > 0, "the input must be [batch, channel, depth, height, width] and not empty, not ", input.sizes());
  TORCH_CHECK(input.device().is_cpu(), "the input must be on the CPU");
}

class Interleave : public torch::autograd::Function<Interleave> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input, int64_t dilation) {
    check(input);
    const at::AutoDispatchBelowADInplaceOrView below;
    context->saved_data["dilation"] = dilation;
    context->saved_data["size"] = input.sizes().slice(2).vec();
    return interleaved(input, dilation);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, torch::autograd::variable_list gradients) {
    return {deinterleaved(gradients[0], context->saved_data["dilation"].toInt(), context->saved_data["size"].toIntVector()), at::Tensor()};
  }
};

class Deinterleave : public torch::autograd::Function<Deinterleave> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input, int64_t dilation, at::IntArrayRef size) {
    check(input);
    const at::AutoDispatchBelowADInplaceOrView below;
    context->saved_data["dilation"] = dilation;
    return deinterleaved(input, dilation, size);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, torch::autograd::variable_list gradients) {
    return {interleaved(gradients[0], context->saved_data["dilation"].toInt()), at::Tensor(), at::Tensor()};
  }
};

at::Tensor interleave(const at::Tensor& input, int64_t dilation) { return Interleave::apply(input, dilation); }

at::Tensor deinterleave(const at::Tensor& input, int64_t dilation, at::IntArrayRef size) { return Deinterleave::apply(input, dilation, size); }

}  // namespace

TORCH_LIBRARY_FRAGMENT(ronasmis, library) {
  library.def("interleave(Tensor input, int dilation) -> Tensor", interleave);
  library.def("deinterleave(Tensor input, int dilation, int[3] size) -> Tensor", deinterleave);
}

}  // namespace ronasmis
