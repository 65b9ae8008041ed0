// Rules for a wrong gradient, in the order in which they are tried.
#include "diagnose_gradient.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "text.hpp"

namespace flashlab::judge {
namespace {

using reference::RowMatrix;
using FloatView =
    Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
using DoubleView = Eigen::Map<const RowMatrix>;

const char* topic_of(const std::string& gradient) {
  return gradient == "dV" ? "dv" : gradient == "dK" ? "dk" : "dq";
}

Head head_of(const GradientEvidence& evidence, size_t slice) {
  const Eigen::Index n = evidence.shape.seq_q, keys = evidence.shape.seq_k;
  const Eigen::Index d = evidence.shape.head_dim;
  const auto rows = [&](const float* tensor, Eigen::Index count) -> RowMatrix {
    return FloatView(tensor + slice * count * d, count, d).cast<double>();
  };
  const auto scores = [&](const std::vector<double>& tensor) -> RowMatrix {
    return DoubleView(tensor.data() + slice * n * keys, n, keys);
  };
  Head head;
  head.Q = rows(evidence.inputs.Q.data(), n);
  head.K = rows(evidence.inputs.K.data(), keys);
  head.V = rows(evidence.inputs.V.data(), keys);
  head.dO = rows(evidence.dO.data(), n);
  head.O = DoubleView(evidence.forward.O.data() + slice * n * d, n, d);
  head.scale = evidence.shape.scale;
  head.raw = head.scale * (head.Q * head.K.transpose());
  head.S = scores(evidence.forward.S);
  head.P = scores(evidence.forward.P);
  head.dP = head.dO * head.V.transpose();
  head.L = Eigen::Map<const Eigen::VectorXd>(evidence.forward.L.data() + slice * n, n);
  head.D = head.dO.cwiseProduct(head.O).rowwise().sum();
  return head;
}

/// Whether every head holds what the hypothesis predicts, and some head not what is right. Zeros
/// have many causes, so a prediction of nothing else explains nothing.
bool explains(const GradientEvidence& evidence, const std::vector<Head>& heads,
              const GradientHypothesis& hypothesis) {
  const DiagnosisLimits& limits = evidence.lab.diagnosis;
  const std::vector<double>& right = evidence.right(evidence.name);
  const size_t size = right.size() / heads.size();
  const ErrorBound& bound = evidence.comparison.bound;
  bool differs = false, any = false;
  for (size_t slice = 0; slice < heads.size(); ++slice) {
    const RowMatrix predicted = hypothesis.gradient(heads[slice]);
    const double largest = predicted.cwiseAbs().maxCoeff();
    if (!std::isfinite(largest)) return false;
    any = any || largest > 0;
    const double allowed =
        std::min((bound.absolute + bound.relative * largest) * limits.match_factor,
                 evidence.comparison.max_abs_error * limits.match_fraction);
    for (size_t i = 0; i < size; ++i) {
      const size_t at = slice * size + i;
      if (!(std::abs(evidence.got[at] - predicted.data()[i]) <= allowed)) return false;
      differs = differs || !(std::abs(right[at] - predicted.data()[i]) <= allowed);
    }
  }
  return differs && any;
}

/// Where the elements are for which `is_bad` holds; empty when they are everywhere.
std::string region_where(const GradientEvidence& evidence, bool (*is_bad)(float)) {
  std::vector<bool> bad;
  for (const float value : evidence.got) bad.push_back(is_bad(value));
  return describe_region(evidence.own_shape(), bad);
}

std::optional<Diagnosis> find_unwritten(const GradientEvidence& evidence) {
  const Comparison& comparison = evidence.comparison;
  if (comparison.unwritten == 0) return std::nullopt;
  const char* const topic = topic_of(evidence.name);
  const std::string& name = evidence.name;
  if (comparison.unwritten == comparison.total) {
    return Diagnosis{"unwritten",
                     name +
                         " was never written. Is its kernel launched, with a grid that is not "
                         "empty, and does it store to " +
                         name + "?",
                     topic};
  }
  const std::string region = region_where(evidence, is_poison);
  return Diagnosis{
      "unwritten",
      "Part of " + name +
          " was never written: " + (region.empty() ? "elements all over it" : region) +
          ". Gradients that are 0 must be stored too, also those of a key that no query sees; and "
          "round the grid up, ceil(N / tile).",
      topic};
}

/// dQ added up by atomics on top of what the memory held. dK and dV are right when dQ is looked at.
std::optional<Diagnosis> find_added_to_poison(const GradientEvidence& evidence) {
  const Comparison& comparison = evidence.comparison;
  if (evidence.name != "dQ" || comparison.not_finite < comparison.total ||
      comparison.unwritten == comparison.total) {
    return std::nullopt;
  }
  return Diagnosis{"not_zeroed",
                   "All of dQ is NaN, and dK and dV are right. Outputs hold NaN until they are "
                   "written: when dQ is added up by atomics, set it to 0 first (cudaMemsetAsync).",
                   "dq"};
}

std::optional<Diagnosis> find_zero(const GradientEvidence& evidence) {
  if (!std::ranges::all_of(evidence.got, [](float value) { return value == 0; })) {
    return std::nullopt;
  }
  return Diagnosis{"all_zero",
                   evidence.name +
                       " is zero everywhere. Is the sum stored, and are the tiles in shared memory "
                       "filled?" +
                       describe_no_tile(evidence.lab, evidence.shape),
                   topic_of(evidence.name)};
}

/// NaN and infinity: from queries without a key, whose L is -infinity, or from exp without L.
std::optional<Diagnosis> find_not_finite(const GradientEvidence& evidence) {
  if (evidence.comparison.not_finite == 0) return std::nullopt;
  static const double kExpOverflow = std::log(std::numeric_limits<float>::max());
  if (std::ranges::any_of(evidence.forward.L, [](double l) { return std::isinf(l); })) {
    return Diagnosis{
        "empty_rows",
        evidence.name +
            " is NaN or infinite, and the first Nq - Nk queries see no key: their L is "
            "-INFINITY, so exp(s - L) is infinite. Where the mask hides a key, P is 0: "
            "do not compute exp there.",
        "mask"};
  }
  const double unscaled = evidence.forward.max_abs_score / evidence.shape.scale;
  if (std::max(unscaled, evidence.forward.max_abs_score) > kExpOverflow) {
    return Diagnosis{
        "overflow",
        evidence.name +
            format(
                " is NaN or infinite, and scores reach %.0f, %.0f before the scale: exp "
                "overflows at %.1f. P = exp(s - L), with the scale in s, and L subtracted before "
                "the exponential.",
                evidence.forward.max_abs_score, unscaled, kExpOverflow),
        "recompute"};
  }
  const std::string region = region_where(evidence, [](float x) { return !std::isfinite(x); });
  return Diagnosis{"not_finite",
                   evidence.name + " has NaN or infinite elements, " +
                       (region.empty() ? "all over it" : region) +
                       ". Scratch and shared memory hold NaN until they are written: is every "
                       "element that is read also written, the rows of a partial tile included (0 "
                       "* NaN is NaN)?",
                   "debugging"};
}

/// Which slice [batch, head] a slice takes something from instead of its own.
using SliceChoice = size_t (*)(const Shape&, size_t slice);

/// The heads with L and D, or with K and V, of other heads; P follows.
std::vector<Head> mixed(const Shape& shape, const std::vector<Head>& heads, SliceChoice choose,
                        bool statistics) {
  std::vector<Head> result = heads;
  for (size_t slice = 0; slice < heads.size(); ++slice) {
    const Head& from = heads[choose(shape, slice)];
    Head& head = result[slice];
    if (statistics) {
      head.L = from.L;
      head.D = from.D;
    } else {
      head.K = from.K;
      head.V = from.V;
      head.raw = head.scale * (head.Q * head.K.transpose());
      head.dP = head.dO * head.V.transpose();
    }
    // The mask is the same for all heads: P was 0 where it hides a key.
    head.P = (head.P.array() > 0).select((head.raw.colwise() - head.L).array().exp(), 0.0);
  }
  return result;
}

std::optional<Diagnosis> find_mixed_heads(const GradientEvidence& evidence,
                                          const std::vector<Head>& heads) {
  constexpr struct {
    const char *cause, *what;
    SliceChoice choose;
  } kChoices[] = {
      {"head_ignored", "head",
       [](const Shape& shape, size_t slice) { return slice / shape.heads * shape.heads; }},
      {"batch_ignored", "batch",
       [](const Shape& shape, size_t slice) { return slice % shape.heads; }}};
  for (const auto& [cause, what, choose] : kChoices) {
    for (const bool statistics : {true, false}) {
      const GradientHypothesis hypothesis{
          cause,
          format("%s is what every %s gives when it reads %s of %s 0. Slice (b, h) starts at "
                 "(b * heads + h) * N%s.",
                 evidence.name.c_str(), what, statistics ? "L and D" : "K and V", what,
                 statistics ? "" : " * d"),
          statistics ? "recompute" : topic_of(evidence.name),
          [&](const Head& head) { return right_gradient(evidence.name, head); }};
      if (explains(evidence, mixed(evidence.shape, heads, choose, statistics), hypothesis)) {
        return Diagnosis{hypothesis.cause, hypothesis.text, hypothesis.topic};
      }
    }
  }
  return std::nullopt;
}

std::optional<Diagnosis> find_formula(const GradientEvidence& evidence) {
  std::vector<Head> heads;
  for (size_t slice = 0; slice < evidence.shape.slices(); ++slice) {
    heads.push_back(head_of(evidence, slice));
  }
  for (const GradientHypothesis& hypothesis : gradient_hypotheses(evidence)) {
    if (explains(evidence, heads, hypothesis)) {
      return Diagnosis{hypothesis.cause, hypothesis.text, hypothesis.topic};
    }
  }
  return find_mixed_heads(evidence, heads);
}

std::optional<Diagnosis> find_lost_precision(const GradientEvidence& evidence) {
  double largest = 0;
  for (const double x : evidence.right(evidence.name)) largest = std::max(largest, std::abs(x));
  const double error = evidence.comparison.max_abs_error;
  if (!(error <= evidence.lab.diagnosis.near_miss * largest)) return std::nullopt;
  return Diagnosis{"lost_precision",
                   evidence.name + format(" is close, but off by up to %.2g where float32 gives "
                                          "%.2g. Is something kept in half precision, or are a few "
                                          "terms of a sum lost?",
                                          error, evidence.comparison.bound.absolute),
                   "debugging"};
}

}  // namespace

RowMatrix Head::score_gradient() const {
  return P.array() * (dP.colwise() - D).array();
}

Shape GradientEvidence::own_shape() const {
  Shape own = shape;
  if (name != "dQ") own.seq_q = shape.seq_k;
  return own;
}

const std::vector<double>& GradientEvidence::right(const std::string& gradient) const {
  if (gradient == "dQ") return expected.dQ;
  if (gradient == "dK") return expected.dK;
  if (gradient == "dV") return expected.dV;
  throw std::out_of_range("no gradient " + gradient);
}

Diagnosis diagnose_gradient(const GradientEvidence& evidence) {
  constexpr std::optional<Diagnosis> (*kRules[])(const GradientEvidence&) = {
      find_added_to_poison, find_unwritten,     find_formula, find_zero,
      find_not_finite,      find_lost_precision};
  for (const auto rule : kRules) {
    if (std::optional<Diagnosis> found = rule(evidence)) return *found;
  }
  const std::string region = describe_region(evidence.own_shape(), evidence.comparison.is_wrong);
  return {kUnknownCause,
          region.empty() ? "The wrong elements are spread over all of " + evidence.name +
                               ": compare one row by hand in the smallest failing case."
                         : "Wrong elements: " + region + ". Look at the index arithmetic there.",
          "debugging"};
}

}  // namespace flashlab::judge
