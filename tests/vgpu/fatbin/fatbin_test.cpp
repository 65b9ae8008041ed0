// The fatbin container: what nvcc writes, and what it never would.
#include "fatbin/fatbin.hpp"

#include <gmock/gmock.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

namespace vgpu::fatbin {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string load(const std::string& name) {
  std::ifstream stream(std::filesystem::path(FATBIN_SAMPLES) / (name + ".fatbin"),
                       std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<Entry> read_bytes(const std::string& bytes) {
  return read(bytes.data(), bytes.size());
}

template <typename F>
std::string error_of(F action) {
  try {
    action();
  } catch (const FatbinError& error) {
    return error.what();
  }
  return "no FatbinError";
}

/// Offsets as the container's description has them, independent of the reader.
constexpr size_t kContainerSizeAt = 8;
constexpr size_t kFirstEntry = 16;
constexpr size_t kHeaderSizeAt = 4, kPayloadSizeAt = 8, kCompressedSizeAt = 16, kFlagsAt = 40,
                 kUncompressedSizeAt = 56;

template <typename T>
T field(const std::string& bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

template <typename T>
std::string with(std::string bytes, size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  return bytes;
}

/// Offset of the first PTX entry.
size_t ptx_entry(const std::string& bytes) {
  size_t offset = kFirstEntry;
  while (field<uint16_t>(bytes, offset) != 1) {
    offset += field<uint32_t>(bytes, offset + kHeaderSizeAt) +
              field<uint64_t>(bytes, offset + kPayloadSizeAt);
  }
  return offset;
}

TEST(Fatbin, EveryCompressionGivesTheSameText) {
  const std::string plain = select_ptx(read_bytes(load("none")), 90);
  EXPECT_THAT(plain, HasSubstr(".version 9"));
  EXPECT_THAT(plain, HasSubstr(".target sm_90"));
  EXPECT_THAT(plain, HasSubstr(".visible .entry _Z8evaluatePfPKf("));
  EXPECT_EQ(plain.back(), '\n') << "no padding";
  for (const char* mode : {"speed", "size", "balance", "default"}) {
    EXPECT_EQ(select_ptx(read_bytes(load(mode)), 90), plain) << mode;
  }
}

TEST(Fatbin, TheSamplesAreReallyCompressed) {
  const auto flags = [](const char* name) {
    const std::string bytes = load(name);
    const size_t entry = ptx_entry(bytes);
    return field<uint32_t>(bytes, entry + kCompressedSizeAt) == 0
               ? 0
               : field<uint64_t>(bytes, entry + kFlagsAt) & 0xF000;
  };
  EXPECT_EQ(flags("none"), 0u);
  EXPECT_EQ(flags("speed"), 0x2000u);
  EXPECT_EQ(flags("size"), 0x8000u);
  EXPECT_EQ(flags("balance"), 0x8000u);
}

TEST(Fatbin, HeadersOfOtherSizes) {
  const std::string bytes = load("debug");
  EXPECT_NE(field<uint32_t>(bytes, ptx_entry(bytes) + kHeaderSizeAt), 0x50u)
      << "the sample tests nothing";
  EXPECT_THAT(select_ptx(read_bytes(bytes), 90), HasSubstr(".target sm_90, debug"));
}

TEST(Fatbin, SizeOfARegisteredImageIsItsHeaders) {
  EXPECT_THAT(select_ptx(read(load("default").data(), SIZE_MAX), 90), HasSubstr(".version"));
}

TEST(Fatbin, ListsCubinsWithoutText) {
  const std::vector<Entry> entries = read_bytes(load("several"));
  int ptx = 0, cubins = 0;
  for (const Entry& entry : entries) {
    (entry.is_ptx ? ptx : cubins) += 1;
    EXPECT_EQ(entry.is_ptx, !entry.text.empty());
  }
  EXPECT_EQ(ptx, 3);
  EXPECT_EQ(cubins, 1);
}

TEST(SelectPtx, HighestNotAboveTheDevice) {
  const std::vector<Entry> entries = read_bytes(load("several"));
  EXPECT_THAT(select_ptx(entries, 80), HasSubstr(".target sm_80"));
  EXPECT_THAT(select_ptx(entries, 89), HasSubstr(".target sm_80"));
  EXPECT_THAT(select_ptx(entries, 90), HasSubstr(".target sm_90"));
  EXPECT_THAT(select_ptx(entries, 120), HasSubstr(".target sm_100"));
}

TEST(SelectPtx, SaysWhichFlagIsMissing) {
  EXPECT_THAT(error_of([] { select_ptx(read_bytes(load("several")), 75); }),
              HasSubstr("PTX for compute_80 and newer only, the virtual GPU is a compute_75"));
  const std::string message = error_of([] { select_ptx(read_bytes(load("cubin_only")), 90); });
  EXPECT_THAT(message, HasSubstr("no PTX"));
  EXPECT_THAT(message, HasSubstr("-gencode arch=compute_80,code=compute_80"));
}

TEST(MalformedFatbin, Headers) {
  const std::string good = load("none");
  const auto error = [](const std::string& bytes) { return error_of([&] { read_bytes(bytes); }); };
  EXPECT_THAT(error(""), HasSubstr("truncated header"));
  EXPECT_THAT(error(good.substr(0, 15)), HasSubstr("truncated header"));
  EXPECT_THAT(error(with<uint32_t>(good, 0, 0x464C457F)), HasSubstr("wrong magic"));
  EXPECT_THAT(error(with<uint16_t>(good, 4, 2)), HasSubstr("unknown version 2"));
  EXPECT_THAT(error(good.substr(0, good.size() - 1)), HasSubstr("container is truncated"));
  EXPECT_THAT(error(with<uint64_t>(good, kContainerSizeAt, ~uint64_t{0})),
              HasSubstr("impossible size"));
  EXPECT_THAT(error(with<uint64_t>(good, kContainerSizeAt, good.size() - 17)),
              HasSubstr("beyond the container"));
}

TEST(MalformedFatbin, SizesOfEntries) {
  const std::string good = load("none");
  const size_t entry = ptx_entry(good);
  const auto error = [](const std::string& bytes) { return error_of([&] { read_bytes(bytes); }); };
  EXPECT_THAT(error(with<uint32_t>(good, entry + kHeaderSizeAt, 8)),
              HasSubstr("beyond the container"));
  EXPECT_THAT(error(with<uint32_t>(good, entry + kHeaderSizeAt, ~0u)),
              HasSubstr("beyond the container"));
  EXPECT_THAT(error(with<uint64_t>(good, entry + kPayloadSizeAt, ~uint64_t{0})),
              HasSubstr("beyond the container"));
  EXPECT_THAT(error(with<uint32_t>(good, entry + kCompressedSizeAt, ~0u)),
              HasSubstr("beyond their entry"));
  EXPECT_THAT(error(with<uint64_t>(good, kContainerSizeAt,
                                   good.size() - 16 - field<uint64_t>(good, entry + 8) - 60)),
              HasSubstr("truncated entry"));
}

TEST(MalformedFatbin, CompressedData) {
  const auto error = [](const std::string& bytes) { return error_of([&] { read_bytes(bytes); }); };
  for (const char* mode : {"speed", "balance"}) {
    const std::string good = load(mode);
    const size_t entry = ptx_entry(good);
    const size_t payload = entry + field<uint32_t>(good, entry + kHeaderSizeAt);
    const auto size = field<uint64_t>(good, entry + kUncompressedSizeAt);
    EXPECT_THAT(error(with<uint64_t>(good, entry + kUncompressedSizeAt, size + 1)),
                StartsWith("fatbin: broken"));
    EXPECT_THAT(error(with<uint64_t>(good, entry + kUncompressedSizeAt, size - 1)),
                StartsWith("fatbin: broken"));
    EXPECT_THAT(error(with<uint64_t>(good, entry + kUncompressedSizeAt, uint64_t{1} << 40)),
                HasSubstr("256 MiB"));
    // Refused by the header alone: 256 MiB must not be allocated for a few bytes of data.
    EXPECT_THAT(error(with<uint64_t>(good, entry + kUncompressedSizeAt, uint64_t{1} << 28)),
                AnyOf(HasSubstr("wrong LZ4 size"), HasSubstr("not that of the entry")));
    EXPECT_THAT(error(with<uint64_t>(good, payload, ~uint64_t{0})), StartsWith("fatbin: broken"));
    EXPECT_THAT(error(with<uint64_t>(good, entry + kFlagsAt, 0x1000)),
                HasSubstr("unknown compression"));
  }
}

TEST(MalformedFatbin, RandomDamageIsReadOrRefused) {
  for (const char* mode : {"none", "speed", "balance", "several"}) {
    const std::string good = load(mode);
    std::mt19937 random(1);
    int refused = 0;
    constexpr int kRounds = 2000;
    for (int round = 0; round < kRounds; ++round) {
      std::string bytes = good;
      // Half of the changes hit the headers, where they matter most.
      const size_t range = round % 2 == 0 ? bytes.size() : 96;
      const size_t start = round % 2 == 0 ? 0 : ptx_entry(good) - (round % 4 == 1 ? 0 : 16);
      for (int change = 0; change < 4; ++change)
        bytes[start + random() % range % bytes.size()] ^= static_cast<char>(1u << random() % 8);
      if (round % 8 == 0) bytes.resize(random() % bytes.size());
      try {
        read_bytes(bytes);
      } catch (const FatbinError&) {
        ++refused;
      }
    }
    EXPECT_GT(refused, kRounds / 8) << mode;
    EXPECT_LT(refused, kRounds) << mode;
  }
}

}  // namespace
}  // namespace vgpu::fatbin
