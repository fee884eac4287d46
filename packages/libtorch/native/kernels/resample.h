// Where the voxels of one grid lie on another that covers the same extent: both begin and end at the same edges, as the grids of scikit-image's
// `resize` do. Beyond its first and last voxel, a volume goes on as these are ("edge", "nearest").
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace ronasmis {

// The place of voxel `index` of `size` along an axis, counted in the `from` voxels of the other grid: -0.5 is its edge.
inline double place_of(int64_t index, int64_t size, int64_t from) {
  return static_cast<double>(from) / static_cast<double>(size) * (static_cast<double>(index) + 0.5) - 0.5;
}

inline int64_t nearest_voxel(double place, int64_t from) {
  return std::clamp<int64_t>(static_cast<int64_t>(std::floor(place + 0.5)), 0, from - 1);
}

// A place between two voxels, by linear weights: `above` counts `weight`, `below` the rest.
struct Between {
  int64_t below;
  int64_t above;
  double weight;
};

// Of each of `size` voxels, the two of `from` that it lies between; the nearest one alone where `nearest`.
inline std::vector<Between> between_voxels(int64_t size, int64_t from, bool nearest = false) {
  std::vector<Between> all(size);
  for (int64_t i = 0; i < size; ++i) {
    const double place = place_of(i, size, from);
    const double below = std::floor(place);
    const auto voxel = [&](double at) { return std::clamp<int64_t>(static_cast<int64_t>(at), 0, from - 1); };
    if (nearest) all[i] = {nearest_voxel(place, from), nearest_voxel(place, from), 0};
    else all[i] = {voxel(below), voxel(below + 1), place - below};
  }
  return all;
}

}  // namespace ronasmis
