// An NVIDIA GPU without CUDA's headers and compiler: the driver, and NVIDIA's run-time compiler (NVRTC), are loaded when they are
// first needed, and what is used of them is declared here by hand. Everything throws std::runtime_error with a sentence.
#pragma once

#include <c10/core/Device.h>

#include <string>

namespace ronasmis::cuda {

// Which of the embedded sources, and with which definitions of values.cuh it is compiled.
struct Variant {
  const char* file;  // "labels.cu"
  int value;
  int width;
};

struct Grid {
  unsigned x = 1;
  unsigned y = 1;
  unsigned z = 1;
  unsigned threads = 1;  // of a block
};

// Loads NVRTC from a library file, or by its name.
void load_compiler(const std::string& library);

// Machine code for GPUs of a compute capability (90 is 9.0), for which no GPU is needed.
std::string compile(const Variant& variant, int capability);

// Compiles all variants of all sources for a compute capability. Returns how many those are.
int compile_all(int capability);

// Loads the driver, and compiles and loads what is used first: throws where the kernels cannot be had on the device.
void prepare(const c10::Device& device);

// Queues a kernel on the device's current stream. `arguments` are pointers to what its parameters get.
void launch(const c10::Device& device, const Variant& variant, const char* kernel, const Grid& grid, const void* const* arguments);

// For tests on machines without a GPU: from now on what is on a processor counts as being on a GPU, and kernels are run by a library that
// runs the same sources on the processor.
void emulate(const std::string& library);
bool emulated();

}  // namespace ronasmis::cuda
