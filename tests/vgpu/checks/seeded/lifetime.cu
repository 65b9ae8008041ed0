// Memory that is not there any more, or never was on the device, or stays for ever. `// BUG name:
// kind` stands on the line to report; for mistakes of the host, on the line that makes them.
#include "../cases.cuh"

__global__ void scratch_freed_too_early(const float* scratch, float* out) {
  out[threadIdx.x] = scratch[threadIdx.x];  // BUG scratch_freed_too_early: freed
}

__global__ void written_after_free(float* scratch) {
  scratch[threadIdx.x] = 1;  // BUG written_after_free: freed
}

// The same size is allocated again: the old pointer may point to the new array.
__global__ void old_pointer_to_new_memory(float* old_scratch) {
  old_scratch[threadIdx.x] = 1;  // BUG old_pointer_to_new_memory: freed
}

__global__ void host_array(const float* in, float* out) {
  out[threadIdx.x] = in[threadIdx.x];  // BUG host_array: host_pointer
}

__global__ void host_result(const float* in, float* sum) {
  atomicAdd(sum, in[threadIdx.x]);  // BUG host_result: host_pointer
}

struct Problem {
  const float* in;
  float* out;
};

// The arrays are on the device, but the structure that names them is not.
__global__ void host_structure(const Problem* problem) {
  const float* const in = problem->in;  // BUG host_structure: host_pointer
  problem->out[threadIdx.x] = in[threadIdx.x];
}

__global__ void fill(float* out) {
  out[threadIdx.x] = 1;
}

void freed_twice() {
  float* const scratch = fresh<float>(64);
  fill<<<1, 64>>>(scratch);
  must(cudaFree(scratch));
  cudaFree(scratch);  // BUG freed_twice: double_free
  g_buffers.clear();
}

void never_freed() {
  float* scratch = nullptr;
  must(cudaMalloc(&scratch, 1000 * sizeof(float)));  // BUG never_freed: leak
  fill<<<1, 64>>>(scratch);
}

// Scratch is allocated in each step, and freed once.
void freed_once_of_three() {
  float* scratch = nullptr;
  for (int step = 0; step < 3; ++step) {
    must(cudaMalloc(&scratch, 1000 * sizeof(float)));  // BUG freed_once_of_three: leak
    fill<<<1, 64>>>(scratch);
  }
  must(cudaFree(scratch));
}

constexpr Case kCases[] = {
    {"scratch_freed_too_early",
     [] {
       float* scratch = nullptr;
       must(cudaMalloc(&scratch, 256));
       fill<<<1, 64>>>(scratch);
       must(cudaFree(scratch));
       scratch_freed_too_early<<<1, 64>>>(scratch, output<float>(64));
     }},
    {"written_after_free",
     [] {
       float* scratch = nullptr;
       must(cudaMalloc(&scratch, 1 << 20));
       must(cudaFree(scratch));
       written_after_free<<<1, 64>>>(scratch);
     }},
    {"old_pointer_to_new_memory",
     [] {
       float* scratch = nullptr;
       must(cudaMalloc(&scratch, 256));
       must(cudaFree(scratch));
       fill<<<1, 64>>>(output<float>(64));
       old_pointer_to_new_memory<<<1, 64>>>(scratch);
     }},
    {"host_array",
     [] {
       std::vector<float> host(64);
       host_array<<<1, 64>>>(host.data(), output<float>(64));
     }},
    {"host_result",
     [] {
       float sum = 0;
       host_result<<<1, 64>>>(input<float>(64), &sum);
     }},
    {"host_structure",
     [] {
       const Problem problem{input<float>(64), output<float>(64)};
       host_structure<<<1, 64>>>(&problem);
     }},
    {"freed_twice", freed_twice},
    {"never_freed", never_freed},
    {"freed_once_of_three", freed_once_of_three},
};

int main(int argc, char** argv) {
  return run_cases(kCases, argc, argv);
}
