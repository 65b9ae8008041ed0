// The WMMA C++ interface: each shape and type, matrices by rows and by columns, in global and in
// shared memory, sums kept in float and in half precision. Every launch is one warp that computes
// D = -(A B + C), the sign turned element by element in the fragment.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <mma.h>

#include "program.cuh"

using namespace nvcuda;

/// The element that a fragment of `T` loads.
template <class T>
struct Element {
  using type = T;
};
template <>
struct Element<wmma::precision::tf32> {
  using type = float;
};

__host__ float to_float(float x) {
  return x;
}
__host__ float to_float(__half x) {
  return __half2float(x);
}
__host__ float to_float(__nv_bfloat16 x) {
  return __bfloat162float(x);
}
template <class E>
E from_float(float x);
template <>
float from_float<float>(float x) {
  return x;
}
template <>
__half from_float<__half>(float x) {
  return __float2half(x);
}
template <>
__nv_bfloat16 from_float<__nv_bfloat16>(float x) {
  return __float2bfloat16(x);
}

__device__ void negate(float& x) {
  x = -x;
}
__device__ void negate(__half& x) {
  __half_raw raw = x;
  raw.x ^= 0x8000;
  x = raw;
}

template <int M, int N, int K, class In, class Sum, class Layout>
__device__ void multiply(const typename Element<In>::type* a, const typename Element<In>::type* b,
                         const Sum* c, Sum* d, int lda, int ldb, int ldc, wmma::layout_t layout) {
  wmma::fragment<wmma::matrix_a, M, N, K, In, Layout> fa;
  wmma::fragment<wmma::matrix_b, M, N, K, In, Layout> fb;
  wmma::fragment<wmma::accumulator, M, N, K, Sum> sum;
  wmma::load_matrix_sync(fa, a, lda);
  wmma::load_matrix_sync(fb, b, ldb);
  wmma::load_matrix_sync(sum, c, ldc, layout);
  wmma::mma_sync(sum, fa, fb, sum);
  for (int i = 0; i < sum.num_elements; ++i) negate(sum.x[i]);
  wmma::store_matrix_sync(d, sum, ldc, layout);
}

template <int M, int N, int K, class In, class Sum, class Layout>
__global__ void in_global(const typename Element<In>::type* a, const typename Element<In>::type* b,
                          const Sum* c, Sum* d, int lda, int ldb, int ldc, wmma::layout_t layout) {
  multiply<M, N, K, In, Sum, Layout>(a, b, c, d, lda, ldb, ldc, layout);
}

constexpr int kPlace = 32 * 40;  // elements of the largest padded matrix

template <int M, int N, int K, class In, class Sum, class Layout>
__global__ void in_shared(const typename Element<In>::type* a, const typename Element<In>::type* b,
                          const Sum* c, Sum* d, int lda, int ldb, int ldc, wmma::layout_t layout) {
  __shared__ alignas(32) typename Element<In>::type sa[kPlace], sb[kPlace];
  __shared__ alignas(32) Sum sc[kPlace];
  for (int i = threadIdx.x; i < kPlace; i += 32) {
    sa[i] = a[i];
    sb[i] = b[i];
    sc[i] = c[i];
  }
  __syncwarp();  // the operands are complete
  multiply<M, N, K, In, Sum, Layout>(sa, sb, sc, sc, lda, ldb, ldc, layout);
  __syncwarp();  // and so is the result
  for (int i = threadIdx.x; i < kPlace; i += 32) d[i] = sc[i];
}

/// A matrix of small integers in memory: by rows or by columns, `padding` elements behind each.
template <class E>
struct Matrix {
  Matrix(int rows, int columns, bool by_columns, int padding, int seed)
      : rows_(rows), by_columns_(by_columns), stride((by_columns ? rows : columns) + padding) {
    memory.assign(kPlace, from_float<E>(0.0f));
    for (int r = 0; r < rows; ++r) {
      for (int c = 0; c < columns; ++c)
        memory[place(r, c)] = from_float<E>(static_cast<float>((r * 5 + c * 3 + seed) % 9 - 4));
    }
  }
  size_t place(int r, int c) const { return by_columns_ ? c * stride + r : r * stride + c; }
  float at(int r, int c) const { return to_float(memory[place(r, c)]); }

  std::vector<E> memory;
  int rows_;
  bool by_columns_;
  int stride;
};

template <int M, int N, int K, class In, class Sum, class Layout>
void check(const char* what, int padding) {
  using E = typename Element<In>::type;
  constexpr bool kByColumns = std::is_same_v<Layout, wmma::col_major>;
  const Matrix<E> a(M, K, kByColumns, padding, 1), b(K, N, kByColumns, padding, 2);
  const Matrix<Sum> c(M, N, kByColumns, padding, 3);
  std::vector<float> want(kPlace);
  for (size_t i = 0; i < want.size(); ++i) want[i] = to_float(c.memory[i]);
  for (int m = 0; m < M; ++m) {
    for (int n = 0; n < N; ++n) {
      float sum = c.at(m, n);
      for (int k = 0; k < K; ++k) sum += a.at(m, k) * b.at(k, n);
      want[c.place(m, n)] = -sum;
    }
  }
  const wmma::layout_t layout = kByColumns ? wmma::mem_col_major : wmma::mem_row_major;
  DeviceArray<E> da(a.memory), db(b.memory);
  for (const bool shared : {false, true}) {
    DeviceArray<Sum> dc(c.memory), dd(c.memory);
    if (shared) {
      in_shared<M, N, K, In, Sum, Layout><<<1, 32>>>(da.data(), db.data(), dc.data(), dd.data(),
                                                     a.stride, b.stride, c.stride, layout);
    } else {
      in_global<M, N, K, In, Sum, Layout><<<1, 32>>>(da.data(), db.data(), dc.data(), dd.data(),
                                                     a.stride, b.stride, c.stride, layout);
    }
    finish_kernels();
    std::vector<float> got;
    for (const Sum& x : dd.host()) got.push_back(to_float(x));
    expect(what, got, want);
  }
}

template <int M, int N, int K, class In, class Sum>
void check_layouts(const char* what) {
  for (const int padding : {0, 8}) {
    check<M, N, K, In, Sum, wmma::row_major>(what, padding);
    check<M, N, K, In, Sum, wmma::col_major>(what, padding);
  }
}

template <class In, class Sum>
void check_shapes(const char* what) {
  check_layouts<16, 16, 16, In, Sum>(what);
  check_layouts<8, 32, 16, In, Sum>(what);
  check_layouts<32, 8, 16, In, Sum>(what);
}

int main() {
  check_shapes<__half, float>("half, float sums");
  check_shapes<__half, __half>("half, half sums");
  check_shapes<__nv_bfloat16, float>("bfloat16");
  check_layouts<16, 16, 8, wmma::precision::tf32, float>("tf32");
  return verdict();
}
