// Arrays of one thread that are indexed at run time, so that they live in local memory: an
// insertion sort, and a small stack machine with a switch.
#include "program.cuh"

constexpr int kLength = 17;

__global__ void sort_rows(const int* in, int* out, int rows) {
  const int row = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= rows) return;
  int sorted[kLength];
  for (int i = 0; i < kLength; ++i) {
    const int value = in[row * kLength + i];
    int at = i;
    for (; at > 0 && sorted[at - 1] > value; --at) sorted[at] = sorted[at - 1];
    sorted[at] = value;
  }
  for (int i = 0; i < kLength; ++i) out[row * kLength + i] = sorted[i];
}

__host__ __device__ int run_machine(const char* program, int argument) {
  int stack[8] = {argument};
  int top = 0;
  for (; *program; ++program) {
    switch (*program) {
      case '+':
        --top, stack[top] += stack[top + 1];
        break;
      case '-':
        --top, stack[top] -= stack[top + 1];
        break;
      case '*':
        --top, stack[top] *= stack[top + 1];
        break;
      case 'd':
        ++top, stack[top] = stack[top - 1];
        break;
      case 's': {
        const int x = stack[top];
        stack[top] = stack[top - 1];
        stack[top - 1] = x;
        break;
      }
      default:
        stack[++top] = *program - '0';
    }
  }
  return stack[top];
}

__global__ void run_machines(const char* programs, int width, int* out) {
  out[threadIdx.x] = run_machine(programs + threadIdx.x % 4 * width, threadIdx.x);
}

int main() {
  const int rows = 70;
  std::vector<int> in(rows * kLength), want(in.size());
  for (size_t i = 0; i < in.size(); ++i) want[i] = in[i] = static_cast<int>(i * 7919 % 1009) - 500;
  for (int r = 0; r < rows; ++r) {
    for (int i = 1; i < kLength; ++i) {
      for (int* x = &want[r * kLength + i]; x > &want[r * kLength] && x[-1] > *x; --x) {
        std::swap(x[-1], *x);
      }
    }
  }
  DeviceArray<int> din(in), sorted(in.size()), results(64);
  sort_rows<<<3, 32>>>(din.data(), sorted.data(), rows);

  const int width = 12;
  const char* text[4] = {"dd*+3-", "5s-d*", "1234+++*", "9sd*d-+"};
  std::vector<char> programs(4 * width, '\0');
  for (int p = 0; p < 4; ++p) std::snprintf(&programs[p * width], width, "%s", text[p]);
  DeviceArray<char> dprograms(programs);
  run_machines<<<1, 64>>>(dprograms.data(), width, results.data());
  finish_kernels();
  expect("sorted", sorted.host(), want);
  std::vector<int> want_results(64);
  for (int t = 0; t < 64; ++t) want_results[t] = run_machine(text[t % 4], t);
  expect("machine", results.host(), want_results);
  return verdict();
}
