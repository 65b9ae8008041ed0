// CUB's device-wide algorithms: reductions, scans, radix sort, selection, run lengths, histograms,
// segments.
#include <cub/cub.cuh>

#include "field.cuh"

/// Asks for the temporary storage, then runs.
template <class Call>
void with_storage(const Call& call) {
  size_t bytes = 0;
  CHECK(call(static_cast<void*>(nullptr), bytes));
  void* storage = nullptr;
  CHECK(cudaMalloc(&storage, bytes));
  CHECK(call(storage, bytes));
  CHECK(cudaDeviceSynchronize());
  CHECK(cudaFree(storage));
}

struct Even {
  __host__ __device__ bool operator()(int x) const { return x % 2 == 0; }
};

int main() {
  const int n = 20000;
  int* in = to_device(random_ints(n, -100, 100, 321));
  int* out = device_array<int>(n);
  int* more = device_array<int>(n);
  int* count = device_array<int>(1);

  with_storage([&](void* s, size_t& b) { return cub::DeviceReduce::Sum(s, b, in, out, n); });
  show("sum", out, 1);
  with_storage([&](void* s, size_t& b) { return cub::DeviceReduce::Max(s, b, in, out, n); });
  show("max", out, 1);
  auto* best = device_array<cub::KeyValuePair<int, int>>(1);
  with_storage([&](void* s, size_t& b) { return cub::DeviceReduce::ArgMin(s, b, in, best, n); });
  const auto smallest = to_host(best, 1)[0];
  std::printf("smallest: %d at %d\n", smallest.value, smallest.key);

  with_storage([&](void* s, size_t& b) { return cub::DeviceScan::ExclusiveSum(s, b, in, out, n); });
  show("exclusive sum", out, n);
  with_storage([&](void* s, size_t& b) {
    return cub::DeviceScan::InclusiveScan(s, b, in, out, cuda::maximum<>{}, n);
  });
  show("running maximum", out, n);

  std::vector<unsigned> host_keys;
  for (const int x : random_ints(n, 0, 1 << 23, 322))
    host_keys.push_back(static_cast<unsigned>(x) * 509u);
  unsigned* keys = to_device(host_keys);
  unsigned* keys_out = device_array<unsigned>(n);
  with_storage([&](void* s, size_t& b) {
    return cub::DeviceRadixSort::SortPairs(s, b, keys, keys_out, in, out, n);
  });
  show("sorted keys", keys_out, n);
  show("their values", out, n);
  with_storage([&](void* s, size_t& b) {
    return cub::DeviceRadixSort::SortKeysDescending(s, b, in, out, n, 0, 32);
  });
  show("descending", out, n);

  with_storage(
      [&](void* s, size_t& b) { return cub::DeviceSelect::If(s, b, in, more, count, n, Even{}); });
  const int even = to_host(count, 1)[0];
  show("even", more, even);
  with_storage([&](void* s, size_t& b) {
    return cub::DeviceRunLengthEncode::Encode(s, b, out, more, in, count, n);
  });
  const int runs = to_host(count, 1)[0];
  show("runs", more, runs);
  show("lengths", in, runs);

  float* samples = to_device(random_whole<float>(n, 0, 999, 323));
  int* bins = device_array<int>(10);
  with_storage([&](void* s, size_t& b) {
    return cub::DeviceHistogram::HistogramEven(s, b, samples, bins, 11, 0.0f, 1000.0f, n);
  });
  show("histogram", bins, 10);

  std::vector<int> offsets;
  for (int i = 0; i <= 50; ++i) offsets.push_back(i * i * 8);
  int* segments = to_device(offsets);
  double* values = to_device(random_whole<double>(n, -1000, 1000, 324));
  double* sums = device_array<double>(50);
  with_storage([&](void* s, size_t& b) {
    return cub::DeviceSegmentedReduce::Sum(s, b, values, sums, 50, segments, segments + 1);
  });
  show("segments", sums, 50);
}
