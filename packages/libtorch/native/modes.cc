// What holds for all operations: gradient mode, autocast, threads, seeds and devices.
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/autocast_mode.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/GradMode.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <cmath>
#include <stdexcept>

#include "engine.h"
#include "large_blocks.h"

namespace ronasmis {

namespace {

// setGradientMode(enabled) -> what it was
napi_value set_gradient_mode(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const bool before = c10::GradMode::is_enabled();
    c10::GradMode::set_enabled(boolean_argument(env, argument(env, info)));
    return make_boolean(env, before);
  });
}

// enterAutocast(device type, data type) -> the data type that was in use before, or null. Weights cast once are kept until the
// outermost is left.
napi_value enter_autocast(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments<2> arguments(env, info);
    const auto type = at::Device(string_argument(env, arguments.values[0])).type();
    const auto wanted = parse_scalar_type(string_argument(env, arguments.values[1]));
    napi_value before = nullptr;
    napi_get_null(env, &before);
    if (at::autocast::is_autocast_enabled(type)) before = make_string(env, scalar_type_name(at::autocast::get_autocast_dtype(type)));
    at::autocast::set_autocast_dtype(type, wanted);
    at::autocast::set_autocast_enabled(type, true);
    at::autocast::increment_nesting();
    return before;
  });
}

// leaveAutocast(device type, what enterAutocast gave back)
napi_value leave_autocast(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> arguments(env, info);
    const auto type = at::Device(string_argument(env, arguments.values[0])).type();
    napi_valuetype before{};
    napi_typeof(env, arguments.values[1], &before);
    if (before == napi_string) at::autocast::set_autocast_dtype(type, parse_scalar_type(string_argument(env, arguments.values[1])));
    else at::autocast::set_autocast_enabled(type, false);
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    return nullptr;
  });
}

napi_value set_threads(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const double threads = number_argument(env, argument(env, info));
    if (!(threads >= 1 && threads <= 4096)) throw std::invalid_argument("The number of threads must lie between 1 and 4096.");
    at::set_num_threads(static_cast<int>(threads));
    return nullptr;
  });
}

napi_value threads(napi_env env, napi_callback_info) { return make_number(env, at::get_num_threads()); }

napi_value seed(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const double seed = number_argument(env, argument(env, info));
    if (!(seed >= 0 && seed <= 9007199254740992.0) || std::trunc(seed) != seed)
      throw std::invalid_argument("A seed must be a whole number from 0 to 2^53.");
    at::manual_seed(static_cast<uint64_t>(seed));
    return nullptr;
  });
}

// loadLibrary(path) -> null, or why it could not be loaded. Loading libtorch_cuda.so registers the GPU's operations.
napi_value load_library(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const std::string path = string_argument(env, argument(env, info));
    napi_value none = nullptr;
    napi_get_null(env, &none);
    if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return none;
    const char* reason = dlerror();
    return make_string(env, reason != nullptr ? reason : "unknown reason");
  });
}

// deviceCount(device type) -> devices that can be used now.
napi_value device_count(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const std::string type = string_argument(env, argument(env, info));
    if (type == "cuda") return make_number(env, at::hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0);
    if (type == "mps") return make_number(env, at::hasMPS() ? 1 : 0);
    return make_number(env, type == "cpu" ? 1 : 0);
  });
}

// allowTf32(): float32 products on NVIDIA's tensor cores, whose factors have 10 bits after the point. Concerns no processor.
napi_value allow_tf32(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    at::globalContext().setAllowTF32CuDNN(true);
    at::globalContext().setAllowTF32CuBLAS(true);
    return nullptr;
  });
}

// peakDeviceBytes(device) -> the most bytes that the device's allocator had taken from the device.
napi_value peak_device_bytes(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto device = at::Device(string_argument(env, argument(env, info)));
    const auto stats = c10::getDeviceAllocator(device.type())->getDeviceStats(device.has_index() ? device.index() : 0);
    return make_number(env, static_cast<double>(stats.reserved_bytes[0].peak));
  });
}

// peakTensorBytes(device) -> the most bytes of tensors that were alive at once since resetPeakTensorBytes; on a processor, of large ones.
napi_value peak_tensor_bytes(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto device = at::Device(string_argument(env, argument(env, info)));
    if (device.is_cpu()) return make_number(env, static_cast<double>(large_blocks_use().peak));
    const auto stats = c10::getDeviceAllocator(device.type())->getDeviceStats(device.has_index() ? device.index() : 0);
    return make_number(env, static_cast<double>(stats.allocated_bytes[0].peak));
  });
}

napi_value reset_peak_tensor_bytes(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const auto device = at::Device(string_argument(env, argument(env, info)));
    if (device.is_cpu()) reset_large_blocks_peak();
    else c10::getDeviceAllocator(device.type())->resetPeakStats(device.has_index() ? device.index() : 0);
    return nullptr;
  });
}

// limitTensorBytes(bytes): what large tensors on a processor may take together.
napi_value limit_tensor_bytes(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const double bytes = number_argument(env, argument(env, info));
    if (!(bytes >= 0 && bytes <= 9007199254740992.0)) throw std::invalid_argument("A limit must be a number of bytes from 0 to 2^53.");
    limit_large_blocks(static_cast<size_t>(bytes));
    return nullptr;
  });
}

// freeDeviceBytes(device) -> what a GPU has free for this process, its allocator's unused memory included.
napi_value free_device_bytes(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto device = at::Device(string_argument(env, argument(env, info)));
    const auto index = static_cast<c10::DeviceIndex>(device.has_index() ? device.index() : 0);
    auto* allocator = c10::getDeviceAllocator(device.type());
    const auto stats = allocator->getDeviceStats(index);
    const auto unused = stats.reserved_bytes[0].current - stats.allocated_bytes[0].current;
    return make_number(env, static_cast<double>(allocator->getMemoryInfo(index).first) + static_cast<double>(unused));
  });
}

napi_value empty_cache(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const auto type = at::Device(string_argument(env, argument(env, info))).type();
    if (type == at::kCPU) release_large_blocks();
    else c10::getDeviceAllocator(type)->emptyCache();
    return nullptr;
  });
}

// processorCapability() -> libtorch's vector code path, "AVX512" for example.
napi_value processor_capability(napi_env env, napi_callback_info) { return make_string(env, at::get_cpu_capability()); }

napi_value version(napi_env env, napi_callback_info) { return make_string(env, TORCH_VERSION); }

}  // namespace

void register_modes(napi_env env, napi_value exports) {
  export_function(env, exports, "setGradientMode", set_gradient_mode);
  export_function(env, exports, "enterAutocast", enter_autocast);
  export_function(env, exports, "leaveAutocast", leave_autocast);
  export_function(env, exports, "setThreads", set_threads);
  export_function(env, exports, "threads", threads);
  export_function(env, exports, "seed", seed);
  export_function(env, exports, "loadLibrary", load_library);
  export_function(env, exports, "deviceCount", device_count);
  export_function(env, exports, "allowTf32", allow_tf32);
  export_function(env, exports, "peakDeviceBytes", peak_device_bytes);
  export_function(env, exports, "peakTensorBytes", peak_tensor_bytes);
  export_function(env, exports, "resetPeakTensorBytes", reset_peak_tensor_bytes);
  export_function(env, exports, "limitTensorBytes", limit_tensor_bytes);
  export_function(env, exports, "freeDeviceBytes", free_device_bytes);
  export_function(env, exports, "emptyCache", empty_cache);
  export_function(env, exports, "processorCapability", processor_capability);
  export_function(env, exports, "version", version);
}

}  // namespace ronasmis
