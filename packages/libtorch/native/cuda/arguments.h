// What a launch passes to the kernels by value: read by the C++ compiler and by NVRTC alike, so it includes nothing.

namespace ronasmis::cuda {

// Of a block of the kernels that share memory.
constexpr int kThreads = 256;

// Voxels that a thread of `loss_sums` takes, and channels that a block of `norm_statistics` and `norm_coefficients` takes.
constexpr int kLossVoxels = 8;
constexpr int kTile = 16;

// `from` samples become `stride` times as many, of which the first `to` are kept.
struct Axis {
  int from;
  int to;
  int stride;
};

struct UpsampledVolume {
  Axis depth;
  Axis height;
  Axis width;
  int channels;
};

constexpr int kMostAddends = 8;

struct Addends {
  const void* volumes[kMostAddends];
  int count;
};

// Value of batch b, class c, voxel v: data[b * classes * voxels + c * class_stride + v * voxel_stride].
struct LogitsLayout {
  int classes;
  int voxels;
  long long class_stride;
  long long voxel_stride;
};

// A label [batch, depth, height, width] of the size `whole`, of which every `stride`-th voxel counts; `size` is how many those are.
struct LabelLayout {
  int whole[3];
  int size[3];
  int stride[3];
};

}  // namespace ronasmis::cuda
