// The mean of gradients over the ranks, bucket by bucket, while the way back still makes those of the others.
#include "engine.h"

#if defined(USE_C10D_GLOO)
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/csrc/distributed/c10d/GroupRegistry.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include <map>
#include <memory>
#endif

#include <stdexcept>

namespace ronasmis {

#if defined(USE_C10D_GLOO)

namespace {

// Tensors whose gradients are summed up together.
struct Bucket {
  std::vector<at::Tensor> tensors;
  // Gradients that are yet to come.
  size_t missing;
  // The gradients one after the other, then for each of them how many ranks have it; on the processor.
  at::Tensor sum;
  c10::intrusive_ptr<c10d::Work> work;
};

// Every rank has the same buckets and sums them up in the same order, whichever are ready first.
class Averaging : public std::enable_shared_from_this<Averaging> {
 public:
  Averaging(c10::intrusive_ptr<c10d::ProcessGroup> group, const std::vector<at::Tensor>& tensors, size_t bytes) : group_(std::move(group)) {
    size_t filled = 0;
    for (const at::Tensor& tensor : tensors) {
      const bool fits = !buckets_.empty() && filled + tensor.nbytes() <= bytes && alike(buckets_.back().tensors.front(), tensor);
      if (!fits) buckets_.emplace_back();
      filled = (fits ? filled : 0) + tensor.nbytes();
      buckets_.back().tensors.push_back(tensor);
      ++buckets_.back().missing;
    }
  }

  // From now on each gradient that autograd has finished is counted.
  void listen() {
    for (size_t i = 0; i < buckets_.size(); ++i)
      for (const at::Tensor& tensor : buckets_[i].tensors)
        torch::autograd::impl::set_post_acc_grad_hooks(tensor, std::make_unique<Hook>(shared_from_this(), i));
  }

  void count(size_t bucket) {
    const std::lock_guard<std::mutex> lock(mutex_);
    --buckets_[bucket].missing;
    while (begun_ < buckets_.size() && buckets_[begun_].missing == 0) begin_next();
  }

  // What has no gradient by now has none here: it counts as 0, and where no rank has one there is none afterwards.
  void finish() {
    for (const Bucket& bucket : buckets_)
      for (const at::Tensor& tensor : bucket.tensors) torch::autograd::impl::set_post_acc_grad_hooks(tensor, nullptr);
    const at::NoGradGuard without;
    const std::lock_guard<std::mutex> lock(mutex_);
    while (begun_ < buckets_.size()) begin_next();
    for (Bucket& bucket : buckets_) {
      bucket.work->wait();
      give_mean(bucket);
    }
  }

 private:
  struct Hook : torch::autograd::PostAccumulateGradHook {
    Hook(std::shared_ptr<Averaging> averaging, size_t bucket) : averaging(std::move(averaging)), bucket(bucket) {}
    void operator()(const at::Tensor&) override { averaging->count(bucket); }
    std::shared_ptr<Averaging> averaging;
    size_t bucket;
  };

  static bool alike(const at::Tensor& one, const at::Tensor& other) {
    return one.scalar_type() == other.scalar_type() && one.device() == other.device();
  }

  void begin_next() {
    Bucket& bucket = buckets_[begun_];
    const at::Tensor& first = bucket.tensors.front();
    std::vector<at::Tensor> parts;
    at::Tensor counts = at::zeros({static_cast<int64_t>(bucket.tensors.size())}, first.options().device(at::kCPU));
    for (size_t i = 0; i < bucket.tensors.size(); ++i) {
      const at::Tensor& tensor = bucket.tensors[i];
      const at::Tensor& gradient = tensor.grad();
      // By their order, not by their place in memory: on another rank they may be laid out differently.
      parts.push_back(gradient.defined() ? gradient.reshape(-1) : at::zeros({tensor.numel()}, first.options()));
      if (gradient.defined()) counts[static_cast<int64_t>(i)].fill_(1);
    }
    parts.push_back(counts.to(first.device()));
    bucket.sum = at::cat(parts).cpu();
    std::vector<at::Tensor> sums{bucket.sum};
    bucket.work = group_->getBackend(at::kCPU)->allreduce(sums);
    ++begun_;
  }

  void give_mean(Bucket& bucket) {
    bucket.sum.mul_(1.0 / group_->getSize());
    int64_t start = 0;
    const auto count = static_cast<int64_t>(bucket.tensors.size());
    const at::Tensor counts = bucket.sum.narrow(0, bucket.sum.numel() - count, count);
    for (int64_t i = 0; i < count; ++i) {
      at::Tensor& tensor = bucket.tensors[static_cast<size_t>(i)];
      const at::Tensor mean = bucket.sum.narrow(0, start, tensor.numel()).view(tensor.sizes());
      start += tensor.numel();
      if (counts[i].item<double>() == 0) continue;
      if (!tensor.grad().defined()) tensor.mutable_grad() = at::empty_like(tensor);
      tensor.mutable_grad().copy_(mean);
    }
    bucket.sum.reset();
  }

  const c10::intrusive_ptr<c10d::ProcessGroup> group_;
  std::vector<Bucket> buckets_;
  // Autograd runs a GPU's part of the way back on a thread of its own.
  std::mutex mutex_;
  size_t begun_ = 0;
};

// Those that were begun, by their group's name. Never destroyed, as the groups.
std::map<std::string, std::shared_ptr<Averaging>>& averagings() {
  static auto* const instance = new std::map<std::string, std::shared_ptr<Averaging>>();
  return *instance;
}

// beginAveraging(name, count, bytes): of the tensors whose handles stand in the exchange array, in buckets of so many bytes at most.
napi_value begin_averaging(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const Arguments<3> arguments(env, info);
    const std::string name = string_argument(env, arguments.values[0]);
    const double count = number_argument(env, arguments.values[1]);
    const double bytes = number_argument(env, arguments.values[2]);
    Engine& state = engine();
    if (!(count >= 0 && count <= static_cast<double>(state.exchange_length))) throw std::invalid_argument("The count of tensors is wrong.");
    if (averagings().count(name) > 0) throw std::invalid_argument("Gradients are being averaged already.");
    std::vector<at::Tensor> tensors;
    for (size_t i = 0; i < static_cast<size_t>(count); ++i) tensors.push_back(state.tensors.get(state.exchange[i]));
    const auto averaging = std::make_shared<Averaging>(c10d::resolve_process_group(name), tensors, static_cast<size_t>(std::max(bytes, 0.0)));
    averaging->listen();
    averagings().emplace(name, averaging);
    return nullptr;
  });
}

// endAveraging(name): waits until all ranks are here and gives the tensors their means.
napi_value end_averaging(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    const auto found = averagings().find(string_argument(env, argument(env, info)));
    if (found == averagings().end()) throw std::invalid_argument("No gradients are being averaged.");
    const auto averaging = found->second;
    averagings().erase(found);
    averaging->finish();
    return nullptr;
  });
}

}  // namespace

void register_averaging(napi_env env, napi_value exports) {
  export_function(env, exports, "beginAveraging", begin_averaging);
  export_function(env, exports, "endAveraging", end_averaging);
}

#else

// Without Gloo nobody joins ranks.
void register_averaging(napi_env, napi_value) {}

#endif

}  // namespace ronasmis
