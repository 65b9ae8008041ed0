// printf in kernels: every conversion, wide and narrow arguments, strings from constant and global
// memory, more than one launch.
#include "field.cuh"

__constant__ char greeting[16] = "constant";
__device__ const char* const names[] = {"zero", "one", "two"};

__global__ void formats(double d, long long ll) {
  printf("int %d %i %5d|%-5d|%05d %+d\n", 42, -42, 42, 42, 42, 42);
  printf("unsigned %u %x %X %#x %o\n", 4000000000u, 0xbeefu, 0xBEEFu, 255u, 8u);
  printf("long long %lld %llu %llx\n", ll, static_cast<unsigned long long>(ll),
         static_cast<unsigned long long>(ll));
  printf("double %f %.3f %e %g %10.2f|%-10.2f|\n", d, d, d, d, d, d);
  printf("float %f %g %s\n", 0.5f, 1e-7f, greeting);
  printf("char %c%c%c %%\n", 'a', 'b', 'c');
  printf("width from arguments %*d|%-*d|\n", 6, 7, 6, 7);
  printf("short %hd\n", static_cast<short>(-3));
  printf("no arguments\n");
  for (int i = 0; i < 3; ++i) printf("%s%s", names[i], i < 2 ? ", " : "\n");
}

__global__ void by_lane(const int* values) {
  const int lane = threadIdx.x;
  if (lane % 8 == 3) printf("lane %d has %d\n", lane, values[lane]);
  if (lane == 31) {
    const int written = printf("%d\n", lane);
    printf("%d argument(s)\n", written);
  }
}

__global__ void in_order(int n) {
  for (int b = 0; b < n; ++b) {
    if (threadIdx.x == b * 32) printf("warp %d of %d\n", b, n);
    __syncthreads();
  }
}

int main() {
  formats<<<1, 1>>>(-2.718281828, -1234567890123ll);
  CHECK(cudaDeviceSynchronize());
  by_lane<<<1, 32>>>(to_device(random_ints(32, 0, 99, 341)));
  CHECK(cudaDeviceSynchronize());
  in_order<<<1, 128>>>(4);
  CHECK(cudaDeviceSynchronize());
  std::printf("done\n");
}
