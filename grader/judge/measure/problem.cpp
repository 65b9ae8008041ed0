#include "measure/problem.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "online_states.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

/// `count` different numbers below `total`, in ascending order.
std::vector<size_t> draw_rows(size_t total, std::optional<size_t> count, RandomStream& random) {
  std::vector<size_t> rows(total);
  std::iota(rows.begin(), rows.end(), size_t{0});
  if (!count || *count >= total) return rows;
  for (size_t i = 0; i < *count; ++i) std::swap(rows[i], rows[i + random.bits() % (total - i)]);
  rows.resize(*count);
  std::ranges::sort(rows);
  return rows;
}

template <class T>
std::span<const T> piece(const std::vector<T>& values, size_t index, size_t size) {
  return std::span(values).subspan(index * size, size);
}

template <class T>
void append(std::vector<double>& to, const T& values) {
  to.insert(to.end(), values.begin(), values.end());
}

/// O and L, row by row.
class ForwardProblem : public Problem {
 public:
  ForwardProblem(const Lab& lab, const CaseSpec& spec, uint64_t seed)
      : Problem(lab, spec), drawn_(draw_inputs(spec, seed)) {
    inputs_ = {{"Q", drawn_.Q}, {"K", drawn_.K}, {"V", drawn_.V}};
    has_log_sum_exp_ =
        find_kind(lab.entry(spec).kind)->entry == protocol::EntryKind::kAttentionForwardLse;
  }

 private:
  std::vector<ExpectedRows> expect(std::optional<size_t> count,
                                   RandomStream& random) const override {
    const Shape& shape = spec_.shape;
    ExpectedRows O{"O", static_cast<size_t>(shape.head_dim), {}, {}, {}}, L{"L", 1, {}, {}, {}};
    O.rows = L.rows = draw_rows(shape.rows(), count, random);
    double max_abs_score = 0, max_abs_value = 0;
    const auto take = [&](const reference::AttentionResult& exact) {
      append(O.values, exact.O);
      append(L.values, exact.L);
      max_abs_score = std::max(max_abs_score, exact.max_abs_score);
      max_abs_value = std::max(max_abs_value, exact.max_abs_value);
    };
    if (O.rows.size() == shape.rows()) {
      take(reference::attention_forward(exact_shape(shape), std::span(drawn_.Q),
                                        std::span(drawn_.K), std::span(drawn_.V)));
    } else {
      for (const size_t row : O.rows) take(solve_row(row));
    }
    O.bound = error_bound(tolerance_, max_abs_score, max_abs_value);
    L.bound = error_bound(tolerance_, max_abs_score, 1);
    return has_log_sum_exp_ ? std::vector{O, L} : std::vector{O};
  }

  /// A single query; under the mask it sees all of the keys that are left.
  reference::AttentionResult solve_row(size_t row) const {
    const Shape& shape = spec_.shape;
    const size_t slice = row / shape.seq_q, d = shape.head_dim;
    const int i = static_cast<int>(row % shape.seq_q);
    const int last = i + shape.seq_k - shape.seq_q;
    const int keys = shape.causal ? std::clamp(last + 1, 0, shape.seq_k) : shape.seq_k;
    reference::AttentionShape one = exact_shape(shape);
    one.batch = one.heads_q = one.heads_kv = one.seq_q = 1;
    one.seq_k = std::max(keys, 1);
    one.causal = false;
    const auto keys_of = [&](const std::vector<float>& tensor) {
      return piece(tensor, slice, shape.seq_k * d).first(one.seq_k * d);
    };
    reference::AttentionResult exact = reference::attention_forward(
        one, piece(drawn_.Q, row, d), keys_of(drawn_.K), keys_of(drawn_.V));
    if (keys == 0) {  // as attention.hpp defines it
      std::ranges::fill(exact.O, 0.0);
      exact.L = {-std::numeric_limits<double>::infinity()};
      exact.max_abs_score = 0;
    }
    return exact;
  }

  Inputs drawn_;
  bool has_log_sum_exp_;
};

/// dQ, dK and dV, head by head.
class BackwardProblem : public Problem {
 public:
  BackwardProblem(const Lab& lab, const CaseSpec& spec, uint64_t seed)
      : Problem(lab, spec), drawn_(draw_inputs(spec, seed)), dO_(draw_output_gradient(spec, seed)) {
    const auto exact = reference::attention_forward(
        exact_shape(spec.shape), std::span<const float>(drawn_.Q), std::span<const float>(drawn_.K),
        std::span<const float>(drawn_.V));
    inputs_ = {{"Q", drawn_.Q},
               {"K", drawn_.K},
               {"V", drawn_.V},
               {"O", {exact.O.begin(), exact.O.end()}},
               {"L", {exact.L.begin(), exact.L.end()}},
               {"dO", dO_}};
  }

 private:
  std::vector<ExpectedRows> expect(std::optional<size_t> count,
                                   RandomStream& random) const override {
    const size_t slices = spec_.shape.slices(), n = spec_.shape.seq_q;
    if (count) *count = (*count + n - 1) / n;
    std::vector<ExpectedRows> all;
    for (const size_t slice : draw_rows(slices, count, random)) {
      std::ranges::move(expect_slice(slice), std::back_inserter(all));
    }
    return all;
  }

  std::vector<ExpectedRows> expect_slice(size_t slice) const {
    Shape shape = spec_.shape;
    shape.batch = shape.heads = 1;
    const size_t nq = shape.q_elements(), nk = shape.k_elements();
    const auto copy = [&](const std::vector<float>& tensor, size_t size) {
      const auto part = piece(tensor, slice, size);
      return std::vector<float>(part.begin(), part.end());
    };
    BackwardStandard standard;
    standard.inputs = {copy(drawn_.Q, nq), copy(drawn_.K, nk), copy(drawn_.V, nk)};
    standard.dO = copy(dO_, nq);
    solve(standard, shape);
    const auto rows_of = [&](const char* name, const std::vector<double>& values, size_t rows) {
      ExpectedRows expected{name,
                            static_cast<size_t>(shape.head_dim),
                            {},
                            values,
                            gradient_bound(tolerance_, shape, standard, name)};
      expected.rows.resize(rows);
      std::iota(expected.rows.begin(), expected.rows.end(), slice * rows);
      return expected;
    };
    const size_t queries = shape.seq_q, keys = shape.seq_k;
    return {rows_of("dV", standard.gradients.dV, keys), rows_of("dK", standard.gradients.dK, keys),
            rows_of("dQ", standard.gradients.dQ, queries)};
  }

  Inputs drawn_;
  std::vector<float> dO_;
};

/// Lab 2: rows are independent.
class RowProblem : public Problem {
 protected:
  using Problem::Problem;

  Shape shape_of(const std::vector<size_t>& rows) const {
    Shape shape = spec_.shape;
    shape.seq_q = static_cast<int>(rows.size());
    return shape;
  }
  std::vector<size_t> draw(std::optional<size_t> count, RandomStream& random) const {
    return draw_rows(static_cast<size_t>(spec_.shape.seq_q), count, random);
  }
  static std::vector<float> gather(const std::vector<float>& tensor,
                                   const std::vector<size_t>& rows, size_t columns) {
    std::vector<float> some;
    for (const size_t row : rows) {
      const auto part = piece(tensor, row, columns);
      some.insert(some.end(), part.begin(), part.end());
    }
    return some;
  }
};

class MergeProblem : public RowProblem {
 public:
  MergeProblem(const Lab& lab, const CaseSpec& spec, uint64_t seed)
      : RowProblem(lab, spec), parts_(draw_states(spec, seed)) {
    inputs_ = {{"m", parts_.m}, {"l", parts_.l}, {"o", parts_.o}};
  }

 private:
  std::vector<ExpectedRows> expect(std::optional<size_t> count,
                                   RandomStream& random) const override {
    const std::vector<size_t> rows = draw(count, random);
    const size_t parts = spec_.shape.seq_k, d = spec_.shape.head_dim;
    const PartialStates some = {gather(parts_.m, rows, parts), gather(parts_.l, rows, parts),
                                gather(parts_.o, rows, parts * d)};
    const RowStates right = merge_parts(shape_of(rows), some);
    double size = 0;
    for (const double value : right.o) size = std::max(size, std::abs(value));
    return {{"m_out", 1, rows, right.m, maximum_bound(tolerance_)},
            {"l_out", 1, rows, right.l, online_bound(tolerance_, some.m)},
            {"o_out", d, rows, right.o, online_bound(tolerance_, some.m, size)}};
  }

  PartialStates parts_;
};

class ScoresProblem : public RowProblem {
 public:
  ScoresProblem(const Lab& lab, const CaseSpec& spec, uint64_t seed)
      : RowProblem(lab, spec),
        S_(draw_scores(spec, seed)),
        wants_probabilities_(find_kind(lab.entry(spec).kind)->entry ==
                             protocol::EntryKind::kRowSoftmax) {
    inputs_ = {{"S", S_}};
  }

 private:
  std::vector<ExpectedRows> expect(std::optional<size_t> count,
                                   RandomStream& random) const override {
    const std::vector<size_t> rows = draw(count, random);
    const size_t columns = spec_.shape.seq_k;
    const std::vector<float> some = gather(S_, rows, columns);
    const RowStates right = state_of_rows(shape_of(rows), some);
    const ErrorBound bound = online_bound(tolerance_, some);
    if (wants_probabilities_) {
      return {{"P", columns, rows, probabilities(shape_of(rows), some, right), bound}};
    }
    return {{"m", 1, rows, right.m, maximum_bound(tolerance_)}, {"l", 1, rows, right.l, bound}};
  }

  std::vector<float> S_;
  bool wants_probabilities_;
};

/// The elements of `rows` of a tensor, one row after the other.
std::vector<float> rows_of(const std::vector<float>& tensor, const ExpectedRows& expected) {
  std::vector<float> values;
  values.reserve(expected.values.size());
  for (const size_t row : expected.rows) {
    const auto part = piece(tensor, row, expected.columns);
    values.insert(values.end(), part.begin(), part.end());
  }
  return values;
}

/// Joins what two comparisons found.
void add(ErrorSummary& to, const ErrorSummary& more) {
  to.max_abs = std::max(to.max_abs, more.max_abs);
  to.max_rel = std::max(to.max_rel, more.max_rel);
  to.tolerance = std::max(to.tolerance, more.tolerance);
  to.wrong += more.wrong;
}

}  // namespace

Checked Problem::check(const CallResult& call, std::optional<size_t> rows, uint64_t seed) const {
  Checked checked;
  for (const Input& tensor : call.tensors) {
    if (std::ranges::find(inputs_, tensor.name, &Input::name) != inputs_.end()) continue;
    const auto is_nan = [](float value) { return std::isnan(value); };
    const auto nan = static_cast<size_t>(std::ranges::count_if(tensor.values, is_nan));
    const auto poison = static_cast<size_t>(std::ranges::count_if(tensor.values, is_poison));
    checked.error.total += tensor.values.size();
    checked.error.not_finite += nan;
    checked.error.unwritten += poison;
    if (nan == 0 || !checked.ok()) continue;
    checked.message = format("%s: %zu of %zu elements are %s", tensor.name.c_str(), nan,
                             tensor.values.size(), nan == poison ? "never written" : "NaN");
  }
  RandomStream random(seed, spec_.name, "rows");
  for (const ExpectedRows& expected : expect(rows, random)) {
    const Comparison comparison =
        compare(rows_of(call.after(expected.tensor), expected), expected.values, expected.bound);
    add(checked.error, summary(comparison));
    checked.rows += expected.rows.size();
    ErrorBound& bound = checked.bounds[expected.tensor];
    bound.absolute = std::max(bound.absolute, expected.bound.absolute);
    bound.relative = std::max(bound.relative, expected.bound.relative);
    if (comparison.ok() || !checked.ok()) continue;
    const auto where = [&](size_t index) {
      return format("%s[row %zu, %zu]", expected.tensor.c_str(),
                    expected.rows[index / expected.columns], index % expected.columns);
    };
    checked.message = describe_mismatches(comparison, expected.tensor, where);
  }
  return checked;
}

std::vector<ExpectedRows> Problem::reference() const {
  RandomStream random(0, spec_.name, "rows");
  return expect(std::nullopt, random);
}

std::string find_difference(const CallResult& left, const CallResult& right, const Checked& checked,
                            double factor) {
  for (const auto& [name, bound] : checked.bounds) {
    const std::vector<float>&mine = left.after(name), &theirs = right.after(name);
    const ErrorBound wide{factor * bound.absolute, factor * bound.relative};
    for (size_t i = 0; i < mine.size(); ++i) {
      if (wide.holds(mine[i], theirs[i])) continue;
      return format("%s: element %zu is %g, the staff's kernel has %g", name.c_str(), i, mine[i],
                    theirs[i]);
    }
  }
  return "";
}

std::unique_ptr<Problem> make_problem(const Lab& lab, const CaseSpec& spec, uint64_t seed) {
  switch (find_kind(lab.entry(spec).kind)->entry) {
    case protocol::EntryKind::kAttentionForward:
    case protocol::EntryKind::kAttentionForwardLse:
      return std::make_unique<ForwardProblem>(lab, spec, seed);
    case protocol::EntryKind::kAttentionBackward:
      return std::make_unique<BackwardProblem>(lab, spec, seed);
    case protocol::EntryKind::kMergeStates:
      return std::make_unique<MergeProblem>(lab, spec, seed);
    case protocol::EntryKind::kRowStatistics:
    case protocol::EntryKind::kRowSoftmax:
      break;
  }
  return std::make_unique<ScoresProblem>(lab, spec, seed);
}

}  // namespace flashlab::judge
