// The inputs of a case, drawn from (seed, case name): the same on every platform.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "lab.hpp"

namespace flashlab::judge {

/// Counter-based random numbers: number i of a stream is a pure function of (stream, i), by the
/// finaliser of SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number
/// generators", OOPSLA). Integer arithmetic only, so every platform and compiler agrees.
class RandomStream {
 public:
  /// The stream of one tensor of one case.
  RandomStream(uint64_t seed, std::string_view case_name, std::string_view tensor);

  uint64_t bits();   ///< 64 uniform bits
  double uniform();  ///< in [0, 1), a multiple of 2^-53
  /// Close to a standard normal: the sum of twelve uniforms minus six (mean 0, deviation 1, |x| <
  /// 6). Exact, unlike Box-Muller, whose logarithm and cosine differ in the last bit between
  /// libraries.
  double normal();

 private:
  uint64_t state_;
};

/// The float32 inputs of one attention problem.
struct Inputs {
  std::vector<float> Q;     ///< [batch, heads, seq_q, head_dim]
  std::vector<float> K, V;  ///< [batch, heads, seq_k, head_dim]
};

/// Draws the inputs of a case.
Inputs draw_inputs(const CaseSpec& spec, uint64_t seed);

/// Draws dO [batch, heads, seq_q, head_dim], the gradient that a backward pass starts from:
/// standard normal.
std::vector<float> draw_output_gradient(const CaseSpec& spec, uint64_t seed);

/// Draws the scores of lab 2, [seq_q, seq_k]: rows and columns.
std::vector<float> draw_scores(const CaseSpec& spec, uint64_t seed);

/// Partial states of the online softmax, as labs/include/flashlab/lab2.h describes them.
struct PartialStates {
  std::vector<float> m, l;  ///< [seq_q, seq_k]: rows and parts
  std::vector<float> o;     ///< [seq_q, seq_k, head_dim]
};

/// Draws partial states: m as scores are drawn, l between 1 and 8, o a mean of values times l;
/// where m is -infinity, the identity.
PartialStates draw_states(const CaseSpec& spec, uint64_t seed);

}  // namespace flashlab::judge
