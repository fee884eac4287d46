// Predictions on another grid of the same extent: ronasmis::resample_argmax and ronasmis::resample_softmax, on a processor. Class
// probabilities are interpolated linearly, or the logits themselves; along `nearest_axis` nothing is. Each class of each plane is computed as it
// is needed, so nothing of the logits' size is allocated.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "logits.h"
#include "resample.h"

namespace ronasmis {

namespace {

// Voxels that are worth a thread.
constexpr int64_t kGrainVoxels = 16384;

// How logits get onto another grid.
struct Resampling {
  at::IntArrayRef size;
  std::optional<int64_t> nearest_axis;
  // Whether they are interpolated themselves, and not the probabilities.
  bool interpolates_logits;
};

// One plane of a volume's logits, and what its voxels' logits are less by than the logarithms of their probabilities.
template <typename Value>
class Plane {
 public:
  Plane(const Logits& logits, int64_t voxels, bool of_logits) : logits_(logits), of_logits_(of_logits), normalisers_(of_logits ? 0 : voxels) {}

  // Moves to the plane whose first voxel is `first`, of volume `batch`.
  void read(int64_t batch, int64_t first) {
    const Value* values = static_cast<const Value*>(logits_.data) + batch * logits_.classes * logits_.voxels + first * logits_.voxel_stride;
    if (values == values_) return;
    values_ = values;
    for (size_t i = 0; i < normalisers_.size(); ++i) {
      float largest = -std::numeric_limits<float>::infinity();
      for (int64_t c = 0; c < logits_.classes; ++c) largest = std::max(largest, logit(c, i));
      float sum = 0;
      for (int64_t c = 0; c < logits_.classes; ++c) sum += std::exp(logit(c, i) - largest);
      normalisers_[i] = largest + std::log(sum);
    }
  }

  // What is interpolated.
  float value(int64_t c, int64_t voxel) const { return of_logits_ ? logit(c, voxel) : std::exp(logit(c, voxel) - normalisers_[voxel]); }

 private:
  float logit(int64_t c, int64_t voxel) const { return static_cast<float>(values_[c * logits_.class_stride + voxel * logits_.voxel_stride]); }

  const Logits& logits_;
  const bool of_logits_;
  const Value* values_ = nullptr;
  std::vector<float> normalisers_;
};

float mix(float below, float above, double weight) { return below + static_cast<float>(weight) * (above - below); }

// Calls what `make_body` makes for each thread, in parallel, for every row of the other grid: `body(plane among those of all volumes, class,
// row, values)`. A plane belongs to one thread, its classes come in their order.
template <typename Value, typename MakeBody>
void for_rows(const at::Tensor& tensor, const Resampling& how, MakeBody&& make_body) {
  const at::IntArrayRef size = how.size;
  const Logits logits = logits_of(tensor);
  const int64_t width = tensor.size(4);
  const int64_t plane_voxels = tensor.size(3) * width;
  std::array<std::vector<Between>, 3> axes;
  for (int64_t axis = 0; axis < 3; ++axis) axes[axis] = between_voxels(size[axis], tensor.size(axis + 2), axis == how.nearest_axis);
  at::parallel_for(0, logits.batch * size[0], std::max<int64_t>(1, kGrainVoxels / (size[1] * size[2])), [&](int64_t begin, int64_t end) {
    Plane<Value> below(logits, plane_voxels, how.interpolates_logits);
    Plane<Value> above(logits, plane_voxels, how.interpolates_logits);
    std::vector<float> mixed(plane_voxels);
    std::vector<float> line(width);
    std::vector<float> row(size[2]);
    auto body = make_body();
    for (int64_t index = begin; index < end; ++index) {
      const Between& z = axes[0][index % size[0]];
      below.read(index / size[0], z.below * plane_voxels);
      if (z.weight > 0) above.read(index / size[0], z.above * plane_voxels);
      for (int64_t c = 0; c < logits.classes; ++c) {
        for (int64_t i = 0; i < plane_voxels; ++i) {
          mixed[i] = below.value(c, i);
          if (z.weight > 0) mixed[i] = mix(mixed[i], above.value(c, i), z.weight);
        }
        for (int64_t y = 0; y < size[1]; ++y) {
          const Between& at = axes[1][y];
          for (int64_t x = 0; x < width; ++x) line[x] = mix(mixed[at.below * width + x], mixed[at.above * width + x], at.weight);
          for (int64_t x = 0; x < size[2]; ++x) row[x] = mix(line[axes[2][x].below], line[axes[2][x].above], axes[2][x].weight);
          body(index, c, y, row.data());
        }
      }
    }
  });
}

at::Tensor checked(const at::Tensor& given, const Resampling& how) {
  const auto& [size, nearest_axis, interpolates_logits] = how;
  const at::Tensor tensor = checked_logits(given.detach());
  TORCH_CHECK(tensor.device().is_cpu(), "the logits must be on the CPU");
  TORCH_CHECK(size.size() == 3 && *std::min_element(size.begin(), size.end()) > 0, "a size must be three positive numbers, not ", size);
  TORCH_CHECK(!nearest_axis || (*nearest_axis >= 0 && *nearest_axis < 3), "the axis must be 0, 1 or 2, not ", *nearest_axis);
  return tensor;
}

template <typename MakeBody>
void for_rows_of_type(const at::Tensor& tensor, const Resampling& how, MakeBody&& make_body) {
  if (tensor.scalar_type() == at::kBFloat16) for_rows<c10::BFloat16>(tensor, how, make_body);
  else for_rows<float>(tensor, how, make_body);
}

at::Tensor resample_argmax(const at::Tensor& given, at::IntArrayRef size, std::optional<int64_t> nearest_axis, bool interpolates_logits) {
  const Resampling how{size, nearest_axis, interpolates_logits};
  const at::Tensor tensor = checked(given, how);
  TORCH_CHECK(tensor.size(1) <= 256, "a uint8 has no room for ", tensor.size(1), " classes");
  at::Tensor labels = at::empty({tensor.size(0), size[0], size[1], size[2]}, at::kByte);
  auto* target = labels.mutable_data_ptr<uint8_t>();
  for_rows_of_type(tensor, how, [&] {
    return [target, size, largest = std::vector<float>(size[1] * size[2])](int64_t plane, int64_t c, int64_t y, const float* row) mutable {
      float* most = largest.data() + y * size[2];
      uint8_t* label = target + (plane * size[1] + y) * size[2];
      for (int64_t x = 0; x < size[2]; ++x) {
        if (c > 0 && !(row[x] > most[x])) continue;
        most[x] = row[x];
        label[x] = static_cast<uint8_t>(c);
      }
    };
  });
  return labels;
}

at::Tensor resample_softmax(const at::Tensor& given, at::IntArrayRef size, std::optional<int64_t> nearest_axis, bool interpolates_logits) {
  const Resampling how{size, nearest_axis, interpolates_logits};
  const at::Tensor tensor = checked(given, how);
  const int64_t classes = tensor.size(1);
  at::Tensor values = at::empty({tensor.size(0), classes, size[0], size[1], size[2]}, at::kFloat);
  auto* target = values.mutable_data_ptr<float>();
  for_rows_of_type(tensor, how, [&] {
    return [=](int64_t plane, int64_t c, int64_t y, const float* row) {
      const int64_t volume = plane / size[0] * classes + c;
      std::copy(row, row + size[2], target + ((volume * size[0] + plane % size[0]) * size[1] + y) * size[2]);
    };
  });
  return interpolates_logits ? at::softmax(values, 1) : values;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(ronasmis, library) {
  library.def("resample_argmax(Tensor logits, int[3] size, int? nearest_axis=None, bool interpolates_logits=False) -> Tensor", resample_argmax);
  library.def("resample_softmax(Tensor logits, int[3] size, int? nearest_axis=None, bool interpolates_logits=False) -> Tensor", resample_softmax);
}

}  // namespace ronasmis
