// Text for messages.
#pragma once

#include <string>
#include <string_view>

namespace flashlab::judge {

/// printf into a std::string, checked by the compiler.
[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...);

/// 1234567 -> "1,234,567"; rounds to an integer.
std::string with_commas(double value);

/// Text that came from the submission, safe to show: control characters other than newline and tab
/// are dropped.
std::string printable(std::string_view text);

}  // namespace flashlab::judge
