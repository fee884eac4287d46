// Compiled several times, with the flags of one kind of vector unit each.
#include <algorithm>
#include <vector>

#include "dice_cross_entropy.h"
#include "pieces.h"

namespace ronasmis {

namespace {

// Scratch memory of one thread: per class and voxel of a piece the scores and what becomes of them; per voxel the label.
struct Scratch {
  int64_t classes;
  int64_t length;
  std::vector<float> scores;   // [classes, length]
  std::vector<float> label;    // [length]; -1 past the end of a piece
  std::vector<float> inverse;  // [length]: 1 / sum of the exponentials; 0 past the end of a piece
  explicit Scratch(int64_t classes)
      : classes(classes), length(piece_length(classes)), scores(classes * length), label(length), inverse(length) {}
  float* of(int64_t c) { return scores.data() + c * length; }
};

// Writes every `step`-th of a line as float32; returns the largest. A constant `step` of 1 lets the compiler take whole vectors.
template <typename Step>
uint8_t read_line(const uint8_t* line, Step step, int64_t count, float* values) {
  uint8_t largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    const uint8_t value = line[i * step];
    largest = std::max(largest, value);
    values[i] = static_cast<float>(value);
  }
  return largest;
}

// Writes the label of a piece as float32; returns its largest value.
int64_t read_label(const ThinnedLabel& label, const Piece& piece, Scratch& scratch) {
  const auto& [data, whole, size, stride] = label;
  const uint8_t* volume = data + piece.batch * whole[0] * whole[1] * whole[2];
  float* values = scratch.label.data();
  std::fill(values + piece.count, values + scratch.length, -1.0F);
  constexpr std::integral_constant<int64_t, 1> one;
  if (stride[0] == 1 && stride[1] == 1 && stride[2] == 1) return read_line(volume + piece.first, one, piece.count, values);
  uint8_t largest = 0;
  for (int64_t i = 0; i < piece.count;) {
    // The rest of a row.
    const int64_t row = (piece.first + i) / size[2];
    const int64_t from = (piece.first + i) % size[2];
    const int64_t count = std::min(size[2] - from, piece.count - i);
    const uint8_t* line = volume + (row / size[1] * stride[0] * whole[1] + row % size[1] * stride[1]) * whole[2] + from * stride[2];
    largest = std::max(largest, stride[2] == 1 ? read_line(line, one, count, values + i) : read_line(line, stride[2], count, values + i));
    i += count;
  }
  return largest;
}

// Turns scores into their exponentials, each over the largest of its voxel, and sets `inverse`. Returns the cross-entropy's sums
// where they are wanted.
template <bool wants_cross_entropy>
Vector exponentials(Scratch& scratch) {
  Vector cross_entropy(0.0F);
  for (int64_t at = 0; at < scratch.length; at += kLanes) {
    const Vector label = Vector::loadu(scratch.label.data() + at);
    Vector largest = Vector::loadu(scratch.of(0) + at);
    for (int64_t c = 1; c < scratch.classes; ++c) largest = at::vec::maximum(largest, Vector::loadu(scratch.of(c) + at));
    Vector sum(0.0F);
    Vector chosen(0.0F);
    for (int64_t c = 0; c < scratch.classes; ++c) {
      const Vector shifted = Vector::loadu(scratch.of(c) + at) - largest;
      if constexpr (wants_cross_entropy) chosen = Vector::blendv(chosen, shifted, label == Vector(static_cast<float>(c)));
      const Vector exponential = shifted.exp();
      sum = sum + exponential;
      exponential.store(scratch.of(c) + at);
    }
    const Vector inside = label >= Vector(0.0F);
    Vector::blendv(Vector(0.0F), Vector(1.0F) / sum, inside).store(scratch.inverse.data() + at);
    if constexpr (wants_cross_entropy) cross_entropy = cross_entropy + Vector::blendv(Vector(0.0F), sum.log() - chosen, inside);
  }
  return cross_entropy;
}

double total(const Vector& vector) {
  float lanes[kLanes];
  vector.store(lanes);
  double sum = 0;
  for (const float lane : lanes) sum += lane;
  return sum;
}

void piece_sums(Scratch& scratch, double* sums) {
  sums[0] = total(exponentials<true>(scratch));
  for (int64_t c = 1; c < scratch.classes; ++c) {
    const Vector value(static_cast<float>(c));
    Vector overlap(0.0F);
    Vector probability(0.0F);
    Vector labelled(0.0F);
    for (int64_t at = 0; at < scratch.length; at += kLanes) {
      const Vector p = Vector::loadu(scratch.of(c) + at) * Vector::loadu(scratch.inverse.data() + at);
      const Vector here = Vector::loadu(scratch.label.data() + at) == value;
      probability = probability + p;
      overlap = overlap + (p & here);
      labelled = labelled + (Vector(1.0F) & here);
    }
    sums[1 + c] = total(overlap);
    sums[1 + scratch.classes + c] = total(probability);
    sums[1 + 2 * scratch.classes + c] = total(labelled);
  }
}

template <typename Value>
int64_t sums(const Logits& logits, const ThinnedLabel& label, double* result) {
  const int64_t terms = 1 + 3 * logits.classes;
  const int64_t pieces = pieces_per_volume(logits);
  // Every piece has its own sums, added in order: the same for any number of threads.
  std::vector<double> partial(logits.batch * pieces * terms, 0.0);
  std::vector<int64_t> largest(logits.batch * pieces, 0);
  for_pieces(logits, [&](int64_t begin, int64_t end, auto piece_of) {
    Scratch scratch(logits.classes);
    for (int64_t index = begin; index < end; ++index) {
      const Piece piece = piece_of(index);
      largest[index] = read_label(label, piece, scratch);
      read_scores<Value>(logits, piece, scratch.length, scratch.scores.data());
      piece_sums(scratch, partial.data() + index * terms);
    }
  });
  std::fill_n(result, logits.batch * terms, 0.0);
  for (int64_t index = 0; index < logits.batch * pieces; ++index)
    for (int64_t term = 0; term < terms; ++term) result[index / pieces * terms + term] += partial[index * terms + term];
  return *std::max_element(largest.begin(), largest.end());
}

void piece_gradient(Scratch& scratch, const float* at_label, const float* everywhere, float cross_entropy) {
  const Vector pull(cross_entropy);
  exponentials<false>(scratch);
  for (int64_t at = 0; at < scratch.length; at += kLanes) {
    const Vector label = Vector::loadu(scratch.label.data() + at);
    const Vector inverse = Vector::loadu(scratch.inverse.data() + at);
    const auto here = [&](int64_t c) { return label == Vector(static_cast<float>(c)); };
    const auto slope = [&](int64_t c) { return Vector(everywhere[c]) + (Vector(at_label[c]) & here(c)); };
    Vector mean(0.0F);
    for (int64_t c = 1; c < scratch.classes; ++c)
      mean = at::vec::fmadd(Vector::loadu(scratch.of(c) + at) * inverse, slope(c), mean);
    for (int64_t c = 0; c < scratch.classes; ++c) {
      const Vector p = Vector::loadu(scratch.of(c) + at) * inverse;
      (p * (slope(c) - mean + pull) - (pull & here(c))).store(scratch.of(c) + at);
    }
  }
}

template <typename Value>
void gradient(const Logits& logits, const ThinnedLabel& label, const float* at_label, const float* everywhere, float cross_entropy, Value* result) {
  for_pieces(logits, [&](int64_t begin, int64_t end, auto piece_of) {
    Scratch scratch(logits.classes);
    for (int64_t index = begin; index < end; ++index) {
      const Piece piece = piece_of(index);
      read_label(label, piece, scratch);
      read_scores<Value>(logits, piece, scratch.length, scratch.scores.data());
      piece_gradient(scratch, at_label + piece.batch * logits.classes, everywhere + piece.batch * logits.classes, cross_entropy);
      write_scores(logits, piece, scratch.length, scratch.scores.data(), result);
    }
  });
}

const DiceCrossEntropyLoops kDiceCrossEntropyLoops = {
    [](const Logits& logits, const ThinnedLabel& label, double* result) {
      int64_t largest = 0;
      with_type(logits.bfloat16, [&]<typename Value>(Value*) { largest = sums<Value>(logits, label, result); });
      return largest;
    },
    [](const Logits& logits, const ThinnedLabel& label, const float* at_label, const float* everywhere, float cross_entropy, void* result) {
      with_type(logits.bfloat16, [&]<typename Value>(Value*) {
        gradient(logits, label, at_label, everywhere, cross_entropy, static_cast<Value*>(result));
      });
    },
};

}  // namespace

const DiceCrossEntropyLoops& RONASMIS_LOOPS(dice_cross_entropy_loops)() { return kDiceCrossEntropyLoops; }

}  // namespace ronasmis
