// The last error of each thread, and the names of errors.
#include <utility>

#include "cudart/api.hpp"
#include "cudart/unsupported.hpp"

namespace vgpu::cudart {
namespace {

thread_local cudaError_t last_error = cudaSuccess;

struct ErrorText {
  cudaError_t code;
  const char *name, *description;
};

constexpr ErrorText kErrors[] = {
#define VGPU_ERROR(code, description) {code, #code, description},
#include "cudart/error_codes.def"
#undef VGPU_ERROR
};

constexpr ErrorText kUnrecognized{cudaErrorUnknown, "unrecognized error code",
                                  "unrecognized error code"};

const ErrorText& text_of(cudaError_t code) {
  for (const ErrorText& error : kErrors)
    if (error.code == code) return error;
  return kUnrecognized;
}

}  // namespace

void fail(cudaError_t code, const std::string& why) {
  throw ApiError(code, why);
}

cudaError_t remember_error(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

int answer_unsupported(const char* function, bool& said) {
  return api_call(function, Errors::None, [&](Runtime&) {
    const char* why = std::exchange(said, true) ? "" : "not supported by the virtual GPU";
    fail(cudaErrorNotSupported, why);
  });
}

}  // namespace vgpu::cudart

using namespace vgpu::cudart;

VGPU_EXPORT cudaError_t cudaGetLastError() {
  return std::exchange(last_error, cudaSuccess);
}

VGPU_EXPORT cudaError_t cudaPeekAtLastError() {
  return last_error;
}

VGPU_EXPORT const char* cudaGetErrorName(cudaError_t code) {
  return text_of(code).name;
}

VGPU_EXPORT const char* cudaGetErrorString(cudaError_t code) {
  return text_of(code).description;
}
