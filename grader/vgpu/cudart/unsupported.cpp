// The functions of CUDA's runtime that the virtual GPU lacks. A program that imports one still
// starts; when it calls one, a line says so, once per function, and the call fails with
// cudaErrorNotSupported. (No CUDA header here: the functions are exported without their parameters,
// which they do not look at.)
#include "cudart/unsupported.hpp"

#define VGPU_UNSUPPORTED(name)                                   \
  extern "C" __attribute__((visibility("default"))) int name() { \
    static bool said = false;                                    \
    return vgpu::cudart::answer_unsupported(#name, said);        \
  }
#include "cudart/unsupported.def"
#ifdef VGPU_CUDA_12
#include "cudart/unsupported_12.def"
#else
#include "cudart/unsupported_13.def"
#endif
#undef VGPU_UNSUPPORTED
