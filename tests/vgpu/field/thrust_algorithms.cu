// Thrust as people use it: device vectors, sort, reduce, scan, unique, transforms with functors and
// lambdas, fancy iterators.

// nvcc: --extended-lambda

#include <thrust/copy.h>
#include <thrust/count.h>
#include <thrust/device_vector.h>
#include <thrust/extrema.h>
#include <thrust/host_vector.h>
#include <thrust/inner_product.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/iterator/zip_iterator.h>
#include <thrust/reduce.h>
#include <thrust/scan.h>
#include <thrust/sequence.h>
#include <thrust/sort.h>
#include <thrust/transform.h>
#include <thrust/transform_reduce.h>
#include <thrust/unique.h>

#include "field.cuh"

struct Saxpy {
  float a;
  __host__ __device__ float operator()(float x, float y) const { return a * x + y; }
};

template <class T>
void show(const char* name, const thrust::device_vector<T>& v, size_t count) {
  std::vector<T> host(count);
  thrust::copy(v.begin(), v.begin() + static_cast<long>(count), host.begin());
  show(name, host);
}

int main() {
  const int n = 10000;
  const std::vector<int> numbers = random_ints(n, -500, 500, 331);
  thrust::device_vector<int> v(numbers.begin(), numbers.end());
  std::printf("sum %d, max %d, negative %ld\n", thrust::reduce(v.begin(), v.end(), 0),
              int{*thrust::max_element(v.begin(), v.end())},
              static_cast<long>(thrust::count_if(v.begin(), v.end(),
                                                 [] __host__ __device__(int x) { return x < 0; })));

  thrust::device_vector<int> order(n);
  thrust::sequence(order.begin(), order.end());
  thrust::device_vector<int> keys = v;
  thrust::stable_sort_by_key(keys.begin(), keys.end(), order.begin());
  show("sorted", keys, n);
  show("order", order, n);
  thrust::sort(v.begin(), v.end(), thrust::greater<int>());
  show("descending", v, n);

  thrust::device_vector<int> sums(n);
  thrust::inclusive_scan(keys.begin(), keys.end(), sums.begin());
  show("scan", sums, n);

  thrust::device_vector<int> ones(n, 1), distinct(n), counts(n);
  const auto ends = thrust::reduce_by_key(keys.begin(), keys.end(), ones.begin(), distinct.begin(),
                                          counts.begin());
  show("counts", counts, ends.second - counts.begin());
  const auto end = thrust::unique(keys.begin(), keys.end());
  std::printf("distinct: %ld\n", static_cast<long>(end - keys.begin()));

  thrust::device_vector<float> x(n), y(n);
  thrust::sequence(x.begin(), x.end());
  thrust::fill(y.begin(), y.end(), 3.0f);
  thrust::transform(x.begin(), x.end(), y.begin(), y.begin(), Saxpy{2.0f});
  show("saxpy", y, n);
  std::printf("dot: %.9g\n", thrust::inner_product(x.begin(), x.begin() + 100, y.begin(), 0.0f));

  const auto first = thrust::make_counting_iterator(1);
  std::printf(
      "sum of squares: %lld\n",
      thrust::transform_reduce(
          first, first + n, [] __host__ __device__(int i) { return static_cast<long long>(i) * i; },
          0ll, thrust::plus<long long>()));
  const auto zipped = thrust::make_zip_iterator(thrust::make_tuple(x.begin(), y.begin()));
  thrust::transform(zipped, zipped + n, x.begin(),
                    [] __host__ __device__(const thrust::tuple<float, float>& t) {
                      return thrust::get<1>(t) - thrust::get<0>(t);
                    });
  show("zipped", x, n);
  thrust::device_vector<int> kept(n);
  const auto kept_end = thrust::copy_if(order.begin(), order.end(), kept.begin(),
                                        [] __host__ __device__(int i) { return i % 7 == 3; });
  show("kept", kept, kept_end - kept.begin());
}
