// ronasmis::euclidean_norm: of many tensors together, on a processor.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <cmath>
#include <vector>

namespace ronasmis {

namespace {

// Values that are added by one thread, in float32 runs of 64 and then in float64: the same sum for any number of threads.
constexpr int64_t kPieceValues = 32768;
constexpr int64_t kRunValues = 64;

struct Piece {
  const float* values;
  int64_t count;
};

double sum_of_squares(const Piece& piece) {
  double total = 0;
  for (int64_t start = 0; start < piece.count; start += kRunValues) {
    const int64_t count = std::min(kRunValues, piece.count - start);
    float sums[8] = {};
    for (int64_t i = 0; i < count; ++i) sums[i % 8] += piece.values[start + i] * piece.values[start + i];
    for (const float sum : sums) total += sum;
  }
  return total;
}

at::Tensor euclidean_norm(at::TensorList tensors) {
  std::vector<at::Tensor> kept;
  std::vector<Piece> pieces;
  for (const at::Tensor& tensor : tensors) {
    TORCH_CHECK(tensor.scalar_type() == at::kFloat && tensor.device().is_cpu(), "all tensors must be float32 on the CPU");
    // The order of the values is no matter, so any dense layout is read as it lies in memory.
    kept.push_back(tensor.is_non_overlapping_and_dense() ? tensor : tensor.contiguous());
    for (int64_t first = 0; first < tensor.numel(); first += kPieceValues)
      pieces.push_back({kept.back().const_data_ptr<float>() + first, std::min(kPieceValues, tensor.numel() - first)});
  }
  std::vector<double> sums(pieces.size());
  at::parallel_for(0, static_cast<int64_t>(pieces.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) sums[i] = sum_of_squares(pieces[i]);
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return at::scalar_tensor(std::sqrt(total), at::kFloat);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(ronasmis, library) {
  library.def("euclidean_norm(Tensor[] tensors) -> Tensor", euclidean_norm);
}

}  // namespace ronasmis
