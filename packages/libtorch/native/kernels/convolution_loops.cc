// Winograd's minimal filtering F(4, 3) along the width (Winograd 1980; Lavin & Gray 2016, "Fast algorithms for convolutional
// neural networks", section 4.3): a tile of 4 outputs takes 6 products a tap of depth and height where the plain sum takes 12. The
// input's tiles are transformed once; then each of the 6 points is a product of matrices, [tiles, in] by [in, out], added over the
// 9 taps of depth and height.
//
// A dilation d only changes where values stand: along the width every d-th voxel makes a row of its own, whose tiles are
// neighbours in the transformed plane, and along height and depth the taps are d rows and planes apart. So it costs nothing.
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <utility>

#include "convolution.h"
#include "vectors.h"
#include "winograd.h"

namespace ronasmis {

namespace {

constexpr int64_t kRowTaps = 9;  // of depth and height
// Products that are added in one register before they are added to the others: a longer chain rounds worse.
constexpr int64_t kChain = 256;
// Sums that stay in registers: AVX-512 has 32, others 16.
constexpr int64_t kSums = kLanes >= 16 ? 28 : 12;
// What a piece of work may take, such that it stays in a core's own cache.
constexpr int64_t kCacheFloats = 300'000;

struct Free {
  void operator()(float* values) const { ::operator delete[](values, std::align_val_t{64}); }
};
using Buffer = std::unique_ptr<float[], Free>;
Buffer buffer(int64_t floats) { return Buffer(static_cast<float*>(::operator new[](floats * sizeof(float), std::align_val_t{64}))); }

int64_t divide_up(int64_t value, int64_t by) { return (value + by - 1) / by; }

// Tiles of a row: those of each of the `dilation` interleaved rows after one another.
int64_t tiles_of_part(const Convolution& shape) { return divide_up(divide_up(shape.width, shape.dilation), kOutputs); }
int64_t tiles_of_row(const Convolution& shape) { return tiles_of_part(shape) * shape.dilation; }

// A part of a volume that is computed at once: planes `dilation` apart, and some of their rows.
struct VolumePiece {
  int64_t batch;
  int64_t first_plane;
  int64_t planes;
  int64_t first_row;
  int64_t rows;
};

// How volumes are cut into pieces.
struct Cut {
  int64_t planes;
  int64_t rows;
  int64_t plane_groups;  // of one of the `dilation` interleaved sets of planes
  int64_t row_groups;
  int64_t pieces;
};

Cut cut(const Convolution& shape, int64_t channels, int64_t cache_floats, int64_t least_pieces) {
  const int64_t row_floats = kPoints * tiles_of_row(shape) * divide_up(channels, kLanes) * kLanes;
  const int64_t set = divide_up(shape.depth, shape.dilation);
  int64_t rows = shape.height;
  while (rows > 8 && 4 * (rows + 2 * shape.dilation) * row_floats > cache_floats) rows = divide_up(rows, 2);
  const int64_t row_groups = divide_up(shape.height, rows);
  int64_t planes = std::clamp<int64_t>(cache_floats / ((rows + 2 * shape.dilation) * row_floats) - 2, 1, set);
  const int64_t others = shape.batch * shape.dilation * row_groups;
  planes = std::clamp<int64_t>(planes, 1, std::max<int64_t>(1, set * others / least_pieces));
  const int64_t plane_groups = divide_up(set, planes);
  return {planes, rows, plane_groups, row_groups, others * plane_groups};
}

VolumePiece piece_of(const Convolution& shape, const Cut& cut, int64_t index) {
  const int64_t row_group = index % cut.row_groups;
  const int64_t plane_group = index / cut.row_groups % cut.plane_groups;
  const int64_t set = index / (cut.row_groups * cut.plane_groups) % shape.dilation;
  const int64_t batch = index / (cut.row_groups * cut.plane_groups * shape.dilation);
  const int64_t first_plane = set + plane_group * cut.planes * shape.dilation;
  const int64_t left = first_plane < shape.depth ? divide_up(shape.depth - first_plane, shape.dilation) : 0;
  const int64_t first_row = row_group * cut.rows;
  return {batch, first_plane, std::min(cut.planes, left), first_row, std::max<int64_t>(0, std::min(cut.rows, shape.height - first_row))};
}

// Calls `body(tile, first x, count)` for each tile of a row of interleaved rows; x steps by the dilation.
template <typename Body>
void for_tiles(const Convolution& shape, Body&& body) {
  const int64_t tiles = tiles_of_part(shape);
  for (int64_t part = 0; part < shape.dilation; ++part)
    for (int64_t tile = 0; tile < tiles; ++tile) body(part * tiles + tile, part + tile * kOutputs * shape.dilation);
}

// Transformed planes are [point, plane, block of channels, row, tile, lane]: what is read together has constant distances.
struct Layout {
  int64_t row;    // floats of a row of a block
  int64_t block;  // of a block of channels
  int64_t plane;
  int64_t point;

  Layout(const Convolution& shape, const Cut& cut, int64_t channels)
      : row(tiles_of_row(shape) * kLanes),
        block((cut.rows + 2 * shape.dilation) * row),
        plane(divide_up(channels, kLanes) * block),
        point((cut.planes + 2) * plane) {}
};

// Transforms the plane `z`, rows [first_row - dilation, first_row + rows + dilation).
void input_plane(const Convolution& shape, int64_t channels, const float* x, const VolumePiece& piece, int64_t z, float* result, const Layout& layout) {
  const int64_t step = shape.dilation;
  for (int64_t channel = 0; channel < channels; channel += kLanes, result += layout.block) {
    const int64_t lanes = std::min(kLanes, channels - channel);
    for (int64_t row = 0; row < piece.rows + 2 * step; ++row) {
      const int64_t y = piece.first_row + row - step;
      float* to = result + row * layout.row;
      if (y < 0 || y >= shape.height) {
        for (int64_t point = 0; point < kPoints; ++point) std::fill_n(to + point * layout.point, layout.row, 0.0F);
        continue;
      }
      const float* from = x + ((piece.batch * shape.depth + z) * shape.height + y) * shape.width * channels + channel;
      for_tiles(shape, [&](int64_t tile, int64_t first) {
        Vector d[6], t[6];
        for (int64_t i = 0; i < 6; ++i) {
          const int64_t at = first + (i - 1) * step;
          d[i] = at >= 0 && at < shape.width ? load(from + at * channels, lanes) : Vector(0.0F);
        }
        transform_input(d, t);
        for (int64_t point = 0; point < kPoints; ++point) t[point].store(to + point * layout.point + tile * kLanes);
      });
    }
  }
}

// Transforms the gradients of the plane `z` into [row, tile, padded channel] at each point.
void gradient_plane(const Convolution& shape, const float* gradient, const VolumePiece& piece, int64_t z, float* result, int64_t point_stride, int64_t padded) {
  for (int64_t row = 0; row < piece.rows; ++row) {
    const float* from = gradient + ((piece.batch * shape.depth + z) * shape.height + piece.first_row + row) * shape.width * shape.out;
    float* to = result + row * tiles_of_row(shape) * padded;
    for_tiles(shape, [&](int64_t tile, int64_t first) {
      for (int64_t channel = 0; channel < padded; channel += kLanes) {
        const int64_t lanes = std::clamp<int64_t>(shape.out - channel, 0, kLanes);
        Vector g[4], t[6];
        for (int64_t i = 0; i < kOutputs; ++i) {
          const int64_t at = first + i * shape.dilation;
          g[i] = at < shape.width && lanes > 0 ? load(from + at * shape.out + channel, lanes) : Vector(0.0F);
        }
        transform_gradient(g, t);
        for (int64_t point = 0; point < kPoints; ++point) t[point].store(to + point * point_stride + tile * padded + channel);
      }
    });
  }
}

// Brings the sums of all points, [point, row, tile, block], back to the outputs' channels from `channel` on.
void output_plane(const Convolution& shape, int64_t channels, const float* sums, int64_t block, const VolumePiece& piece, int64_t z, int64_t channel, float* y) {
  const int64_t tiles = tiles_of_row(shape);
  const int64_t point_stride = piece.rows * tiles * block;
  for (int64_t row = 0; row < piece.rows; ++row) {
    float* to = y + ((piece.batch * shape.depth + z) * shape.height + piece.first_row + row) * shape.width * channels + channel;
    const float* from = sums + row * tiles * block;
    for_tiles(shape, [&](int64_t tile, int64_t first) {
      for (int64_t lane = 0; lane < block && channel + lane < channels; lane += kLanes) {
        Vector m[6], result[4];
        for (int64_t point = 0; point < kPoints; ++point) m[point] = Vector::loadu(from + point * point_stride + tile * block + lane);
        transform_outputs(m, result);
        const int64_t lanes = std::min(kLanes, channels - channel - lane);
        for (int64_t i = 0; i < kOutputs; ++i) {
          const int64_t at = first + i * shape.dilation;
          if (at < shape.width) store(result[i], to + at * channels + lane, lanes);
        }
      }
    });
  }
}

// sums[tile, block] = sum over taps and channels of x[tile + shift(tap), channel] * kernel[tap, channel, block], of `tiles` tiles.
template <int64_t tiles, int64_t vectors>
void multiply(const float* x, int64_t block_stride, const int64_t* shifts, int64_t taps, int64_t channels, const float* kernel, float* sums) {
  Vector sum[tiles][vectors];
  for (auto& of_tile : sum)
    for (Vector& value : of_tile) value = Vector(0.0F);
  for (int64_t tap = 0; tap < taps; ++tap) {
    const float* values = x + shifts[tap];
    for (int64_t left = channels; left > 0; left -= kLanes, values += block_stride) {
      for (int64_t channel = 0; channel < std::min(left, kLanes); ++channel, kernel += vectors * kLanes) {
        Vector weights[vectors];
#pragma GCC unroll 4
        for (int64_t i = 0; i < vectors; ++i) weights[i] = Vector::loadu(kernel + i * kLanes);
#pragma GCC unroll 32
        for (int64_t tile = 0; tile < tiles; ++tile) {
          const Vector value(values[tile * kLanes + channel]);
#pragma GCC unroll 4
          for (int64_t i = 0; i < vectors; ++i) sum[tile][i] = fmadd(value, weights[i], sum[tile][i]);
        }
      }
    }
  }
#pragma GCC unroll 32
  for (int64_t tile = 0; tile < tiles; ++tile)
#pragma GCC unroll 4
    for (int64_t i = 0; i < vectors; ++i) sum[tile][i].store(sums + (tile * vectors + i) * kLanes);
}

using Multiply = void (*)(const float*, int64_t, const int64_t*, int64_t, int64_t, const float*, float*);

template <int64_t vectors, size_t... tiles>
constexpr std::array<Multiply, sizeof...(tiles)> multiplications(std::index_sequence<tiles...>) {
  return {multiply<static_cast<int64_t>(tiles) + 1, vectors>...};
}
constexpr auto kOneVector = multiplications<1>(std::make_index_sequence<kSums>{});
constexpr auto kTwoVectors = multiplications<2>(std::make_index_sequence<kSums / 2>{});

// The same for any number of tiles, in equal runs that fit in registers; the last one begins earlier where they do not add up.
void multiply_all(int64_t vectors, int64_t tiles, const float* x, int64_t block_stride, const int64_t* shifts, int64_t taps, int64_t channels,
                  const float* kernel, float* sums) {
  const int64_t runs = divide_up(tiles, kSums / vectors);
  const int64_t length = divide_up(tiles, runs);
  const Multiply run = vectors == 1 ? kOneVector[length - 1] : kTwoVectors[length - 1];
  for (int64_t i = 0; i < runs; ++i) {
    const int64_t first = std::min(i * length, tiles - length);
    run(x + first * kLanes, block_stride, shifts, taps, channels, kernel, sums + first * vectors * kLanes);
  }
}

// `transformed` is [block of out, point, tap of depth and height, in, block]; what of a block is no channel is 0.
void convolve(const Convolution& shape, int64_t in, int64_t out, const float* x, const float* transformed, float* y) {
  const int64_t vectors = out > kLanes ? 2 : 1;
  const int64_t block = vectors * kLanes;
  const int64_t blocks = divide_up(out, block);
  const int64_t tasks = 2 * at::get_num_threads();
  const Cut cuts = cut(shape, in, kCacheFloats, divide_up(tasks, blocks));
  // Of small volumes the kernel is what takes time to read: then the threads share its blocks, not the volume.
  const int64_t groups = std::min(blocks, divide_up(tasks, cuts.pieces));
  const Layout layout(shape, cuts, in);
  at::parallel_for(0, cuts.pieces * groups, 1, [&](int64_t begin, int64_t end) {
    const Buffer values = buffer(kPoints * layout.point);
    const int64_t sums_of_plane = kPoints * cuts.rows * tiles_of_row(shape) * block;
    const Buffer sums = buffer(cuts.planes * sums_of_plane);
    for (int64_t task = begin; task < end; ++task) {
      const VolumePiece piece = piece_of(shape, cuts, task / groups);
      const auto plane_at = [&](int64_t i) { return piece.first_plane + (i - 1) * shape.dilation; };
      if (piece.planes == 0) continue;
      if (task == begin || task % groups == 0)
        for (int64_t i = 0; i < piece.planes + 2; ++i)
          if (plane_at(i) >= 0 && plane_at(i) < shape.depth) input_plane(shape, in, x, piece, plane_at(i), values.get() + i * layout.plane, layout);
      const int64_t tiles = piece.rows * tiles_of_row(shape);
      const int64_t group = task % groups;
      for (int64_t index = group * blocks / groups; index < (group + 1) * blocks / groups; ++index) {
        for (int64_t point = 0; point < kPoints; ++point) {
          const float* kernel = transformed + (index * kPoints + point) * kRowTaps * in * block;
          for (int64_t i = 0; i < piece.planes; ++i) {
            const int64_t first = plane_at(i) < 0 ? 1 : 0;
            const int64_t last = plane_at(i + 2) >= shape.depth ? 1 : 2;
            int64_t shifts[kRowTaps];
            int64_t taps = 0;
            for (int64_t depth = first; depth <= last; ++depth)
              for (int64_t height = 0; height < 3; ++height) shifts[taps++] = depth * layout.plane + height * shape.dilation * layout.row;
            multiply_all(vectors, tiles, values.get() + point * layout.point + i * layout.plane, layout.block, shifts, taps, in,
                         kernel + first * 3 * in * block, sums.get() + i * sums_of_plane + point * tiles * block);
          }
        }
        for (int64_t i = 0; i < piece.planes; ++i)
          output_plane(shape, out, sums.get() + i * sums_of_plane, block, piece, plane_at(i + 1), index * block, y);
      }
    }
  });
}

// Transforms a kernel for `convolve`; `read(tap of depth and height, tap of width, in channel, first out channel, lanes)` gives its values.
template <typename Read>
Buffer transform(int64_t in, int64_t out, Read&& read) {
  const int64_t block = (out > kLanes ? 2 : 1) * kLanes;
  const int64_t blocks = divide_up(out, block);
  Buffer result = buffer(blocks * kPoints * kRowTaps * in * block);
  at::parallel_for(0, blocks * kRowTaps, 1, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      const int64_t tap = index % kRowTaps;
      for (int64_t channel = 0; channel < in; ++channel) {
        for (int64_t lane = 0; lane < block; lane += kLanes) {
          const int64_t to = index / kRowTaps * block + lane;
          const int64_t lanes = std::clamp<int64_t>(out - to, 0, kLanes);
          Vector u[6];
          if (lanes > 0) transform_kernel(read(tap, 0, channel, to, lanes), read(tap, 1, channel, to, lanes), read(tap, 2, channel, to, lanes), u);
          for (int64_t point = 0; point < kPoints; ++point)
            (lanes > 0 ? u[point] : Vector(0.0F))
                .store(result.get() + (((index / kRowTaps * kPoints + point) * kRowTaps + tap) * in + channel) * block + lane);
        }
      }
    }
  });
  return result;
}

void forward(const Convolution& shape, const float* x, const float* kernel, float* y) {
  const Buffer transformed = transform(shape.in, shape.out, [&](int64_t tap, int64_t width, int64_t channel, int64_t to, int64_t lanes) {
    return load(kernel + ((tap * 3 + width) * shape.in + channel) * shape.out + to, lanes);
  });
  convolve(shape, shape.in, shape.out, x, transformed.get(), y);
}

// A convolution of the gradient by the kernel turned about its middle, from the outputs' channels to the inputs'.
void input_gradient(const Convolution& shape, const float* gradient, const float* kernel, float* result) {
  const Buffer transformed = transform(shape.out, shape.in, [&](int64_t tap, int64_t width, int64_t channel, int64_t to, int64_t lanes) {
    float values[kLanes] = {};
    const float* from = kernel + ((26 - (tap * 3 + width)) * shape.in + to) * shape.out + channel;
    for (int64_t lane = 0; lane < lanes; ++lane) values[lane] = from[lane * shape.out];
    return Vector::loadu(values);
  });
  convolve(shape, shape.out, shape.in, gradient, transformed.get(), result);
}

// sums[channel, block] += sum over tiles of x[tile, channel] * gradient[tile, block], of the planes that the tap reaches.
template <int64_t channels, int64_t vectors>
void accumulate(const float* x, const float* gradient, int64_t gradient_stride, int64_t tiles, float* sums, int64_t sums_stride) {
  Vector sum[channels][vectors];
  for (auto& of_channel : sum)
    for (Vector& value : of_channel) value = Vector(0.0F);
  for (int64_t tile = 0; tile < tiles; ++tile, x += kLanes, gradient += gradient_stride) {
    Vector factors[vectors];
#pragma GCC unroll 4
    for (int64_t i = 0; i < vectors; ++i) factors[i] = Vector::loadu(gradient + i * kLanes);
#pragma GCC unroll 32
    for (int64_t channel = 0; channel < channels; ++channel) {
      const Vector value(x[channel]);
#pragma GCC unroll 4
      for (int64_t i = 0; i < vectors; ++i) sum[channel][i] = fmadd(value, factors[i], sum[channel][i]);
    }
  }
#pragma GCC unroll 32
  for (int64_t channel = 0; channel < channels; ++channel) {
#pragma GCC unroll 4
    for (int64_t i = 0; i < vectors; ++i) {
      float* to = sums + channel * sums_stride + i * kLanes;
      (Vector::loadu(to) + sum[channel][i]).store(to);
    }
  }
}

using Accumulate = void (*)(const float*, const float*, int64_t, int64_t, float*, int64_t);

template <int64_t vectors, size_t... exponents>
constexpr std::array<Accumulate, sizeof...(exponents)> accumulations(std::index_sequence<exponents...>) {
  return {accumulate<(int64_t{1} << exponents), vectors>...};
}
constexpr size_t kExponents = kLanes >= 16 ? 5 : kLanes >= 8 ? 4 : 3;
constexpr auto kAccumulateOne = accumulations<1>(std::make_index_sequence<kExponents>{});
constexpr auto kAccumulateTwo = accumulations<2>(std::make_index_sequence<kExponents - 1>{});

// The same for any number of channels and outputs (a multiple of a vector's).
void accumulate_all(const float* x, int64_t block_stride, int64_t in, const float* gradient, int64_t padded, int64_t tiles, float* sums) {
  for (int64_t to = 0; to < padded;) {
    const int64_t vectors = padded - to > kLanes ? 2 : 1;
    for (int64_t channel = 0; channel < in;) {
      const int64_t most = vectors == 1 ? static_cast<int64_t>(kAccumulateOne.size()) : static_cast<int64_t>(kAccumulateTwo.size());
      int64_t exponent = 0;
      while (exponent + 1 < most && channel + (int64_t{2} << exponent) <= in) ++exponent;
      const Accumulate run = vectors == 1 ? kAccumulateOne[exponent] : kAccumulateTwo[exponent];
      const float* values = x + channel / kLanes * block_stride + channel % kLanes;
      for (int64_t tile = 0; tile < tiles; tile += kChain)
        run(values + tile * kLanes, gradient + tile * padded + to, padded, std::min(kChain, tiles - tile), sums + channel * padded + to, padded);
      channel += int64_t{1} << exponent;
    }
    to += vectors * kLanes;
  }
}

void kernel_gradient(const Convolution& shape, const float* x, const float* gradient, float* result) {
  const int64_t padded = divide_up(shape.out, kLanes) * kLanes;
  const int64_t sums_of_tap = shape.in * padded;
  const Buffer sums = buffer(kPoints * kRowTaps * sums_of_tap);
  at::parallel_for(0, kPoints * kRowTaps, 1, [&](int64_t begin, int64_t end) {
    std::fill(sums.get() + begin * sums_of_tap, sums.get() + end * sums_of_tap, 0.0F);
  });

  const Cut cuts = cut(shape, std::max(shape.in, padded), 2 * kCacheFloats, 1);
  const Layout layout(shape, cuts, shape.in);
  const Buffer values = buffer(kPoints * layout.point);
  const int64_t gradient_floats = cuts.rows * tiles_of_row(shape) * padded;
  const Buffer factors = buffer(kPoints * cuts.planes * gradient_floats);
  for (int64_t index = 0; index < cuts.pieces; ++index) {
    const VolumePiece piece = piece_of(shape, cuts, index);
    const auto plane_at = [&](int64_t i) { return piece.first_plane + (i - 1) * shape.dilation; };
    if (piece.planes == 0) continue;
    // Planes of the input and of the gradient in turns, so that the threads have equal parts of both.
    at::parallel_for(0, 2 * (piece.planes + 2), 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t i = task / 2;
        if (task % 2 == 0 && plane_at(i) >= 0 && plane_at(i) < shape.depth)
          input_plane(shape, shape.in, x, piece, plane_at(i), values.get() + i * layout.plane, layout);
        if (task % 2 == 1 && i < piece.planes)
          gradient_plane(shape, gradient, piece, plane_at(i + 1), factors.get() + i * gradient_floats, cuts.planes * gradient_floats, padded);
      }
    });
    // Every point and tap has sums of its own, so that they are added in the same order whatever the number of threads.
    at::parallel_for(0, kPoints * kRowTaps, 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t point = task / kRowTaps, depth = task % kRowTaps / 3, height = task % 3;
        for (int64_t i = 0; i < piece.planes; ++i) {
          if (plane_at(i + depth) < 0 || plane_at(i + depth) >= shape.depth) continue;
          accumulate_all(values.get() + point * layout.point + (i + depth) * layout.plane + height * shape.dilation * layout.row, layout.block, shape.in,
                         factors.get() + (point * cuts.planes + i) * gradient_floats, padded, piece.rows * tiles_of_row(shape), sums.get() + task * sums_of_tap);
        }
      }
    });
  }

  at::parallel_for(0, kRowTaps, 1, [&](int64_t begin, int64_t end) {
    for (int64_t tap = begin; tap < end; ++tap) {
      for (int64_t channel = 0; channel < shape.in; ++channel) {
        for (int64_t to = 0; to < shape.out; to += kLanes) {
          Vector u[6], w[3];
          for (int64_t point = 0; point < kPoints; ++point)
            u[point] = Vector::loadu(sums.get() + (point * kRowTaps + tap) * sums_of_tap + channel * padded + to);
          transform_kernel_gradient(u, w);
          for (int64_t width = 0; width < 3; ++width)
            store(w[width], result + ((tap * 3 + width) * shape.in + channel) * shape.out + to, std::min(kLanes, shape.out - to));
        }
      }
    }
  });
}

const ConvolutionLoops kConvolutionLoops = {forward, input_gradient, kernel_gradient};

}  // namespace

const ConvolutionLoops& RONASMIS_LOOPS(convolution_loops)() { return kConvolutionLoops; }

}  // namespace ronasmis
