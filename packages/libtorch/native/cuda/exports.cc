// What JavaScript calls of the GPU's kernels. The operations themselves are reached through the dispatcher.
#include "driver.h"
#include "engine.h"

namespace ronasmis {

namespace {

// loadKernelCompiler(path or name of NVRTC's library); throws where it cannot be loaded.
napi_value load_kernel_compiler(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    cuda::load_compiler(string_argument(env, argument(env, info)));
    return nullptr;
  });
}

// prepareKernels(device); throws where the kernels cannot be compiled for it and loaded.
napi_value prepare_kernels(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    cuda::prepare(at::Device(string_argument(env, argument(env, info))));
    return nullptr;
  });
}

// compileKernels(compute capability, 90 for 9.0) -> how many variants of the sources it compiled; throws where one does not compile.
napi_value compile_kernels(napi_env env, napi_callback_info info) {
  return guarded(env, [&] { return make_number(env, cuda::compile_all(static_cast<int>(number_argument(env, argument(env, info))))); });
}

// emulateKernels(path): for tests, see cuda::emulate.
napi_value emulate_kernels(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    cuda::emulate(string_argument(env, argument(env, info)));
    return nullptr;
  });
}

}  // namespace

void register_cuda(napi_env env, napi_value exports) {
  export_function(env, exports, "loadKernelCompiler", load_kernel_compiler);
  export_function(env, exports, "prepareKernels", prepare_kernels);
  export_function(env, exports, "compileKernels", compile_kernels);
  export_function(env, exports, "emulateKernels", emulate_kernels);
}

}  // namespace ronasmis
