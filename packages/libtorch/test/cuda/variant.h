// All kernels with one pair of VALUE and WIDTH. Included several times, in a namespace each.
#include "values.cuh"

#include "dice_cross_entropy.cu"
#include "instance_norm.cu"
#include "labels.cu"
#include "upsample.cu"

#undef VALUE
#undef WIDTH

const std::map<std::string, Launch> kernels = {
    {"norm_sums", launch<norm_sums>},
    {"norm_statistics", launch<norm_statistics>},
    {"norm_apply", launch<norm_apply>},
    {"norm_gradient_sums", launch<norm_gradient_sums>},
    {"norm_coefficients", launch<norm_coefficients>},
    {"norm_parameter_gradients", launch<norm_parameter_gradients>},
    {"norm_gradient", launch<norm_gradient>},
    {"upsample_forward", launch<upsample_forward>},
    {"upsample_backward", launch<upsample_backward>},
    {"loss_sums", launch<loss_sums>},
    {"loss_totals", launch<loss_totals>},
    {"loss_level", launch<loss_level>},
    {"loss_gradient", launch<loss_gradient>},
    {"argmax_labels", launch<argmax_labels>},
    {"count_pairs", launch<count_pairs>},
};
