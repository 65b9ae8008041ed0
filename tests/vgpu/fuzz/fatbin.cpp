// The container of device code and its two decompressors.
#include "fatbin/fatbin.hpp"

#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto entries = vgpu::fatbin::read(data, size);
    vgpu::fatbin::select_ptx(entries, 90);
  } catch (const vgpu::fatbin::FatbinError&) {  // a refusal is an answer
  }
  return 0;
}
