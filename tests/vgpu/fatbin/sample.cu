// Long enough that every compression mode of nvcc compresses it.
template <int N>
__device__ float polynomial(const float* a, float x) {
  float sum = 0;
#pragma unroll
  for (int i = 0; i < N; ++i) sum = sum * x + a[i];
  return sum;
}

__global__ void evaluate(float* out, const float* a) {
  const float x = out[threadIdx.x];
  out[threadIdx.x] = polynomial<64>(a, x) + polynomial<96>(a + 64, x);
}
