// Images and labels on another grid of the same extent: ronasmis::resample_cubic and ronasmis::resample_labels, on a processor.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "resample.h"

namespace ronasmis {

namespace {

// Voxels that are worth a thread.
constexpr int64_t kGrainSamples = 16384;
// Lines that are interpolated side by side.
constexpr int64_t kLines = 16;
// Voxels by which a line is continued at both ends, so that every place has four neighbours.
constexpr int64_t kPadding = 2;
// Of the recursive filter that turns values into the coefficients of a cubic B-spline through them: sqrt(3) - 2 (Unser 1999, box 2).
constexpr double kPole = -0.26794919243112270647;
constexpr double kGain = 6;

void check(const at::Tensor& volume, at::ScalarType type, at::IntArrayRef size, std::optional<int64_t> nearest_axis) {
  TORCH_CHECK(volume.dim() == 3 && volume.numel() > 0, "a volume must be [depth, height, width] and not empty, not ", volume.sizes());
  TORCH_CHECK(volume.device().is_cpu() && volume.layout() == at::kStrided && volume.scalar_type() == type, "a volume must be a dense tensor of ", type, " on the CPU");
  TORCH_CHECK(size.size() == 3 && *std::min_element(size.begin(), size.end()) > 0, "a size must be three positive numbers, not ", size);
  TORCH_CHECK(!nearest_axis || (*nearest_axis >= 0 && *nearest_axis < 3), "the axis must be 0, 1 or 2, not ", *nearest_axis);
}

// The four coefficients around each place of an axis, and what they count.
struct Taps {
  int64_t first;  // in the padded line
  std::array<double, 4> weights;
};

std::vector<Taps> taps_of(int64_t size, int64_t from) {
  std::vector<Taps> all(size);
  for (int64_t i = 0; i < size; ++i) {
    const double place = place_of(i, size, from);
    const double t = place - std::floor(place);
    const double s = 1 - t;
    all[i] = {static_cast<int64_t>(std::floor(place)) - 1 + kPadding,
              {s * s * s / 6, (4 - 6 * t * t + 3 * t * t * t) / 6, (4 - 6 * s * s + 3 * s * s * s) / 6, t * t * t / 6}};
  }
  return all;
}

// Turns `count` values of each of kLines lines into B-spline coefficients, in place. Both ends are as if the line went on constantly for ever.
void filter(double* values, int64_t count) {
  double* last = values + (count - 1) * kLines;
  std::array<double, kLines> limit;  // of the first pass, where the line has gone on for ever
  for (int64_t l = 0; l < kLines; ++l) limit[l] = kGain * last[l] / (1 - kPole);
  for (int64_t l = 0; l < kLines; ++l) values[l] *= kGain / (1 - kPole);
  for (double* value = values + kLines; value <= last; value += kLines)
    for (int64_t l = 0; l < kLines; ++l) value[l] = kGain * value[l] + kPole * value[l - kLines];
  for (int64_t l = 0; l < kLines; ++l) last[l] = -kPole * (limit[l] / (1 - kPole) + (last[l] - limit[l]) / (1 - kPole * kPole));
  for (double* value = last - kLines; value >= values; value -= kLines)
    for (int64_t l = 0; l < kLines; ++l) value[l] = kPole * (value[l + kLines] - value[l]);
}

// One axis of a volume in row-major order: `count` voxels that lie `stride` apart.
struct Axis {
  int64_t count;
  int64_t stride;

  int64_t first(int64_t line) const { return line / stride * stride * count + line % stride; }
};

// Interpolates lines [begin, end) of one axis; as many as kLines are done at once, whatever lies behind the last is not written.
void interpolate_lines(const float* source, Axis from, float* target, Axis to, const std::vector<Taps>& taps, int64_t begin, int64_t end) {
  std::vector<double> padded((from.count + 2 * kPadding) * kLines);
  for (int64_t line = begin; line < end; line += kLines) {
    const int64_t count = std::min(kLines, end - line);
    for (int64_t l = 0; l < count; ++l) {
      const float* values = source + from.first(line + l);
      for (int64_t i = -kPadding; i < from.count + kPadding; ++i)
        padded[(i + kPadding) * kLines + l] = values[std::clamp<int64_t>(i, 0, from.count - 1) * from.stride];
    }
    filter(padded.data(), from.count + 2 * kPadding);
    for (int64_t i = 0; i < to.count; ++i) {
      const auto& [first, weights] = taps[i];
      const double* at = padded.data() + first * kLines;
      std::array<double, kLines> sums;
      for (int64_t l = 0; l < kLines; ++l)
        sums[l] = weights[0] * at[l] + weights[1] * at[kLines + l] + weights[2] * at[2 * kLines + l] + weights[3] * at[3 * kLines + l];
      for (int64_t l = 0; l < count; ++l) target[to.first(line + l) + i * to.stride] = static_cast<float>(sums[l]);
    }
  }
}

at::Tensor cubic_along(const at::Tensor& volume, int64_t axis, int64_t size) {
  auto shape = volume.sizes().vec();
  shape[axis] = size;
  at::Tensor result = at::empty(shape, volume.options());
  const Axis from{volume.size(axis), volume.stride(axis)};
  const Axis to{size, volume.stride(axis)};
  const int64_t lines = volume.numel() / from.count;
  const std::vector<Taps> taps = taps_of(size, from.count);
  const auto* source = volume.const_data_ptr<float>();
  auto* target = result.mutable_data_ptr<float>();
  at::parallel_for(0, lines, std::max(kLines, kGrainSamples / from.count), [&](int64_t begin, int64_t end) {
    interpolate_lines(source, from, target, to, taps, begin, end);
  });
  return result;
}

at::Tensor nearest_along(const at::Tensor& volume, int64_t axis, int64_t size) {
  std::vector<int64_t> indices(size);
  for (int64_t i = 0; i < size; ++i) indices[i] = nearest_voxel(place_of(i, size, volume.size(axis)), volume.size(axis));
  return volume.index_select(axis, at::tensor(indices, at::kLong));
}

at::Tensor resample_cubic(const at::Tensor& volume, at::IntArrayRef size, std::optional<int64_t> nearest_axis) {
  check(volume, at::kFloat, size, nearest_axis);
  at::Tensor result = volume.contiguous();
  // What shrinks comes first, so that there is less to do for the others.
  std::array<int64_t, 3> axes{0, 1, 2};
  std::stable_sort(axes.begin(), axes.end(), [&](int64_t one, int64_t other) { return size[one] * volume.size(other) < size[other] * volume.size(one); });
  for (const int64_t axis : axes) {
    if (size[axis] == volume.size(axis)) continue;
    result = axis == nearest_axis ? nearest_along(result, axis, size[axis]) : cubic_along(result, axis, size[axis]);
  }
  // A cubic overshoots at edges: no voxel becomes brighter or darker than all of them were.
  return result.clamp(volume.min(), volume.max());
}

// The label that counts most among eight, of equal ones the largest.
uint8_t heaviest(const std::array<uint8_t, 8>& labels, const std::array<double, 8>& weights) {
  uint8_t best = 0;
  double most = -1;
  for (const uint8_t label : labels) {
    double sum = 0;
    for (size_t i = 0; i < labels.size(); ++i) sum += labels[i] == label ? weights[i] : 0;
    if (sum > most || (sum == most && label > best)) {
      most = sum;
      best = label;
    }
  }
  return best;
}

at::Tensor resample_labels(const at::Tensor& given, at::IntArrayRef size, std::optional<int64_t> nearest_axis) {
  check(given, at::kByte, size, nearest_axis);
  const at::Tensor volume = given.contiguous();
  const auto *source = volume.const_data_ptr<uint8_t>();
  at::Tensor result = at::empty(size, volume.options());
  auto* target = result.mutable_data_ptr<uint8_t>();
  std::array<std::vector<Between>, 3> axes;
  for (int64_t axis = 0; axis < 3; ++axis) axes[axis] = between_voxels(size[axis], volume.size(axis), axis == nearest_axis);
  const int64_t height = volume.size(1);
  const int64_t width = volume.size(2);
  at::parallel_for(0, size[0] * size[1], std::max<int64_t>(1, kGrainSamples / size[2]), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const auto& [z0, z1, wz] = axes[0][row / size[1]];
      const auto& [y0, y1, wy] = axes[1][row % size[1]];
      const std::array<const uint8_t*, 4> rows{source + (z0 * height + y0) * width, source + (z0 * height + y1) * width,
                                               source + (z1 * height + y0) * width, source + (z1 * height + y1) * width};
      const std::array<double, 4> weights{(1 - wz) * (1 - wy), (1 - wz) * wy, wz * (1 - wy), wz * wy};
      for (int64_t x = 0; x < size[2]; ++x) {
        const auto& [x0, x1, wx] = axes[2][x];
        std::array<uint8_t, 8> labels;
        std::array<double, 8> shares;
        bool alike = true;
        for (size_t i = 0; i < rows.size(); ++i) {
          labels[2 * i] = rows[i][x0];
          labels[2 * i + 1] = rows[i][x1];
          shares[2 * i] = weights[i] * (1 - wx);
          shares[2 * i + 1] = weights[i] * wx;
          alike = alike && labels[2 * i] == labels[0] && labels[2 * i + 1] == labels[0];
        }
        target[row * size[2] + x] = alike ? labels[0] : heaviest(labels, shares);
      }
    }
  });
  return result;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(ronasmis, library) {
  library.def("resample_cubic(Tensor volume, int[3] size, int? nearest_axis=None) -> Tensor", resample_cubic);
  library.def("resample_labels(Tensor labels, int[3] size, int? nearest_axis=None) -> Tensor", resample_labels);
}

}  // namespace ronasmis
