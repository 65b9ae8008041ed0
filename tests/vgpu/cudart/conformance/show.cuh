// What the runtime API answers, one line per call. The same program runs on NVIDIA's runtime
// (recorded by record.sh on an H200) and on ours; the outputs must be equal. Lines hold nothing
// that depends on the machine.
#pragma once

#include <cuda_runtime.h>

#include <cstdio>

/// Prints `label = error / error left behind`, and clears what is left behind.
#define SHOW(label, call)                                                                  \
  do {                                                                                     \
    cudaError_t error = (call);                                                            \
    cudaError_t left = cudaGetLastError();                                                 \
    std::printf("%s = %s / %s\n", label, cudaGetErrorName(error), cudaGetErrorName(left)); \
  } while (false)
#define VALUE(label, value) std::printf("%s: %lld\n", label, static_cast<long long>(value))

// One function per family of calls, each in a file of its own.
void show_device();
void show_memory();
void show_symbols();
void show_launches();
void show_functions();
void show_streams();
void show_thread_errors();
void show_reset();
void show_calls_after_a_fault();
void show_fault(const char* kind);
int show_error(const char* number);  ///< exit code; 2: there is no such case

__global__ void fill(int* out, int n, int value);   // launches.cu
cudaError_t add_in_other_object(int* out, int by);  // other_object.cu
