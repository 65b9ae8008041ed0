// Rules that compute what a wrong formula would give and compare that with what came: the formulas
// of attention as such. Those of the online softmax and of the mask are in hypotheses_online.cpp.
#include "hypotheses.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "reference/softmax.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

using reference::RowMatrix;
using MatrixView = Eigen::Map<const RowMatrix>;

/// Attention with another number of keys: rows beyond seq_k are zero.
Problem with_keys(const Evidence& evidence, int keys) {
  Problem problem = original(evidence);
  const int d = problem.shape.head_dim, before = problem.shape.seq_k;
  const auto resize = [&](const Values& values) {
    Values result(problem.shape.slices() * keys * d, 0.0);
    for (size_t slice = 0; slice < problem.shape.slices(); ++slice) {
      std::copy_n(values.begin() + static_cast<ptrdiff_t>(slice * before * d),
                  std::min(keys, before) * d,
                  result.begin() + static_cast<ptrdiff_t>(slice * keys * d));
    }
    return result;
  };
  problem.K = resize(problem.K);
  problem.V = resize(problem.V);
  problem.shape.seq_k = keys;
  return problem;
}

/// The index of the slice [batch, head] that slice (b, h) reads instead of its own.
using SliceChoice = size_t (*)(const Shape&, size_t b, size_t h);

/// K and V (and Q when `also_q`) taken from other slices.
Problem with_slices(const Evidence& evidence, SliceChoice choose, bool also_q) {
  Problem problem = original(evidence);
  const Shape& shape = problem.shape;
  const auto gather = [&](Values& values) {
    const Values before = values;
    const size_t stride = values.size() / shape.slices();
    for (size_t slice = 0; slice < shape.slices(); ++slice) {
      const size_t from = choose(shape, slice / shape.heads, slice % shape.heads);
      std::copy_n(before.begin() + static_cast<ptrdiff_t>(from * stride), stride,
                  values.begin() + static_cast<ptrdiff_t>(slice * stride));
    }
  };
  gather(problem.K);
  gather(problem.V);
  if (also_q) gather(problem.Q);
  return problem;
}

/// Reads each [rows, columns] slice as if it were stored transposed.
void misread_as_transposed(Values& values, const Shape& shape) {
  const Eigen::Index rows = shape.seq_k, columns = shape.head_dim;
  for (size_t slice = 0; slice < shape.slices(); ++slice) {
    Eigen::Map<RowMatrix> matrix(values.data() + slice * rows * columns, rows, columns);
    const RowMatrix stored = matrix;
    matrix = MatrixView(stored.data(), columns, rows).transpose();
  }
}

Values with_weights(const Evidence& evidence, const Rows& rows, const Weights& weights) {
  return solve(original(evidence), rows, weights);
}

/// These rows of every slice of O.
Values select(const Shape& shape, const Values& O, const Rows& rows) {
  Values selected;
  for (size_t slice = 0; slice < shape.slices(); ++slice) {
    for (const int row : rows) {
      const size_t at = (slice * shape.seq_q + row) * shape.head_dim;
      selected.insert(selected.end(), O.begin() + static_cast<ptrdiff_t>(at),
                      O.begin() + static_cast<ptrdiff_t>(at + shape.head_dim));
    }
  }
  return selected;
}

/// Every row of a slice.
Rows all_rows(const Shape& shape) {
  Rows rows(shape.seq_q);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

/// Equal weights for every key that the query sees.
RowMatrix equal_weights(const RowMatrix& scores) {
  const RowMatrix seen = scores.array().isFinite().cast<double>();
  return seen.array().colwise() / seen.rowwise().sum().array().max(1.0);
}

RowMatrix softmax_of_columns(const RowMatrix& scores) {
  RowMatrix transposed = scores.transpose();
  reference::softmax_rows(transposed);
  return transposed.transpose();
}

RowMatrix shifted_exp(const RowMatrix& scores) {
  return (scores.colwise() - scores.rowwise().maxCoeff()).array().exp();
}

/// Row i of O is row i of V, starting again after the last.
Values rows_of_v(const Evidence& evidence) {
  const Shape& shape = evidence.shape;
  Values result(shape.q_elements());
  for (size_t index = 0; index < result.size(); ++index) {
    const size_t row = index / shape.head_dim, slice = row / shape.seq_q;
    const size_t from = slice * shape.seq_k + row % shape.seq_q % shape.seq_k;
    result[index] = evidence.inputs.V[from * shape.head_dim + index % shape.head_dim];
  }
  return result;
}

void add_scales(const Evidence& evidence, std::vector<Hypothesis>& list) {
  const double scale = evidence.shape.scale, d = evidence.shape.head_dim;
  const auto with_scale = [&evidence](double value) {
    return [&evidence, value](const Rows& rows) {
      Problem problem = original(evidence);
      problem.scale = value;
      return solve(problem, rows);
    };
  };
  const struct {
    double value;
    const char* name;
  } guesses[] = {{1, "1 (no scale at all)"},
                 {1 / d, "1/d (the root is missing)"},
                 {1 / std::sqrt(d), "1/sqrt(d), but this case asks for another scale"},
                 {std::sqrt(d), "sqrt(d) (multiplied instead of divided)"},
                 {scale * scale, "scale * scale (applied twice)"}};
  for (const auto& guess : guesses) {
    list.push_back({"wrong_scale",
                    format("O is what attention with scale = %s gives. Multiply Q K^T by "
                           "shape.scale (%.6g here), "
                           "once.",
                           guess.name, scale),
                    "scores", with_scale(guess.value)});
  }
}

void add_keys(const Evidence& evidence, std::vector<Hypothesis>& list) {
  const int keys = evidence.shape.seq_k;
  const auto with = [&evidence](int count) {
    return [&evidence, count](const Rows& rows) { return solve(with_keys(evidence, count), rows); };
  };
  if (keys > 1) {
    list.push_back({"dropped_key",
                    format("O is what the first %d of %d keys give: the last key is left out. "
                           "Check the loop's bound.",
                           keys - 1, keys),
                    "softmax", with(keys - 1)});
  }
  for (const int tile : evidence.lab.diagnosis.tiles) {
    const int down = keys / tile * tile, up = (keys + tile - 1) / tile * tile;
    if (down > 0 && down < keys - 1) {
      list.push_back(
          {"dropped_tail",
           format("O is what the first %d of %d keys give: the last, partial tile is left out. "
                  "Round the number of tiles up, and guard the loads.",
                  down, keys),
           "softmax", with(down)});
    }
    if (up > keys) {
      list.push_back(
          {"padded_keys",
           format("O is what %d keys give when keys %d to %d have score 0: the padding of the last "
                  "tile of "
                  "%d takes part in the softmax. Give it the score -INFINITY, or leave it out.",
                  up, keys, up - 1, tile),
           "softmax", with(up)});
    }
  }
}

void add_slices(const Evidence& evidence, std::vector<Hypothesis>& list) {
  const auto add = [&](const char* cause, const char* mistake, SliceChoice choose) {
    for (const bool also_q : {false, true}) {
      list.push_back(
          {cause,
           format("O is what comes of reading %s %s. Slice (b, h) starts at (b * heads + "
                  "h) * N * d.",
                  also_q ? "Q, K and V" : "K and V", mistake),
           "scores", [&evidence, choose, also_q](const Rows& rows) {
             return solve(with_slices(evidence, choose, also_q), rows);
           }});
    }
  };
  const bool heads = evidence.shape.heads > 1, batches = evidence.shape.batch > 1;
  if (heads) {
    add("head_ignored", "of head 0 for every head",
        [](const Shape& shape, size_t b, size_t) { return b * shape.heads; });
  }
  if (batches) {
    add("batch_ignored", "of batch 0 for every batch",
        [](const Shape&, size_t, size_t h) { return h; });
  }
  if (heads && batches) {
    add("slices_swapped", "at (h * batch + b) * N * d, heads before batches",
        [](const Shape& shape, size_t b, size_t h) { return h * shape.batch + b; });
  }
}

void add_layouts(const Evidence& evidence, std::vector<Hypothesis>& list) {
  list.push_back({"transposed_v",
                  "O is what V gives when it is read as [d, Nk]. V is [Nk, d]: element (j, c) is "
                  "V[j * d + c].",
                  "weighted_sum", [&evidence](const Rows& rows) {
                    Problem problem = original(evidence);
                    misread_as_transposed(problem.V, problem.shape);
                    return solve(problem, rows);
                  }});
  list.push_back({"transposed_k",
                  "O is what K gives when it is read as [d, Nk]. K is [Nk, d]: element (j, c) is "
                  "K[j * d + c].",
                  "scores", [&evidence](const Rows& rows) {
                    Problem problem = original(evidence);
                    misread_as_transposed(problem.K, problem.shape);
                    return solve(problem, rows);
                  }});
  list.push_back({"copies_v", "O equals V: no weighted sum took place.", "weighted_sum",
                  [&evidence](const Rows& rows) {
                    return select(evidence.shape, rows_of_v(evidence), rows);
                  }});
}

void add_softmaxes(const Evidence& evidence, std::vector<Hypothesis>& list) {
  list.push_back(
      {"mean_of_v", "O is the mean of V: all weights are equal, so the scores have no influence.",
       "softmax",
       [&evidence](const Rows& rows) { return with_weights(evidence, rows, equal_weights); }});
  list.push_back(
      {"not_normalised",
       "P is not normalised: O is what exp(S - m) V gives. Divide by the row's sum l.", "softmax",
       [&evidence](const Rows& rows) { return with_weights(evidence, rows, shifted_exp); }});
  list.push_back({"not_normalised",
                  "P is not normalised: O is what exp(S) V gives. Subtract the row's maximum m and "
                  "divide by the row's sum l.",
                  "softmax", [&evidence](const Rows& rows) {
                    return with_weights(evidence, rows, [](const RowMatrix& s) -> RowMatrix {
                      return s.array().exp();
                    });
                  }});
  list.push_back({"wrong_axis",
                  "The softmax runs along the wrong axis: the columns of P sum to 1, not its rows. "
                  "Each query i normalises over the keys j.",
                  "softmax", [&evidence](const Rows& rows) {
                    return select(
                        evidence.shape,
                        with_weights(evidence, all_rows(evidence.shape), softmax_of_columns), rows);
                  }});
  list.push_back(
      {"no_softmax", "O is S V: the softmax is missing.", "softmax", [&evidence](const Rows& rows) {
         return with_weights(evidence, rows, [](const RowMatrix& s) { return s; });
       }});
}

}  // namespace

void add_attention_hypotheses(const Evidence& evidence, std::vector<Hypothesis>& list) {
  add_softmaxes(evidence, list);
  add_scales(evidence, list);
  add_keys(evidence, list);
  add_slices(evidence, list);
  add_layouts(evidence, list);
}

void add_factor(const Evidence& evidence, std::vector<Hypothesis>& list) {
  double product = 0, square = 0;
  for (size_t i = 0; i < evidence.O.size(); ++i) {
    product += evidence.O[i] * evidence.expected.O[i];
    square += evidence.expected.O[i] * evidence.expected.O[i];
  }
  const double factor = product / square;
  if (!std::isfinite(factor) || factor == 0) return;
  list.push_back({"constant_factor",
                  format("O is %.6g times the right result, everywhere.", factor), "weighted_sum",
                  [&evidence, factor](const Rows& rows) {
                    Values values = select(evidence.shape, evidence.expected.O, rows);
                    for (double& value : values) value *= factor;
                    return values;
                  }});
}

}  // namespace flashlab::judge
