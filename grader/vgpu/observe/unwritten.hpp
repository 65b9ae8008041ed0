// When it is a mistake to read bytes that nothing has written. Structs have padding, which nobody
// writes and which is loaded and copied along with the members.
#pragma once

#include <cstdint>
#include <string>

#include "machine/kernel.hpp"

namespace vgpu {

/// How many bytes before an access say whether it reads the padding at the end of a struct.
inline constexpr uint32_t kMemberBytes = 8;

/// True when the load of one lane makes use of bytes that nothing has written. `unwritten`: those
/// of its `size` bytes, one bit each, lowest first. `member_before`: some of the kMemberBytes bytes
/// in front of it are written.
inline bool uses_unwritten(const Site& site, uint32_t size, uint32_t unwritten,
                           bool member_before) {
  if ((site.computed_bytes & unwritten) != 0) return true;
  if ((site.stored_bytes & unwritten) == 0) return false;
  // Copied. Beside bytes that are written it may be padding. At the end of a struct padding is
  // copied alone, by vectors of single bytes.
  if (unwritten != (1u << size) - 1) return false;
  const std::string& m = site.mnemonic;
  const bool single_bytes =
      m.ends_with("8") && (m.find(".v2.") != m.npos || m.find(".v4.") != m.npos);
  return !(single_bytes && member_before);
}

}  // namespace vgpu
