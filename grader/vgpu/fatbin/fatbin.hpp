// The container in which nvcc embeds device code in an object ("fatbin"), reduced to its PTX.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace vgpu::fatbin {

/// What a program is refused for; NVIDIA's runtime has an error code for each.
enum class Refusal {
  Malformed,   ///< not a container, or its parts do not fit into it
  Compressed,  ///< data that do not decompress to what the entry says
  Unusable,    ///< nothing in it is for this device
};

struct FatbinError : std::runtime_error {
  explicit FatbinError(const std::string& why, Refusal kind = Refusal::Malformed)
      : std::runtime_error(why), refusal(kind) {}
  Refusal refusal;
};

/// One entry of the container.
struct Entry {
  bool is_ptx = false;  ///< otherwise a cubin, which the virtual GPU cannot run
  uint32_t arch = 0;    ///< 80 for compute_80 / sm_80
  std::string text;     ///< decompressed PTX without trailing NULs; empty for a cubin
};

/// Reads the container at `data` (header magic 0xBA55ED50). `limit` bounds how many bytes may be
/// read (SIZE_MAX when unknown, as for a registered image: then the header's own size is the
/// bound). Plain, zstd and LZ4 entries are decompressed. Throws FatbinError on anything malformed.
std::vector<Entry> read(const void* data, size_t limit);

/// The PTX of the highest architecture not above `max_arch`. Throws FatbinError, naming the nvcc
/// flag that is missing, when the object holds only cubins.
std::string select_ptx(const std::vector<Entry>& entries, uint32_t max_arch);

}  // namespace vgpu::fatbin
