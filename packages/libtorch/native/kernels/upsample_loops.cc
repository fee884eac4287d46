// Compiled several times, with the flags of one kind of vector unit each.
#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "upsample.h"
#include "vectors.h"

namespace ronasmis {

namespace {

// Values that make up a piece of work worth giving to another thread.
constexpr int64_t kUpsampledValues = 16384;

// An upsampled value is x[low] + weight * (x[high] - x[low]).
struct Sample {
  int64_t low;
  int64_t high;
  float weight;
};

// libtorch's rule with align_corners=false: the centre of output `at` lies at (at + 1/2) / stride - 1/2, not below 0.
Sample sample(const UpsampledAxis& axis, int64_t at) {
  const int64_t doubled = std::max<int64_t>(0, 2 * at + 1 - axis.stride);
  const int64_t low = doubled / (2 * axis.stride);
  if (low >= axis.from - 1) return {axis.from - 1, axis.from - 1, 0.0F};
  return {low, low + 1, static_cast<float>(doubled % (2 * axis.stride)) / static_cast<float>(2 * axis.stride)};
}

std::vector<Sample> samples(const UpsampledAxis& axis) {
  std::vector<Sample> result(axis.to);
  for (int64_t at = 0; at < axis.to; ++at) result[at] = sample(axis, at);
  return result;
}

Vector between(const Vector& low, const Vector& high, const Vector& weight) { return at::vec::fmadd(high - low, weight, low); }

// Calls `body(offset, lanes)` for `count` values that lie one after the other.
template <typename Body>
void for_vectors(int64_t count, Body&& body) {
  int64_t at = 0;
  for (; at + kLanes <= count; at += kLanes) body(at, kLanes);
  if (at < count) body(at, count - at);
}

// A row of the input's width, between four rows of the input.
template <typename Value>
void blend_rows(const Value* input, const Upsampling& u, const Sample& depth, const Sample& height, float* row) {
  const int64_t length = u.width.from * u.channels;
  const auto row_at = [&](int64_t d, int64_t h) { return input + (d * u.height.from + h) * length; };
  const Vector by_height(height.weight);
  const Vector by_depth(depth.weight);
  const Value* front[] = {row_at(depth.low, height.low), row_at(depth.low, height.high)};
  const Value* back[] = {row_at(depth.high, height.low), row_at(depth.high, height.high)};
  const auto in_plane = [&](const Value* const* rows, int64_t at, int64_t lanes) {
    return between(load(rows[0] + at, lanes), load(rows[1] + at, lanes), by_height);
  };
  if (depth.weight == 0 && height.weight == 0) {
    for_vectors(length, [&](int64_t at, int64_t lanes) { store(load(front[0] + at, lanes), row + at, lanes); });
  } else if (depth.weight == 0) {
    for_vectors(length, [&](int64_t at, int64_t lanes) { store(in_plane(front, at, lanes), row + at, lanes); });
  } else {
    for_vectors(length, [&](int64_t at, int64_t lanes) {
      store(between(in_plane(front, at, lanes), in_plane(back, at, lanes), by_depth), row + at, lanes);
    });
  }
}

template <typename Value>
void forward(const Upsampling& u, const Value* input, const Value* const* addends, int64_t count, Value* output) {
  const std::vector<Sample> along_width = samples(u.width);
  const int64_t channels = u.channels;
  const int64_t length = u.width.to * channels;
  const int64_t volume = u.depth.from * u.height.from * u.width.from * channels;
  const auto finish = [&](Vector value, int64_t at, int64_t lanes) {
    for (int64_t i = 0; i < count; ++i) value = value + load(addends[i] + at, lanes);
    store(value, output + at, lanes);
  };
  at::parallel_for(0, u.batch * u.depth.to * u.height.to, std::max<int64_t>(1, kUpsampledValues / length), [&](int64_t begin, int64_t end) {
    std::vector<float> buffer(u.width.from * channels);
    float* row = buffer.data();
    for (int64_t index = begin; index < end; ++index) {
      const Sample depth = sample(u.depth, index / u.height.to % u.depth.to);
      blend_rows(input + index / (u.height.to * u.depth.to) * volume, u, depth, sample(u.height, index % u.height.to), row);
      const int64_t start = index * length;
      if (u.width.stride == 1) {
        for_vectors(length, [&](int64_t at, int64_t lanes) { finish(load(row + at, lanes), start + at, lanes); });
        continue;
      }
      for (int64_t w = 0; w < u.width.to; ++w) {
        const float* low = row + along_width[w].low * channels;
        const float* high = row + along_width[w].high * channels;
        const Vector weight(along_width[w].weight);
        for_vectors(channels, [&](int64_t at, int64_t lanes) {
          finish(between(load(low + at, lanes), load(high + at, lanes), weight), start + w * channels + at, lanes);
        });
      }
    }
  });
}

// Of each input sample, the outputs that it is a part of, which are neighbours, and its weight in each.
struct Shares {
  int64_t most;
  std::vector<int64_t> first;
  std::vector<int64_t> count;
  std::vector<float> weights;  // [input sample, most]

  explicit Shares(const UpsampledAxis& axis)
      : most(std::min(axis.to, 2 * axis.stride)), first(axis.from, 0), count(axis.from, 0), weights(axis.from * most, 0.0F) {
    for (int64_t at = 0; at < axis.to; ++at) {
      const Sample found = sample(axis, at);
      add(found.low, at, 1 - found.weight);
      add(found.high, at, found.weight);
    }
  }
  void add(int64_t from, int64_t at, float weight) {
    if (weight == 0) return;
    if (count[from] == 0) first[from] = at;
    count[from] = at - first[from] + 1;
    weights[from * most + at - first[from]] = weight;
  }
  // Sum over the outputs of input sample `from`: `values` are of output 0, and `distance` apart from each other.
  template <typename Value>
  Vector gather(int64_t from, const Value* values, int64_t distance, int64_t lanes) const {
    const float* weight = weights.data() + from * most;
    const Value* value = values + first[from] * distance;
    Vector sum(0.0F);
    for (int64_t i = 0; i < count[from]; ++i) sum = at::vec::fmadd(load(value + i * distance, lanes), Vector(weight[i]), sum);
    return sum;
  }
};

// One plane of the gradient, summed along its width and height.
template <typename Value>
void reduce_plane(const Upsampling& u, const Shares& along_width, const Value* gradient, float* plane) {
  const int64_t channels = u.channels;
  const int64_t length = u.width.from * channels;
  std::fill_n(plane, u.height.from * length, 0.0F);
  for (int64_t h = 0; h < u.height.to; ++h) {
    const Sample height = sample(u.height, h);
    const Value* row = gradient + h * u.width.to * channels;
    float* low = plane + height.low * length;
    float* high = plane + height.high * length;
    const Vector low_weight(1 - height.weight);
    const Vector high_weight(height.weight);
    for (int64_t w = 0; w < u.width.from; ++w) {
      for_vectors(channels, [&](int64_t channel, int64_t lanes) {
        const Vector sum = along_width.gather(w, row + channel, channels, lanes);
        const int64_t at = w * channels + channel;
        store(at::vec::fmadd(sum, low_weight, load(low + at, lanes)), low + at, lanes);
        if (height.weight > 0) store(at::vec::fmadd(sum, high_weight, load(high + at, lanes)), high + at, lanes);
      });
    }
  }
}

template <typename Value>
void backward(const Upsampling& u, const Value* gradient, float* planes, Value* result) {
  const Shares along_width(u.width);
  const Shares along_depth(u.depth);
  const int64_t plane = u.height.from * u.width.from * u.channels;
  const int64_t whole = u.height.to * u.width.to * u.channels;
  // One volume after the other, so that its planes are still in the cache when they are summed along the depth.
  for (int64_t batch = 0; batch < u.batch; ++batch) {
    at::parallel_for(0, u.depth.to, std::max<int64_t>(1, kUpsampledValues / whole), [&](int64_t begin, int64_t end) {
      for (int64_t d = begin; d < end; ++d) reduce_plane(u, along_width, gradient + (batch * u.depth.to + d) * whole, planes + d * plane);
    });
    at::parallel_for(0, u.depth.from, std::max<int64_t>(1, kUpsampledValues / plane), [&](int64_t begin, int64_t end) {
      for (int64_t d = begin; d < end; ++d) {
        Value* sum = result + (batch * u.depth.from + d) * plane;
        for_vectors(plane, [&](int64_t at, int64_t lanes) { store(along_depth.gather(d, planes + at, plane, lanes), sum + at, lanes); });
      }
    });
  }
}

const UpsampleLoops kUpsampleLoops = {
    [](const Upsampling& u, const void* input, const void* const* addends, int64_t count, void* output) {
      with_type(u.bfloat16, [&]<typename Value>(Value*) {
        std::vector<const Value*> typed(count);
        for (int64_t i = 0; i < count; ++i) typed[i] = static_cast<const Value*>(addends[i]);
        forward(u, static_cast<const Value*>(input), typed.data(), count, static_cast<Value*>(output));
      });
    },
    [](const Upsampling& u, const void* gradient, float* planes, void* result) {
      with_type(u.bfloat16, [&]<typename Value>(Value*) {
        backward(u, static_cast<const Value*>(gradient), planes, static_cast<Value*>(result));
      });
    },
};

}  // namespace

const UpsampleLoops& RONASMIS_LOOPS(upsample_loops)() { return kUpsampleLoops; }

}  // namespace ronasmis
