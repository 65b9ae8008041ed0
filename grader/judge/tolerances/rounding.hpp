// Floating point as a kernel might do it: what is rounded to how many bits, and in which order sums
// are taken.
#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

namespace flashlab::judge::tolerances {

using Row = Eigen::Array<float, 1, Eigen::Dynamic>;
using Matrix = Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

enum class Format { kFloat32, kTf32, kFloat16, kBfloat16 };

/// The order of a sum. kPairwise: neighbours in a tree, as warps do it; kShuffled: a fixed random
/// one.
enum class Order { kAscending, kDescending, kPairwise, kShuffled };

/// One way to compute a result. The first three are about sums, the next about softmax, the last
/// two about precision: a kernel with float32 in both is a right one.
struct Arithmetic {
  std::string name;
  Order order = Order::kAscending;
  bool fused = false;     ///< multiply-adds round once
  int tile = 0;           ///< keys, parts or queries taken at a time; 0: all
  int splits = 1;         ///< the keys are shared out among so many states, which are then merged
  bool base_two = false;  ///< exp2(x log2(e)) in place of exp(x), as fast kernels do
  bool scale_first = false;  ///< Q is multiplied by the scale, and not S
  bool divide_each = false;  ///< o is divided by l after every tile, as in FlashAttention-1
  Format factors = Format::kFloat32;  ///< what goes into a product is rounded to this
  Format results = Format::kFloat32;  ///< what every operation gives is rounded to this
};

float rounded(float value, Format format);

/// Every element rounded; nothing to do for kFloat32.
template <class Array>
void round_all(Array&& values, Format format) {
  if (format == Format::kFloat32) return;
  for (auto row : values.rowwise()) {
    for (float& value : row) value = rounded(value, format);
  }
}

/// exp(value - shift), element by element; 0 for -infinity.
Row exponentials(const Row& values, float shift, const Arithmetic& how);

/// The numbers 0 to count - 1 in the order in which a sum takes them.
std::vector<int> term_order(int count, Order order);

/// sum += weights * rows: weights [1, n], rows [n, width], sum [1, width].
void add_weighted(Row& sum, const Row& weights, const Eigen::Ref<const Matrix>& rows,
                  const Arithmetic& how);

}  // namespace flashlab::judge::tolerances
