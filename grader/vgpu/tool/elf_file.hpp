// What `vgpu run` needs to know about an executable before it starts it.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace vgpu::tool {

/// Why a file cannot be run, in one line.
struct ProgramError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct ElfFacts {
  std::vector<std::string> needed;  ///< DT_NEEDED: the shared libraries it links
  std::string rpath;                ///< DT_RPATH, which goes before LD_LIBRARY_PATH; usually empty
  bool has_device_code = false;     ///< it has a section `.nvFatBinSegment`
};

/// Reads the headers of a 64-bit little-endian ELF file. Throws ProgramError when it is none or is
/// damaged.
ElfFacts read_elf(const std::string& path);

/// Throws ProgramError, with what to do, when a program with these facts would not run on the
/// virtual GPU.
void require_runnable(const std::string& path, const ElfFacts& facts);

}  // namespace vgpu::tool
