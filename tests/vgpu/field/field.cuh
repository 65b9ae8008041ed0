// What the programs of this folder share: checked calls, data that every machine makes alike, and
// results as text.
#pragma once

#include <cuda_runtime.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#define CHECK(call)                                                                          \
  do {                                                                                       \
    const cudaError_t check_status = (call);                                                 \
    if (check_status != cudaSuccess) {                                                       \
      std::printf("%s:%d: %s\n", __FILE_NAME__, __LINE__, cudaGetErrorString(check_status)); \
      std::exit(1);                                                                          \
    }                                                                                        \
  } while (0)

template <class T>
T* device_array(size_t count) {
  T* data = nullptr;
  CHECK(cudaMalloc(&data, count * sizeof(T)));
  return data;
}

template <class T>
T* to_device(const std::vector<T>& host) {
  T* data = device_array<T>(host.size());
  CHECK(cudaMemcpy(data, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice));
  return data;
}

template <class T>
std::vector<T> to_host(const T* data, size_t count) {
  std::vector<T> host(count);
  CHECK(cudaMemcpy(host.data(), data, count * sizeof(T), cudaMemcpyDeviceToHost));
  return host;
}

/// Whole numbers in [low, high].
inline std::vector<int> random_ints(size_t count, int low, int high, uint32_t seed) {
  std::vector<int> result(count);
  for (int& x : result) {
    seed = seed * 1664525u + 1013904223u;
    x = low + static_cast<int>((seed >> 8) % static_cast<uint32_t>(high - low + 1));
  }
  return result;
}

/// Small whole numbers as another type: their sums and products are exact in any order.
template <class T>
std::vector<T> random_whole(size_t count, int low, int high, uint32_t seed) {
  std::vector<T> result;
  for (const int x : random_ints(count, low, high, seed)) result.push_back(static_cast<T>(x));
  return result;
}

/// Numbers in [-1, 1).
inline std::vector<float> random_floats(size_t count, uint32_t seed) {
  std::vector<float> result;
  for (const int x : random_ints(count, 0, (1 << 24) - 1, seed))
    result.push_back(static_cast<float>(x) / 8388608.0f - 1.0f);
  return result;
}

/// FNV-1a over the bytes.
inline uint64_t checksum(const void* data, size_t bytes) {
  uint64_t hash = 14695981039346656037u;
  for (size_t i = 0; i < bytes; ++i)
    hash = (hash ^ static_cast<const uint8_t*>(data)[i]) * 1099511628211u;
  return hash;
}

/// Prints "name: checksum of the bytes, first and last value".
template <class T>
void show(const char* name, const std::vector<T>& values) {
  std::printf("%s: %016" PRIx64 ", %zu values, %.9g .. %.9g\n", name,
              checksum(values.data(), values.size() * sizeof(T)), values.size(),
              static_cast<double>(values.front()), static_cast<double>(values.back()));
}

template <class T>
void show(const char* name, const T* device_data, size_t count) {
  CHECK(cudaGetLastError());
  CHECK(cudaDeviceSynchronize());
  show(name, to_host(device_data, count));
}
