#include "online_states.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/online_softmax.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

using Eigen::VectorXd;

constexpr double kInf = std::numeric_limits<double>::infinity();

struct State {
  double m = -kInf, l = 0;
  std::vector<double> o;
};

/// A way to merge two states: what each side's l and o are multiplied by.
struct Merge {
  struct Weights {
    double a_l, b_l, a_o, b_o;
  };
  const char* cause;
  const char* text;
  Weights (*weights)(double to_a, double to_b);  ///< exp(m_a - m), exp(m_b - m)
};

constexpr Merge kRight = {"", "", [](double a, double b) { return Merge::Weights{a, b, a, b}; }};

constexpr Merge kMerges[] = {
    {"no_rescale",
     "l and o are what plain addition gives. Each side is a sum of exp(score - its own "
     "m): multiply it by exp(its m - the larger m) first.",
     [](double, double) {
       return Merge::Weights{1, 1, 1, 1};
     }},
    {"no_rescale_l",
     "l is what plain addition gives. Multiply each side's l by exp(its m - the larger "
     "m), as its o.",
     [](double a, double b) {
       return Merge::Weights{1, 1, a, b};
     }},
    {"no_rescale_o",
     "o is what plain addition gives. Multiply each side's o by exp(its m - the larger "
     "m), as its l.",
     [](double a, double b) {
       return Merge::Weights{a, b, 1, 1};
     }},
    {"one_side_rescaled",
     "only the earlier keys are rescaled: the later ones are right only while they "
     "bring the larger m. Multiply each side by exp(its m - the larger m).",
     [](double a, double) {
       return Merge::Weights{a, 1, a, 1};
     }},
    {"one_side_rescaled",
     "only the later keys are rescaled: the earlier ones are right only while they "
     "have the larger m. Multiply each side by exp(its m - the larger m).",
     [](double, double b) {
       return Merge::Weights{1, b, 1, b};
     }},
    {"weights_swapped",
     "each side is multiplied by the other side's weight. a gets exp(m_a - m), b gets "
     "exp(m_b - m).",
     [](double a, double b) {
       return Merge::Weights{b, a, b, a};
     }},
    {"inverse_rescale",
     "the exponents have the wrong sign: the weight is exp(its m - the larger m), at "
     "most 1.",
     [](double a, double b) {
       return Merge::Weights{1 / a, 1 / b, 1 / a, 1 / b};
     }},
    {"only_last", "the earlier keys are lost: l and o of both sides count.",
     [](double, double b) {
       return Merge::Weights{0, b, 0, b};
     }},
};

State merge(const State& a, const State& b, const Merge& how) {
  State merged;
  merged.m = std::max(a.m, b.m);
  merged.o.resize(std::max(a.o.size(), b.o.size()));
  if (merged.m == -kInf) return merged;
  const auto w = how.weights(std::exp(a.m - merged.m), std::exp(b.m - merged.m));
  // A side without keys adds nothing, whatever its weight; 0 times infinity would be NaN.
  const auto term = [](double weight, double value) { return value == 0 ? 0 : weight * value; };
  merged.l = term(w.a_l, a.l) + term(w.b_l, b.l);
  for (size_t c = 0; c < merged.o.size(); ++c) {
    merged.o[c] =
        (c < a.o.size() ? term(w.a_o, a.o[c]) : 0) + (c < b.o.size() ? term(w.b_o, b.o[c]) : 0);
  }
  return merged;
}

State part(const Shape& shape, const PartialStates& parts, size_t row, size_t p) {
  const size_t index = row * shape.seq_k + p, d = shape.head_dim;
  const auto o = parts.o.begin() + static_cast<ptrdiff_t>(index * d);
  return {parts.m[index], parts.l[index], {o, o + static_cast<ptrdiff_t>(d)}};
}

void append(RowStates& states, const State& state) {
  states.m.push_back(state.m);
  states.l.push_back(state.l);
  states.o.insert(states.o.end(), state.o.begin(), state.o.end());
}

/// The parts first to last - 1 of each row, merged from `start`.
RowStates merged_parts(const Shape& shape, const PartialStates& parts, const Merge& how, int first,
                       int last, double start = -kInf) {
  RowStates states;
  for (int row = 0; row < shape.seq_q; ++row) {
    State state{start, 0, std::vector<double>(shape.head_dim)};
    for (int p = first; p < last; ++p) state = merge(state, part(shape, parts, row, p), how);
    append(states, state);
  }
  return states;
}

/// How threads share out a row, and what they do wrong.
struct Plan {
  int threads = 1;
  const Merge* stream = &kRight;   ///< a thread merges its next score
  const Merge* combine = &kRight;  ///< the threads' states are merged, warp by warp, then all warps
  int lanes = 32;                  ///< of every warp only the first so many count
  int warps = 32;                  ///< only the first so many count
  int columns = std::numeric_limits<int>::max();  ///< only the first so many count
  double start = -kInf;                           ///< m of the empty state
};

/// Lane 0's state after a warp has merged by exchanges over 16, 8, 4, 2 and 1 lanes.
State merged_warp(std::span<State> lanes, const Merge& how) {
  for (size_t step = lanes.size() / 2; step > 0; step /= 2) {
    for (size_t lane = 0; lane < step; ++lane) {
      lanes[lane] = merge(lanes[lane], lanes[lane + step], how);
    }
  }
  return lanes.front();
}

RowStates summed_rows(const Shape& shape, std::span<const float> S, const Plan& plan) {
  RowStates states;
  for (int row = 0; row < shape.seq_q; ++row) {
    std::vector<State> of_thread(plan.threads, State{plan.start, 0, {}});
    for (int j = 0; j < std::min(plan.columns, shape.seq_k); ++j) {
      const double s = S[static_cast<size_t>(row) * shape.seq_k + j];
      const int thread = j % plan.threads;
      if (s == -kInf || thread % 32 >= plan.lanes) continue;
      of_thread[thread] = merge(of_thread[thread], State{s, 1, {}}, *plan.stream);
    }
    State state;
    for (int warp = 0; warp < std::min(plan.warps, std::max(1, plan.threads / 32)); ++warp) {
      const size_t lanes = std::min(32, plan.threads);
      const State of_warp =
          merged_warp(std::span(of_thread).subspan(warp * lanes, lanes), *plan.combine);
      state = warp == 0 ? of_warp : merge(state, of_warp, *plan.combine);
    }
    append(states, state);
  }
  return states;
}

/// l without the maximum: the sum of exp(s).
RowStates without_maximum(const Shape& shape, std::span<const float> S) {
  RowStates states = state_of_rows(shape, S);
  for (size_t row = 0; row < states.l.size(); ++row) {
    if (states.l[row] > 0) states.l[row] *= std::exp(states.m[row]);
  }
  return states;
}

}  // namespace

RowStates merge_parts(const Shape& shape, const PartialStates& parts) {
  RowStates states;
  for (int row = 0; row < shape.seq_q; ++row) {
    reference::OnlineSoftmax state(shape.head_dim);
    for (int p = 0; p < shape.seq_k; ++p) {
      const State one = part(shape, parts, row, p);
      state = reference::merge(
          state,
          {one.m, one.l, VectorXd::Map(one.o.data(), static_cast<Eigen::Index>(one.o.size()))});
    }
    append(states, {state.m, state.l, {state.o.begin(), state.o.end()}});
  }
  return states;
}

RowStates state_of_rows(const Shape& shape, std::span<const float> S) {
  RowStates states;
  const reference::RowMatrix no_values = reference::RowMatrix::Zero(shape.seq_k, 1);
  for (int row = 0; row < shape.seq_q; ++row) {
    const auto scores = S.subspan(static_cast<size_t>(row) * shape.seq_k, shape.seq_k);
    reference::OnlineSoftmax state(1);
    state.update(Eigen::Map<const Eigen::VectorXf>(scores.data(), shape.seq_k).cast<double>(),
                 no_values);
    append(states, {state.m, state.l, {}});
  }
  return states;
}

std::vector<double> probabilities(const Shape& shape, std::span<const float> S,
                                  const RowStates& states) {
  std::vector<double> P(S.size());
  for (size_t i = 0; i < S.size(); ++i) {
    const size_t row = i / shape.seq_k;
    if (states.l[row] != 0) P[i] = std::exp(S[i] - states.m[row]) / states.l[row];
  }
  return P;
}

std::vector<StateHypothesis> merge_hypotheses(const Shape& shape, const PartialStates& parts) {
  std::vector<StateHypothesis> list;
  const int all = shape.seq_k;
  for (const Merge& how : kMerges) {
    list.push_back({how.cause, how.text, [&shape, &parts, &how, all] {
                      return merged_parts(shape, parts, how, 0, all);
                    }});
  }
  list.push_back(
      {"identity_zero",
       "m starts at 0: a row whose scores are all negative keeps it. The identity has m = "
       "-INFINITY.",
       [&shape, &parts, all] { return merged_parts(shape, parts, kRight, 0, all, 0); }});
  list.push_back({"divided",
                  "o is divided by l. It stays a sum; who needs the quotient divides in the "
                  "end.",
                  [&shape, &parts] {
                    RowStates states = merge_parts(shape, parts);
                    for (size_t i = 0; i < states.o.size(); ++i) {
                      const double l = states.l[i / shape.head_dim];
                      if (l > 0) states.o[i] /= l;
                    }
                    return states;
                  }});
  if (all > 1) {
    list.push_back(
        {"part_left_out", "the last part of each row is left out.",
         [&shape, &parts, all] { return merged_parts(shape, parts, kRight, 0, all - 1); }});
    list.push_back({"part_left_out", "the first part of each row is left out.",
                    [&shape, &parts, all] { return merged_parts(shape, parts, kRight, 1, all); }});
  }
  return list;
}

std::vector<StateHypothesis> row_hypotheses(const Shape& shape, std::span<const float> S) {
  std::vector<StateHypothesis> list;
  const auto add = [&](const char* cause, std::string text, const Plan& plan) {
    list.push_back(
        {cause, std::move(text), [&shape, S, plan] { return summed_rows(shape, S, plan); }});
  };
  Plan plan;
  plan.start = 0;
  add("identity_zero",
      "m starts at 0: a row whose scores are all negative keeps it. Start with -INFINITY.", plan);
  plan = {};
  plan.columns = shape.seq_k - 1;
  add("dropped_key", "the last column is left out.", plan);
  plan.columns = 0;
  add("dropped_tail",
      "no column is read at all: a loop that counts whole blocks of columns finds none in a short "
      "row.",
      plan);
  for (const int threads : {32, 64, 128, 256, 512, 1024}) {
    plan.columns = shape.seq_k / threads * threads;
    if (plan.columns == 0 || plan.columns == shape.seq_k) continue;
    add("dropped_tail",
        format("the last columns are left out, those beyond a multiple of %d: let the loop run to "
               "`columns`.",
               threads),
        plan);
  }
  for (const int threads : {1, 32, 64, 128, 256, 512, 1024}) {
    const auto with = [threads](const char* where, const char* text) {
      return format("%d threads share out a row and, where %s: %s", threads, where, text);
    };
    for (const Merge& how : kMerges) {
      plan = {};
      plan.threads = threads;
      plan.stream = &how;
      add(how.cause, with("each takes in its next score", how.text), plan);
      plan.combine = &how;
      add(how.cause, with("anything is merged", how.text), plan);
      plan.stream = &kRight;
      add(how.cause, with("their states are merged", how.text), plan);
    }
    plan = {};
    plan.threads = threads;
    for (plan.lanes = 16; threads >= 32 && plan.lanes > 0; plan.lanes /= 2) {
      add("lanes_left_out",
          format("only the first %d lanes of each warp count (%d threads to a row): the exchange "
                 "begins with a step of 16.",
                 plan.lanes, threads),
          plan);
    }
    if (threads > 32) {
      plan.lanes = 32;
      plan.warps = 1;
      add("warps_left_out",
          format("of %d threads to a row only the first warp's keys count: merge the warps through "
                 "shared memory.",
                 threads),
          plan);
    }
  }
  list.push_back({"missing_max", "l is the sum of exp(s): the maximum is not subtracted.",
                  [&shape, S] { return without_maximum(shape, S); }});
  return list;
}

}  // namespace flashlab::judge
