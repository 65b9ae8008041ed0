// Text in fixed-size fields of the protocol.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace flashlab::worker {

/// Copies `text` into a fixed field, cut to fit, always terminated.
template <size_t Size>
void put_text(char (&field)[Size], std::string_view text) {
  const size_t length = std::min(text.size(), Size - 1);
  std::memcpy(field, text.data(), length);
  field[length] = '\0';
}

}  // namespace flashlab::worker
