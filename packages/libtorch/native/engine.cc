#include "engine.h"
#include "large_blocks.h"

#if defined(__GLIBC__)
#include <malloc.h>
#include <unistd.h>
#endif

#include <array>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <unordered_set>
#include <utility>

namespace ronasmis {

namespace {

constexpr uint32_t kIndexBits = 24;
constexpr uint64_t kIndexMask = (uint64_t{1} << kIndexBits) - 1;
constexpr uint32_t kGenerationMask = (uint32_t{1} << 28) - 1;

constexpr std::array<std::pair<const char*, at::ScalarType>, 9> kScalarTypes = {{
    {"float32", at::kFloat}, {"float64", at::kDouble}, {"bfloat16", at::kBFloat16}, {"float16", at::kHalf},
    {"int64", at::kLong}, {"int32", at::kInt}, {"int16", at::kShort}, {"uint8", at::kByte}, {"bool", at::kBool},
}};

}  // namespace

double TensorTable::add(at::Tensor tensor) {
  uint32_t index = 0;
  if (free_.empty()) {
    if (slots_.size() > kIndexMask) throw std::runtime_error("More than 16 million tensors are alive: something never frees them.");
    index = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  slots_[index].tensor = std::move(tensor);
  return static_cast<double>((uint64_t{slots_[index].generation} << kIndexBits) | index);
}

size_t TensorTable::index(double handle) const {
  if (!(handle >= 0 && handle < 9007199254740992.0)) throw std::invalid_argument("This is not the handle of a tensor.");
  const auto bits = static_cast<uint64_t>(handle);
  const size_t index = bits & kIndexMask;
  if (index >= slots_.size() || slots_[index].generation != (bits >> kIndexBits) || !slots_[index].tensor.defined())
    throw std::invalid_argument("This tensor was freed.");
  return index;
}

const at::Tensor& TensorTable::get(double handle) const { return slots_[index(handle)].tensor; }

void TensorTable::release(double handle) {
  const size_t at = index(handle);
  slots_[at].tensor.reset();
  slots_[at].generation = (slots_[at].generation + 1) & kGenerationMask;
  free_.push_back(static_cast<uint32_t>(at));
}

size_t TensorTable::bytes() const {
  std::unordered_set<const void*> seen;
  size_t total = 0;
  for (const Slot& slot : slots_) {
    if (!slot.tensor.defined() || !slot.tensor.has_storage()) continue;
    const auto& storage = slot.tensor.storage();
    if (seen.insert(storage.unsafeGetStorageImpl()).second) total += storage.nbytes();
  }
  return total;
}

Engine& engine() {
  // Never destroyed: at the end of a process libtorch's own statics may be gone before ours.
  static thread_local Engine* const instance = new Engine();
  return *instance;
}

double number_argument(napi_env env, napi_value value) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok) throw std::invalid_argument("A number was expected.");
  return number;
}

bool boolean_argument(napi_env env, napi_value value) {
  bool boolean = false;
  if (napi_get_value_bool(env, value, &boolean) != napi_ok) throw std::invalid_argument("A boolean was expected.");
  return boolean;
}

std::string string_argument(napi_env env, napi_value value) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) throw std::invalid_argument("A string was expected.");
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, text.data(), length + 1, &length);
  return text;
}

napi_value make_number(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

napi_value make_string(napi_env env, const std::string& text) {
  napi_value result = nullptr;
  napi_create_string_utf8(env, text.data(), text.size(), &result);
  return result;
}

napi_value make_boolean(napi_env env, bool value) {
  napi_value result = nullptr;
  napi_get_boolean(env, value, &result);
  return result;
}

at::ScalarType parse_scalar_type(const std::string& name) {
  for (const auto& [known, type] : kScalarTypes)
    if (name == known) return type;
  throw std::invalid_argument("'" + name + "' is not a data type.");
}

const char* scalar_type_name(at::ScalarType type) {
  for (const auto& [name, known] : kScalarTypes)
    if (type == known) return name;
  return at::toString(type);
}

at::MemoryFormat parse_memory_format(const std::string& name) {
  if (name == "contiguous") return at::MemoryFormat::Contiguous;
  if (name == "preserve") return at::MemoryFormat::Preserve;
  if (name == "channels_last") return at::MemoryFormat::ChannelsLast;
  if (name == "channels_last_3d") return at::MemoryFormat::ChannelsLast3d;
  throw std::invalid_argument("'" + name + "' is not a memory format.");
}

void export_function(napi_env env, napi_value exports, const char* name, Callback callback) {
  napi_value function = nullptr;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

}  // namespace ronasmis

// Tensors come and go by the gigabyte a second. The allocator is told to keep what it has (giving it back and taking it again
// costs a fault a page), and to keep one heap for all threads, since each thread's own would hold on to what it freed.
static void keep_memory() {
#if defined(__GLIBC__)
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

// oneDNN keeps the code that it made for the shapes that it met, and libtorch keeps some once more, for 1024 shapes each. Where every
// step trains another network that takes up to 300 MB and saves no time; one network has about 100 shapes.
static void keep_few_shapes() {
  setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "128", 0);
  setenv("LRU_CACHE_CAPACITY", "128", 0);
}

// At the end of a process libtorch would take its thousands of operations apart one by one, which takes as long as segmenting a small
// scan. Handlers run in reverse order: this one before libtorch's, and after Node has ended.
static void end_at_once() {
#if defined(__GLIBC__)
  on_exit(
      [](int status, void*) {
        std::fflush(nullptr);
        _exit(status);
      },
      nullptr);
#endif
}

NAPI_MODULE_INIT() {
  end_at_once();
  keep_memory();
  keep_few_shapes();
  ronasmis::use_large_blocks();
  ronasmis::register_calls(env, exports);
  ronasmis::register_tensors(env, exports);
  ronasmis::register_modes(env, exports);
  ronasmis::register_cuda(env, exports);
  ronasmis::register_ranks(env, exports);
  ronasmis::register_averaging(env, exports);
  return exports;
}
