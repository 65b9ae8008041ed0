// What `ptxas -v` prints.
#include <string>

#include "ptxas/output.hpp"
#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    vgpu::ptxas::parse_output(std::string(reinterpret_cast<const char*>(data), size));
  } catch (const vgpu::ptxas::PtxasError&) {  // a refusal is an answer
  }
  return 0;
}
