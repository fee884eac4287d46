// The state behind the addon: the tensors that JavaScript holds, and the operations that it has looked up.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <node_api.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace ronasmis {

// JavaScript holds a tensor by its handle: the slot's index in the low 24 bits, its generation above. A slot's generation
// changes when it is freed, so a stale handle is found out instead of reaching another tensor.
class TensorTable {
 public:
  double add(at::Tensor tensor);
  const at::Tensor& get(double handle) const;
  void release(double handle);
  size_t live() const { return slots_.size() - free_.size(); }
  // Bytes of all storages that live tensors use, each storage once.
  size_t bytes() const;

 private:
  struct Slot {
    at::Tensor tensor;
    uint32_t generation = 1;
  };
  size_t index(double handle) const;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
};

enum class Kind {
  kTensor, kInt, kFloat, kBool, kScalar, kString, kScalarType, kLayout, kMemoryFormat, kDevice,
  kTensorList, kOptionalTensorList, kIntList, kFloatList, kBoolList, kScalarList, kUnsupported,
};

// What a call needs to know of one argument, read off the schema once.
struct Parameter {
  std::string name;
  Kind kind;
  bool optional;
  int64_t list_size;  // of a list that a single number may stand for (`int[3] stride`), else 0
  c10::optional<c10::IValue> fallback;
};

struct Operation {
  c10::OperatorHandle handle;
  std::vector<Parameter> parameters;
  // An operation in place gives its own argument back: JavaScript keeps the object that it has.
  bool returns_argument;
  // Its lists need the checks that libtorch leaves out.
  bool walks_lists;
};

// One an environment: a worker thread of JavaScript has its own tensors.
struct Engine {
  TensorTable tensors;
  std::vector<Operation> operations;
  torch::jit::Stack stack;
  // Arguments and results of a call are passed through memory that both sides see: a Float64Array of JavaScript.
  double* exchange = nullptr;
  size_t exchange_length = 0;
  napi_ref exchange_reference = nullptr;
  // References to arrays whose memory a tensor shared; a tensor may die on autograd's thread, where Node-API must not be
  // called, so they wait here.
  std::mutex released_mutex;
  std::vector<napi_ref> released;
};

Engine& engine();

// `code` of the JavaScript error where a device's memory, or what large tensors may take, does not suffice.
inline constexpr const char* kOutOfMemory = "OUT_OF_MEMORY";

// Runs `body`, turning C++ exceptions into a pending JavaScript error.
template <typename Body>
napi_value guarded(napi_env env, Body&& body) {
  try {
    return body();
  } catch (const c10::OutOfMemoryError& error) {
    napi_throw_error(env, kOutOfMemory, error.what_without_backtrace());
  } catch (const c10::Error& error) {
    napi_throw_error(env, nullptr, error.what_without_backtrace());
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
  } catch (...) {
    napi_throw_error(env, nullptr, "libtorch failed without saying why");
  }
  return nullptr;
}

// What JavaScript calls a function with; undefined for what it leaves out.
template <size_t kCount>
struct Arguments {
  napi_value values[kCount];
  size_t count = kCount;
  Arguments(napi_env env, napi_callback_info info) { napi_get_cb_info(env, info, &count, values, nullptr, nullptr); }
};
// That of a function of one.
inline napi_value argument(napi_env env, napi_callback_info info) { return Arguments<1>(env, info).values[0]; }

// Reads of JavaScript values; each throws std::invalid_argument with a sentence where the value has another type.
double number_argument(napi_env env, napi_value value);
bool boolean_argument(napi_env env, napi_value value);
std::string string_argument(napi_env env, napi_value value);
napi_value make_number(napi_env env, double value);
napi_value make_string(napi_env env, const std::string& text);
napi_value make_boolean(napi_env env, bool value);

at::ScalarType parse_scalar_type(const std::string& name);
const char* scalar_type_name(at::ScalarType type);
at::MemoryFormat parse_memory_format(const std::string& name);

bool walks_lists(const std::string& name);
// Throws std::invalid_argument where the lists given to an operation that walks them do not fit together.
void check_lists(const Operation& operation, const torch::jit::Stack& arguments);

void register_calls(napi_env env, napi_value exports);
void register_tensors(napi_env env, napi_value exports);
void register_modes(napi_env env, napi_value exports);
void register_cuda(napi_env env, napi_value exports);
void register_ranks(napi_env env, napi_value exports);
void register_averaging(napi_env env, napi_value exports);

using Callback = napi_value (*)(napi_env, napi_callback_info);
void export_function(napi_env env, napi_value exports, const char* name, Callback callback);

}  // namespace ronasmis
