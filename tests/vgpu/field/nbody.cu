// Gravitation among all pairs, tile by tile through shared memory; square roots and divisions that
// round as IEEE says, no contraction.

// nvcc: -fmad=false

#include "field.cuh"

constexpr int kTile = 128;

__device__ float3 pull(float3 sum, float4 me, float4 other) {
  const float dx = other.x - me.x, dy = other.y - me.y, dz = other.z - me.z;
  const float square = dx * dx + dy * dy + dz * dz + 0.01f;
  const float scale = other.w / (square * sqrtf(square));
  return {sum.x + dx * scale, sum.y + dy * scale, sum.z + dz * scale};
}

__global__ void step(const float4* before, float4* after, float4* velocity, int n, float dt) {
  __shared__ float4 tile[kTile];
  const int i = blockIdx.x * kTile + threadIdx.x;
  const float4 me = before[i];
  float3 acceleration = {};
  for (int t = 0; t < n; t += kTile) {
    tile[threadIdx.x] = before[t + threadIdx.x];
    __syncthreads();
#pragma unroll 8
    for (int k = 0; k < kTile; ++k) acceleration = pull(acceleration, me, tile[k]);
    __syncthreads();
  }
  float4 v = velocity[i];
  v.x += acceleration.x * dt;
  v.y += acceleration.y * dt;
  v.z += acceleration.z * dt;
  velocity[i] = v;
  after[i] = {me.x + v.x * dt, me.y + v.y * dt, me.z + v.z * dt, me.w};
}

int main() {
  const int n = 512;
  const std::vector<float> x = random_floats(4 * n, 211);
  std::vector<float4> bodies;
  for (int i = 0; i < n; ++i)
    bodies.push_back({x[4 * i], x[4 * i + 1], x[4 * i + 2], 1.0f + 0.5f * x[4 * i + 3]});
  float4* a = to_device(bodies);
  float4* b = device_array<float4>(n);
  float4* v = to_device(std::vector<float4>(n, float4{}));
  for (int s = 0; s < 5; ++s) {
    step<<<n / kTile, kTile>>>(a, b, v, n, 0.001f);
    std::swap(a, b);
  }
  show("positions", reinterpret_cast<float*>(a), 4 * n);
  show("velocities", reinterpret_cast<float*>(v), 4 * n);
}
