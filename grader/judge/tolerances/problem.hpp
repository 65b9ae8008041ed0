// A case with its answer, and what it takes to compute it in other ways.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "bounds.hpp"
#include "tolerances/rounding.hpp"

namespace flashlab::judge::tolerances {

/// An output of a case: what it should be, and how exactly.
struct Output {
  std::string name;
  std::vector<double> expected;
  size_t columns;  ///< elements of a row
  size_t rows;     ///< of a batch and head
  ErrorBound bound;
};

/// Values for every output, in their order.
using Results = std::vector<std::vector<double>>;

/// A case of a lab, to be computed in ways of one's choice.
struct Problem {
  std::vector<Output> outputs;
  std::vector<Arithmetic> right;  ///< float32 in every order that an honest kernel may take
  /// The results in some arithmetic: of each batch and head rows 0, `stride`, 2 `stride`, ...; the
  /// others are left NaN.
  std::function<Results(const Arithmetic&, size_t stride)> compute;
  /// What comes when every key has the same weight: the mean of V, and what corresponds.
  std::function<Results()> uniform;
};

/// Labs 1, 3 and 4: O, and L where `has_log_sum_exp`.
Problem attention_problem(const Lab& lab, const CaseSpec& spec, uint64_t seed,
                          bool has_log_sum_exp);
/// Lab 5: dQ, dK and dV.
Problem backward_problem(const Lab& lab, const CaseSpec& spec, uint64_t seed);
/// Lab 2: merged states, statistics of rows, softmax of rows.
Problem merge_problem(const Lab& lab, const CaseSpec& spec, uint64_t seed);
Problem statistics_problem(const Lab& lab, const CaseSpec& spec, uint64_t seed);
Problem softmax_problem(const Lab& lab, const CaseSpec& spec, uint64_t seed);

/// The float32 matrix [rows, columns] number `slice` of a tensor, rounded to `format`.
Matrix matrix_of(std::span<const float> tensor, size_t slice, int rows, int columns,
                 Format format = Format::kFloat32);

/// Float32 in the orders that honest kernels take.
std::vector<Arithmetic> honest_ways();

/// scale q K^T for one row q [1, head_dim]; keys [head_dim, n] is K transposed. Factors are
/// rounded.
Row scores_of(Row q, const Matrix& keys, float scale, const Arithmetic& how);

/// Keys that query i sees: the first so many.
int visible_keys(const Shape& shape, int i);

}  // namespace flashlab::judge::tolerances
