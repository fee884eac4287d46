// Where large tensors lie on a processor (Linux): in one region of addresses that is never given back, so that a step finds the
// pages of the step before. Taking memory from the system and giving it back costs a fault a page, which took half of the time on
// large volumes; and in malloc's own heap small things between large ones keep these from being joined when they are free.
#include "large_blocks.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>
#endif

namespace ronasmis {

#if defined(__linux__)

namespace {

// Smaller tensors are malloc's, which is quick with them, but keeps what it had for many of them.
constexpr size_t kLargeBytes = size_t{1} << 16;
// A cache line, and the widest vector.
constexpr size_t kAlignment = 64;

// The parts of a region that are free, and the sizes of those that are not. The smallest free part that suffices is taken, and parts
// that are freed are joined with their neighbours. Counts the bytes that the system may have given pages to, and keeps them within a
// limit: free parts are given back to the system where a tensor would not fit into it otherwise.
class Region {
 public:
  explicit Region(size_t bytes) : page_bytes_(static_cast<size_t>(sysconf(_SC_PAGESIZE))) {
    void* start = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) return;
    start_ = static_cast<char*>(start);
    bytes_ = bytes;
    add_free(0, {bytes, 0});
  }

  bool holds(const void* pointer) const { return pointer >= start_ && pointer < start_ + bytes_; }

  // None where no free part is large enough.
  void* take(size_t wanted) {
    const size_t bytes = (wanted + kAlignment - 1) / kAlignment * kAlignment;
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = by_size_.lower_bound({bytes, 0});
    if (found == by_size_.end()) return nullptr;
    const size_t offset = found->second;
    if (resident_ + growth(by_offset_.at(offset), bytes) > limit_) release_free();
    const FreePart part = by_offset_.at(offset);
    const size_t more = growth(part, bytes);
    TORCH_CHECK_WITH(OutOfMemoryError, resident_ + more <= limit_, "out of memory: a tensor of ", wanted, " bytes is wanted, ", use_.taken,
                     " bytes are in use, and the limit is ", limit_);
    remove_free(offset, part.bytes);
    if (part.bytes > bytes) add_free(offset + bytes, {part.bytes - bytes, std::min(part.resident, part.bytes - bytes)});
    taken_.emplace(offset, bytes);
    resident_ += more;
    use_.taken += bytes;
    use_.peak = std::max(use_.peak, use_.taken);
    return start_ + offset;
  }

  void give_back(void* pointer) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = taken_.find(static_cast<char*>(pointer) - start_);
    size_t offset = found->first;
    const size_t bytes = found->second;
    taken_.erase(found);
    use_.taken -= bytes;
    FreePart part{bytes, bytes};
    join(part, by_offset_.find(offset + bytes));
    const auto next = by_offset_.lower_bound(offset);
    if (next != by_offset_.begin()) {
      const auto before = std::prev(next);
      if (before->first + before->second.bytes == offset) {
        offset = before->first;
        join(part, before);
      }
    }
    add_free(offset, part);
  }

  void release() {
    const std::lock_guard<std::mutex> lock(mutex_);
    release_free();
  }

  void limit(size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    limit_ = bytes;
  }

  LargeBlocksUse use() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return use_;
  }

  void reset_peak() {
    const std::lock_guard<std::mutex> lock(mutex_);
    use_.peak = use_.taken;
  }

 private:
  // `resident` bytes of it at most have pages.
  struct FreePart {
    size_t bytes;
    size_t resident;
  };

  // By how many bytes more may have pages once the first `bytes` of a free part are written.
  static size_t growth(const FreePart& part, size_t bytes) { return bytes + std::min(part.resident, part.bytes - bytes) - part.resident; }

  // Takes a free neighbour, if there is one, into `part`.
  void join(FreePart& part, std::map<size_t, FreePart>::iterator neighbour) {
    if (neighbour == by_offset_.end()) return;
    const auto [offset, free] = *neighbour;
    part.bytes += free.bytes;
    part.resident += free.resident;
    remove_free(offset, free.bytes);
  }
  void add_free(size_t offset, FreePart part) {
    by_size_.emplace(part.bytes, offset);
    by_offset_.emplace(offset, part);
  }
  void remove_free(size_t offset, size_t bytes) {
    by_size_.erase({bytes, offset});
    by_offset_.erase(offset);
  }
  // Pages that a free part shares with a tensor stay.
  void release_free() {
    for (auto& [offset, part] : by_offset_) {
      if (part.resident == 0) continue;
      const size_t from = (offset + page_bytes_ - 1) / page_bytes_ * page_bytes_;
      const size_t until = (offset + part.bytes) / page_bytes_ * page_bytes_;
      if (until > from) madvise(start_ + from, until - from, MADV_DONTNEED);
      resident_ -= part.resident;
      part.resident = 0;
    }
  }

  size_t page_bytes_;
  char* start_ = nullptr;
  size_t bytes_ = 0;
  size_t limit_ = std::numeric_limits<size_t>::max();
  // Of tensors, and of free parts that may have pages.
  size_t resident_ = 0;
  LargeBlocksUse use_{0, 0};
  std::mutex mutex_;
  std::set<std::pair<size_t, size_t>> by_size_;
  std::map<size_t, FreePart> by_offset_;
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
LargeBlocksUse large_blocks_use() { return region().use(); }
void reset_large_blocks_peak() { region().reset_peak(); }
void limit_large_blocks(size_t bytes) { region().limit(bytes); }
void release_large_blocks() { region().release(); }

#else

void use_large_blocks() {}
LargeBlocksUse large_blocks_use() { return {0, 0}; }
void reset_large_blocks_peak() {}
void limit_large_blocks(size_t) {}
void release_large_blocks() {}

#endif

}  // namespace ronasmis
