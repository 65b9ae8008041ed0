// What the programs of this folder share: a table of cases, and buffers that are freed after each.
//
// A program is one file of kernels and a table {name, what it launches}. Its argument names the
// case to run, `--all` runs each of them, `--list` prints their names.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

struct Case {
  const char* name;
  void (*run)();
};

struct Buffer {
  void* data;
  size_t bytes;
  bool is_output;
};
inline std::vector<Buffer> g_buffers;

/// Ends the program when a call of the runtime, which no case means to be wrong, fails.
inline void must(cudaError_t status) {
  if (status == cudaSuccess) return;
  std::printf("%s\n", cudaGetErrorString(status));
  std::exit(1);
}

/// `count` elements on the device that nothing has written yet.
template <class T>
T* fresh(size_t count) {
  void* data = nullptr;
  must(cudaMalloc(&data, count * sizeof(T)));
  g_buffers.push_back({data, count * sizeof(T), false});
  return static_cast<T*>(data);
}

/// `count` zeros on the device, a part of the case's result.
template <class T>
T* output(size_t count) {
  T* const data = fresh<T>(count);
  must(cudaMemset(data, 0, count * sizeof(T)));
  g_buffers.back().is_output = true;
  return data;
}

/// `count` elements on the device that hold small integers, as numbers of type Number.
template <class T, class Number = std::conditional_t<std::is_arithmetic_v<T>, T, float>>
T* input(size_t count) {
  std::vector<Number> host(count * sizeof(T) / sizeof(Number));
  for (size_t i = 0; i < host.size(); ++i) host[i] = static_cast<Number>(float(i * 5 % 13));
  T* const data = fresh<T>(count);
  must(cudaMemcpy(data, host.data(), count * sizeof(T), cudaMemcpyHostToDevice));
  return data;
}

/// A hash (FNV-1a) of the case's results: the same on every device when the case is correct.
inline uint64_t hash_of_outputs() {
  uint64_t hash = 14695981039346656037u;
  for (const Buffer& buffer : g_buffers) {
    if (!buffer.is_output) continue;
    std::vector<unsigned char> host(buffer.bytes);
    must(cudaMemcpy(host.data(), buffer.data, buffer.bytes, cudaMemcpyDeviceToHost));
    for (const unsigned char byte : host) hash = (hash ^ byte) * 1099511628211u;
  }
  return hash;
}

/// Runs one case and prints its name and the hash of its results.
inline void run_case(const Case& one) {
  one.run();
  must(cudaGetLastError());
  must(cudaDeviceSynchronize());
  std::printf("%s %016llx\n", one.name, static_cast<unsigned long long>(hash_of_outputs()));
  for (const Buffer& buffer : g_buffers) must(cudaFree(buffer.data));
  g_buffers.clear();
}

/// The main function of a program. Returns 0, 1 for a CUDA error, 2 for an unknown case.
inline int run_cases(std::span<const Case> cases, int argc, char** argv) {
  const std::string_view wanted = argc == 2 ? argv[1] : "";
  bool known = wanted == "--list";
  for (const Case& one : cases) {
    if (wanted == "--list") std::printf("%s\n", one.name);
    if (wanted != "--all" && wanted != one.name) continue;
    known = true;
    run_case(one);
  }
  if (known) return 0;
  std::fprintf(stderr, "usage: %s NAME|--all|--list: `%.*s` is not a case\n", argv[0],
               static_cast<int>(wanted.size()), wanted.data());
  return 2;
}
