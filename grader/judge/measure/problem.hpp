// One problem to measure a submission with: its inputs, and whether the outputs of a call are
// right.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cases/case.hpp"

namespace flashlab::judge {

/// What the outputs of one call are worth.
struct Checked {
  ErrorSummary error;   ///< over all outputs
  size_t rows = 0;      ///< rows of outputs that were compared with the float64 reference
  std::string message;  ///< what is wrong; empty when nothing is
  std::map<std::string, ErrorBound> bounds;  ///< of each output
  bool ok() const { return message.empty(); }
};

/// Some rows of an output, and what they should hold.
struct ExpectedRows {
  std::string tensor;
  size_t columns = 1;          ///< elements of a row
  std::vector<size_t> rows;    ///< their indices in the whole tensor
  std::vector<double> values;  ///< [rows, columns]
  ErrorBound bound;
};

class Problem {
 public:
  virtual ~Problem() = default;
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;

  const std::vector<Input>& inputs() const { return inputs_; }

  /// Looks at every element of every output: none may be NaN, which is also what the worker fills
  /// them with. Compares `rows` rows with the float64 reference, drawn from `seed` only now, after
  /// the call; all rows when there is no number. A row costs the reference time in proportion to
  /// seq_k head_dim, so some rows of a large problem can be checked in every one of many calls.
  /// Gradients depend on all rows of a head: as many heads are compared as hold `rows` rows.
  Checked check(const CallResult& call, std::optional<size_t> rows, uint64_t seed) const;

  /// What all outputs should hold.
  std::vector<ExpectedRows> reference() const;

 protected:
  Problem(const Lab& lab, const CaseSpec& spec) : tolerance_(lab.tolerance), spec_(spec) {}
  /// The reference for `count` rows, all of them or drawn from `random`.
  virtual std::vector<ExpectedRows> expect(std::optional<size_t> count,
                                           RandomStream& random) const = 0;

  Tolerance tolerance_;
  CaseSpec spec_;
  std::vector<Input> inputs_;
};

/// Where the outputs of two calls with the same inputs differ by more than `factor` times the
/// bounds of `checked`: one line, or nothing. The one on the left is told to be wrong.
std::string find_difference(const CallResult& left, const CallResult& right, const Checked& checked,
                            double factor);

/// The problem of a case, with inputs drawn from the seed.
std::unique_ptr<Problem> make_problem(const Lab& lab, const CaseSpec& spec, uint64_t seed);

}  // namespace flashlab::judge
