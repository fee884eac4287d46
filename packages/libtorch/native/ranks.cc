// Ranks: processes that train together. They meet at a store that one of them serves, and are connected with each other by Gloo; from then
// on `_c10d_functional`'s operations, which the bridge calls as any other, know their group by its name.
#include "engine.h"

#if defined(USE_C10D_GLOO)
#include <c10/util/Logging.h>
#include <torch/csrc/distributed/c10d/GroupRegistry.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <map>
#include <sstream>
#include <thread>
#endif

#include <stdexcept>

namespace ronasmis {

#if defined(USE_C10D_GLOO)

namespace {

using Milliseconds = std::chrono::milliseconds;
using Group = c10::intrusive_ptr<c10d::ProcessGroup>;
using Store = c10::intrusive_ptr<c10d::Store>;

// What src/ranks.ts gives.
struct Meeting {
  std::string host;
  uint16_t port;
  int rank;
  int size;
  bool serves;
  // What the ranks of one group have in common in a store that may serve others too.
  std::string name;
  // Until all have come, and later in each exchange.
  Milliseconds timeout;
  Milliseconds exchange;

  std::string who() const { return "Rank " + std::to_string(rank) + " of " + std::to_string(size); }
  std::string where() const { return host + ":" + std::to_string(port); }
  std::string within() const {
    std::ostringstream text;
    text << "within " << static_cast<double>(timeout.count()) / 1000 << " s";
    return text.str();
  }
};

int integer_argument(napi_env env, napi_value value, int least, int most, const char* what) {
  const double number = number_argument(env, value);
  if (!(number >= least && number <= most) || std::trunc(number) != number)
    throw std::invalid_argument(std::string(what) + " must be a whole number from " + std::to_string(least) + " to " + std::to_string(most) + ".");
  return static_cast<int>(number);
}

Milliseconds timeout_argument(napi_env env, napi_value value) {
  return Milliseconds(integer_argument(env, value, 1, 7 * 24 * 3600, "A timeout, in seconds,") * 1000);
}

// What libtorch says of an error, for the end of a sentence: in one line, without where in its sources it was thrown.
std::string said(const std::exception& error) {
  const auto* known = dynamic_cast<const c10::Error*>(&error);
  const std::string text = known != nullptr ? known->what_without_backtrace() : error.what();
  return " (" + text.substr(0, text.find('\n')) + ")";
}

// The highest level of libtorch's log: what is below is not written.
constexpr int kFatal = 3;

// While it lives, libtorch does not log what then becomes an error with a sentence: it would with a stack trace.
class Quiet {
 public:
  Quiet() : before_(FLAGS_caffe2_log_level) { FLAGS_caffe2_log_level = std::max(before_, kFatal); }
  ~Quiet() { FLAGS_caffe2_log_level = before_; }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  int before_;
};

Store open_store(const Meeting& meeting) {
  c10d::TCPStoreOptions options;
  options.port = meeting.port;
  options.isServer = meeting.serves;
  options.waitWorkers = false;
  options.timeout = meeting.timeout;
  // Node brings a libuv of its own, whose functions a server on libtorch's would be given.
  options.useLibUV = false;
  try {
    return c10::make_intrusive<c10d::PrefixStore>(meeting.name, c10::make_intrusive<c10d::TCPStore>(meeting.host, options));
  } catch (const std::exception& error) {
    const std::string problem = meeting.serves
        ? " cannot serve the ranks' meeting point at " + meeting.where() + ". Name an address of this machine and a port that is free there."
        : " found no meeting point of the ranks at " + meeting.where() + " " + meeting.within() +
              ". See that the address and the port are those of rank 0, that it runs, and that no firewall is between.";
    throw std::runtime_error(meeting.who() + problem + said(error));
  }
}

std::string key_of(int rank) { return "rank/" + std::to_string(rank); }

[[noreturn]] void name_missing(const Meeting& meeting, c10d::Store& store) {
  std::string missing;
  for (int rank = 0; rank < meeting.size; ++rank)
    if (!store.check({key_of(rank)})) missing += (missing.empty() ? "" : ", ") + std::to_string(rank);
  throw std::runtime_error(
      meeting.who() + " waited for ranks that did not come to " + meeting.where() + " " + meeting.within() + ": " + missing +
      ". See whether these processes were started, and what they say.");
}

// Waits until all ranks have come, each once, and of one mind about how many they are.
void meet(const Meeting& meeting, c10d::Store& store) {
  const std::string size = std::to_string(meeting.size);
  const std::string agreed = store.compareSet("size", "", size);
  if (agreed != size)
    throw std::runtime_error(meeting.who() + " met ranks that are " + agreed + " at " + meeting.where() + ". Start all of them with the same number of ranks.");
  if (store.add(key_of(meeting.rank), 1) > 1)
    throw std::runtime_error(meeting.who() + " is there already at " + meeting.where() + ". Give each process a rank of its own, and each run a port of its own.");
  std::vector<std::string> keys;
  for (int rank = 0; rank < meeting.size; ++rank) keys.push_back(key_of(rank));
  try {
    store.wait(keys, meeting.timeout);
  } catch (const std::exception& error) {
    try {
      if (!store.check(keys)) name_missing(meeting, store);
    } catch (const c10::Error&) {
      throw std::runtime_error(
          meeting.who() + " lost the meeting point at " + meeting.where() + ": the process that serves it ended. Its own output says why." + said(error));
    }
  }
}

// The network device that the other ranks reach this one at. On one machine alone no network has to be there.
std::shared_ptr<gloo::transport::Device> device_of(const Meeting& meeting) {
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  if (interface != nullptr && *interface != '\0') return c10d::ProcessGroupGloo::createDeviceForInterface(interface);
  const bool loopback = meeting.host == "localhost" || meeting.host == "::1" || meeting.host.rfind("127.", 0) == 0;
  return loopback ? c10d::ProcessGroupGloo::createDeviceForHostname(meeting.host) : c10d::ProcessGroupGloo::createDefaultDevice();
}

Group connect(const Meeting& meeting, const Store& store) {
  try {
    auto options = c10d::ProcessGroupGloo::Options::create(meeting.exchange);
    // One operation runs at a time, because whoever calls it waits for it.
    options->threads = 1;
    options->devices.push_back(device_of(meeting));
    const auto within = c10::make_intrusive<c10d::PrefixStore>("gloo", store);
    auto backend = c10::make_intrusive<c10d::ProcessGroupGloo>(within, meeting.rank, meeting.size, options);
    auto group = c10::make_intrusive<c10d::ProcessGroup>(store, meeting.rank, meeting.size);
    group->setBackend(at::kCPU, c10d::ProcessGroup::BackendType::GLOO, backend);
    group->setDefaultBackend(c10d::ProcessGroup::BackendType::GLOO);
    return group;
  } catch (const std::exception& error) {
    throw std::runtime_error(
        meeting.who() + " met the others at " + meeting.where() + ", but could not be connected with them. Name the network interface by which the " +
        "machines see each other by GLOO_SOCKET_IFNAME." + said(error));
  }
}

struct Joined {
  Group group;
  Store store;
  int rank;
  int size;
};

// Those that were joined and not left. Never destroyed: at the end of a process libtorch's own statics may be gone before ours.
std::map<std::string, Joined>& groups() {
  static auto* const instance = new std::map<std::string, Joined>();
  return *instance;
}

// joinRanks(host, port, rank, size, serves, name, meeting seconds, exchange seconds): waits for all ranks; `name` is then the group's.
napi_value join_ranks(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    size_t count = 8;
    napi_value values[8];
    napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
    const int size = integer_argument(env, values[3], 1, 1 << 20, "The number of ranks");
    const Meeting meeting{
        string_argument(env, values[0]),
        static_cast<uint16_t>(integer_argument(env, values[1], 1, 65535, "A port")),
        integer_argument(env, values[2], 0, size - 1, "A rank"),
        size,
        boolean_argument(env, values[4]),
        string_argument(env, values[5]),
        timeout_argument(env, values[6]),
        timeout_argument(env, values[7]),
    };
    if (groups().count(meeting.name) > 0) throw std::invalid_argument("This process has joined a group of ranks called '" + meeting.name + "' already.");
    const Quiet quiet;
    const Store store = open_store(meeting);
    meet(meeting, *store);
    const Group group = connect(meeting, store);
    group->setGroupName(meeting.name);
    c10d::register_process_group(meeting.name, group);
    groups().emplace(meeting.name, Joined{group, store, meeting.rank, meeting.size});
    return nullptr;
  });
}

std::string answer_of(int rank) { return "answer/" + std::to_string(rank); }

// silentRanks(name, seconds): says that this rank is there, waits for others to say so, and gives those that do not; null where the store is gone.
napi_value silent_ranks(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    size_t count = 2;
    napi_value values[2];
    napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
    const auto found = groups().find(string_argument(env, values[0]));
    const double seconds = number_argument(env, values[1]);
    if (found == groups().end()) throw std::invalid_argument("This process is in no such group of ranks.");
    auto& [group, store, own, size] = found->second;
    std::vector<int> silent;
    try {
      const Quiet quiet;
      const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
      store->set(answer_of(own), std::vector<uint8_t>{1});
      do {
        silent.clear();
        for (int rank = 0; rank < size; ++rank)
          if (!store->check({answer_of(rank)})) silent.push_back(rank);
        if (!silent.empty()) std::this_thread::sleep_for(Milliseconds(20));
      } while (!silent.empty() && std::chrono::steady_clock::now() < until);
    } catch (const std::exception&) {
      napi_value none;
      napi_get_null(env, &none);
      return none;
    }
    napi_value result;
    napi_create_array_with_length(env, silent.size(), &result);
    for (size_t i = 0; i < silent.size(); ++i) {
      napi_value rank;
      napi_create_int32(env, silent[i], &rank);
      napi_set_element(env, result, static_cast<uint32_t>(i), rank);
    }
    return result;
  });
}

// leaveRanks(name): closes the connections. A group that is not known is left already.
napi_value leave_ranks(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const std::string name = string_argument(env, argument(env, info));
    if (groups().erase(name) > 0) c10d::unregister_process_group(name);
    return nullptr;
  });
}

}  // namespace

#else

namespace {

napi_value join_ranks(napi_env env, napi_callback_info) {
  return guarded(env, []() -> napi_value { throw std::runtime_error("This libtorch has no Gloo, over which ranks exchange tensors: take one of PyTorch's own builds for Linux."); });
}

napi_value silent_ranks(napi_env, napi_callback_info) { return nullptr; }

napi_value leave_ranks(napi_env, napi_callback_info) { return nullptr; }

}  // namespace

#endif

void register_ranks(napi_env env, napi_value exports) {
  export_function(env, exports, "joinRanks", join_ranks);
  export_function(env, exports, "silentRanks", silent_ranks);
  export_function(env, exports, "leaveRanks", leave_ranks);
}

}  // namespace ronasmis
