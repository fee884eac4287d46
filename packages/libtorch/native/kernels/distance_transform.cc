// The exact squared Euclidean distance transform of Felzenszwalb & Huttenlocher, "Distance Transforms of Sampled Functions" (2012): one
// axis after the other, by the lower envelope of a parabola over each voxel of a line, in time that is linear in the number of voxels.
#include "distance_transform.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace ronasmis {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Voxels that are worth a thread.
constexpr int64_t kGrainDistances = 16384;

// The first axis, where all is 0 or infinite: the nearest seed of a row is the last one before or the first one behind.
void transform_row(const uint8_t* seeds, int64_t count, double spacing, double* distances) {
  int64_t seed = -1;
  for (int64_t i = 0; i < count; ++i) {
    if (seeds[i]) {
      // Between two seeds, each voxel belongs to the nearer one; before the first there is only that.
      const int64_t middle = seed < 0 ? 0 : (seed + i) / 2 + 1;
      for (int64_t j = middle; j < i; ++j) distances[j] = spacing * spacing * static_cast<double>((i - j) * (i - j));
      distances[i] = 0;
      seed = i;
    } else {
      distances[i] = seed < 0 ? kInfinity : spacing * spacing * static_cast<double>((i - seed) * (i - seed));
    }
  }
}

// What the envelope of one line needs.
class Envelope {
 public:
  Envelope(int64_t longest, double spacing)
      : spacing_(spacing), inverse_square_(1 / (spacing * spacing)), line_(longest), heights_(longest), vertices_(longest), bounds_(longest + 1), halves_(longest) {
    for (int64_t i = 1; i < longest; ++i) halves_[i] = 0.5 / static_cast<double>(i);
  }

  // Transforms, in place, `count` values that lie `stride` apart.
  void transform(double* values, int64_t count, int64_t stride) {
    const int64_t last = build(values, count, stride);
    if (last < 0) return;
    bounds_[last + 1] = kInfinity;
    for (int64_t i = 0, lowest = 0; i < count; ++i) {
      while (bounds_[lowest + 1] < static_cast<double>(i)) ++lowest;
      const int64_t vertex = vertices_[lowest];
      const double away = static_cast<double>(i - vertex) * spacing_;
      values[i * stride] = away * away + line_[vertex];
    }
  }

 private:
  // The parabolas that are somewhere the lowest, from left to right, and from where on, counted in voxels; the index of the last.
  int64_t build(const double* values, int64_t count, int64_t stride) {
    int64_t last = -1;
    for (int64_t i = 0; i < count; ++i) {
      const double value = values[i * stride];
      line_[i] = value;
      if (value == kInfinity) continue;  // is never the lowest
      const double height = value * inverse_square_ + static_cast<double>(i) * static_cast<double>(i);
      double bound = -kInfinity;
      for (; last >= 0; --last) {
        bound = (height - heights_[last]) * halves_[i - vertices_[last]];
        if (bound > bounds_[last]) break;
        bound = -kInfinity;
      }
      ++last;
      vertices_[last] = i;
      heights_[last] = height;
      bounds_[last] = bound;
    }
    return last;
  }

  double spacing_;
  double inverse_square_;
  std::vector<double> line_;       // the values before
  std::vector<double> heights_;    // of each parabola of the envelope where it meets the line's first voxel, in squared voxels
  std::vector<int64_t> vertices_;  // the voxel that each stands over
  std::vector<double> bounds_;     // from where on each is the lowest
  std::vector<double> halves_;     // 1 / (2 i): multiplying is several times faster than dividing
};

// Runs the lines of one axis, `count` voxels `stride` apart: in each of `blocks` blocks, `stride` lines side by side.
void transform_axis(double* values, int64_t blocks, int64_t count, int64_t stride, double spacing) {
  const int64_t lines = blocks * stride;
  at::parallel_for(0, lines, std::max<int64_t>(1, kGrainDistances / count), [&](int64_t begin, int64_t end) {
    Envelope envelope(count, spacing);
    for (int64_t line = begin; line < end; ++line)
      envelope.transform(values + line / stride * stride * count + line % stride, count, stride);
  });
}

}  // namespace

void squared_distance_transform(const Grid& grid, const uint8_t* seeds, double* distances) {
  const auto [depth, height, width] = grid.shape;
  if (grid.voxels() == 0) return;
  const int64_t row = width;
  at::parallel_for(0, depth * height, std::max<int64_t>(1, kGrainDistances / row), [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) transform_row(seeds + line * row, row, grid.spacing[2], distances + line * row);
  });
  transform_axis(distances, depth, height, row, grid.spacing[1]);
  transform_axis(distances, 1, depth, height * row, grid.spacing[0]);
}

}  // namespace ronasmis
