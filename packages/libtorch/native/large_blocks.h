#pragma once

namespace ronasmis {

// From now on large tensors on a processor lie in a region of their own (Linux; elsewhere nothing changes).
void use_large_blocks();

}  // namespace ronasmis
