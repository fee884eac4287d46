// Soft Dice loss and cross-entropy of one level of logits. What is per class is [batch, classes].

__device__ inline int label_of(const unsigned char* label, const LabelLayout& layout, int batch, int voxel) {
  const int across = voxel % layout.size[2] * layout.stride[2];
  const int down = voxel / layout.size[2] % layout.size[1] * layout.stride[1];
  const int deep = voxel / layout.size[2] / layout.size[1] * layout.stride[0];
  return label[((static_cast<long long>(batch) * layout.whole[0] + deep) * layout.whole[1] + down) * layout.whole[2] + across];
}

__device__ inline const Value* logits_at(const Value* logits, const LogitsLayout& layout, int batch, int voxel) {
  return logits + static_cast<long long>(batch) * layout.classes * layout.voxels + voxel * layout.voxel_stride;
}

// Of a voxel: the largest logit, 1 / sum of the exponentials over it, and the cross-entropy. Of a label that is no class the latter is NaN,
// and so is the loss: to throw here, the processor would have to wait for the GPU in every step.
struct Softmax {
  float largest;
  float inverse;
  float cross_entropy;
};

__device__ inline Softmax softmax_of(const Value* logits, const LogitsLayout& layout, int label) {
  float largest = widen(logits[0]);
  for (int c = 1; c < layout.classes; ++c) largest = fmaxf(largest, widen(logits[c * layout.class_stride]));
  float sum = 0;
  float chosen = __uint_as_float(0x7fc00000);
  for (int c = 0; c < layout.classes; ++c) {
    const float shifted = widen(logits[c * layout.class_stride]) - largest;
    if (c == label) chosen = shifted;
    sum += expf(shifted);
  }
  return {largest, 1 / sum, logf(sum) - chosen};
}

struct Terms {
  float of[3];
};

// Of a block's kThreads * kLossVoxels voxels in a grid [pieces, batch], to partial [batch, classes, 3, pieces]: the probability where the
// label is the class, the probability everywhere, and the voxels of the label. Of the background, which no Dice counts, the
// cross-entropy, 0 and 0.
KERNEL void loss_sums(const Value* __restrict__ logits, LogitsLayout layout, const unsigned char* __restrict__ label, LabelLayout labels,
                      float* __restrict__ partial) {
  const int thread = static_cast<int>(threadIdx.x);
  const int batch = static_cast<int>(blockIdx.y);
  const long long first = static_cast<long long>(blockIdx.x) * kThreads * kLossVoxels + thread;
  Softmax softmax[kLossVoxels];
  int voxel_label[kLossVoxels];  // -1 past the end
#pragma unroll
  for (int i = 0; i < kLossVoxels; ++i) {
    const long long voxel = first + static_cast<long long>(i) * kThreads;
    voxel_label[i] = -1;
    if (voxel >= layout.voxels) continue;
    voxel_label[i] = label_of(label, labels, batch, static_cast<int>(voxel));
    softmax[i] = softmax_of(logits_at(logits, layout, batch, static_cast<int>(voxel)), layout, voxel_label[i]);
  }
  __shared__ Terms sums[kThreads];
  for (int c = 0; c < layout.classes; ++c) {
    Terms mine = {};
#pragma unroll
    for (int i = 0; i < kLossVoxels; ++i) {
      if (voxel_label[i] < 0) continue;
      if (c == 0) {
        mine.of[0] += softmax[i].cross_entropy;
        continue;
      }
      const int voxel = static_cast<int>(first) + i * kThreads;
      const float logit = widen(logits_at(logits, layout, batch, voxel)[c * layout.class_stride]);
      const float probability = expf(logit - softmax[i].largest) * softmax[i].inverse;
      mine.of[1] += probability;
      if (voxel_label[i] != c) continue;
      mine.of[0] += probability;
      mine.of[2] += 1;
    }
    sums[thread] = mine;
    __syncthreads();
    for (int half = kThreads / 2; half > 0; half /= 2) {
      if (thread < half)
        for (int term = 0; term < 3; ++term) sums[thread].of[term] += sums[thread + half].of[term];
      __syncthreads();
    }
    if (thread == 0)
      for (int term = 0; term < 3; ++term)
        partial[((static_cast<long long>(batch) * layout.classes + c) * 3 + term) * gridDim.x + blockIdx.x] = sums[0].of[term];
  }
}

// The sum of every thread's value of a block, in its first thread.
__device__ inline double block_sum(double value) {
  __shared__ double sums[kThreads];
  const int thread = static_cast<int>(threadIdx.x);
  sums[thread] = value;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (thread < half) sums[thread] += sums[thread + half];
    __syncthreads();
  }
  return sums[0];
}

// totals[i] = sum of partial [i, pieces], a block for each i.
KERNEL void loss_totals(const float* __restrict__ partial, int pieces, double* __restrict__ totals) {
  double mine = 0;
  for (int piece = static_cast<int>(threadIdx.x); piece < pieces; piece += kThreads) mine += partial[static_cast<long long>(blockIdx.x) * pieces + piece];
  const double sum = block_sum(mine);
  if (threadIdx.x == 0) totals[blockIdx.x] = sum;
}

// Adds a level's loss times `weight` to `loss`, and writes the derivative of the Dice loss by each class's probability: `everywhere`, plus
// `at_label` at voxels that the label says are of the class. With `batch_dice` a class has one Dice, of all voxels of the batch, which is
// added up for each. One block.
KERNEL void loss_level(const double* __restrict__ totals, int batch, int classes, int voxels, int batch_dice, double weight, double smooth,
                       double* __restrict__ loss, float* __restrict__ at_label, float* __restrict__ everywhere) {
  const double share = static_cast<double>(batch) * (classes - 1);
  const double slope_share = batch_dice ? classes - 1 : share;
  double mine = 0;
  for (int at = static_cast<int>(threadIdx.x); at < batch * classes; at += kThreads) {
    at_label[at] = 0;
    everywhere[at] = 0;
    if (at % classes == 0) {
      mine += totals[3 * at] / (static_cast<double>(batch) * voxels);
      continue;
    }
    double sums[3] = {};
    for (int of = batch_dice ? at % classes : at; of < batch * classes; of += batch_dice ? classes : batch * classes)
      for (int term = 0; term < 3; ++term) sums[term] += totals[3 * of + term];
    const double overlap = 2 * sums[0] + smooth;
    const double both = sums[1] + sums[2] + smooth;
    mine += (1 - overlap / both) / share;
    at_label[at] = static_cast<float>(-2 / both / slope_share);
    everywhere[at] = static_cast<float>(overlap / (both * both) / slope_share);
  }
  const double sum = block_sum(mine);
  if (threadIdx.x == 0) loss[0] += weight * sum;
}

// With p the softmax, y the label as one-hot and g = everywhere + at_label * y of the class: upstream * weight times
// p * (g - sum of p * g) + (p - y) / (batch * voxels). A thread for each voxel, of a grid [voxels, batch].
KERNEL void loss_gradient(const Value* __restrict__ logits, LogitsLayout layout, const unsigned char* __restrict__ label, LabelLayout labels,
                          const float* __restrict__ at_label, const float* __restrict__ everywhere, const float* __restrict__ upstream, float weight,
                          Value* __restrict__ result) {
  const long long index = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (index >= layout.voxels) return;
  const int voxel = static_cast<int>(index);
  const int batch = static_cast<int>(blockIdx.y);
  const int labelled = label_of(label, labels, batch, voxel);
  const Value* scores = logits_at(logits, layout, batch, voxel);
  const Softmax softmax = softmax_of(scores, layout, labelled);
  const auto probability = [&](int c) { return expf(widen(scores[c * layout.class_stride]) - softmax.largest) * softmax.inverse; };
  const auto slope = [&](int c) {
    const int at = batch * layout.classes + c;
    return c == labelled ? everywhere[at] + at_label[at] : everywhere[at];
  };
  float mean = 0;
  for (int c = 1; c < layout.classes; ++c) mean = fmaf(probability(c), slope(c), mean);
  const float scale = upstream[0] * weight;
  const float pull = 1 / (static_cast<float>(gridDim.y) * static_cast<float>(layout.voxels));
  Value* written = result + (scores - logits);
  for (int c = 0; c < layout.classes; ++c) {
    const float gradient = probability(c) * (slope(c) - mean + pull) - (c == labelled ? pull : 0);
    written[c * layout.class_stride] = narrow(scale * gradient);
  }
}
