// For *_loops.cc: logits in pieces of some hundred voxels, turned such that the voxels of a class lie one after the other.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <type_traits>

#include "logits.h"
#include "vectors.h"

namespace ronasmis {

namespace {

// Values of a piece, which its scratch memory holds in a core's own cache; and the most voxels, whose sums are in float32.
constexpr int64_t kScoreValues = 8192;
constexpr int64_t kMostVoxels = 512;

// Voxels of a piece: whole vectors of them.
[[maybe_unused]] int64_t piece_length(int64_t classes) {
  return std::clamp(kScoreValues / classes / kLanes * kLanes, kLanes, kMostVoxels);
}

[[maybe_unused]] int64_t pieces_per_volume(const Logits& logits) {
  const int64_t length = piece_length(logits.classes);
  return (logits.voxels + length - 1) / length;
}

struct Piece {
  int64_t index;  // among those of all batches
  int64_t batch;
  int64_t first;  // voxel
  int64_t count;  // voxels
};

// Calls `body(first piece, one past the last, piece)` in parallel, where `piece(index)` describes one.
template <typename Body>
void for_pieces(const Logits& logits, Body&& body) {
  const int64_t length = piece_length(logits.classes);
  const int64_t pieces = pieces_per_volume(logits);
  at::parallel_for(0, logits.batch * pieces, 8, [&](int64_t begin, int64_t end) {
    body(begin, end, [=, &logits](int64_t index) {
      const int64_t first = index % pieces * length;
      return Piece{index, index / pieces, first, std::min(length, logits.voxels - first)};
    });
  });
}

// Calls `body` with the number of classes, as a compile-time constant where it is small: the compiler then shuffles whole vectors.
template <typename Body>
void with_classes(int64_t classes, Body&& body) {
  switch (classes) {
    case 2: return body(std::integral_constant<int64_t, 2>{});
    case 3: return body(std::integral_constant<int64_t, 3>{});
    case 4: return body(std::integral_constant<int64_t, 4>{});
    case 5: return body(std::integral_constant<int64_t, 5>{});
    case 6: return body(std::integral_constant<int64_t, 6>{});
    default: return body(classes);
  }
}

// scores[class * length + voxel] of a piece; voxels past its end get 0.
template <typename Value>
void read_scores(const Logits& logits, const Piece& piece, int64_t length, float* scores) {
  const Value* values = static_cast<const Value*>(logits.data) + piece.batch * logits.classes * logits.voxels + piece.first * logits.voxel_stride;
  if (logits.voxel_stride == 1) {
    for (int64_t c = 0; c < logits.classes; ++c)
      for (int64_t i = 0; i < piece.count; ++i) scores[c * length + i] = static_cast<float>(values[c * logits.class_stride + i]);
  } else {
    with_classes(logits.classes, [&](auto classes) {
      for (int64_t i = 0; i < piece.count; ++i)
        for (int64_t c = 0; c < classes; ++c) scores[c * length + i] = static_cast<float>(values[i * classes + c]);
    });
  }
  if (piece.count == length) return;
  for (int64_t c = 0; c < logits.classes; ++c) std::fill(scores + c * length + piece.count, scores + (c + 1) * length, 0.0F);
}

// The way back: into memory of the logits' layout.
template <typename Value>
void write_scores(const Logits& logits, const Piece& piece, int64_t length, const float* scores, Value* result) {
  Value* values = result + piece.batch * logits.classes * logits.voxels + piece.first * logits.voxel_stride;
  if (logits.voxel_stride == 1) {
    for (int64_t c = 0; c < logits.classes; ++c)
      for (int64_t i = 0; i < piece.count; ++i) values[c * logits.class_stride + i] = static_cast<Value>(scores[c * length + i]);
  } else {
    with_classes(logits.classes, [&](auto classes) {
      for (int64_t i = 0; i < piece.count; ++i)
        for (int64_t c = 0; c < classes; ++c) values[i * classes + c] = static_cast<Value>(scores[c * length + i]);
    });
  }
}

}  // namespace

}  // namespace ronasmis
