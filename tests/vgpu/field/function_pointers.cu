// Calls through pointers: a table in constant memory, pointers fetched from the device by the host,
// a state machine, functors by type.
#include "field.cuh"

using Operation = float (*)(float, float);

__device__ float add(float a, float b) {
  return a + b;
}
__device__ float multiply(float a, float b) {
  return a * b;
}
__device__ float smaller(float a, float b) {
  return fminf(a, b);
}
__device__ float difference(float a, float b) {
  return fabsf(a - b);
}

__constant__ Operation table[4];
__device__ Operation add_pointer = add, multiply_pointer = multiply, smaller_pointer = smaller,
                     difference_pointer = difference;

__global__ void uniform(const float* in, float* out, int which, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i + 1 < n) out[i] = table[which](in[i], in[i + 1]);
}

__global__ void divergent(const float* in, float* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i + 1 < n) out[i] = table[i % 4](in[i], in[i + 1]);
}

__global__ void reduce(const float* in, float* out, int n, Operation f) {
  float value = in[threadIdx.x];
  for (int i = threadIdx.x + blockDim.x; i < n; i += blockDim.x) value = f(value, in[i]);
  out[threadIdx.x] = value;
}

struct Machine;
using State = void (*)(Machine&, int);
struct Machine {
  State state;
  int seen, depth;
};
__device__ void inside(Machine& m, int symbol);
__device__ void outside(Machine& m, int symbol) {
  if (symbol != 1) return;
  ++m.depth;
  m.state = inside;
}
__device__ void inside(Machine& m, int symbol) {
  ++m.seen;
  if (symbol == 1) ++m.depth;
  if (symbol == 2 && --m.depth == 0) m.state = outside;
}

__global__ void parse(const int* text, int* out, int n) {
  Machine m{outside, 0, 0};
  for (int i = 0; i < n; ++i) m.state(m, text[threadIdx.x * n + i]);
  out[threadIdx.x] = m.seen * 100 + m.depth;
}

int main() {
  const int n = 1000;
  Operation host[4];
  CHECK(cudaMemcpyFromSymbol(&host[0], add_pointer, sizeof(Operation)));
  CHECK(cudaMemcpyFromSymbol(&host[1], multiply_pointer, sizeof(Operation)));
  CHECK(cudaMemcpyFromSymbol(&host[2], smaller_pointer, sizeof(Operation)));
  CHECK(cudaMemcpyFromSymbol(&host[3], difference_pointer, sizeof(Operation)));
  CHECK(cudaMemcpyToSymbol(table, host, sizeof host));
  float* in = to_device(random_whole<float>(n, -50, 50, 371));
  float* out = to_device(std::vector<float>(n));
  for (int k = 0; k < 4; ++k) {
    uniform<<<8, 128>>>(in, out, k, n);
    show("uniform", out, n);
  }
  divergent<<<8, 128>>>(in, out, n);
  show("divergent", out, n);
  for (int k : {0, 2, 3}) {
    reduce<<<1, 96>>>(in, out, n, host[k]);
    show("reduce", out, 96);
  }
  int* text = to_device(random_ints(64 * 40, 0, 4, 372));
  int* depth = device_array<int>(64);
  parse<<<1, 64>>>(text, depth, 40);
  show("machine", depth, 64);
}
