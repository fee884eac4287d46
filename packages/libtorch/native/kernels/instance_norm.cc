// Instance normalisation and activation, if any, in one: ronasmis::instance_norm_activation, forward and backward.
// Between two convolutions libtorch's own operations read and write a volume about ten times; this reads it twice and writes
// it once, since the normalised values are computed again where they are needed.
#include "instance_norm.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <cmath>
#include <vector>

#include "cuda/instance_norm.h"
#include "cuda/kernels.h"
#include "interleaving.h"

namespace ronasmis {

namespace {

constexpr double kEpsilon = 1e-5;

const InstanceNormLoops& instance_norm_loops() {
  static const InstanceNormLoops& best = RONASMIS_BEST_LOOPS(instance_norm_loops);
  return best;
}

// Of each row of a volume's sub-volumes, the voxels that are no padding.
std::vector<int64_t> valid_voxels(const Interleaving& s) {
  std::vector<int64_t> result;
  result.reserve(s.sub_volumes() * s.part[0] * s.part[1]);
  for (int64_t sub_volume = 0; sub_volume < s.sub_volumes(); ++sub_volume) {
    const int64_t first_z = sub_volume / s.dilation / s.dilation;
    const int64_t first_y = sub_volume / s.dilation % s.dilation;
    for (int64_t z = 0; z < s.part[0]; ++z)
      for (int64_t y = 0; y < s.part[1]; ++y)
        result.push_back(s.valid(first_z + z * s.dilation, first_y + y * s.dilation, sub_volume % s.dilation));
  }
  return result;
}

// The sub-volumes of a volume are normalised together, as one.
Volume volume_of(const at::Tensor& x, const Interleaving& s) {
  const int64_t voxels = s.sub_volumes() * s.part[0] * s.part[1] * s.part[2];
  Volume volume{s.batch, voxels, x.size(1), x.scalar_type() == at::kBFloat16, voxels, {voxels}, s.size[0] * s.size[1] * s.size[2]};
  if (volume.count < voxels) {
    volume.row = s.part[2];
    volume.valid = valid_voxels(s);
  }
  return volume;
}

NormStatistics statistics_of(const Volume& volume, const at::Tensor& x, const at::Tensor& scale, const at::Tensor& shift) {
  const auto options = x.options().memory_format(std::nullopt).dtype(at::kDouble);
  at::Tensor mean = at::empty({volume.batch, volume.channels}, options);
  at::Tensor square = at::empty_like(mean);
  instance_norm_loops().sums(volume, x.const_data_ptr(), mean.mutable_data_ptr<double>(), square.mutable_data_ptr<double>());
  mean.div_(volume.count);
  const at::Tensor variance = square.div_(volume.count).sub_(mean * mean).clamp_min_(0);
  const at::Tensor inverse_deviation = variance.add_(kEpsilon).rsqrt_();
  const at::Tensor factor = inverse_deviation * scale;
  const at::Tensor offset = shift - mean * factor;
  return {mean, inverse_deviation, factor.to(at::kFloat), offset.to(at::kFloat)};
}

void check(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& shift, int64_t activation, int64_t dilation) {
  TORCH_CHECK(x.dim() == 5 && x.numel() > 0, "the input must be [batch, channel, depth, height, width] and not empty, not ", x.sizes());
  cuda::check_readable(x, "the input");
  TORCH_CHECK(scale.device() == x.device() && shift.device() == x.device(), "all tensors must be on one device");
  TORCH_CHECK(scale.dim() == 1 && scale.size(0) == x.size(1) && shift.sizes() == scale.sizes(), "scale and shift must have a value for each of the ",
              x.size(1), " channels");
  TORCH_CHECK(activation >= 0 && activation <= 3, "the activation must be 0, 1, 2 or 3");
  TORCH_CHECK(dilation == 1 || !cuda::takes(x), "volumes are interleaved on a processor only");
}

Normalised normalise(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& shift, Activation activation,
                     const Interleaving& interleaving) {
  if (cuda::takes(x)) return cuda::normalise(x, scale, shift, activation, kEpsilon);
  const Volume volume = volume_of(x, interleaving);
  const NormStatistics statistics = statistics_of(volume, x, scale, shift);
  at::Tensor y = at::empty_like(x);
  instance_norm_loops().apply(volume, activation, x.const_data_ptr(), statistics.factor.const_data_ptr<float>(), statistics.offset.const_data_ptr<float>(),
                y.mutable_data_ptr());
  return {y, statistics};
}

NormGradients gradients_of(const at::Tensor& x, const at::Tensor& gradient, const at::Tensor& scale, const NormStatistics& statistics,
                           Activation activation, const Interleaving& interleaving) {
  if (cuda::takes(x)) return cuda::norm_gradients(x, gradient, scale, statistics, activation);
  const auto& [mean, inverse_deviation, factor, offset] = statistics;
  const Volume volume = volume_of(x, interleaving);
  at::Tensor sum = at::empty_like(mean);
  at::Tensor product = at::empty_like(mean);
  instance_norm_loops().gradient_sums(volume, activation, x.const_data_ptr(), gradient.const_data_ptr(), factor.const_data_ptr<float>(),
                        offset.const_data_ptr<float>(), sum.mutable_data_ptr<double>(), product.mutable_data_ptr<double>());
  // Sum of g times the normalised x.
  const at::Tensor normalised = (product - mean * sum) * inverse_deviation;
  const at::Tensor wide = inverse_deviation * scale;
  const at::Tensor slope = wide * normalised * inverse_deviation / -static_cast<double>(volume.count);
  const at::Tensor constant = (wide * sum / -static_cast<double>(volume.count) - slope * mean).to(at::kFloat);
  at::Tensor result = at::empty_like(x);
  instance_norm_loops().gradient(volume, activation, x.const_data_ptr(), gradient.const_data_ptr(), factor.const_data_ptr<float>(), offset.const_data_ptr<float>(),
                   slope.to(at::kFloat).const_data_ptr<float>(), constant.const_data_ptr<float>(), result.mutable_data_ptr());
  return {result, normalised.sum(0).to(scale.scalar_type()), sum.sum(0).to(scale.scalar_type())};
}

class InstanceNormActivation : public torch::autograd::Function<InstanceNormActivation> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input, const at::Tensor& scale, const at::Tensor& shift,
                            int64_t activation, int64_t dilation, at::IntArrayRef size) {
    check(input, scale, shift, activation, dilation);
    const at::AutoDispatchBelowADInplaceOrView below;
    const at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast3d);
    const auto [y, statistics] = normalise(x, scale, shift, static_cast<Activation>(activation), Interleaving::of(x, dilation, size));
    context->save_for_backward({x, scale, statistics.mean, statistics.inverse_deviation, statistics.factor, statistics.offset});
    context->saved_data["activation"] = activation;
    context->saved_data["dilation"] = dilation;
    context->saved_data["size"] = size.vec();
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor gradient = gradients[0].to(x.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast3d);
    const auto activation = static_cast<Activation>(context->saved_data["activation"].toInt());
    const auto interleaving = Interleaving::of(x, context->saved_data["dilation"].toInt(), context->saved_data["size"].toIntVector());
    const NormStatistics statistics{saved[2], saved[3], saved[4], saved[5]};
    const auto [of_input, of_scale, of_shift] = gradients_of(x, gradient, saved[1], statistics, activation, interleaving);
    return {of_input, of_scale, of_shift, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

at::Tensor instance_norm_activation(const at::Tensor& input, const at::Tensor& scale, const at::Tensor& shift, int64_t activation,
                                    int64_t dilation, at::IntArrayRef size) {
  return InstanceNormActivation::apply(input, scale, shift, activation, dilation, size);
}

}  // namespace

TORCH_LIBRARY(ronasmis, library) {
  library.def("instance_norm_activation(Tensor input, Tensor scale, Tensor shift, int activation, int dilation, int[3] size) -> Tensor",
              instance_norm_activation);
}

}  // namespace ronasmis
