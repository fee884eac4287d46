// Compiled several times, with the flags of one kind of vector unit each.
#include <vector>

#include "argmax.h"
#include "pieces.h"

namespace ronasmis {

namespace {

// Writes the first largest class of each voxel of a piece, as float32.
void first_largest(const float* scores, int64_t classes, int64_t length, float* found) {
  for (int64_t at = 0; at < length; at += kLanes) {
    Vector largest = Vector::loadu(scores + at);
    Vector index(0.0F);
    for (int64_t c = 1; c < classes; ++c) {
      const Vector value = Vector::loadu(scores + c * length + at);
      // A NaN is not equal to itself.
      const Vector larger = (value > largest) | ((value != value) & (largest == largest));
      largest = Vector::blendv(largest, value, larger);
      index = Vector::blendv(index, Vector(static_cast<float>(c)), larger);
    }
    index.store(found + at);
  }
}

template <typename Value>
void labels(const Logits& logits, uint8_t* result) {
  for_pieces(logits, [&](int64_t begin, int64_t end, auto piece_of) {
    const int64_t length = piece_length(logits.classes);
    std::vector<float> scores(logits.classes * length);
    std::vector<float> found(length);
    for (int64_t index = begin; index < end; ++index) {
      const Piece piece = piece_of(index);
      read_scores<Value>(logits, piece, length, scores.data());
      first_largest(scores.data(), logits.classes, length, found.data());
      uint8_t* target = result + piece.batch * logits.voxels + piece.first;
      for (int64_t i = 0; i < piece.count; ++i) target[i] = static_cast<uint8_t>(found[i]);
    }
  });
}

const ArgmaxLoops kArgmaxLoops = {
    [](const Logits& logits, uint8_t* result) {
      with_type(logits.bfloat16, [&]<typename Value>(Value*) { labels<Value>(logits, result); });
    },
};

}  // namespace

const ArgmaxLoops& RONASMIS_LOOPS(argmax_loops)() { return kArgmaxLoops; }

}  // namespace ronasmis
