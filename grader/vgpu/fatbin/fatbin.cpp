#include "fatbin/fatbin.hpp"

#include <lz4.h>
#include <zstd.h>

#include <cstring>

namespace vgpu::fatbin {
namespace {

constexpr uint32_t kMagic = 0xBA55ED50;
constexpr uint16_t kVersion = 1;
constexpr uint64_t kLargestText = uint64_t{256}
                                  << 20;  // bytes of PTX in one container, decompressed
constexpr uint64_t kLargestContainer = uint64_t{1}
                                       << 32;  // bytes; also keeps every sum of sizes in range
constexpr uint64_t kLz4LargestRatio = 255;     // an LZ4 length byte stands for at most 255 bytes

struct ContainerHeader {
  uint32_t magic;
  uint16_t version;
  uint16_t header_size;
  uint64_t size;  // of the entries
};
static_assert(sizeof(ContainerHeader) == 16);

enum EntryKind : uint16_t { kPtx = 1 };
enum EntryFlags : uint64_t { kLz4 = 0x2000, kZstd = 0x8000 };

// The part of an entry's header that all versions share; header_size says how long it really is (an
// object's name and the options of ptxas may follow).
struct EntryHeader {
  uint16_t kind;
  uint16_t version;
  uint32_t header_size;
  uint64_t payload_size;     // padded
  uint32_t compressed_size;  // 0: stored plain
  uint32_t options_offset;
  uint16_t minor, major;  // PTX version
  uint32_t arch;
  uint32_t name_offset, name_size;
  uint64_t flags;
  uint64_t reserved;
  uint64_t uncompressed_size;
};
static_assert(sizeof(EntryHeader) == 64);

std::string lz4(const char* data, size_t size, size_t uncompressed_size) {
  if (size > LZ4_MAX_INPUT_SIZE || uncompressed_size / kLz4LargestRatio > size)
    throw FatbinError("fatbin: wrong LZ4 size", Refusal::Compressed);
  std::string text(uncompressed_size, '\0');
  const int written = LZ4_decompress_safe(data, text.data(), static_cast<int>(size),
                                          static_cast<int>(uncompressed_size));
  if (written < 0 || static_cast<size_t>(written) != uncompressed_size) {
    throw FatbinError("fatbin: broken LZ4 data", Refusal::Compressed);
  }
  return text;
}

std::string zstd(const char* data, size_t size, size_t uncompressed_size) {
  // Compared before anything is allocated: the header alone may claim any size.
  if (ZSTD_getFrameContentSize(data, size) != uncompressed_size) {
    throw FatbinError("fatbin: broken zstd data: its size is not that of the entry",
                      Refusal::Compressed);
  }
  std::string text(uncompressed_size, '\0');
  const size_t written = ZSTD_decompress(text.data(), text.size(), data, size);
  if (ZSTD_isError(written)) {
    throw FatbinError(std::string("fatbin: broken zstd data: ") + ZSTD_getErrorName(written),
                      Refusal::Compressed);
  }
  if (written != uncompressed_size)
    throw FatbinError("fatbin: broken zstd data: it is too short", Refusal::Compressed);
  return text;
}

std::string ptx_text(const EntryHeader& header, const char* payload, uint64_t* budget) {
  const uint64_t size =
      header.compressed_size == 0 ? header.payload_size : header.uncompressed_size;
  if (header.compressed_size > header.payload_size) {
    throw FatbinError("fatbin: compressed data reach beyond their entry", Refusal::Compressed);
  }
  if (size > *budget) throw FatbinError("fatbin: more than 256 MiB of PTX");
  *budget -= size;
  std::string text;
  if (header.compressed_size == 0) {
    text.assign(payload, size);
  } else if ((header.flags & kZstd) != 0) {
    text = zstd(payload, header.compressed_size, size);
  } else if ((header.flags & kLz4) != 0) {
    text = lz4(payload, header.compressed_size, size);
  } else {
    throw FatbinError("fatbin: unknown compression: build with nvcc --compress-mode none");
  }
  text.erase(text.find_last_not_of('\0') + 1);
  return text;
}

}  // namespace

std::vector<Entry> read(const void* data, size_t limit) {
  const char* bytes = static_cast<const char*>(data);
  ContainerHeader container;
  if (limit < sizeof container) throw FatbinError("fatbin: truncated header");
  std::memcpy(&container, bytes, sizeof container);
  if (container.magic != kMagic) throw FatbinError("not a fatbin: wrong magic number");
  if (container.version != kVersion || container.header_size < sizeof container) {
    throw FatbinError("fatbin: unknown version " + std::to_string(container.version) +
                      ": build with nvcc 12 or 13");
  }
  if (container.size > kLargestContainer)
    throw FatbinError("fatbin: the container claims an impossible size", Refusal::Unusable);
  if (container.header_size > limit || container.size > limit - container.header_size) {
    throw FatbinError("fatbin: the container is truncated");
  }

  std::vector<Entry> entries;
  uint64_t budget = kLargestText;
  const char* position = bytes + container.header_size;
  uint64_t left = container.size;
  while (left > 0) {
    EntryHeader header;
    if (left < sizeof header) throw FatbinError("fatbin: truncated entry");
    std::memcpy(&header, position, sizeof header);
    if (header.header_size < sizeof header || header.header_size > left ||
        header.payload_size > left - header.header_size) {
      throw FatbinError("fatbin: an entry reaches beyond the container");
    }
    Entry entry{.is_ptx = header.kind == kPtx, .arch = header.arch, .text = {}};
    if (entry.is_ptx) entry.text = ptx_text(header, position + header.header_size, &budget);
    entries.push_back(std::move(entry));
    position += header.header_size + header.payload_size;
    left -= header.header_size + header.payload_size;
  }
  return entries;
}

std::string select_ptx(const std::vector<Entry>& entries, uint32_t max_arch) {
  const Entry* best = nullptr;
  const Entry* lowest = nullptr;
  for (const Entry& entry : entries) {
    if (!entry.is_ptx) continue;
    if (lowest == nullptr || entry.arch < lowest->arch) lowest = &entry;
    if (entry.arch <= max_arch && (best == nullptr || entry.arch > best->arch)) best = &entry;
  }
  if (best != nullptr) return best->text;
  const std::string device = std::to_string(max_arch);
  if (lowest != nullptr) {
    throw FatbinError("the program holds PTX for compute_" + std::to_string(lowest->arch) +
                          " and newer only, the virtual GPU is a compute_" + device +
                          ": build with nvcc -gencode arch=compute_80,code=compute_80",
                      Refusal::Unusable);
  }
  throw FatbinError(
      "the program holds no PTX, only machine code: build with nvcc -gencode "
      "arch=compute_80,code=compute_80",
      Refusal::Unusable);
}

}  // namespace vgpu::fatbin
