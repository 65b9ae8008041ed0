#include "inputs.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

namespace flashlab::judge {
namespace {

constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio, SplitMix64's step

uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/// FNV-1a, continued from `hash`.
uint64_t hash_text(uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return mix(hash);
}

/// The values that a case gives in full for a tensor, or else the drawn ones. Throws
/// std::invalid_argument when they are not as many as the tensor has.
std::vector<float> given_or(const CaseSpec& spec, const std::string& tensor,
                            std::vector<float> drawn) {
  const auto given = spec.inputs.values.find(tensor);
  if (given == spec.inputs.values.end()) return drawn;
  if (given->second.size() != drawn.size()) {
    throw std::invalid_argument(spec.name + " gives another number of values for " + tensor);
  }
  return given->second;
}

}  // namespace

RandomStream::RandomStream(uint64_t seed, std::string_view case_name, std::string_view tensor)
    : state_(hash_text(hash_text(mix(seed + kGolden), case_name), tensor)) {}

uint64_t RandomStream::bits() {
  return mix(state_ += kGolden);
}

double RandomStream::uniform() {
  return static_cast<double>(bits() >> 11) * 0x1p-53;
}

double RandomStream::normal() {
  constexpr int kBits = 21;  // three uniforms per 64-bit number
  constexpr uint64_t kMask = (uint64_t{1} << kBits) - 1;
  uint64_t sum = 0;
  for (int i = 0; i < 4; ++i) {
    const uint64_t word = bits();
    sum += (word & kMask) + ((word >> kBits) & kMask) + ((word >> 2 * kBits) & kMask);
  }
  // Each uniform is taken at the middle of its cell, (k + 1/2) / 2^21: twelve halves make the six
  // exact.
  return (static_cast<double>(sum) + 6) * 0x1p-21 - 6;
}

Inputs draw_inputs(const CaseSpec& spec, uint64_t seed) {
  const Shape& shape = spec.shape;
  const InputRecipe& recipe = spec.inputs;
  const auto draw = [&](std::string_view tensor, size_t count, double mean, double sigma) {
    RandomStream stream(seed, spec.name, tensor);
    std::vector<double> values(count);
    for (double& value : values) value = mean + sigma * stream.normal();
    return values;
  };
  const auto add_spikes = [&](std::string_view tensor, std::vector<double>& values) {
    if (recipe.spike_probability <= 0) return;
    RandomStream stream(seed, spec.name, tensor);
    for (double& value : values) {
      if (stream.uniform() < recipe.spike_probability)
        value += recipe.spike_sigma * stream.normal();
    }
  };
  std::vector<double> q = draw("Q", shape.q_elements(), recipe.q_mean, recipe.q_sigma);
  std::vector<double> k = draw("K", shape.k_elements(), recipe.k_mean, recipe.k_sigma);
  const std::vector<double> v = draw("V", shape.k_elements(), recipe.v_mean, recipe.v_sigma);
  add_spikes("Q spikes", q);
  add_spikes("K spikes", k);
  for (size_t i = 0; i < k.size(); ++i) {
    const size_t j = i / shape.head_dim % shape.seq_k;
    k[i] *= 1 + recipe.k_growth * static_cast<double>(j) / shape.seq_k;
  }
  return {{q.begin(), q.end()}, {k.begin(), k.end()}, {v.begin(), v.end()}};
}

std::vector<float> draw_output_gradient(const CaseSpec& spec, uint64_t seed) {
  RandomStream stream(seed, spec.name, "dO");
  std::vector<float> values(spec.shape.q_elements());
  for (float& value : values) value = static_cast<float>(stream.normal());
  return values;
}

std::vector<float> draw_scores(const CaseSpec& spec, uint64_t seed) {
  const InputRecipe& recipe = spec.inputs;
  const int rows = spec.shape.seq_q, columns = spec.shape.seq_k;
  RandomStream values(seed, spec.name, "S"), masks(seed, spec.name, "S masks");
  std::vector<float> scores(spec.shape.scores());
  for (int row = 0; row < rows; ++row) {
    const bool masked = recipe.masked_every > 0 && row % recipe.masked_every == 0;
    for (int j = 0; j < columns; ++j) {
      const double growth = recipe.s_growth * j / columns;
      const double score = recipe.s_mean + growth + recipe.s_sigma * values.normal();
      const bool hidden = masks.uniform() < recipe.masked_probability;
      scores[static_cast<size_t>(row) * columns + j] =
          masked || hidden ? -std::numeric_limits<float>::infinity() : static_cast<float>(score);
    }
  }
  return given_or(spec, "S", std::move(scores));
}

PartialStates draw_states(const CaseSpec& spec, uint64_t seed) {
  PartialStates states;
  states.m = draw_scores(spec, seed);
  const size_t d = spec.shape.head_dim;
  RandomStream sums(seed, spec.name, "l"), values(seed, spec.name, "o");
  for (const float m : states.m) {
    const bool is_identity = std::isinf(m);
    const double l = is_identity ? 0 : 1 + 7 * sums.uniform();
    states.l.push_back(static_cast<float>(l));
    for (size_t c = 0; c < d; ++c) {
      const double mean = spec.inputs.v_mean + spec.inputs.v_sigma * values.normal();
      states.o.push_back(static_cast<float>(l * mean));
    }
  }
  states.m = given_or(spec, "m", std::move(states.m));
  states.l = given_or(spec, "l", std::move(states.l));
  states.o = given_or(spec, "o", std::move(states.o));
  return states;
}

}  // namespace flashlab::judge
