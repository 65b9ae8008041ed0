// Wrong formulas of the online softmax, tile by tile, and of the causal mask.
#include <algorithm>
#include <cmath>
#include <limits>

#include "hypotheses.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

using reference::RowMatrix;

constexpr double kInf = std::numeric_limits<double>::infinity();

/// What an online softmax knows when a tile was summed: alpha = exp(m_old - m_new), and l.
struct Step {
  double alpha, new_l;
};

/// A wrong way to merge a tile. Instead of o, the weights of V that make it up are kept: the old
/// ones are multiplied by keep_o, the new ones are exp(s - m_new) times take_o.
struct Mistake {
  const char* cause;
  const char* text;  ///< what O looks like, and what to do
  double (*keep_l)(double alpha);
  double (*keep_o)(const Step& step);
  double (*take_o)(const Step& step);  ///< factor of the new tile's weights
  bool divide;                         ///< by l at the end
};

double one(const Step&) {
  return 1;
}
double alpha_of(const Step& step) {
  return step.alpha;
}
double same(double alpha) {
  return alpha;
}

/// The first rows are mistakes of both algorithms, the last ones of FlashAttention 1, whose O is
/// divided by l after every tile.
constexpr Mistake kMistakes[] = {
    {"no_rescale",
     "neither o nor l is rescaled when the maximum grows. Multiply both by "
     "exp(m_old - m_new) before the new tile is added.",
     [](double) { return 1.0; }, one, one, true},
    {"no_rescale_o",
     "o is not rescaled when the maximum grows. Multiply it by exp(m_old - m_new) "
     "before the new tile is added, as l.",
     same, one, one, true},
    {"no_rescale_l",
     "l is not rescaled when the maximum grows. Multiply it by exp(m_old - m_new) "
     "before the new tile is added, as o.",
     [](double) { return 1.0; }, alpha_of, one, true},
    {"inverse_rescale",
     "o and l are rescaled by exp(m_new - m_old): it is the other way round, "
     "exp(m_old - m_new), at most 1.",
     [](double alpha) { return 1 / alpha; }, [](const Step& step) { return 1 / step.alpha; }, one,
     true},
    {"state_lost",
     "only the last tile counts: o and l start again with every tile. They must live "
     "as long as the query.",
     [](double) { return 0.0; }, [](const Step&) { return 0.0; }, one, true},
    {"l_of_last_tile",
     "o sums all tiles, but l only the last one. l is rescaled and added to, as o.",
     [](double) { return 0.0; }, alpha_of, one, true},
    {"old_l_forgotten",
     "the O that is read back is not multiplied by the old l. It was divided by it: "
     "O = (l_old exp(m_old - m_new) O + P V) / l_new.",
     same, [](const Step& step) { return step.alpha / step.new_l; },
     [](const Step& step) { return 1 / step.new_l; }, false},
    {"old_o_not_divided",
     "the O that is read back is rescaled but not divided by the new l: O = (l_old "
     "exp(m_old - m_new) O + P V) / l_new, the quotient over both terms.",
     same, alpha_of, [](const Step& step) { return 1 / step.new_l; }, false},
    {"divided_twice",
     "O is divided by l after every tile and again by the last l. Divide once, at the "
     "end, or multiply by the old l before you add.",
     same, [](const Step& step) { return step.alpha / step.new_l; },
     [](const Step& step) { return 1 / step.new_l; }, true},
};

/// The weights of V when tiles of `tile` keys are merged with this mistake.
RowMatrix merged(const RowMatrix& scores, int tile, const Mistake& mistake) {
  RowMatrix weights = RowMatrix::Zero(scores.rows(), scores.cols());
  for (Eigen::Index row = 0; row < scores.rows(); ++row) {
    double m = -kInf, l = 0;
    for (Eigen::Index first = 0; first < scores.cols(); first += tile) {
      const Eigen::Index count = std::min<Eigen::Index>(tile, scores.cols() - first);
      const auto s = scores.row(row).segment(first, count);
      const double m_new = std::max(m, s.maxCoeff());
      if (m_new == -kInf) continue;
      const Eigen::RowVectorXd p = (s.array() - m_new).exp();
      const double alpha = std::exp(m - m_new);
      const bool is_first = m == -kInf;  // nothing to keep; 1 / alpha would be infinite
      l = (is_first ? 0 : mistake.keep_l(alpha) * l) + p.sum();
      const Step step{alpha, l};
      if (!is_first) weights.row(row).head(first) *= mistake.keep_o(step);
      weights.row(row).segment(first, count) = p * mistake.take_o(step);
      m = m_new;
    }
    if (mistake.divide && l != 0) weights.row(row) /= l;
  }
  return weights;
}

/// O when the mask is this one.
std::function<Values(const Rows&)> masked(const Evidence& evidence,
                                          std::function<bool(int, int)> sees) {
  return [&evidence, sees = std::move(sees)](const Rows& rows) {
    Problem problem = original(evidence);
    problem.sees = sees;
    return solve(problem, rows);
  };
}

}  // namespace

void add_online_hypotheses(const Evidence& evidence, std::vector<Hypothesis>& list) {
  for (const int tile : evidence.lab.diagnosis.tiles) {
    if (tile >= evidence.shape.seq_k) continue;
    for (const Mistake& mistake : kMistakes) {
      list.push_back(
          {mistake.cause, format("O is what tiles of %d keys give when %s", tile, mistake.text),
           "softmax", [&evidence, &mistake, tile](const Rows& rows) {
             return solve(original(evidence), rows,
                          [&](const RowMatrix& scores) { return merged(scores, tile, mistake); });
           }});
    }
  }
}

void add_mask_hypotheses(const Evidence& evidence, std::vector<Hypothesis>& list) {
  const Shape& shape = evidence.shape;
  if (!shape.causal) return;
  const int offset = shape.seq_k - shape.seq_q;
  const auto add = [&](const char* cause, const std::string& text,
                       std::function<bool(int, int)> sees) {
    list.push_back({cause, text, "mask", masked(evidence, std::move(sees))});
  };
  add("mask_ignored",
      "O is what attention without a mask gives. With shape.causal, query i sees key j only if j "
      "<= i "
      "+ Nk - Nq; the score of every other key is -INFINITY.",
      [](int, int) { return true; });
  add("mask_off_by_one",
      "O is what the mask j < i + Nk - Nq gives: it hides the last key that each query may see. "
      "The "
      "condition is j <= i + Nk - Nq.",
      [offset](int i, int j) { return j < i + offset; });
  add("mask_off_by_one",
      "O is what the mask j <= i + Nk - Nq + 1 gives: each query sees one key too many. The "
      "condition is j <= i + Nk - Nq.",
      [offset](int i, int j) { return j <= i + offset + 1; });
  add("mask_alignment",
      "O is what the mask j <= i gives, which starts in the top left corner. With Nq != Nk it ends "
      "in "
      "the bottom right one: j <= i + Nk - Nq.",
      [](int i, int j) { return j <= i; });
  add("mask_alignment",
      "O is what the mask j <= i + Nq - Nk gives: the sign of the offset is wrong. The condition "
      "is j "
      "<= i + Nk - Nq.",
      [offset](int i, int j) { return j <= i - offset; });
  add("mask_direction",
      "O is what the mask j >= i + Nk - Nq gives: queries see the future instead of the past.",
      [offset](int i, int j) { return j >= i + offset; });
  list.push_back(
      {"mask_zero",
       "O is what masked scores of 0 give: exp(0 - m) is not 0. A masked score is -INFINITY.",
       "mask", [&evidence](const Rows& rows) {
         return solve(original(evidence), rows, [](RowMatrix scores) -> RowMatrix {
           scores = scores.array().isFinite().select(scores, 0.0);
           reference::softmax_rows(scores);
           return scores;
         });
       }});
  for (const int tile : evidence.lab.diagnosis.tiles) {
    add("mask_by_tile",
        format("O is what whole tiles of %d keys give: the tile that the diagonal crosses is left "
               "out. "
               "Skip a tile only if its first key is hidden from the last query of the block.",
               tile),
        [offset, tile](int i, int j) { return j < (i + offset + 1) / tile * tile; });
    add("mask_by_tile",
        format(
            "O is what whole tiles of %d keys give: in the tile that the diagonal crosses nothing "
            "is masked.",
            tile),
        [offset, tile](int i, int j) { return j / tile * tile <= i + offset; });
    for (const int block : evidence.lab.diagnosis.tiles) {
      add("mask_by_tile",
          format("O is what comes when a block of %d queries reads tiles of %d keys only as far as "
                 "its "
                 "first query sees: tiles are skipped too early. Its last query decides.",
                 block, tile),
          [offset, tile, block](int i, int j) {
            const int seen_by_first = i / block * block + offset + 1;
            return j <= i + offset && j < (seen_by_first + tile - 1) / tile * tile;
          });
    }
  }
}

}  // namespace flashlab::judge
