// Compiled several times, with the flags of one kind of vector unit each.
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "instance_norm.h"
#include "vectors.h"

namespace ronasmis {

namespace {

constexpr float kLeakySlope = 0.01F;
// Values of a piece of work, such that it stays in a core's own cache; and voxels whose sums are kept in float32 before they
// are added in float64.
constexpr int64_t kNormalisedValues = 16384;
constexpr int64_t kRunVoxels = 128;

template <Activation activation>
Vector activate(const Vector& z) {
  if constexpr (activation == Activation::kNone) return z;
  if constexpr (activation == Activation::kRelu) return at::vec::maximum(z, Vector(0.0F));
  if constexpr (activation == Activation::kLeakyRelu) return Vector::blendv(z * Vector(kLeakySlope), z, z > Vector(0.0F));
  return Vector::blendv(at::vec::minimum(z, Vector(0.0F)).expm1(), z, z > Vector(0.0F));
}

template <Activation activation>
Vector derivative(const Vector& z) {
  if constexpr (activation == Activation::kNone) return Vector(1.0F);
  if constexpr (activation == Activation::kRelu) return Vector::blendv(Vector(0.0F), Vector(1.0F), z > Vector(0.0F));
  if constexpr (activation == Activation::kLeakyRelu) return Vector::blendv(Vector(kLeakySlope), Vector(1.0F), z > Vector(0.0F));
  return Vector::blendv(at::vec::minimum(z, Vector(0.0F)).exp(), Vector(1.0F), z > Vector(0.0F));
}

// Calls `body(batch index, first voxel, voxels)` for pieces of the volume, in parallel.
template <typename Body>
void for_pieces(const Volume& volume, Body&& body) {
  const int64_t length = std::max<int64_t>(1, kNormalisedValues / volume.channels);
  const int64_t pieces = (volume.voxels + length - 1) / length;
  at::parallel_for(0, volume.batch * pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; ++piece) {
      const int64_t first = piece % pieces * length;
      body(piece / pieces, first, std::min(length, volume.voxels - first));
    }
  });
}

// Calls `body(first, end)` once for every row that has voxels in this range, with those of them that are no padding, if any.
template <typename Body>
void for_valid(const Volume& volume, int64_t from, int64_t to, Body&& body) {
  int64_t row = from / volume.row;
  for (int64_t start = row * volume.row; start < to; start += volume.row, ++row)
    body(std::max(from, start), std::min(to, start + volume.valid[row]));
}

// Adds two sums over the voxels for each channel. `terms(offset, channel, lanes, first, second)` adds one voxel's, where
// `offset` is that of the value in memory. Every piece has its own sums, added in order: the same for any number of threads.
template <typename Terms>
void reduce(const Volume& volume, double* first_sum, double* second_sum, Terms&& terms) {
  const int64_t channels = volume.channels;
  const int64_t length = std::max<int64_t>(1, kNormalisedValues / channels);
  const int64_t pieces = (volume.voxels + length - 1) / length;
  std::vector<double> partial(volume.batch * pieces * 2 * channels, 0.0);
  for_pieces(volume, [&](int64_t batch, int64_t from, int64_t count) {
    double* sums = partial.data() + (batch * pieces + from / length) * 2 * channels;
    for (int64_t channel = 0; channel < channels; channel += kLanes) {
      const int64_t lanes = std::min(kLanes, channels - channel);
      for (int64_t start = from; start < from + count; start += kRunVoxels) {
        Vector first(0.0F);
        Vector second(0.0F);
        for_valid(volume, start, std::min(from + count, start + kRunVoxels), [&](int64_t voxel, int64_t end) {
          for (; voxel < end; ++voxel)
            terms((batch * volume.voxels + voxel) * channels + channel, batch * channels + channel, lanes, first, second);
        });
        float values[2][kLanes];
        first.store(values[0]);
        second.store(values[1]);
        for (int64_t lane = 0; lane < lanes; ++lane) {
          sums[channel + lane] += values[0][lane];
          sums[channels + channel + lane] += values[1][lane];
        }
      }
    }
  });
  std::fill_n(first_sum, volume.batch * channels, 0.0);
  std::fill_n(second_sum, volume.batch * channels, 0.0);
  for (int64_t piece = 0; piece < volume.batch * pieces; ++piece) {
    const double* sums = partial.data() + piece * 2 * channels;
    for (int64_t channel = 0; channel < channels; ++channel) {
      first_sum[piece / pieces * channels + channel] += sums[channel];
      second_sum[piece / pieces * channels + channel] += sums[channels + channel];
    }
  }
}

// Calls `body(offset, channel, lanes)` for every group of neighbouring channels of every voxel, in parallel. Of padding, `result`
// becomes 0.
template <typename Value, typename Body>
void for_values(const Volume& volume, Value* result, Body&& body) {
  const int64_t channels = volume.channels;
  for_pieces(volume, [&](int64_t batch, int64_t from, int64_t count) {
    if (volume.count < volume.voxels)
      std::memset(result + (batch * volume.voxels + from) * channels, 0, count * channels * sizeof(Value));
    for (int64_t channel = 0; channel < channels; channel += kLanes) {
      const int64_t lanes = std::min(kLanes, channels - channel);
      for_valid(volume, from, from + count, [&](int64_t voxel, int64_t end) {
        for (; voxel < end; ++voxel) body((batch * volume.voxels + voxel) * channels + channel, batch * channels + channel, lanes);
      });
    }
  });
}

template <typename Value>
void sums(const Volume& volume, const Value* x, double* sum, double* square) {
  reduce(volume, sum, square, [x](int64_t at, int64_t, int64_t lanes, Vector& first, Vector& second) {
    const Vector value = load(x + at, lanes);
    first = first + value;
    second = at::vec::fmadd(value, value, second);
  });
}

template <typename Value, Activation activation>
void apply(const Volume& volume, const Value* x, const float* factor, const float* offset, Value* y) {
  for_values(volume, y, [=](int64_t at, int64_t channel, int64_t lanes) {
    const Vector z = at::vec::fmadd(load(x + at, lanes), load(factor + channel, lanes), load(offset + channel, lanes));
    store(activate<activation>(z), y + at, lanes);
  });
}

template <typename Value, Activation activation>
Vector through_activation(const Vector& x, const Value* gradient, const float* factor, const float* offset, int64_t lanes) {
  const Vector z = at::vec::fmadd(x, load(factor, lanes), load(offset, lanes));
  return load(gradient, lanes) * derivative<activation>(z);
}

template <typename Value, Activation activation>
void gradient_sums(const Volume& volume, const Value* x, const Value* gradient, const float* factor, const float* offset, double* sum,
                   double* product) {
  reduce(volume, sum, product, [=](int64_t at, int64_t channel, int64_t lanes, Vector& first, Vector& second) {
    const Vector value = load(x + at, lanes);
    const Vector g = through_activation<Value, activation>(value, gradient + at, factor + channel, offset + channel, lanes);
    first = first + g;
    second = at::vec::fmadd(g, value, second);
  });
}

template <typename Value, Activation activation>
void gradient(const Volume& volume, const Value* x, const Value* gradient, const float* factor, const float* offset, const float* slope,
              const float* constant, Value* result) {
  for_values(volume, result, [=](int64_t at, int64_t channel, int64_t lanes) {
    const Vector value = load(x + at, lanes);
    const Vector g = through_activation<Value, activation>(value, gradient + at, factor + channel, offset + channel, lanes);
    const Vector affine = at::vec::fmadd(value, load(slope + channel, lanes), load(constant + channel, lanes));
    store(at::vec::fmadd(g, load(factor + channel, lanes), affine), result + at, lanes);
  });
}

// Calls `body` with the activation as a compile-time constant.
template <typename Body>
void with_activation(Activation activation, Body&& body) {
  switch (activation) {
    case Activation::kRelu: return body(std::integral_constant<Activation, Activation::kRelu>{});
    case Activation::kLeakyRelu: return body(std::integral_constant<Activation, Activation::kLeakyRelu>{});
    case Activation::kElu: return body(std::integral_constant<Activation, Activation::kElu>{});
    case Activation::kNone: return body(std::integral_constant<Activation, Activation::kNone>{});
  }
}

const InstanceNormLoops kInstanceNormLoops = {
    [](const Volume& volume, const void* x, double* sum, double* square) {
      with_type(volume.bfloat16, [&]<typename Value>(Value*) { sums(volume, static_cast<const Value*>(x), sum, square); });
    },
    [](const Volume& volume, Activation activation, const void* x, const float* factor, const float* offset, void* y) {
      with_type(volume.bfloat16, [&]<typename Value>(Value*) {
        with_activation(activation, [&](auto constant) {
          apply<Value, constant.value>(volume, static_cast<const Value*>(x), factor, offset, static_cast<Value*>(y));
        });
      });
    },
    [](const Volume& volume, Activation activation, const void* x, const void* g, const float* factor, const float* offset, double* sum,
       double* product) {
      with_type(volume.bfloat16, [&]<typename Value>(Value*) {
        with_activation(activation, [&](auto constant) {
          gradient_sums<Value, constant.value>(volume, static_cast<const Value*>(x), static_cast<const Value*>(g), factor, offset, sum, product);
        });
      });
    },
    [](const Volume& volume, Activation activation, const void* x, const void* g, const float* factor, const float* offset,
       const float* slope, const float* shift, void* result) {
      with_type(volume.bfloat16, [&]<typename Value>(Value*) {
        with_activation(activation, [&](auto constant) {
          gradient<Value, constant.value>(volume, static_cast<const Value*>(x), static_cast<const Value*>(g), factor, offset, slope, shift,
                                          static_cast<Value*>(result));
        });
      });
    },
};

}  // namespace

const InstanceNormLoops& RONASMIS_LOOPS(instance_norm_loops)() { return kInstanceNormLoops; }

}  // namespace ronasmis
