// A volume as its interleaved sub-volumes: each holds every `dilation`-th voxel along each axis. A convolution of that dilation is an
// undilated one of each of them.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>

namespace ronasmis {

// A batch of volumes, or [batch * dilation^3, channels, ...part] sub-volumes: those of a volume lie one after the other, ordered by
// where along depth, height and width they begin. Where its size is no multiple of the dilation, some are padded at their far ends.
struct Interleaving {
  int64_t batch;
  int64_t dilation;
  int64_t size[3];
  int64_t part[3];

  Interleaving(int64_t batch, int64_t dilation, at::IntArrayRef whole) : batch(batch), dilation(dilation) {
    TORCH_CHECK(dilation >= 1 && dilation <= 1024, "the dilation must be from 1 to 1024, not ", dilation);
    TORCH_CHECK(whole.size() == 3, "the size must have a number for depth, height and width each");
    for (int64_t axis = 0; axis < 3; ++axis) {
      size[axis] = whole[axis];
      part[axis] = (whole[axis] + dilation - 1) / dilation;
    }
  }

  // Of sub-volumes, which must be those of volumes of that size.
  static Interleaving of(const at::Tensor& parts, int64_t dilation, at::IntArrayRef size) {
    const Interleaving found(parts.size(0) / std::max<int64_t>(1, dilation * dilation * dilation), dilation, size);
    TORCH_CHECK(parts.size(0) == found.batch * found.sub_volumes() && parts.sizes().slice(2) == at::IntArrayRef(found.part),
                "with a dilation of ", dilation, " volumes of ", size, " are not ", parts.sizes());
    return found;
  }

  int64_t sub_volumes() const { return dilation * dilation * dilation; }

  // How many voxels of a sub-volume's row are no padding, where its first one is that of the volume at z, y, x.
  int64_t valid(int64_t z, int64_t y, int64_t x) const {
    return z < size[0] && y < size[1] ? (size[2] - x + dilation - 1) / dilation : 0;
  }
};

}  // namespace ronasmis
