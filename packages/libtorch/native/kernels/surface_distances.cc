// ronasmis::squared_distance_transform and ronasmis::surface_distances, on a processor.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <cmath>
#include <tuple>
#include <vector>

#include "distance_transform.h"

namespace ronasmis {

namespace {

// 8 bytes each in the transform; far more than any scan has.
constexpr int64_t kMostVoxels = int64_t{1} << 31;
constexpr double kSmallestSpacing = 1e-50;
constexpr double kLargestSpacing = 1e50;  // so that squares and their quotients stay finite

Grid grid_of(const at::Tensor& mask, at::ArrayRef<double> spacing) {
  TORCH_CHECK(mask.dim() == 3, "a mask must be [depth, height, width], not ", mask.sizes());
  TORCH_CHECK(mask.scalar_type() == at::kBool || mask.scalar_type() == at::kByte, "a mask must be bool or uint8, not ", mask.scalar_type());
  TORCH_CHECK(mask.device().is_cpu() && mask.layout() == at::kStrided, "a mask must be a dense tensor on the CPU");
  TORCH_CHECK(mask.numel() <= kMostVoxels, "a mask can have ", kMostVoxels, " voxels at most, not ", mask.numel());
  TORCH_CHECK(spacing.size() == 3, "spacing must have 3 values, for [depth, height, width], not ", spacing.size());
  for (const double millimetres : spacing)
    TORCH_CHECK(millimetres >= kSmallestSpacing && millimetres <= kLargestSpacing, "spacing must be positive and finite, not ", spacing);
  return {{mask.size(0), mask.size(1), mask.size(2)}, {spacing[0], spacing[1], spacing[2]}};
}

// 0 or 1 for each voxel, one behind the other.
at::Tensor packed(const at::Tensor& mask) { return mask.ne(0).contiguous(); }

const uint8_t* bytes(const at::Tensor& packed) { return static_cast<const uint8_t*>(packed.const_data_ptr()); }

at::Tensor transform(const at::Tensor& seeds, at::ArrayRef<double> spacing) {
  const Grid grid = grid_of(seeds, spacing);
  at::Tensor distances = at::empty(seeds.sizes(), at::kDouble);
  squared_distance_transform(grid, bytes(packed(seeds)), distances.mutable_data_ptr<double>());
  return distances;
}

// The voxels of a mask that have a face neighbour outside of it; beyond the grid is outside.
std::vector<uint8_t> surface_of(const Grid& grid, const uint8_t* mask) {
  const auto [depth, height, width] = grid.shape;
  const int64_t row = width;
  const int64_t plane = height * row;
  std::vector<uint8_t> surface(mask, mask + grid.voxels());
  for (int64_t z = 1; z < depth - 1; ++z) {
    for (int64_t y = 1; y < height - 1; ++y) {
      const uint8_t* in = mask + z * plane + y * row;
      uint8_t* out = surface.data() + z * plane + y * row;
      for (int64_t x = 1; x < row - 1; ++x)
        out[x] = in[x] & ~(in[x - 1] & in[x + 1] & in[x - row] & in[x + row] & in[x - plane] & in[x + plane]);
    }
  }
  return surface;
}

// The distance of every voxel of one surface to the nearest of the other, in the order of the voxels.
at::Tensor distances_between(const Grid& grid, const std::vector<uint8_t>& from, const std::vector<uint8_t>& to, double* squared) {
  squared_distance_transform(grid, to.data(), squared);
  int64_t count = 0;
  for (const uint8_t set : from) count += set;
  at::Tensor distances = at::empty({count}, at::kDouble);
  double* next = distances.mutable_data_ptr<double>();
  for (size_t voxel = 0; voxel < from.size(); ++voxel)
    if (from[voxel]) *next++ = std::sqrt(squared[voxel]);
  return distances;
}

std::tuple<at::Tensor, at::Tensor> surface_distances(const at::Tensor& first, const at::Tensor& second, at::ArrayRef<double> spacing) {
  const Grid grid = grid_of(first, spacing);
  grid_of(second, spacing);
  TORCH_CHECK(first.sizes() == second.sizes(), "both masks must have one shape, not ", first.sizes(), " and ", second.sizes());
  const std::vector<uint8_t> from = surface_of(grid, bytes(packed(first)));
  const std::vector<uint8_t> to = surface_of(grid, bytes(packed(second)));
  const at::Tensor squared = at::empty(first.sizes(), at::kDouble);
  return {distances_between(grid, from, to, squared.mutable_data_ptr<double>()), distances_between(grid, to, from, squared.mutable_data_ptr<double>())};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(ronasmis, library) {
  library.def("squared_distance_transform(Tensor seeds, float[] spacing) -> Tensor", transform);
  library.def("surface_distances(Tensor first, Tensor second, float[] spacing) -> (Tensor, Tensor)", surface_distances);
}

}  // namespace ronasmis
