// What libtorch itself does not check and would crash on.
#include <stdexcept>

#include "engine.h"

namespace ronasmis {

namespace {

[[noreturn]] void refuse(const Parameter& parameter, const std::string& expected) {
  throw std::invalid_argument("argument '" + parameter.name + "' must " + expected + ".");
}

// The value of a boolean or number argument, as a truth: whether a list that depends on it is read.
bool set(const Operation& operation, const torch::jit::Stack& arguments, const char* name) {
  for (size_t i = 0; i < operation.parameters.size(); ++i) {
    if (operation.parameters[i].name != name) continue;
    return arguments[i].isBool() ? arguments[i].toBool() : arguments[i].toScalar().toDouble() != 0;
  }
  return false;
}

bool may_be_empty(const Operation& operation, const torch::jit::Stack& arguments, const std::string& list) {
  if (list == "max_exp_avg_sqs") return !set(operation, arguments, "amsgrad");
  return list == "momentum_buffer_list" && !set(operation, arguments, "momentum");
}

// The same place in memory for the same element; the stride of an axis with one element means nothing.
bool laid_out_alike(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return false;
  for (int64_t axis = 0; axis < a.dim(); ++axis)
    if (a.size(axis) > 1 && a.stride(axis) != b.stride(axis)) return false;
  return true;
}

void check_list(const Parameter& parameter, const c10::List<at::Tensor>& tensors, const c10::List<at::Tensor>& updated) {
  if (tensors.size() != updated.size()) refuse(parameter, "have a tensor for each one that is updated");
  for (size_t i = 0; i < tensors.size(); ++i) {
    const at::Tensor tensor = tensors.get(i);
    const at::Tensor parent = updated.get(i);
    if (tensor.device() != parent.device()) refuse(parameter, "be on the device of what is updated");
    if (parameter.name == "state_steps") {
      if (tensor.numel() != 1 || tensor.scalar_type() != at::kFloat) refuse(parameter, "hold float32 scalars");
    } else if (!laid_out_alike(tensor, parent) || tensor.scalar_type() != parent.scalar_type()) {
      refuse(parameter, "have the shapes, strides and data types of what is updated");
    }
  }
}

}  // namespace

// The fused optimisers' kernels walk through all their lists, and through the memory of all their tensors, side by side.
bool walks_lists(const std::string& name) { return name.rfind("aten::_fused_ad", 0) == 0 || name.rfind("aten::_fused_sgd", 0) == 0; }

void check_lists(const Operation& operation, const torch::jit::Stack& arguments) {
  const auto updated = arguments[0].toTensorList();
  for (const at::Tensor& tensor : updated)
    if (!tensor.is_non_overlapping_and_dense()) refuse(operation.parameters[0], "be tensors without gaps or overlaps");
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Parameter& parameter = operation.parameters[i];
    if (arguments[i].isTensorList()) {
      const auto tensors = arguments[i].toTensorList();
      if (!(tensors.empty() && may_be_empty(operation, arguments, parameter.name))) check_list(parameter, tensors, updated);
    } else if (arguments[i].isTensor() && (arguments[i].toTensor().numel() != 1 || arguments[i].toTensor().scalar_type() != at::kFloat)) {
      refuse(parameter, "be a float32 scalar");
    }
  }
}

}  // namespace ronasmis
