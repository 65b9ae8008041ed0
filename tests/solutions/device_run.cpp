#include "device_run.hpp"

#include <dlfcn.h>

#include <cmath>
#include <random>
#include <stdexcept>

namespace flashlab::solutions {
namespace {

void check(cudaError_t status) {
  if (status != cudaSuccess) throw std::runtime_error(cudaGetErrorString(status));
}

}  // namespace

void* load(const std::string& library, const char* symbol) {
  const std::string path = std::string(SOLUTION_LIBRARIES) + "/" + library + ".so";
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* function = handle != nullptr ? dlsym(handle, symbol) : nullptr;
  if (function == nullptr) throw std::runtime_error(dlerror());
  return function;
}

DeviceRun::~DeviceRun() {
  for (void* allocation : allocations_) cudaFree(allocation);
}

float* DeviceRun::output(std::size_t count) {
  void* memory = nullptr;
  check(cudaMalloc(&memory, count * sizeof(float)));
  allocations_.push_back(memory);
  check(cudaMemset(memory, 0xff, count * sizeof(float)));
  return static_cast<float*>(memory);
}

const float* DeviceRun::input(const Floats& values) {
  float* memory = output(values.size());
  check(cudaMemcpy(memory, values.data(), values.size() * sizeof(float), cudaMemcpyHostToDevice));
  return memory;
}

std::vector<double> DeviceRun::read(const float* output, std::size_t count) const {
  Floats values(count);
  check(cudaMemcpy(values.data(), output, count * sizeof(float), cudaMemcpyDeviceToHost));
  return {values.begin(), values.end()};
}

Inputs::Inputs(const reference::AttentionShape& s, float sigma) : shape(s) {
  std::mt19937_64 generator(5);
  std::normal_distribution<float> normal;
  const auto fill = [&](Floats& tensor, int seq, float factor) {
    tensor.resize(static_cast<std::size_t>(s.batch) * s.heads_q * seq * s.head_dim);
    for (float& x : tensor) x = factor * normal(generator);
  };
  // The device gets the scale as a float: the reference has to compute with the same number.
  shape.scale = static_cast<float>(s.scale);
  fill(Q, s.seq_q, sigma);
  fill(K, s.seq_k, sigma);
  fill(V, s.seq_k, 1.0f);
  fill(dO, s.seq_q, 1.0f);
}

std::string name(const reference::AttentionShape& s) {
  return "B" + std::to_string(s.batch) + "_H" + std::to_string(s.heads_q) + "_N" +
         std::to_string(s.seq_q) + "x" + std::to_string(s.seq_k) + "_d" +
         std::to_string(s.head_dim) + (s.causal ? "_causal" : "");
}

std::vector<reference::AttentionShape> shapes() {
  std::vector<reference::AttentionShape> result;
  const auto add = [&](int batch, int heads, int seq_q, int seq_k, int d) {
    for (const bool causal : {false, true}) {
      result.push_back({batch, heads, heads, seq_q, seq_k, d, 1.0 / std::sqrt(d), causal});
    }
  };
  for (const int d : {32, 64, 128}) {
    add(1, 1, 1, 1, d);
    add(1, 2, 130, 130, d);
    add(1, 1, 33, 257, d);   // more keys than queries
    add(1, 1, 300, 127, d);  // rows without keys when causal, and more than one whole tile of them
  }
  add(2, 3, 70, 45, 64);
  add(1, 1, 256, 256, 64);
  return result;
}

testing::AssertionResult near(const std::vector<double>& got, const std::vector<double>& want,
                              double tolerance) {
  if (got.size() != want.size()) {
    return testing::AssertionFailure()
           << "has " << got.size() << " elements, expected " << want.size();
  }
  std::size_t wrong = 0, first = 0;
  double largest = 0.0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (got[i] == want[i]) continue;
    const double difference = std::abs(got[i] - want[i]);
    largest = std::max(largest, difference);
    if (difference <= tolerance) continue;
    if (wrong++ == 0) first = i;
  }
  if (wrong == 0) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << wrong << " of " << got.size() << " elements are off by more than " << tolerance
         << " (at most " << largest << "); the first is element " << first << ": " << got[first]
         << ", expected " << want[first];
}

}  // namespace flashlab::solutions
