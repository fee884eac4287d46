#include "driver.h"

#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <map>
#include <mutex>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "kernel_sources.h"

namespace ronasmis::cuda {

namespace {

// Of cuda.h and nvrtc.h.
using Opaque = void*;
constexpr int kCapabilityMajor = 75;
constexpr int kCapabilityMinor = 76;

void* open(const std::string& library) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle != nullptr) return handle;
  const char* reason = dlerror();
  throw std::runtime_error(reason != nullptr ? reason : library + " cannot be loaded");
}

template <typename Function>
void find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) throw std::runtime_error(std::string("NVIDIA's libraries on this machine lack ") + name);
}

struct Compiler {
  int (*create)(Opaque* program, const char* source, const char* name, int headers, const char* const* texts, const char* const* names);
  int (*compile)(Opaque program, int count, const char* const* options);
  int (*log_size)(Opaque program, size_t* size);
  int (*log)(Opaque program, char* log);
  int (*code_size)(Opaque program, size_t* size);
  int (*code)(Opaque program, char* code);
  int (*destroy)(Opaque* program);
  const char* (*error)(int result);

  explicit Compiler(const std::string& path) {
    void* library = open(path);
    find(library, "nvrtcCreateProgram", create);
    find(library, "nvrtcCompileProgram", compile);
    find(library, "nvrtcGetProgramLogSize", log_size);
    find(library, "nvrtcGetProgramLog", log);
    find(library, "nvrtcGetCUBINSize", code_size);
    find(library, "nvrtcGetCUBIN", code);
    find(library, "nvrtcDestroyProgram", destroy);
    find(library, "nvrtcGetErrorString", error);
  }
};

struct GpuDriver {
  int (*initialise)(unsigned flags);
  int (*device)(int* device, int ordinal);
  int (*attribute)(int* value, int attribute, int device);
  int (*retain_context)(Opaque* context, int device);
  int (*current_context)(Opaque* context);
  int (*set_context)(Opaque context);
  int (*load)(Opaque* module, const void* code);
  int (*function)(Opaque* function, Opaque module, const char* name);
  int (*launch)(Opaque function, unsigned x, unsigned y, unsigned z, unsigned threads_x, unsigned threads_y, unsigned threads_z, unsigned shared_bytes,
                Opaque stream, void** arguments, void** extra);
  int (*error)(int result, const char** text);

  GpuDriver() {
    void* library = open("libcuda.so.1");
    find(library, "cuInit", initialise);
    find(library, "cuDeviceGet", device);
    find(library, "cuDeviceGetAttribute", attribute);
    find(library, "cuDevicePrimaryCtxRetain", retain_context);
    find(library, "cuCtxGetCurrent", current_context);
    find(library, "cuCtxSetCurrent", set_context);
    find(library, "cuModuleLoadData", load);
    find(library, "cuModuleGetFunction", function);
    find(library, "cuLaunchKernel", launch);
    find(library, "cuGetErrorString", error);
    check(initialise(0), "starting");
  }

  void check(int result, const std::string& doing) const {
    if (result == 0) return;
    const char* text = nullptr;
    error(result, &text);
    throw std::runtime_error("The NVIDIA driver failed at " + doing + ": " + (text != nullptr ? text : "error " + std::to_string(result)));
  }
};

// Never destroyed: at the end of a process the driver may be gone before this.
const Compiler* compiler = nullptr;

const GpuDriver& driver() {
  static const GpuDriver* const instance = new GpuDriver();
  return *instance;
}

// A device's own context is the one that libtorch uses.
struct Gpu {
  int capability;
  Opaque context;
};

const Gpu& gpu(int index) {
  static std::map<int, Gpu>* const known = new std::map<int, Gpu>();
  const auto found = known->find(index);
  if (found != known->end()) return found->second;
  int device = 0;
  int major = 0;
  int minor = 0;
  Opaque context = nullptr;
  driver().check(driver().device(&device, index), "finding the GPU");
  driver().check(driver().attribute(&major, kCapabilityMajor, device), "asking for the GPU's compute capability");
  driver().check(driver().attribute(&minor, kCapabilityMinor, device), "asking for the GPU's compute capability");
  driver().check(driver().retain_context(&context, device), "taking the GPU's context");
  return known->emplace(index, Gpu{10 * major + minor, context}).first->second;
}

// A thread that has done nothing on the device yet has no context.
void use(const Gpu& gpu) {
  Opaque current = nullptr;
  driver().check(driver().current_context(&current), "asking for the current context");
  if (current != gpu.context) driver().check(driver().set_context(gpu.context), "setting the context");
}

using ModuleKey = std::tuple<int, std::string, int, int>;

Opaque module_of(int index, const Variant& variant) {
  static std::map<ModuleKey, Opaque>* const loaded = new std::map<ModuleKey, Opaque>();
  Opaque& module = (*loaded)[{index, variant.file, variant.value, variant.width}];
  if (module == nullptr) {
    const std::string code = compile(variant, gpu(index).capability);
    driver().check(driver().load(&module, code.data()), std::string("loading ") + variant.file);
  }
  return module;
}

Opaque function_of(int index, const Variant& variant, const char* kernel) {
  static std::map<std::pair<ModuleKey, std::string>, Opaque>* const known = new std::map<std::pair<ModuleKey, std::string>, Opaque>();
  Opaque& function = (*known)[{{index, variant.file, variant.value, variant.width}, kernel}];
  if (function == nullptr) driver().check(driver().function(&function, module_of(index, variant), kernel), std::string("finding ") + kernel);
  return function;
}

// Backward passes run on threads of their own.
std::mutex& caches() {
  static std::mutex* const mutex = new std::mutex();
  return *mutex;
}

// cuda:0 where the device is only called cuda.
int index_of(const c10::Device& device) { return device.has_index() ? device.index() : 0; }

Opaque stream_of(const c10::Device& device) { return c10::impl::VirtualGuardImpl(device.type()).getStream(device).native_handle(); }

using Emulation = int (*)(const char* kernel, int value, int width, const unsigned* grid, const void* const* arguments);
Emulation emulation = nullptr;

std::string source_of(const Variant& variant) {
  std::string text = "#define VALUE " + std::to_string(variant.value) + "\n#define WIDTH " + std::to_string(variant.width) + "\n";
  for (const char* file : {"arguments.h", "values.cuh", variant.file})
    for (const KernelSource& source : kKernelSources)
      if (std::string(source.file) == file) text += std::string("#line 1 \"") + file + "\"\n" + source.text;
  return text;
}

}  // namespace

void load_compiler(const std::string& library) {
  if (compiler == nullptr) compiler = new Compiler(library);
}

std::string compile(const Variant& variant, int capability) {
  if (compiler == nullptr) throw std::runtime_error("NVRTC is not loaded.");
  Opaque program = nullptr;
  if (const int result = compiler->create(&program, source_of(variant).c_str(), variant.file, 0, nullptr, nullptr))
    throw std::runtime_error(std::string("NVRTC does not start: ") + compiler->error(result));
  const std::string architecture = "--gpu-architecture=sm_" + std::to_string(capability);
  const char* options[] = {architecture.c_str(), "--std=c++17"};
  const int result = compiler->compile(program, 2, options);
  size_t size = 0;
  std::string text;
  if (result != 0) {
    compiler->log_size(program, &size);
    text.resize(size);
    compiler->log(program, text.data());
  } else {
    compiler->code_size(program, &size);
    text.resize(size);
    compiler->code(program, text.data());
  }
  compiler->destroy(&program);
  if (result == 0) return text;
  throw std::runtime_error(std::string("NVRTC cannot compile ") + variant.file + " for compute capability " + std::to_string(capability / 10) + "." +
                           std::to_string(capability % 10) + " (" + compiler->error(result) + "): " + text.c_str());
}

int compile_all(int capability) {
  int count = 0;
  const auto add = [&](const char* file, int width) {
    for (const int value : {0, 1, 2}) count += compile({file, value, width}, capability).empty() ? 0 : 1;
  };
  for (const char* file : {"instance_norm.cu", "upsample.cu"})
    for (const int width : {1, 4}) add(file, width);
  for (const char* file : {"dice_cross_entropy.cu", "labels.cu"}) add(file, 1);
  return count;
}

void prepare(const c10::Device& device) {
  const std::lock_guard<std::mutex> lock(caches());
  const c10::OptionalDeviceGuard guard(device);
  use(gpu(index_of(device)));
  function_of(index_of(device), {"labels.cu", 0, 1}, "argmax_labels");
  stream_of(device);
}

void launch(const c10::Device& device, const Variant& variant, const char* kernel, const Grid& grid, const void* const* arguments) {
  if (emulation != nullptr) {
    const unsigned sizes[] = {grid.x, grid.y, grid.z, grid.threads};
    if (emulation(kernel, variant.value, variant.width, sizes, arguments) != 0) throw std::runtime_error(std::string("There is no kernel ") + kernel);
    return;
  }
  const c10::OptionalDeviceGuard guard(device);
  Opaque function = nullptr;
  {
    const std::lock_guard<std::mutex> lock(caches());
    use(gpu(index_of(device)));
    function = function_of(index_of(device), variant, kernel);
  }
  // The driver only reads what the arguments point to.
  driver().check(driver().launch(function, grid.x, grid.y, grid.z, grid.threads, 1, 1, 0, stream_of(device), const_cast<void**>(arguments), nullptr),
                 std::string("launching ") + kernel);
}

void emulate(const std::string& library) { find(open(library), "ronasmis_emulated_launch", emulation); }

bool emulated() { return emulation != nullptr; }

}  // namespace ronasmis::cuda
