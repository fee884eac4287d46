// Tensors' life outside the operations: from and to JavaScript's arrays, their description, gradients and release.
#include <torch/csrc/autograd/autograd.h>

#include <cstring>
#include <stdexcept>

#include "engine.h"
#include "flush_denormals.h"

namespace ronasmis {

namespace {

at::ScalarType scalar_type_of(napi_typedarray_type type) {
  switch (type) {
    case napi_float32_array: return at::kFloat;
    case napi_float64_array: return at::kDouble;
    case napi_bigint64_array: return at::kLong;
    case napi_int32_array: return at::kInt;
    case napi_int16_array: return at::kShort;
    case napi_uint8_array: return at::kByte;
    default: throw std::invalid_argument("A tensor is made from a Float32Array, Float64Array, BigInt64Array, Int32Array, Int16Array or Uint8Array.");
  }
}

struct Array {
  at::ScalarType type;
  void* data;
  size_t length;
};

Array array_argument(napi_env env, napi_value value) {
  napi_typedarray_type type{};
  Array array{};
  if (napi_get_typedarray_info(env, value, &type, &array.length, &array.data, nullptr, nullptr) != napi_ok)
    throw std::invalid_argument("A typed array was expected.");
  array.type = scalar_type_of(type);
  return array;
}

std::vector<int64_t> shape_argument(napi_env env, napi_value value, size_t length) {
  uint32_t rank = 0;
  if (napi_get_array_length(env, value, &rank) != napi_ok) throw std::invalid_argument("A shape was expected: a list of sizes.");
  std::vector<int64_t> shape(rank);
  int64_t elements = 1;
  for (uint32_t i = 0; i < rank; ++i) {
    napi_value item = nullptr;
    napi_get_element(env, value, i, &item);
    const double size = number_argument(env, item);
    if (!(size >= 0 && size <= 1e15) || size != static_cast<double>(static_cast<int64_t>(size))) throw std::invalid_argument("A size must be a whole number of at least 0.");
    shape[i] = static_cast<int64_t>(size);
    if (__builtin_mul_overflow(elements, shape[i], &elements)) throw std::invalid_argument("The shape overflows.");
  }
  if (elements != static_cast<int64_t>(length))
    throw std::invalid_argument("The shape holds " + std::to_string(elements) + " elements, the array " + std::to_string(length) + ".");
  return shape;
}

void drain_released(napi_env env) {
  Engine& state = engine();
  const std::lock_guard lock(state.released_mutex);
  for (napi_ref reference : state.released) napi_delete_reference(env, reference);
  state.released.clear();
}

// fromArray(array, shape, share) -> handle. Copied, or (share) a view of the array's memory, which is kept alive with it.
napi_value from_array(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments<3> arguments(env, info);
    drain_released(env);
    const Array array = array_argument(env, arguments.values[0]);
    const auto shape = shape_argument(env, arguments.values[1], array.length);
    const auto options = at::TensorOptions(array.type);
    if (!boolean_argument(env, arguments.values[2]) || array.length == 0) {
      at::Tensor copy = at::empty(shape, options);
      std::memcpy(copy.data_ptr(), array.data, copy.nbytes());
      return make_number(env, engine().tensors.add(std::move(copy)));
    }
    napi_ref reference = nullptr;
    napi_create_reference(env, arguments.values[0], 1, &reference);
    Engine& state = engine();
    const auto release = [&state, reference](void*) {
      const std::lock_guard lock(state.released_mutex);
      state.released.push_back(reference);
    };
    return make_number(env, state.tensors.add(at::from_blob(array.data, shape, release, options)));
  });
}

// read(handle, array): the tensor's elements, in order, into an array of its own type and length.
napi_value read(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> arguments(env, info);
    const at::Tensor source = engine().tensors.get(number_argument(env, arguments.values[0])).detach().cpu().contiguous();
    const Array array = array_argument(env, arguments.values[1]);
    const bool boolean = source.scalar_type() == at::kBool && array.type == at::kByte;
    if (!boolean && source.scalar_type() != array.type) throw std::invalid_argument("The array's type is not the tensor's.");
    if (source.numel() != static_cast<int64_t>(array.length)) throw std::invalid_argument("The array's length is not the tensor's.");
    std::memcpy(array.data, source.data_ptr(), source.nbytes());
    return nullptr;
  });
}

napi_value make_shape(napi_env env, at::IntArrayRef sizes) {
  napi_value shape = nullptr;
  napi_create_array_with_length(env, sizes.size(), &shape);
  for (size_t i = 0; i < sizes.size(); ++i) napi_set_element(env, shape, i, make_number(env, static_cast<double>(sizes[i])));
  return shape;
}

napi_value shape(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments<1> arguments(env, info);
    return make_shape(env, engine().tensors.get(number_argument(env, arguments.values[0])).sizes());
  });
}

napi_value strides(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments<1> arguments(env, info);
    return make_shape(env, engine().tensors.get(number_argument(env, arguments.values[0])).strides());
  });
}

napi_value data_type(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments<1> arguments(env, info);
    return make_string(env, scalar_type_name(engine().tensors.get(number_argument(env, arguments.values[0])).scalar_type()));
  });
}

napi_value device(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments<1> arguments(env, info);
    return make_string(env, engine().tensors.get(number_argument(env, arguments.values[0])).device().str());
  });
}

napi_value byte_length(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments<1> arguments(env, info);
    const at::Tensor& tensor = engine().tensors.get(number_argument(env, arguments.values[0]));
    return make_number(env, static_cast<double>(tensor.nbytes()));
  });
}

napi_value item(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments<1> arguments(env, info);
    return make_number(env, engine().tensors.get(number_argument(env, arguments.values[0])).item().toDouble());
  });
}

napi_value requires_gradient(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments<1> arguments(env, info);
    return make_boolean(env, engine().tensors.get(number_argument(env, arguments.values[0])).requires_grad());
  });
}

napi_value set_requires_gradient(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> arguments(env, info);
    engine().tensors.get(number_argument(env, arguments.values[0])).requires_grad_(boolean_argument(env, arguments.values[1]));
    return nullptr;
  });
}

// gradient(handle) -> handle of the accumulated gradient, or null.
napi_value gradient(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> arguments(env, info);
    const at::Tensor found = engine().tensors.get(number_argument(env, arguments.values[0])).grad();
    napi_value none = nullptr;
    napi_get_null(env, &none);
    return found.defined() ? make_number(env, engine().tensors.add(found)) : none;
  });
}

// setGradient(handle, handle of the gradient), which shares its memory from now on.
napi_value set_gradient(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> arguments(env, info);
    const at::Tensor& tensor = engine().tensors.get(number_argument(env, arguments.values[0]));
    const at::Tensor& gradient = engine().tensors.get(number_argument(env, arguments.values[1]));
    if (gradient.sizes() != tensor.sizes() || gradient.scalar_type() != tensor.scalar_type() || gradient.device() != tensor.device())
      throw std::invalid_argument("A gradient must have the shape, the data type and the device of its tensor.");
    tensor.mutable_grad() = gradient;
    return nullptr;
  });
}

napi_value clear_gradient(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> arguments(env, info);
    engine().tensors.get(number_argument(env, arguments.values[0])).mutable_grad().reset();
    return nullptr;
  });
}

// backward(handle, keepGraph)
napi_value backward(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> arguments(env, info);
    const FlushDenormals flush;
    torch::autograd::backward({engine().tensors.get(number_argument(env, arguments.values[0]))}, {}, boolean_argument(env, arguments.values[1]));
    return nullptr;
  });
}

// release(count): frees the tensors whose handles stand in the exchange array.
napi_value release(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<1> arguments(env, info);
    Engine& state = engine();
    const double count = number_argument(env, arguments.values[0]);
    if (!(count >= 0 && count <= static_cast<double>(state.exchange_length))) throw std::invalid_argument("The count of tensors is wrong.");
    for (size_t i = 0; i < static_cast<size_t>(count); ++i) state.tensors.release(state.exchange[i]);
    drain_released(env);
    return nullptr;
  });
}

napi_value live_tensors(napi_env env, napi_callback_info) { return make_number(env, static_cast<double>(engine().tensors.live())); }

napi_value live_bytes(napi_env env, napi_callback_info) { return make_number(env, static_cast<double>(engine().tensors.bytes())); }

// adjustExternalMemory(bytes): tells the garbage collector what a small object of its own keeps alive.
napi_value adjust_external_memory(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments<1> arguments(env, info);
    int64_t total = 0;
    napi_adjust_external_memory(env, static_cast<int64_t>(number_argument(env, arguments.values[0])), &total);
    return make_number(env, static_cast<double>(total));
  });
}

}  // namespace

void register_tensors(napi_env env, napi_value exports) {
  export_function(env, exports, "fromArray", from_array);
  export_function(env, exports, "read", read);
  export_function(env, exports, "shape", shape);
  export_function(env, exports, "strides", strides);
  export_function(env, exports, "dataType", data_type);
  export_function(env, exports, "device", device);
  export_function(env, exports, "byteLength", byte_length);
  export_function(env, exports, "item", item);
  export_function(env, exports, "requiresGradient", requires_gradient);
  export_function(env, exports, "setRequiresGradient", set_requires_gradient);
  export_function(env, exports, "gradient", gradient);
  export_function(env, exports, "setGradient", set_gradient);
  export_function(env, exports, "clearGradient", clear_gradient);
  export_function(env, exports, "backward", backward);
  export_function(env, exports, "release", release);
  export_function(env, exports, "liveTensors", live_tensors);
  export_function(env, exports, "liveBytes", live_bytes);
  export_function(env, exports, "adjustExternalMemory", adjust_external_memory);
}

}  // namespace ronasmis
