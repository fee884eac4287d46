// Exact Euclidean distances on a grid of voxels.
#pragma once

#include <array>
#include <cstdint>

namespace ronasmis {

// Voxels along [depth, height, width], in row-major order, and how far apart neighbours are.
struct Grid {
  std::array<int64_t, 3> shape;
  std::array<double, 3> spacing;

  int64_t voxels() const { return shape[0] * shape[1] * shape[2]; }
};

// Writes for every voxel the squared distance to the nearest one of `seeds` (0 or 1 each); infinity where there is none.
void squared_distance_transform(const Grid& grid, const uint8_t* seeds, double* distances);

}  // namespace ronasmis
