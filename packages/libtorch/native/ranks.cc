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
#include <iomanip>
#include <map>
#include <random>
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
  // The launcher serves the store, through all of its restarts; else rank 0 does, and the store ends with it.
  bool launcher_serves;
  // What the ranks of one run have in common in a store that may serve others too.
  std::string name;
  // Until all have come, and later in each exchange.
  Milliseconds timeout;
  Milliseconds exchange;

  bool serves() const { return !launcher_serves && rank == 0; }
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
  options.isServer = meeting.serves();
  options.waitWorkers = false;
  options.timeout = meeting.timeout;
  // Node brings a libuv of its own, whose functions a server on libtorch's would be given.
  options.useLibUV = false;
  try {
    return c10::make_intrusive<c10d::PrefixStore>(meeting.name, c10::make_intrusive<c10d::TCPStore>(meeting.host, options));
  } catch (const std::exception& error) {
    const std::string problem = meeting.serves()
        ? " cannot serve the ranks' meeting point at " + meeting.where() + ". Name an address of this machine and a port that is free there."
        : " found no meeting point of the ranks at " + meeting.where() + " " + meeting.within() +
              ". See that the address and the port are those of rank 0, that it runs, and that no firewall is between.";
    throw std::runtime_error(meeting.who() + problem + said(error));
  }
}

// A name that nobody else has.
std::string own_name() {
  std::random_device random;
  std::ostringstream text;
  for (int i = 0; i < 4; ++i) text << std::hex << std::setw(8) << std::setfill('0') << random();
  return text.str();
}

std::string key_of(int rank) { return "rank/" + std::to_string(rank); }
constexpr const char* kGroup = "group";
constexpr const char* kMembers = "members";

// Of 512 ranks that ask as often, a store has some ten thousand questions a second to answer.
constexpr Milliseconds kPause(100);

// Whether it comes true within this time, asked after each pause.
template <typename Condition>
bool soon(Milliseconds timeout, Milliseconds pause, Condition&& holds) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(pause);
  }
  return true;
}

// Those of so many ranks of which the store has nothing by this key.
std::vector<int> ranks_without(c10d::Store& store, int size, std::string (*key)(int)) {
  std::vector<int> missing;
  for (int rank = 0; rank < size; ++rank)
    if (!store.check({key(rank)})) missing.push_back(rank);
  return missing;
}

std::string missing_ranks(const Meeting& meeting, c10d::Store& group) {
  std::string missing;
  for (const int rank : ranks_without(group, meeting.size, key_of)) missing += (missing.empty() ? "" : ", ") + std::to_string(rank);
  return missing;
}

[[noreturn]] void name_missing(const Meeting& meeting, const std::string& missing) {
  throw std::runtime_error(
      meeting.who() + " waited for ranks that did not come to " + meeting.where() + " " + meeting.within() + ": " + missing +
      ". See whether these processes were started, and what they say.");
}

[[noreturn]] void name_twice(const Meeting& meeting) {
  throw std::runtime_error(
      meeting.who() + " is there twice at " + meeting.where() + ". Give each process a rank of its own, and each run a port of its own.");
}

[[noreturn]] void name_size(const Meeting& meeting, const std::string& size) {
  throw std::runtime_error(meeting.who() + " met ranks that are " + size + " at " + meeting.where() + ". Start all of them with the same number of ranks.");
}

Store part_of(const Store& store, const std::string& group) { return c10::make_intrusive<c10d::PrefixStore>(group, store); }

// Rank 0's: says which group it opens, waits until each rank is in it by a name of its own, and says whom it has met.
Store open_group(const Meeting& meeting, const Store& store) {
  const std::string group = own_name() + " " + std::to_string(meeting.size);
  const Store within = part_of(store, group);
  within->set(key_of(0), own_name());
  store->set(kGroup, group);
  const bool complete = soon(meeting.timeout, kPause, [&] {
    if (store->get_to_str(kGroup) != group) name_twice(meeting);
    return missing_ranks(meeting, *within).empty();
  });
  if (!complete) name_missing(meeting, missing_ranks(meeting, *within));
  std::string members;
  for (int rank = 0; rank < meeting.size; ++rank) members += within->get_to_str(key_of(rank)) + "\n";
  within->set(kMembers, members);
  return within;
}

// Another rank's: comes to the group that is open, and to the next one while it isn't among those whom rank 0 has met.
Store enter_group(const Meeting& meeting, const Store& store) {
  const std::string own = own_name();
  std::string group;
  Store within;
  const bool met = soon(meeting.timeout, kPause, [&] {
    if (!store->check({kGroup})) return false;
    const std::string open = store->get_to_str(kGroup);
    if (open != group) {
      group = open;
      within = part_of(store, group);
      within->set(key_of(meeting.rank), own);
    }
    const std::string size = group.substr(group.find(' ') + 1);
    const bool closed = within->check({kMembers});
    if (closed && within->get_to_str(kMembers).find(own) != std::string::npos) return true;
    if (within->get_to_str(key_of(meeting.rank)) != own) name_twice(meeting);
    // What a launcher's store says may be of ranks that have ended.
    if (meeting.launcher_serves) return false;
    if (size != std::to_string(meeting.size)) name_size(meeting, size);
    if (closed) name_twice(meeting);
    return false;
  });
  if (met) return within;
  // A group that is complete, but without this process, is one from before.
  const std::string missing = group.empty() ? "" : missing_ranks(meeting, *within);
  name_missing(meeting, missing.empty() ? "0" : missing);
}

// Waits until all ranks have come, each once, and of one mind about how many they are; gives what of the store is theirs alone.
//
// A launcher's agent serves the store through all of its restarts, and two agents don't count these alike: one that starts its ranks again
// because of the other's counts none. So nothing in a rank's environment tells this meeting from the last; what rank 0 has said since it lives does.
Store meet(const Meeting& meeting, const Store& store) {
  try {
    return meeting.rank == 0 ? open_group(meeting, store) : enter_group(meeting, store);
  } catch (const c10::Error& error) {
    throw std::runtime_error(
        meeting.who() + " lost the meeting point at " + meeting.where() + ": the process that serves it ended. Its own output says why." + said(error));
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

// joinRanks(host, port, rank, size, launcher serves, name, meeting seconds, exchange seconds): waits for all ranks; `name` is then the group's.
napi_value join_ranks(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<8> arguments(env, info);
    const auto& values = arguments.values;
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
    const Store within = meet(meeting, open_store(meeting));
    const Group group = connect(meeting, within);
    group->setGroupName(meeting.name);
    c10d::register_process_group(meeting.name, group);
    groups().emplace(meeting.name, Joined{group, within, meeting.rank, meeting.size});
    return nullptr;
  });
}

// Who asks has lost the others already, and ends soon.
constexpr Milliseconds kAnswerPause(20);

std::string answer_of(int rank) { return "answer/" + std::to_string(rank); }

// silentRanks(name, seconds): says that this rank is there, waits for others to say so, and gives those that do not; null where the store is gone.
napi_value silent_ranks(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<2> arguments(env, info);
    const auto found = groups().find(string_argument(env, arguments.values[0]));
    const Milliseconds timeout = timeout_argument(env, arguments.values[1]);
    if (found == groups().end()) throw std::invalid_argument("This process is in no such group of ranks.");
    auto& [group, store, own, size] = found->second;
    std::vector<int> silent;
    try {
      const Quiet quiet;
      store->set(answer_of(own), std::vector<uint8_t>{1});
      soon(timeout, kAnswerPause, [&] {
        silent = ranks_without(*store, size, answer_of);
        return silent.empty();
      });
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
