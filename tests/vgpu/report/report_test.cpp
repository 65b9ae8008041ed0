// Launch records as JSON and as a table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <sstream>

#include "report/json.hpp"
#include "report/table.hpp"

namespace vgpu {
namespace {

using testing::HasSubstr;

LaunchRecord example() {
  LaunchRecord record;
  record.kernel = "void flash<64>(float const*, int)";
  record.mangled = "_Z5flashILi64EEvPKfi";
  record.grid = {16, 2, 1};
  record.block = {64, 1, 1};
  record.lane_instructions = 365296640;
  record.global_load = {67584, 2162688, 8650752};
  record.shared_store = {65536, 2097152, 2031616};
  record.warp_by_class[static_cast<size_t>(InstructionClass::Fma32)] = 4227072;
  record.peak_device_bytes = 1048576;
  record.seconds = 0.5;
  LineCounts line;
  line.file = "flash.cu";
  line.line = 41;
  line.global_load = {1, 4, 128};
  record.lines.push_back(line);
  return record;
}

TEST(Json, NamesEveryCount) {
  report::Json json = report::Json::parse(report::text(report::to_json(example())));
  EXPECT_EQ(json["kernel"], "void flash<64>(float const*, int)");
  EXPECT_EQ(json["grid"], report::Json({16, 2, 1}));
  EXPECT_EQ(json["block"], report::Json({64, 1, 1}));
  EXPECT_EQ(json["global_load_requests"], 67584);
  EXPECT_EQ(json["global_load_sectors"], 2162688);
  EXPECT_EQ(json["global_load_bytes"], 8650752);
  EXPECT_EQ(json["shared_store_wavefronts"], 2097152);
  EXPECT_EQ(json["shared_store_conflicts"], 2031616);
  EXPECT_EQ(json["warp_instructions_by_class"], report::Json({{"fma32", 4227072}}));
  EXPECT_EQ(json["lines"][0]["line"], 41);
  EXPECT_EQ(json["lines"][0]["global_load_bytes"], 128);
  for (const char* name : {"global_store", "global_atomic", "local_load", "local_store"})
    for (const char* unit : {"_requests", "_sectors", "_bytes"})
      EXPECT_EQ(json[std::string(name) + unit], 0) << name << unit;
}

TEST(Json, KeepsLargeCountsExactly) {
  LaunchRecord record;
  record.lane_instructions = std::numeric_limits<uint64_t>::max();
  report::Json json = report::Json::parse(report::text(report::to_json(record)));
  EXPECT_EQ(json["lane_instructions"].get<uint64_t>(), std::numeric_limits<uint64_t>::max());
}

TEST(Json, StaysStrictForOddInput) {
  LaunchRecord record;
  record.kernel = "bad\xff\"quote\n";
  record.seconds = std::numeric_limits<double>::quiet_NaN();
  std::string text = report::text(report::to_json(record));
  EXPECT_TRUE(report::Json::accept(text)) << text;
  EXPECT_EQ(report::Json::parse(text)["seconds"], 0.0);
}

TEST(Table, MergesLaunchesAndAlignsColumns) {
  LaunchRecord other = example();
  other.kernel = "scale(float*)";
  other.peak_device_bytes = 2097152;
  std::string text = report::table({example(), other, example()});
  EXPECT_THAT(text, HasSubstr("730,593,280"));  // two launches of flash added
  EXPECT_THAT(text, HasSubstr("4,063,232"));    // their store conflicts
  EXPECT_THAT(text, HasSubstr("peak device memory: 2,097,152 bytes"));

  std::istringstream lines(text);
  std::vector<std::string> rows;
  for (std::string line; std::getline(lines, line);) rows.push_back(line);
  ASSERT_EQ(rows.size(), 5u) << text;  // two of heading, two kernels, the peak
  EXPECT_THAT(rows[2], testing::StartsWith("flash<64> "));
  EXPECT_THAT(rows[3], testing::StartsWith("scale "));
  for (size_t i = 1; i < 4; ++i) EXPECT_EQ(rows[i].size(), rows[0].size()) << text;
}

TEST(Table, ShortensNames) {
  LaunchRecord record;
  record.kernel = "void ns::f<(int)3, ns::g<float>>(ns::args<(int)2>, int)";
  EXPECT_THAT(report::table({record}), HasSubstr("ns::f<(int)3, ns::g<float>> "));
  record.kernel = "void " + std::string(100, 'k') + "()";
  EXPECT_THAT(report::table({record}), HasSubstr(std::string(37, 'k') + "... "));
  record.kernel = "void (anonymous namespace)::f(int (*)(int), char)";
  EXPECT_THAT(report::table({record}), HasSubstr("(anonymous namespace)::f "));
}

TEST(Table, SaysWhenNothingRan) {
  EXPECT_THAT(report::table({}), HasSubstr("no kernel"));
}

}  // namespace
}  // namespace vgpu
