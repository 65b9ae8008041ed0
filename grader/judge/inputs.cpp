#include "inputs.hpp"

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

}  // namespace flashlab::judge
