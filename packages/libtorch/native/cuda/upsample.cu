// Trilinear upsampling by whole strides, cut to a size, and a sum, of volumes [batch, depth, height, width, channels].

// An upsampled value is x[low] + weight * (x[high] - x[low]).
struct Sample {
  int low;
  int high;
  float weight;
};

// libtorch's rule with align_corners=false: the centre of output `at` lies at (at + 1/2) / stride - 1/2, not below 0.
__device__ inline Sample sample_of(const Axis& axis, int at) {
  const int doubled = max(0, 2 * at + 1 - axis.stride);
  const int low = doubled / (2 * axis.stride);
  if (low >= axis.from - 1) return {axis.from - 1, axis.from - 1, 0};
  return {low, low + 1, static_cast<float>(doubled % (2 * axis.stride)) / static_cast<float>(2 * axis.stride)};
}

// `of(low)` and `of(high)`, blended. Along an axis of stride 1 nothing is read twice.
template <typename Of>
__device__ inline Lanes blend(const Sample& sample, Of of) {
  Lanes result = of(sample.low);
  if (sample.weight == 0) return result;
  const Lanes high = of(sample.high);
  for (int lane = 0; lane < WIDTH; ++lane) result.of[lane] = fmaf(high.of[lane] - result.of[lane], sample.weight, result.of[lane]);
  return result;
}

// output = upsampled input + sum of the addends: a thread for each WIDTH values, of a grid [rows of the output, parts of a row].
KERNEL void upsample_forward(const Value* __restrict__ input, Addends addends, UpsampledVolume volume, Value* __restrict__ output) {
  const int in_row = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x) * WIDTH;
  if (in_row >= volume.width.to * volume.channels) return;
  const int row = static_cast<int>(blockIdx.x);
  const Sample width = sample_of(volume.width, in_row / volume.channels);
  const Sample height = sample_of(volume.height, row % volume.height.to);
  const Sample depth = sample_of(volume.depth, row / volume.height.to % volume.depth.to);
  const int first_plane = row / volume.height.to / volume.depth.to * volume.depth.from;
  const int channel = in_row % volume.channels;
  Lanes value = blend(depth, [&](int d) {
    return blend(height, [&](int h) {
      const long long first = (static_cast<long long>(first_plane + d) * volume.height.from + h) * volume.width.from;
      return blend(width, [&](int w) { return load(input + (first + w) * volume.channels + channel); });
    });
  });
  const long long at = static_cast<long long>(row) * volume.width.to * volume.channels + in_row;
#pragma unroll
  for (int i = 0; i < kMostAddends; ++i) {
    if (i == addends.count) break;
    const Lanes addend = load(static_cast<const Value*>(addends.volumes[i]) + at);
    for (int lane = 0; lane < WIDTH; ++lane) value.of[lane] += addend.of[lane];
  }
  store(value, output + at);
}

// The outputs that an input sample can be a part of.
struct Window {
  int first;
  int end;
};

__device__ inline Window window_of(const Axis& axis, int from) {
  return {max(0, (from - 1) * axis.stride + (axis.stride + 1) / 2), min(axis.to, (from + 1) * axis.stride + axis.stride / 2)};
}

// The weight of input sample `from` in output `at` of its window: outputs beyond the first and the last sample's centre are copies of those.
__device__ inline float share_of(const Axis& axis, int from, int at) {
  const int doubled = 2 * at + 1 - axis.stride - 2 * axis.stride * from;
  if ((from == 0 && doubled < 0) || (from == axis.from - 1 && doubled > 0)) return 1;
  return static_cast<float>(2 * axis.stride - abs(doubled)) / static_cast<float>(2 * axis.stride);
}

// The gradient of the input: `parts` threads, a power of two, gather each WIDTH values from the rows of their window. A grid
// [values of a volume, batch].
KERNEL void upsample_backward(const Value* __restrict__ gradient, UpsampledVolume volume, int parts, Value* __restrict__ result) {
  const int slots = kThreads / parts;
  const int thread = static_cast<int>(threadIdx.x);
  const int part = thread / slots;
  const int groups = volume.channels / WIDTH;
  const long long values = static_cast<long long>(volume.depth.from) * volume.height.from * volume.width.from * groups;
  const long long index = static_cast<long long>(blockIdx.x) * slots + thread % slots;
  Lanes sum = {};
  if (index < values) {
    const int channel = static_cast<int>(index % groups) * WIDTH;
    const int voxel = static_cast<int>(index / groups);
    const int w = voxel % volume.width.from;
    const int h = voxel / volume.width.from % volume.height.from;
    const int d = voxel / volume.width.from / volume.height.from;
    const Window width = window_of(volume.width, w);
    const Window height = window_of(volume.height, h);
    const Window depth = window_of(volume.depth, d);
    const int in_plane = height.end - height.first;
    for (int row = part; row < in_plane * (depth.end - depth.first); row += parts) {
      const int at_height = height.first + row % in_plane;
      const int at_depth = depth.first + row / in_plane;
      const float of_row = share_of(volume.depth, d, at_depth) * share_of(volume.height, h, at_height);
      const Value* values_of_row = gradient + ((static_cast<long long>(blockIdx.y) * volume.depth.to + at_depth) * volume.height.to + at_height) *
                                                  volume.width.to * volume.channels + channel;
      for (int at = width.first; at < width.end; ++at) {
        const Lanes value = load(values_of_row + static_cast<long long>(at) * volume.channels);
        const float share = of_row * share_of(volume.width, w, at);
        for (int lane = 0; lane < WIDTH; ++lane) sum.of[lane] = fmaf(value.of[lane], share, sum.of[lane]);
      }
    }
  }
  __shared__ Lanes sums[kThreads];
  sums[thread] = sum;
  __syncthreads();
  for (int half = parts / 2; half > 0; half /= 2) {
    if (part < half)
      for (int lane = 0; lane < WIDTH; ++lane) sums[thread].of[lane] += sums[thread + half * slots].of[lane];
    __syncthreads();
  }
  if (part == 0 && index < values) store(sums[thread], result + static_cast<long long>(blockIdx.y) * values * WIDTH + index * WIDTH);
}
