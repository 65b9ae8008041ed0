// Changes PTX by words and lines, so that most of what comes out still parses and reaches the
// decoder. Every other change is libFuzzer's own, by bytes.
#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "target.hpp"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed);

namespace {

struct Piece {
  size_t begin, size;
};

std::vector<Piece> pieces_of(std::string_view text, std::string_view delimiters) {
  std::vector<Piece> pieces;
  for (size_t begin = 0; (begin = text.find_first_not_of(delimiters, begin)) != text.npos;) {
    const size_t end = std::min(text.find_first_of(delimiters, begin), text.size());
    pieces.push_back({begin, end - begin});
    begin = end;
  }
  return pieces;
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  std::minstd_rand random(seed);
  const std::string text(reinterpret_cast<const char*>(data), size);
  const char* const delimiters = random() % 4 == 0   ? "\n"
                                 : random() % 2 == 0 ? " ,;[]{}()\n\t|"
                                                     : " ,;[]{}()\n\t|.";
  const std::vector<Piece> pieces = pieces_of(text, delimiters);
  if (random() % 2 == 0 || pieces.empty()) return LLVMFuzzerMutate(data, size, max_size);
  const Piece from = pieces[random() % pieces.size()], to = pieces[random() % pieces.size()];
  std::string changed = text;
  switch (random() % 3) {
    case 0:
      changed.erase(to.begin, to.size);
      break;
    case 1:
      changed.insert(to.begin, text.substr(from.begin, from.size) + delimiters[0]);
      break;
    default:
      changed.replace(to.begin, to.size, text, from.begin, from.size);
  }
  changed.resize(std::min(changed.size(), max_size));
  std::copy(changed.begin(), changed.end(), data);
  return changed.size();
}
