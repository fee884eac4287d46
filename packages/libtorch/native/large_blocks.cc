// Where large tensors lie on a processor (Linux): in one region of addresses that is never given back, so that a step finds the
// pages of the step before. Taking memory from the system and giving it back costs a fault a page, which took half of the time on
// large volumes; and in malloc's own heap small things between large ones keep these from being joined when they are free.
#include "large_blocks.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>
#endif

namespace ronasmis {

#if defined(__linux__)

namespace {

// Smaller tensors are malloc's, which is quick with them.
constexpr size_t kLargeBytes = size_t{1} << 20;
// A cache line, and the widest vector.
constexpr size_t kAlignment = 64;

// The parts of a region that are free, and the sizes of those that are not. The smallest free part that suffices is taken, and parts
// that are freed are joined with their neighbours.
class Region {
 public:
  explicit Region(size_t bytes) {
    void* start = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) return;
    start_ = static_cast<char*>(start);
    bytes_ = bytes;
    add_free(0, bytes);
  }

  bool holds(const void* pointer) const { return pointer >= start_ && pointer < start_ + bytes_; }

  // None where no free part is large enough.
  void* take(size_t wanted) {
    const size_t bytes = (wanted + kAlignment - 1) / kAlignment * kAlignment;
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = by_size_.lower_bound({bytes, 0});
    if (found == by_size_.end()) return nullptr;
    const auto [size, offset] = *found;
    by_size_.erase(found);
    by_offset_.erase(offset);
    if (size > bytes) add_free(offset + bytes, size - bytes);
    taken_.emplace(offset, bytes);
    return start_ + offset;
  }

  void give_back(void* pointer) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = taken_.find(static_cast<char*>(pointer) - start_);
    auto [offset, bytes] = *found;
    taken_.erase(found);
    const auto next = by_offset_.lower_bound(offset);
    if (next != by_offset_.begin()) {
      const auto before = std::prev(next);
      if (before->first + before->second == offset) {
        const auto [first, size] = *before;
        remove_free(first, size);
        add_free(first, join(offset, bytes) + size);
        return;
      }
    }
    add_free(offset, join(offset, bytes));
  }

 private:
  // The bytes from `offset` on that are free with the free part behind, which is no longer one of its own.
  size_t join(size_t offset, size_t bytes) {
    const auto next = by_offset_.find(offset + bytes);
    if (next == by_offset_.end()) return bytes;
    const auto [first, size] = *next;
    remove_free(first, size);
    return bytes + size;
  }
  void add_free(size_t offset, size_t bytes) {
    by_size_.emplace(bytes, offset);
    by_offset_.emplace(offset, bytes);
  }
  void remove_free(size_t offset, size_t bytes) {
    by_size_.erase({bytes, offset});
    by_offset_.erase(offset);
  }

  char* start_ = nullptr;
  size_t bytes_ = 0;
  std::mutex mutex_;
  std::set<std::pair<size_t, size_t>> by_size_;
  std::map<size_t, size_t> by_offset_;
  std::unordered_map<size_t, size_t> taken_;
};

// As large as the machine's memory; never destroyed, for tensors may outlive static objects.
Region& region() {
  static Region& only = *new Region(static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE)));
  return only;
}

void free_block(void* pointer) {
  if (region().holds(pointer)) region().give_back(pointer);
  else c10::GetDefaultCPUAllocator()->raw_deleter()(pointer);
}

class LargeBlocks final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* block = bytes < kLargeBytes ? nullptr : region().take(bytes);
    if (block == nullptr) return c10::GetDefaultCPUAllocator()->allocate(bytes);
    return {block, block, &free_block, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &free_block; }
  void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }
};

}  // namespace

void use_large_blocks() { c10::SetCPUAllocator(new LargeBlocks(), 1); }

#else

void use_large_blocks() {}

#endif

}  // namespace ronasmis
