// flashlab-tolerances: shows, for every case of a lab, that the bound lets float32 through in any
// order and nothing that is less. README.md, "Tolerances", says what and why.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <span>
#include <stdexcept>
#include <string_view>

#include "cases/case.hpp"
#include "text.hpp"
#include "tolerances/problem.hpp"

namespace flashlab::judge::tolerances {
namespace {

constexpr const char* kUsage =
    "usage: flashlab-tolerances [--seeds N] [--quiet] LAB.toml...\n"
    "  --seeds  tries every case with the seeds 1 to N; by default with 1\n"
    "  --quiet  shows only the cases whose bound does not separate\n"
    "Exit code: 0 every bound separates, 1 some do not, 2 usage or environment.\n";

/// By this factor float32 has to stay below the bound, and everything less precise above it.
constexpr double kMargin = 2;
constexpr double kInf = std::numeric_limits<double>::infinity();
/// Rows of a batch and head in which something wrong is looked for: one element is enough.
constexpr int kSampledRows = 32;

const std::vector<Arithmetic>& imprecise_ways() {
  static const std::vector<Arithmetic> kWays = {
      {.name = "tf32 factors", .fused = true, .tile = 64, .factors = Format::kTf32},
      {.name = "fp16 factors", .fused = true, .tile = 64, .factors = Format::kFloat16},
      {.name = "fp16", .factors = Format::kFloat16, .results = Format::kFloat16},
      {.name = "bf16 factors", .fused = true, .tile = 64, .factors = Format::kBfloat16},
      {.name = "bf16", .factors = Format::kBfloat16, .results = Format::kBfloat16},
  };
  return kWays;
}

Problem make_problem(const Lab& lab, const CaseSpec& spec, uint64_t seed) {
  using protocol::EntryKind;
  switch (find_kind(lab.entry(spec).kind)->entry) {
    case EntryKind::kAttentionForward:
      return attention_problem(lab, spec, seed, false);
    case EntryKind::kAttentionForwardLse:
      return attention_problem(lab, spec, seed, true);
    case EntryKind::kAttentionBackward:
      return backward_problem(lab, spec, seed);
    case EntryKind::kMergeStates:
      return merge_problem(lab, spec, seed);
    case EntryKind::kRowStatistics:
      return statistics_problem(lab, spec, seed);
    case EntryKind::kRowSoftmax:
      break;
  }
  return softmax_problem(lab, spec, seed);
}

/// A way to compute, and how far its result is from the reference, in bounds of the case.
struct Candidate {
  std::string name;
  double ratio;
};

/// The largest error over all outputs, each divided by its bound.
double worst_ratio(const Problem& problem, const Results& results, size_t stride = 1) {
  double worst = 0;
  for (size_t k = 0; k < problem.outputs.size(); ++k) {
    const Output& output = problem.outputs[k];
    for (size_t i = 0; i < output.expected.size(); ++i) {
      if (i / output.columns % output.rows % stride != 0) continue;
      const double expected = output.expected[i], got = results[k][i];
      if (got == expected) continue;
      const double allowed = output.bound.absolute + output.bound.relative * std::abs(expected);
      const double ratio = std::abs(got - expected) / allowed;
      worst = std::isfinite(ratio) ? std::max(worst, ratio) : kInf;
    }
  }
  return worst;
}

/// Whether results are those of the right formula in float64: with one key, the mean of V is.
bool is_exact(const Problem& problem, const Results& results, size_t stride = 1) {
  Problem strict = problem;
  for (Output& output : strict.outputs) output.bound = {1e-12, 1e-12};
  return worst_ratio(strict, results, stride) <= 1;
}

Results zeros(const Problem& problem) {
  Results results;
  for (const Output& output : problem.outputs) results.emplace_back(output.expected.size());
  return results;
}

Candidate worst_right(const Problem& problem) {
  Candidate worst = {"", 0};
  for (const Arithmetic& way : problem.right) {
    const double ratio = worst_ratio(problem, problem.compute(way, 1));
    if (ratio >= worst.ratio) worst = {way.name, ratio};
  }
  return worst;
}

/// Of everything wrong, what comes nearest; nothing where all of it is right, as zeros are for rows
/// that are masked throughout.
Candidate best_wrong(const Problem& problem, const Shape& shape) {
  Candidate best = {"", kInf};
  const auto consider = [&](const std::string& name, const Results& results, size_t stride) {
    if (is_exact(problem, results, stride)) return;
    const double ratio = worst_ratio(problem, results, stride);
    if (ratio < best.ratio || best.name.empty()) best = {name, ratio};
  };
  consider("zeros", zeros(problem), 1);
  consider("uniform weights", problem.uniform(), 1);
  const int rows = std::max(shape.seq_q, shape.seq_k);
  const size_t stride = std::max(1, rows / kSampledRows);
  for (const Arithmetic& way : imprecise_ways()) {
    consider(way.name, problem.compute(way, stride), stride);
  }
  return best;
}

/// What a case showed, and of a lab the worst.
struct Finding {
  Candidate right = {"", 0}, wrong = {"", kInf};
  std::string right_case, wrong_case;
};

/// "" when the bound separates, else what is wrong with it.
std::string complaint_about(const Finding& finding) {
  if (finding.right.ratio > 1 / kMargin) return "  <- TOO NARROW for float32";
  if (finding.wrong.ratio < kMargin) return "  <- TOO WIDE, or the case does not tell";
  return "";
}

void add(Finding& worst, const Finding& finding, const std::string& name) {
  if (finding.right.ratio >= worst.right.ratio) {
    worst.right = finding.right;
    worst.right_case = name;
  }
  if (finding.wrong.ratio <= worst.wrong.ratio) {
    worst.wrong = finding.wrong;
    worst.wrong_case = name;
  }
}

/// Examines every case with seeds 1 to `seeds` and prints a line for each, or only for those that
/// do not separate; then the worst. Returns how many do not separate.
size_t examine(const Lab& lab, uint64_t seeds, bool quiet) {
  size_t failures = 0;
  Finding worst;
  for (const CaseSpec& spec : lab.cases) {
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
      const Problem problem = make_problem(lab, spec, seed);
      const Finding finding = {worst_right(problem), best_wrong(problem, spec.shape), "", ""};
      const std::string complaint = complaint_about(finding);
      add(worst, finding, spec.name);
      failures += !complaint.empty();
      if (quiet && complaint.empty()) continue;
      std::cout << format("%s  %-31s seed %d  float32 %5.3f (%s)  less %.3g (%s)%s\n",
                          lab.id.c_str(), spec.name.c_str(), static_cast<int>(seed),
                          finding.right.ratio, finding.right.name.c_str(), finding.wrong.ratio,
                          finding.wrong.name.c_str(), complaint.c_str());
    }
  }
  std::cout << format(
      "%s: float32 in any order stays within %.3f of the bound (%s: %s); what is less misses it by "
      "a factor of %.3g at least (%s: %s)\n",
      lab.id.c_str(), worst.right.ratio, worst.right_case.c_str(), worst.right.name.c_str(),
      worst.wrong.ratio, worst.wrong_case.c_str(), worst.wrong.name.c_str());
  return failures;
}

struct Options {
  int seeds = 1;
  bool quiet = false;
  std::vector<std::filesystem::path> labs;
};

/// Throws std::invalid_argument.
Options parse(std::span<char*> arguments) {
  Options options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--quiet") {
      options.quiet = true;
    } else if (argument == "--seeds" && i + 1 < arguments.size()) {
      options.seeds = std::atoi(arguments[++i]);
    } else if (!argument.starts_with("-")) {
      options.labs.emplace_back(argument);
    } else {
      throw std::invalid_argument("unknown or incomplete option " + std::string(argument));
    }
  }
  if (options.seeds < 1) throw std::invalid_argument("--seeds needs a number from 1");
  if (options.labs.empty()) throw std::invalid_argument("no lab.toml is named");
  return options;
}

int run(std::span<char*> arguments) {
  try {
    const Options options = parse(arguments);
    size_t failures = 0;
    for (const auto& path : options.labs) {
      failures += examine(load_lab(path), options.seeds, options.quiet);
    }
    return failures > 0 ? 1 : 0;
  } catch (const std::exception& error) {
    std::cerr << "flashlab-tolerances: " << error.what() << "\n" << kUsage;
    return 2;
  }
}

}  // namespace
}  // namespace flashlab::judge::tolerances

int main(int argc, char** argv) {
  return flashlab::judge::tolerances::run(std::span(argv, argc).subspan(1));
}
