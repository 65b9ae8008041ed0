#include "ptx/locations.hpp"

#include <limits>

namespace vgpu::ptx {

LocationTable::Position LocationTable::parse_position(Cursor& cursor) {
  constexpr uint64_t kLargest = std::numeric_limits<int>::max();
  const auto number = [&](std::string_view what) {
    return static_cast<int>(cursor.expect_unsigned(what, kLargest));
  };
  const int file = number("the file number of a .loc");
  const int line = number("the line number of a .loc");
  return {file, line, number("the column of a .loc")};
}

int LocationTable::intern(const SourceLocation& location) {
  const auto key =
      std::tuple(Position(location.file, location.line, location.column), location.inlined_at);
  const auto [entry, is_new] =
      indices_.try_emplace(key, static_cast<int>(module_.locations.size()));
  if (is_new) module_.locations.push_back(location);
  return entry->second;
}

SourceLocation LocationTable::parse(Cursor& cursor) {
  const Position position = parse_position(cursor);
  int inlined_at = -1;
  while (cursor.accept(',')) {
    const std::string_view attribute = cursor.expect_word("'function_name' or 'inlined_at'");
    if (attribute == "function_name") {
      cursor.expect_word("a label after function_name");
      cursor.take_offset();
    } else if (attribute == "inlined_at") {
      const Position call = parse_position(cursor);
      const auto known = last_at_.find(call);
      const auto [file, line, column] = call;
      inlined_at = intern({file, line, column, known == last_at_.end() ? -1 : known->second});
    } else {
      cursor.fail("unknown attribute " + quoted(attribute) + " of a .loc");
    }
  }
  last_at_[position] = inlined_at;
  const auto [file, line, column] = position;
  return {file, line, column, inlined_at};
}

}  // namespace vgpu::ptx
