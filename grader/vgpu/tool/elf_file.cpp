#include "tool/elf_file.hpp"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>

namespace vgpu::tool {
namespace {

/// Reads values at offsets of a file; an offset outside it is an error, never a crash.
class Image {
 public:
  explicit Image(const std::string& path) : path_(path), file_(path, std::ios::binary) {
    if (!file_) throw ProgramError(path + ": cannot be read: " + std::strerror(errno));
  }

  template <typename T>
  T at(uint64_t offset) {
    T value;
    read(offset, reinterpret_cast<char*>(&value), sizeof value);
    return value;
  }

  std::string string_at(uint64_t offset) {
    std::string text;
    for (char c; (c = at<char>(offset + text.size())) != '\0';) text += c;
    return text;
  }

  [[noreturn]] void damaged() const { throw ProgramError(path_ + ": the ELF file is damaged"); }

 private:
  void read(uint64_t offset, char* target, size_t bytes) {
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(offset));
    file_.read(target, static_cast<std::streamsize>(bytes));
    if (!file_) damaged();
  }

  std::string path_;
  std::ifstream file_;
};

void read_dynamic(Image& image, const Elf64_Shdr& dynamic, const Elf64_Shdr& strings,
                  ElfFacts& facts) {
  for (uint64_t i = 0; i < dynamic.sh_size / sizeof(Elf64_Dyn); ++i) {
    auto entry = image.at<Elf64_Dyn>(dynamic.sh_offset + i * sizeof(Elf64_Dyn));
    if (entry.d_tag == DT_NULL) return;
    if (entry.d_tag == DT_NEEDED)
      facts.needed.push_back(image.string_at(strings.sh_offset + entry.d_un.d_val));
    if (entry.d_tag == DT_RPATH)
      facts.rpath = image.string_at(strings.sh_offset + entry.d_un.d_val);
  }
}

}  // namespace

ElfFacts read_elf(const std::string& path) {
  Image image(path);
  char identity[EI_NIDENT] = {};
  try {
    std::memcpy(identity, image.at<std::array<char, EI_NIDENT>>(0).data(), EI_NIDENT);
  } catch (const ProgramError&) {  // shorter than an identity: no ELF file, not a damaged one
  }
  if (std::memcmp(identity, ELFMAG, SELFMAG) != 0)
    throw ProgramError(path + ": not an ELF executable (a script? name its interpreter first)");
  if (identity[EI_CLASS] != ELFCLASS64 || identity[EI_DATA] != ELFDATA2LSB)
    throw ProgramError(path + ": not a 64-bit little-endian ELF executable");

  auto header = image.at<Elf64_Ehdr>(0);
  auto section = [&](uint64_t index) {
    if (index >= header.e_shnum) image.damaged();
    return image.at<Elf64_Shdr>(header.e_shoff + index * sizeof(Elf64_Shdr));
  };
  ElfFacts facts;
  if (header.e_shnum == 0) return facts;
  Elf64_Shdr names = section(header.e_shstrndx);
  for (uint64_t i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr one = section(i);
    if (one.sh_type == SHT_DYNAMIC) read_dynamic(image, one, section(one.sh_link), facts);
    if (image.string_at(names.sh_offset + one.sh_name) == ".nvFatBinSegment")
      facts.has_device_code = true;
  }
  return facts;
}

void require_runnable(const std::string& path, const ElfFacts& facts) {
  auto needs = [&](const std::string& library) {
    return std::find(facts.needed.begin(), facts.needed.end(), library) != facts.needed.end();
  };
  if (needs("libcudart.so.13") || needs("libcudart.so.12")) {
    if (!facts.rpath.empty())
      throw ProgramError(
          path + ": its RPATH (" + facts.rpath +
          ") would load another CUDA runtime: relink with -Xlinker --enable-new-dtags");
    return;
  }
  for (const std::string& library : facts.needed)
    if (library.starts_with("libcudart.so."))
      throw ProgramError(path + ": built for " + library +
                         ": rebuild it with nvcc 12 or 13 and -cudart shared");
  if (facts.has_device_code)
    throw ProgramError(path +
                       ": has the CUDA runtime linked in statically: relink with -cudart shared");
}

}  // namespace vgpu::tool
