// Instance normalisation and activation of volumes [batch, voxels, channels]. What is per channel is [batch, channels].
// z = x * factor + offset is the normalised, scaled and shifted x; it is computed again wherever it is needed.

// The numbers of Activation in kernels/instance_norm.h.
constexpr int kRelu = 0;
constexpr int kLeakyRelu = 1;
constexpr int kNone = 3;
constexpr float kLeakySlope = 0.01F;

// Voxels whose sums a thread keeps in float32 before it adds them in float64, and how many it reads before it uses the first.
constexpr int kRun = 32;
constexpr int kAtOnce = 4;

__device__ inline float activate(float z, int activation) {
  if (activation == kNone) return z;
  if (activation == kRelu) return z < 0 ? 0 : z;
  if (activation == kLeakyRelu) return z > 0 ? z : kLeakySlope * z;
  return z > 0 ? z : expm1f(z);
}

__device__ inline float derivative(float z, int activation) {
  if (z > 0 || activation == kNone) return 1;
  if (activation == kRelu) return 0;
  return activation == kLeakyRelu ? kLeakySlope : expf(z);
}

// What a thread of a grid [pieces, kThreads groups of WIDTH channels, batch] works on: a group, and every `step`-th voxel from `first`.
// Threads of neighbouring groups, and then of neighbouring voxels, are neighbours: a block reads consecutive memory.
struct Place {
  int groups;   // of the block
  int rows;     // voxels that the block reads at once
  int row;
  int channel;  // first of the group
  int first;
  int step;
};

__device__ inline Place place_of(int voxels, int channels) {
  Place place;
  const int before = static_cast<int>(blockIdx.y) * kThreads;
  place.groups = min(channels / WIDTH - before, kThreads);
  place.rows = kThreads / place.groups;
  place.row = static_cast<int>(threadIdx.x) / place.groups;
  place.channel = (before + static_cast<int>(threadIdx.x) % place.groups) * WIDTH;
  place.step = static_cast<int>(gridDim.x) * place.rows;
  // Threads that are left over have no voxel.
  place.first = place.row < place.rows ? static_cast<int>(blockIdx.x) * place.rows + place.row : voxels;
  return place;
}

__device__ inline Lanes load_channels(const float* values, int channels, int channel) {
  Lanes result;
  for (int lane = 0; lane < WIDTH; ++lane) result.of[lane] = values[static_cast<int>(blockIdx.z) * channels + channel + lane];
  return result;
}

// Calls `use(place in memory, read(place in memory))` for the thread's voxels from `first` up to `end`.
template <typename Read, typename Use>
__device__ inline void for_voxels(const Place& place, int voxels, int channels, long long first, long long end, Read read, Use use) {
  for (long long start = first; start < end; start += static_cast<long long>(kAtOnce) * place.step) {
    decltype(read(0LL)) values[kAtOnce];
    const auto voxel_at = [&](int i) { return start + static_cast<long long>(i) * place.step; };
    const auto at = [&](int i) {
      const long long voxel = min(voxel_at(i), static_cast<long long>(voxels) - 1);
      return (static_cast<long long>(blockIdx.z) * voxels + voxel) * channels + place.channel;
    };
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) values[i] = read(at(i));
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i)
      if (voxel_at(i) < end) use(at(i), values[i]);
  }
}

// Adds `terms(what was read, first sum, second sum)` of each voxel; writes the block's sums to partial [batch, pieces, 2, channels].
template <typename Read, typename Terms>
__device__ inline void add_voxels(const Place& place, int voxels, int channels, double* partial, Read read, Terms terms) {
  double mine[2 * WIDTH] = {};
  for (long long start = place.first; start < voxels; start += static_cast<long long>(kRun) * place.step) {
    Lanes first = {};
    Lanes second = {};
    const long long end = min(static_cast<long long>(voxels), start + static_cast<long long>(kRun) * place.step);
    for_voxels(place, voxels, channels, start, end, read, [&](long long, const auto& value) { terms(value, first, second); });
    for (int lane = 0; lane < WIDTH; ++lane) {
      mine[lane] += first.of[lane];
      mine[WIDTH + lane] += second.of[lane];
    }
  }

  __shared__ double sums[2 * WIDTH][kThreads];
  const int thread = static_cast<int>(threadIdx.x);
  for (int i = 0; i < 2 * WIDTH; ++i) sums[i][thread] = mine[i];
  __syncthreads();
  for (int left = place.rows; left > 1; left = (left + 1) / 2) {
    const int half = (left + 1) / 2;
    if (place.row < left - half)
      for (int i = 0; i < 2 * WIDTH; ++i) sums[i][thread] += sums[i][thread + half * place.groups];
    __syncthreads();
  }
  if (place.row != 0) return;
  double* written = partial + (static_cast<long long>(blockIdx.z) * gridDim.x + blockIdx.x) * 2 * channels + place.channel;
  for (int lane = 0; lane < WIDTH; ++lane) {
    written[lane] = sums[lane][thread];
    written[channels + lane] = sums[WIDTH + lane][thread];
  }
}

// Sums of x and of x * x.
KERNEL void norm_sums(const Value* __restrict__ x, int voxels, int channels, double* __restrict__ partial) {
  const auto read = [=](long long at) { return load(x + at); };
  add_voxels(place_of(voxels, channels), voxels, channels, partial, read, [](const Lanes& value, Lanes& first, Lanes& second) {
    for (int lane = 0; lane < WIDTH; ++lane) {
      first.of[lane] += value.of[lane];
      second.of[lane] = fmaf(value.of[lane], value.of[lane], second.of[lane]);
    }
  });
}

// Calls `body(place in [batch, channels], channel, first sum, second sum)` for the kTile channels of a block of a grid
// [channels / kTile, batch].
template <typename Body>
__device__ inline void with_sums(const double* partial, int pieces, int channels, Body body) {
  constexpr int kRows = kThreads / kTile;
  const int thread = static_cast<int>(threadIdx.x);
  const int row = thread / kTile;
  const int channel = static_cast<int>(blockIdx.x) * kTile + thread % kTile;
  __shared__ double first[kThreads];
  __shared__ double second[kThreads];
  double sums[2] = {};
  if (channel < channels) {
    const double* of_batch = partial + static_cast<long long>(blockIdx.y) * pieces * 2 * channels + channel;
    for (int piece = row; piece < pieces; piece += kRows) {
      sums[0] += of_batch[static_cast<long long>(piece) * 2 * channels];
      sums[1] += of_batch[(static_cast<long long>(piece) * 2 + 1) * channels];
    }
  }
  first[thread] = sums[0];
  second[thread] = sums[1];
  __syncthreads();
  for (int half = kRows / 2; half > 0; half /= 2) {
    if (row < half) {
      first[thread] += first[thread + half * kTile];
      second[thread] += second[thread + half * kTile];
    }
    __syncthreads();
  }
  if (row == 0 && channel < channels) body(static_cast<int>(blockIdx.y) * channels + channel, channel, first[thread], second[thread]);
}

KERNEL void norm_statistics(const double* __restrict__ partial, int pieces, int voxels, int channels, double epsilon, const float* __restrict__ scale,
                            const float* __restrict__ shift, double* __restrict__ mean, double* __restrict__ inverse_deviation,
                            float* __restrict__ factor, float* __restrict__ offset) {
  with_sums(partial, pieces, channels, [=](int at, int channel, double sum, double square) {
    const double centre = sum / voxels;
    const double variance = square / voxels - centre * centre;
    const double inverse = 1 / sqrt((variance < 0 ? 0 : variance) + epsilon);
    mean[at] = centre;
    inverse_deviation[at] = inverse;
    factor[at] = static_cast<float>(inverse * scale[channel]);
    offset[at] = static_cast<float>(shift[channel] - centre * inverse * scale[channel]);
  });
}

// y = activation(z)
KERNEL void norm_apply(const Value* __restrict__ x, int voxels, int channels, int activation, const float* __restrict__ factor,
                       const float* __restrict__ offset, Value* __restrict__ y) {
  const Place place = place_of(voxels, channels);
  const Lanes factors = load_channels(factor, channels, place.channel);
  const Lanes offsets = load_channels(offset, channels, place.channel);
  const auto read = [=](long long at) { return load(x + at); };
  for_voxels(place, voxels, channels, place.first, voxels, read, [=](long long at, Lanes value) {
    for (int lane = 0; lane < WIDTH; ++lane) value.of[lane] = activate(fmaf(value.of[lane], factors.of[lane], offsets.of[lane]), activation);
    store(value, y + at);
  });
}

// x and the gradient of the result.
struct Both {
  Lanes x;
  Lanes gradient;
};

// g = gradient * activation'(z)
__device__ inline Lanes through_activation(const Both& both, int activation, const Lanes& factors, const Lanes& offsets) {
  Lanes g;
  for (int lane = 0; lane < WIDTH; ++lane)
    g.of[lane] = both.gradient.of[lane] * derivative(fmaf(both.x.of[lane], factors.of[lane], offsets.of[lane]), activation);
  return g;
}

// Sums of g and of g * x.
KERNEL void norm_gradient_sums(const Value* __restrict__ x, const Value* __restrict__ gradient, int voxels, int channels, int activation,
                               const float* __restrict__ factor, const float* __restrict__ offset, double* __restrict__ partial) {
  const Place place = place_of(voxels, channels);
  const Lanes factors = load_channels(factor, channels, place.channel);
  const Lanes offsets = load_channels(offset, channels, place.channel);
  const auto read = [=](long long at) { return Both{load(x + at), load(gradient + at)}; };
  add_voxels(place, voxels, channels, partial, read, [=](const Both& both, Lanes& first, Lanes& second) {
    const Lanes g = through_activation(both, activation, factors, offsets);
    for (int lane = 0; lane < WIDTH; ++lane) {
      first.of[lane] += g.of[lane];
      second.of[lane] = fmaf(g.of[lane], both.x.of[lane], second.of[lane]);
    }
  });
}

// Of each batch and channel: `sum` of g, sum of g times the `normalised` x, and what norm_gradient needs.
KERNEL void norm_coefficients(const double* __restrict__ partial, int pieces, int voxels, int channels, const float* __restrict__ scale,
                              const double* __restrict__ mean, const double* __restrict__ inverse_deviation, double* __restrict__ sum,
                              double* __restrict__ normalised, float* __restrict__ slope, float* __restrict__ constant) {
  with_sums(partial, pieces, channels, [=](int at, int channel, double total, double product) {
    const double inverse = inverse_deviation[at];
    const double wide = inverse * scale[channel];
    sum[at] = total;
    normalised[at] = (product - mean[at] * total) * inverse;
    const double steep = -wide * normalised[at] * inverse / voxels;
    slope[at] = static_cast<float>(steep);
    constant[at] = static_cast<float>(-wide * total / voxels - steep * mean[at]);
  });
}

// Sums over the batch, a thread for each channel.
KERNEL void norm_parameter_gradients(const double* __restrict__ sum, const double* __restrict__ normalised, int batch, int channels,
                                     float* __restrict__ scale_gradient, float* __restrict__ shift_gradient) {
  const int channel = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (channel >= channels) return;
  double of_scale = 0;
  double of_shift = 0;
  for (int b = 0; b < batch; ++b) {
    of_scale += normalised[b * channels + channel];
    of_shift += sum[b * channels + channel];
  }
  scale_gradient[channel] = static_cast<float>(of_scale);
  shift_gradient[channel] = static_cast<float>(of_shift);
}

// result = factor * g + slope * x + constant
KERNEL void norm_gradient(const Value* __restrict__ x, const Value* __restrict__ gradient, int voxels, int channels, int activation,
                          const float* __restrict__ factor, const float* __restrict__ offset, const float* __restrict__ slope,
                          const float* __restrict__ constant, Value* __restrict__ result) {
  const Place place = place_of(voxels, channels);
  const Lanes factors = load_channels(factor, channels, place.channel);
  const Lanes offsets = load_channels(offset, channels, place.channel);
  const Lanes slopes = load_channels(slope, channels, place.channel);
  const Lanes constants = load_channels(constant, channels, place.channel);
  const auto read = [=](long long at) { return Both{load(x + at), load(gradient + at)}; };
  for_voxels(place, voxels, channels, place.first, voxels, read, [=](long long at, const Both& both) {
    Lanes g = through_activation(both, activation, factors, offsets);
    for (int lane = 0; lane < WIDTH; ++lane)
      g.of[lane] = fmaf(g.of[lane], factors.of[lane], fmaf(both.x.of[lane], slopes.of[lane], constants.of[lane]));
    store(g, result + at);
  });
}
