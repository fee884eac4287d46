// The bridge: any operation that libtorch has registered, called by its schema, with autograd.
//
// JavaScript writes the arguments into the exchange array as words, [tag, payload...] each; the schema decides what they
// become, so a wrong argument is an error that names it and never undefined behaviour.
#include <ATen/core/function_schema.h>

#include <cmath>
#include <sstream>
#include <stdexcept>

#include "engine.h"
#include "flush_denormals.h"

namespace ronasmis {

namespace {

// The same numbers stand in src/operation.ts.
enum Tag { kNone = 0, kDefault = 1, kTensorTag = 2, kNumber = 3, kBoolean = 4, kText = 5, kList = 6 };

constexpr size_t kMostStrings = 6;

struct Reader {
  const double* words;
  size_t length;
  size_t at = 0;
  napi_env env;
  const napi_value* strings;
  size_t string_count;

  double next() {
    if (at >= length) throw std::invalid_argument("The call's arguments end too early.");
    return words[at++];
  }
  std::string text() {
    const double index = next();
    if (!(index >= 0 && index < static_cast<double>(string_count))) throw std::invalid_argument("A string argument is missing.");
    return string_argument(env, strings[static_cast<size_t>(index)]);
  }
};

[[noreturn]] void wrong(const Parameter& parameter, const char* expected) {
  throw std::invalid_argument("argument '" + parameter.name + "' must be " + expected + ".");
}

int64_t to_integer(const Parameter& parameter, double value) {
  if (!(std::abs(value) <= 9007199254740992.0) || std::trunc(value) != value) wrong(parameter, "an integer");
  return static_cast<int64_t>(value);
}

c10::Scalar to_scalar(double value) {
  const bool integral = std::abs(value) <= 9007199254740992.0 && std::trunc(value) == value;
  return integral ? c10::Scalar(static_cast<int64_t>(value)) : c10::Scalar(value);
}

at::Device to_device(const std::string& text) { return at::Device(text); }

c10::IValue single(const Parameter& parameter, int tag, Reader& reader) {
  switch (parameter.kind) {
    case Kind::kTensor:
      if (tag != kTensorTag) wrong(parameter, "a tensor");
      return engine().tensors.get(reader.next());
    case Kind::kInt:
      if (tag != kNumber) wrong(parameter, "an integer");
      return to_integer(parameter, reader.next());
    case Kind::kFloat:
      if (tag != kNumber) wrong(parameter, "a number");
      return reader.next();
    case Kind::kBool:
      if (tag != kBoolean) wrong(parameter, "a boolean");
      return reader.next() != 0;
    case Kind::kScalar:
      if (tag == kBoolean) return c10::Scalar(reader.next() != 0);
      if (tag != kNumber) wrong(parameter, "a number or a boolean");
      return to_scalar(reader.next());
    case Kind::kString:
      if (tag != kText) wrong(parameter, "a string");
      return reader.text();
    case Kind::kScalarType:
      if (tag != kText) wrong(parameter, "the name of a data type");
      return parse_scalar_type(reader.text());
    case Kind::kMemoryFormat:
      if (tag != kText) wrong(parameter, "the name of a memory format");
      return parse_memory_format(reader.text());
    case Kind::kDevice:
      if (tag != kText) wrong(parameter, "the name of a device");
      return to_device(reader.text());
    default:
      wrong(parameter, "left out: values of its type cannot be passed from JavaScript");
  }
}

template <typename Value, typename Convert>
c10::IValue list_of(size_t count, Convert&& convert) {
  c10::List<Value> list;
  list.reserve(count);
  for (size_t i = 0; i < count; ++i) list.push_back(convert());
  return list;
}

double list_item(const Parameter& parameter, Reader& reader, int tag, const char* expected) {
  if (static_cast<int>(reader.next()) != tag) wrong(parameter, expected);
  return reader.next();
}

c10::IValue list(const Parameter& parameter, Reader& reader) {
  const auto count = static_cast<size_t>(reader.next());
  switch (parameter.kind) {
    case Kind::kTensorList:
      return list_of<at::Tensor>(count, [&] { return engine().tensors.get(list_item(parameter, reader, kTensorTag, "a list of tensors")); });
    case Kind::kOptionalTensorList: {
      c10::List<std::optional<at::Tensor>> tensors;
      for (size_t i = 0; i < count; ++i) {
        const int tag = static_cast<int>(reader.next());
        if (tag == kNone) tensors.push_back(std::nullopt);
        else if (tag == kTensorTag) tensors.push_back(engine().tensors.get(reader.next()));
        else wrong(parameter, "a list of tensors and nulls");
      }
      return tensors;
    }
    case Kind::kIntList:
      return list_of<int64_t>(count, [&] { return to_integer(parameter, list_item(parameter, reader, kNumber, "a list of integers")); });
    case Kind::kFloatList:
      return list_of<double>(count, [&] { return list_item(parameter, reader, kNumber, "a list of numbers"); });
    case Kind::kBoolList:
      return list_of<bool>(count, [&] { return list_item(parameter, reader, kBoolean, "a list of booleans") != 0; });
    case Kind::kScalarList:
      return list_of<c10::Scalar>(count, [&] { return to_scalar(list_item(parameter, reader, kNumber, "a list of numbers")); });
    default:
      wrong(parameter, "a single value, not a list");
  }
}

c10::IValue decode(const Parameter& parameter, Reader& reader) {
  const int tag = reader.at < reader.length ? static_cast<int>(reader.next()) : int{kDefault};
  if (tag == kDefault) {
    if (parameter.fallback) return *parameter.fallback;
    throw std::invalid_argument("argument '" + parameter.name + "' is missing.");
  }
  if (tag == kNone) {
    if (parameter.optional) return c10::IValue();
    wrong(parameter, "given, not null");
  }
  if (tag == kList) return list(parameter, reader);
  if (parameter.list_size > 0 && tag == kNumber) {
    if (parameter.kind == Kind::kIntList) {
      const int64_t value = to_integer(parameter, reader.next());
      return c10::List<int64_t>(std::vector<int64_t>(parameter.list_size, value));
    }
  }
  return single(parameter, tag, reader);
}

class Writer {
 public:
  explicit Writer(Engine& engine) : engine_(engine) {}

  void word(double value) {
    require(1);
    engine_.exchange[at_++] = value;
  }
  void value(const c10::IValue& value) {
    if (value.isTensor()) return tensor(value.toTensor());
    if (value.isInt()) return pair(kNumber, static_cast<double>(value.toInt()));
    if (value.isDouble()) return pair(kNumber, value.toDouble());
    if (value.isBool()) return pair(kBoolean, value.toBool() ? 1 : 0);
    if (value.isScalar()) return pair(kNumber, value.toScalar().toDouble());
    if (value.isNone()) return word(kNone);
    if (value.isList()) {
      const auto list = value.toListRef();
      // Before any tensor of the list is given to JavaScript, which would not hear of it.
      require(2 + 2 * list.size());
      pair(kList, static_cast<double>(list.size()));
      for (const c10::IValue& item : list) this->value(item);
      return;
    }
    throw std::runtime_error("The operation returns a " + value.tagKind() + ", which cannot be passed to JavaScript.");
  }
  size_t words() const { return at_; }

 private:
  void require(size_t words) const {
    if (words > engine_.exchange_length - at_) throw std::runtime_error("The operation returned more values than a call can carry.");
  }
  void tensor(const at::Tensor& tensor) {
    if (!tensor.defined()) return word(kNone);
    pair(kTensorTag, engine_.tensors.add(tensor));
  }
  void pair(int tag, double value) {
    word(tag);
    word(value);
  }
  Engine& engine_;
  size_t at_ = 0;
};

std::string describe(const c10::IValue& value) {
  std::ostringstream text;
  if (value.isTensor() && value.toTensor().defined()) {
    text << scalar_type_name(value.toTensor().scalar_type()) << value.toTensor().sizes();
  } else if (value.isTensorList()) {
    text << "list of " << value.toTensorVector().size() << " tensors";
  } else if (value.isNone() || value.isTensor()) {
    text << "null";
  } else {
    text << value;
  }
  return text.str();
}

// Names the operation, what it was given and why it failed.
std::string explain(const Operation& operation, const torch::jit::Stack& arguments, const std::string& cause) {
  std::ostringstream text;
  text << operation.handle.schema().name() << '(';
  for (size_t i = 0; i < arguments.size() && i < operation.parameters.size(); ++i)
    text << (i ? ", " : "") << operation.parameters[i].name << ": " << describe(arguments[i]);
  text << ") failed: " << cause;
  return text.str();
}

void run(Operation& operation, Reader& reader, torch::jit::Stack& stack) {
  for (const Parameter& parameter : operation.parameters) stack.push_back(decode(parameter, reader));
  if (reader.at != reader.length) throw std::invalid_argument("it was given more arguments than its " + std::to_string(operation.parameters.size()) + ".");
  if (operation.walks_lists) check_lists(operation, stack);
  const FlushDenormals flush;
  operation.handle.callBoxed(stack);
}

// A failed call has consumed its stack, so what it was given is decoded once more for the message.
std::string explain_again(Operation& operation, Reader reader, const std::string& cause) {
  torch::jit::Stack arguments;
  reader.at = 0;
  try {
    for (const Parameter& parameter : operation.parameters) arguments.push_back(decode(parameter, reader));
  } catch (const std::exception&) {
    // What could be decoded is in `arguments`; the cause says what could not.
  }
  return explain(operation, arguments, cause);
}

// call(operation, words, ...strings): words of the exchange array that hold arguments -> words that hold results.
napi_value call(napi_env env, napi_callback_info info) {
  const Arguments<2 + kMostStrings> arguments(env, info);
  const auto& [values, count] = arguments;
  uint32_t id = 0;
  uint32_t words = 0;
  Engine& state = engine();
  if (count < 2 || napi_get_value_uint32(env, values[0], &id) != napi_ok || napi_get_value_uint32(env, values[1], &words) != napi_ok ||
      id >= state.operations.size() || words > state.exchange_length) {
    napi_throw_error(env, nullptr, "This is not a call of a known operation.");
    return nullptr;
  }
  Operation& operation = state.operations[id];
  Reader reader{state.exchange, words, 0, env, values + 2, std::min(count, 2 + kMostStrings) - 2};
  torch::jit::Stack& stack = state.stack;
  stack.clear();
  std::string cause;
  const char* code = nullptr;
  try {
    run(operation, reader, stack);
    uint32_t written = 0;
    if (!operation.returns_argument) {
      Writer writer(state);
      for (const c10::IValue& value : stack) writer.value(value);
      written = static_cast<uint32_t>(writer.words());
    }
    stack.clear();
    napi_value result = nullptr;
    napi_create_uint32(env, written, &result);
    return result;
  } catch (const c10::OutOfMemoryError& error) {
    cause = error.what_without_backtrace();
    code = kOutOfMemory;
  } catch (const c10::Error& error) {
    cause = error.what_without_backtrace();
  } catch (const std::exception& error) {
    cause = error.what();
  } catch (...) {
    cause = "libtorch failed without saying why";
  }
  stack.clear();
  return guarded(env, [&]() -> napi_value {
    napi_throw_error(env, code, explain_again(operation, reader, cause).c_str());
    return nullptr;
  });
}

Kind list_kind(const c10::Type& element) {
  switch (element.kind()) {
    case c10::TypeKind::TensorType: return Kind::kTensorList;
    case c10::TypeKind::OptionalType: return Kind::kOptionalTensorList;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: return Kind::kIntList;
    case c10::TypeKind::FloatType: return Kind::kFloatList;
    case c10::TypeKind::BoolType: return Kind::kBoolList;
    case c10::TypeKind::NumberType: return Kind::kScalarList;
    default: return Kind::kUnsupported;
  }
}

Kind kind_of(const c10::Type& type) {
  switch (type.kind()) {
    case c10::TypeKind::TensorType: return Kind::kTensor;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: return Kind::kInt;
    case c10::TypeKind::FloatType: return Kind::kFloat;
    case c10::TypeKind::BoolType: return Kind::kBool;
    case c10::TypeKind::NumberType: return Kind::kScalar;
    case c10::TypeKind::StringType: return Kind::kString;
    // c10d's operations take a reduction or a group by its name, or as an object, which no value of JavaScript can be given for.
    case c10::TypeKind::AnyType: return Kind::kString;
    case c10::TypeKind::ScalarTypeType: return Kind::kScalarType;
    case c10::TypeKind::LayoutType: return Kind::kLayout;
    case c10::TypeKind::MemoryFormatType: return Kind::kMemoryFormat;
    case c10::TypeKind::DeviceObjType: return Kind::kDevice;
    case c10::TypeKind::ListType: return list_kind(*type.castRaw<c10::ListType>()->getElementType());
    default: return Kind::kUnsupported;
  }
}

Parameter parameter_of(const c10::Argument& argument) {
  const c10::TypePtr& type = argument.real_type();
  const bool optional = type->kind() == c10::TypeKind::OptionalType;
  const c10::TypePtr inner = optional ? type->castRaw<c10::OptionalType>()->getElementType() : type;
  return {argument.name(), kind_of(*inner), optional, argument.N().value_or(0), argument.default_value()};
}

// In place (`add_`) or into `out`: all that is returned are arguments that were written to.
bool returns_argument(const c10::FunctionSchema& schema) {
  if (schema.returns().size() != 1) return false;
  const c10::AliasInfo* alias = schema.returns()[0].alias_info();
  return alias != nullptr && alias->isWrite();
}

// find(name, overload) -> the operation's number.
napi_value find(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const Arguments<2> arguments(env, info);
    const std::string name = string_argument(env, arguments.values[0]);
    const std::string overload = string_argument(env, arguments.values[1]);
    const auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
    if (!handle) throw std::invalid_argument("libtorch has no operation '" + name + (overload.empty() ? "" : "." + overload) + "'.");
    Operation operation{*handle, {}, returns_argument(handle->schema()), walks_lists(name)};
    for (const c10::Argument& argument : handle->schema().arguments()) operation.parameters.push_back(parameter_of(argument));
    engine().operations.push_back(std::move(operation));
    return make_number(env, static_cast<double>(engine().operations.size() - 1));
  });
}

// schema(operation) -> the schema as libtorch writes it, with types as they are declared (SymInt, ScalarType).
napi_value schema(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const double id = number_argument(env, argument(env, info));
    if (!(id >= 0 && id < static_cast<double>(engine().operations.size()))) throw std::invalid_argument("This is not a known operation.");
    const auto& found = engine().operations[static_cast<size_t>(id)].handle.schema();
    std::ostringstream text;
    text << found;
    return make_string(env, text.str());
  });
}

// share(exchange): the Float64Array through which arguments and results pass.
napi_value share(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const napi_value value = argument(env, info);
    Engine& state = engine();
    napi_typedarray_type type{};
    void* data = nullptr;
    if (napi_get_typedarray_info(env, value, &type, &state.exchange_length, &data, nullptr, nullptr) != napi_ok || type != napi_float64_array)
      throw std::invalid_argument("A Float64Array was expected.");
    state.exchange = static_cast<double*>(data);
    napi_create_reference(env, value, 1, &state.exchange_reference);
    return nullptr;
  });
}

}  // namespace

void register_calls(napi_env env, napi_value exports) {
  export_function(env, exports, "find", find);
  export_function(env, exports, "schema", schema);
  export_function(env, exports, "share", share);
  export_function(env, exports, "call", call);
}

}  // namespace ronasmis
