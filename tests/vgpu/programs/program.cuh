// What the test programs share: checked runtime calls, arrays on the device, comparisons.
//
// Each program runs some kernels, compares with the host, prints what differs, and exits with 0
// when nothing does. They are ordinary CUDA programs: the same binary runs on a GPU and on the
// virtual GPU, and must pass on both.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <type_traits>
#include <vector>

#define CHECK(call) check_call(call, #call, __FILE__, __LINE__)

inline void check_call(cudaError_t status, const char* call, const char* file, int line) {
  if (status == cudaSuccess) return;
  std::printf("%s:%d: %s: %s\n", file, line, call, cudaGetErrorString(status));
  std::exit(1);
}

/// Waits for the kernels launched so far and stops the program if one of them failed.
inline void finish_kernels() {
  CHECK(cudaGetLastError());
  CHECK(cudaDeviceSynchronize());
}

/// `count` elements in device memory, freed at the end of the scope.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(size_t count) : count_(count) {
    CHECK(cudaMalloc(&data_, count * sizeof(T)));
  }
  explicit DeviceArray(const std::vector<T>& host) : DeviceArray(host.size()) {
    CHECK(cudaMemcpy(data_, host.data(), count_ * sizeof(T), cudaMemcpyHostToDevice));
  }
  ~DeviceArray() { CHECK(cudaFree(data_)); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* data() { return data_; }
  std::vector<T> host() const {
    std::vector<T> result(count_);
    CHECK(cudaMemcpy(result.data(), data_, count_ * sizeof(T), cudaMemcpyDeviceToHost));
    return result;
  }

 private:
  T* data_ = nullptr;
  size_t count_;
};

inline int g_failed_checks = 0;

/// Compares element by element: |got - want| <= absolute + relative * |want|; with both zero the
/// values must be equal. A NaN equals only a NaN. Prints the first five differences.
template <class T>
void expect(const char* what, const std::vector<T>& got, const std::vector<T>& want,
            double relative = 0.0, double absolute = 0.0) {
  size_t wrong = got.size() == want.size() ? 0 : 1;
  if (wrong) std::printf("%s: %zu values, expected %zu\n", what, got.size(), want.size());
  for (size_t i = 0; i < got.size() && i < want.size(); ++i) {
    bool same = got[i] == want[i];
    if constexpr (std::is_floating_point_v<T>) {
      const double error = std::fabs(static_cast<double>(got[i]) - want[i]);
      same = same || error <= absolute + relative * std::fabs(want[i]) ||
             (std::isnan(got[i]) && std::isnan(want[i]));
    }
    if (same) continue;
    if (++wrong <= 5) {
      std::printf("%s[%zu]: got %.17g, expected %.17g\n", what, i, static_cast<double>(got[i]),
                  static_cast<double>(want[i]));
    }
  }
  if (wrong) {
    std::printf("%s: %zu of %zu values are wrong\n", what, wrong, want.size());
    ++g_failed_checks;
  }
}

template <class T>
void expect(const char* what, T got, T want) {
  expect(what, std::vector<T>{got}, std::vector<T>{want});
}

/// The exit code of main().
inline int verdict() {
  std::printf(g_failed_checks == 0 ? "passed\n" : "FAILED: %d check(s)\n", g_failed_checks);
  return g_failed_checks == 0 ? 0 : 1;
}

/// Reproducible numbers in [-1, 1), all different enough to show a mixed-up index.
inline std::vector<float> random_floats(size_t count, unsigned seed) {
  std::vector<float> result(count);
  for (float& x : result) {
    seed = seed * 1664525u + 1013904223u;
    x = static_cast<float>(seed >> 8) / 8388608.0f - 1.0f;
  }
  return result;
}
