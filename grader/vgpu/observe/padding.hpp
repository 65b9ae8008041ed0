// Copies of structs move their padding too, byte by byte and unwritten.
#pragma once

#include "machine/kernel.hpp"

namespace vgpu {

/// True when an instruction that reads some written and some unwritten bytes may be copying a
/// struct: it moves several single bytes.
inline bool may_copy_padding(const Site& site) {
  const std::string& m = site.mnemonic;
  return m.ends_with("8") && (m.find(".v2.") != m.npos || m.find(".v4.") != m.npos) &&
         (m.ends_with(".u8") || m.ends_with(".b8") || m.ends_with(".s8"));
}

}  // namespace vgpu
