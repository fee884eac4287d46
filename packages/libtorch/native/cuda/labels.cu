// From logits to labels, and how two labels agree.

// The class of the largest value at each voxel, the first of equal ones; NaN is larger than all. A thread for each voxel, of a grid
// [voxels, batch].
KERNEL void argmax_labels(const Value* __restrict__ logits, LogitsLayout layout, unsigned char* __restrict__ labels) {
  const long long voxel = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (voxel >= layout.voxels) return;
  const Value* scores = logits + static_cast<long long>(blockIdx.y) * layout.classes * layout.voxels + voxel * layout.voxel_stride;
  float largest = widen(scores[0]);
  int found = 0;
  for (int c = 1; c < layout.classes; ++c) {
    const float value = widen(scores[c * layout.class_stride]);
    // A NaN is not equal to itself.
    if (value > largest || (value != value && largest == largest)) {
      largest = value;
      found = c;
    }
  }
  labels[static_cast<long long>(blockIdx.y) * layout.voxels + voxel] = static_cast<unsigned char>(found);
}

// Pairs of so many classes are counted in a block's own memory first.
constexpr int kSharedClasses = 48;

// Adds to counts[label * classes + prediction], and to counts[classes * classes] where one of the two is no class.
KERNEL void count_pairs(const unsigned char* __restrict__ prediction, const unsigned char* __restrict__ label, long long voxels, int classes,
                        unsigned long long* __restrict__ counts) {
  __shared__ unsigned apart[kSharedClasses * kSharedClasses];
  const bool in_block = classes <= kSharedClasses;
  const int pairs = classes * classes;
  const int thread = static_cast<int>(threadIdx.x);
  if (in_block)
    for (int pair = thread; pair < pairs; pair += kThreads) apart[pair] = 0;
  __syncthreads();
  for (long long voxel = static_cast<long long>(blockIdx.x) * kThreads + thread; voxel < voxels; voxel += static_cast<long long>(gridDim.x) * kThreads) {
    const int predicted = prediction[voxel];
    const int labelled = label[voxel];
    const int pair = labelled * classes + predicted;
    if (predicted >= classes || labelled >= classes) atomicAdd(counts + pairs, 1ULL);
    else if (in_block) atomicAdd(apart + pair, 1U);
    else atomicAdd(counts + pair, 1ULL);
  }
  __syncthreads();
  if (in_block)
    for (int pair = thread; pair < pairs; pair += kThreads)
      if (apart[pair] > 0) atomicAdd(counts + pair, static_cast<unsigned long long>(apart[pair]));
}
