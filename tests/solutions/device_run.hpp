// Runs a solution's entry point on the device and compares what it wrote.
#pragma once

#include <cuda_runtime_api.h>
#include <flashlab/attention.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "reference/attention.hpp"

namespace flashlab::solutions {

using Floats = std::vector<float>;

/// The function `symbol` of the built solution `library`, as in "lab5_backward_name".
/// Throws std::runtime_error with the loader's message when it cannot be had.
void* load(const std::string& library, const char* symbol);

/// Device memory for the tensors of one test: freed with it, filled with NaN unless given a value.
class DeviceRun {
 public:
  DeviceRun() = default;
  DeviceRun(const DeviceRun&) = delete;
  DeviceRun& operator=(const DeviceRun&) = delete;
  ~DeviceRun();

  float* output(std::size_t count);
  const float* input(const Floats& values);
  /// What the kernel wrote to an output; waits for the device.
  std::vector<double> read(const float* output, std::size_t count) const;
  /// Scratch memory that is NaN, as in the grader.
  Workspace& workspace() { return workspace_; }

 private:
  std::vector<void*> allocations_;
  Workspace workspace_{[](void* context, const char*, std::size_t bytes) -> void* {
                         return static_cast<DeviceRun*>(context)->output((bytes + 3) / 4);
                       },
                       this};
};

/// A problem with normally distributed Q, K, V and dO, the same on every run.
struct Inputs {
  reference::AttentionShape shape;
  Floats Q, K, V, dO;

  explicit Inputs(const reference::AttentionShape& s, float sigma = 1.0f);
  AttentionShape device_shape() const {
    return {shape.batch, shape.heads_q,  shape.seq_q,
            shape.seq_k, shape.head_dim, static_cast<float>(shape.scale),
            shape.causal};
  }
};

/// "N130x130_d64_causal" and the like, for the names of tests.
std::string name(const reference::AttentionShape& shape);

/// The shapes at which tiled kernels go wrong: one row, ragged and whole tiles, more keys than
/// queries and the reverse (rows without keys when causal), several heads and batches.
std::vector<reference::AttentionShape> shapes();

/// Succeeds when every |got - want| <= tolerance and equal infinities meet. NaN always fails.
testing::AssertionResult near(const std::vector<double>& got, const std::vector<double>& want,
                              double tolerance);

}  // namespace flashlab::solutions
