//   conformance        errors of valid and invalid calls, values, kernel results
//   conformance fault  what every call answers after a kernel accessed memory that is not there
//   conformance trap | assert | misaligned | reset   one kernel with that fault, and
//   cudaDeviceReset after it
//   conformance errors NUMBER   one wrong call (errors.cu)
#include <cstring>

#include "show.cuh"

int main(int argc, char** argv) {
  const char* mode = argc > 1 ? argv[1] : "conformance";
  if (std::strcmp(mode, "fault") == 0) {
    show_calls_after_a_fault();
    return 0;
  }
  if (std::strcmp(mode, "errors") == 0) return show_error(argc > 2 ? argv[2] : "0");
  if (std::strcmp(mode, "conformance") != 0) {
    show_fault(mode);
    return 0;
  }
  cudaError_t ready = cudaFree(nullptr);
  if (ready != cudaSuccess) {
    std::fprintf(stderr, "no device: %s\n", cudaGetErrorString(ready));
    return 1;
  }
  show_device();
  show_memory();
  show_symbols();
  show_launches();
  show_functions();
  show_streams();
  show_thread_errors();
  show_reset();
  for (int code = 0; code <= 1000; ++code) {
    const char* name = cudaGetErrorName(static_cast<cudaError_t>(code));
    if (std::strcmp(name, "unrecognized error code") != 0) std::printf("error %d %s\n", code, name);
  }
}
