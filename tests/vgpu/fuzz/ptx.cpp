// The lexer and the parser of PTX.
#include "ptx/parser.hpp"
#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    vgpu::ptx::parse({reinterpret_cast<const char*>(data), size});
  } catch (const vgpu::ptx::ParseError&) {  // a refusal is an answer
  }
  return 0;
}
