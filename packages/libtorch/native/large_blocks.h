#pragma once

#include <cstddef>

namespace ronasmis {

// From now on tensors on a processor lie in a region of their own where they are large.
void use_large_blocks();

// Bytes of large tensors. All are 0, and nothing is limited, where there is no such region (other systems than Linux).
struct LargeBlocksUse {
  // Alive now, and the most that were alive at once since `reset_large_blocks_peak`.
  size_t taken;
  size_t peak;
};
LargeBlocksUse large_blocks_use();
void reset_large_blocks_peak();

// Large tensors, and the free memory between them that the system has not got back, take at most so much; what would need more throws
// c10::OutOfMemoryError.
void limit_large_blocks(size_t bytes);

// Gives the free memory between large tensors back to the system.
void release_large_blocks();

}  // namespace ronasmis
