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

TEST(Json, SaysRegistersAndOccupancyOrNull) {
  LaunchRecord record = example();
  record.shared_dynamic = 16384;
  const report::Json unknown = report::to_json(record);
  for (const char* key :
       {"registers_per_thread", "stack_bytes", "spill_store_bytes", "spill_load_bytes",
        "blocks_per_multiprocessor", "occupancy", "blocks_allowed_by", "occupancy_limited_by"}) {
    ASSERT_TRUE(unknown.contains(key)) << key;
    EXPECT_TRUE(unknown[key].is_null()) << key;
  }
  add_resources(record, {168, 24, 20, 16}, GpuProfile{});
  const report::Json known = report::to_json(record);
  EXPECT_EQ(known["registers_per_thread"], 168);
  EXPECT_EQ(known["stack_bytes"], 24);
  EXPECT_EQ(known["spill_store_bytes"], 20);
  EXPECT_EQ(known["spill_load_bytes"], 16);
  EXPECT_EQ(known["blocks_per_multiprocessor"], 6);  // of 64 threads: 12 warps of 64
  EXPECT_EQ(known["occupancy"], 12.0 / 64);
  EXPECT_EQ(known["blocks_allowed_by"],
            report::Json({{"registers", 6}, {"shared_memory", 13}, {"warps", 32}, {"blocks", 32}}));
  EXPECT_EQ(known["occupancy_limited_by"], report::Json({"registers"}));
}

TEST(Json, LeavesZerosOutOfLines) {
  LaunchRecord record = example();
  record.lines[0].ldmatrix = {2, 8, 0};
  const report::Json line = report::to_json(record)["lines"][0];
  EXPECT_EQ(line["global_load_sectors"], 4);
  EXPECT_EQ(line["ldmatrix_conflicts"], 0);
  for (const char* key : {"global_store_requests", "async_copy_bytes", "divergent_branches"})
    EXPECT_FALSE(line.contains(key)) << key;
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

TEST(Table, ShowsRegistersAndTheLowestOccupancy) {
  LaunchRecord record = example(), larger = example();
  EXPECT_THAT(report::table({record}), HasSubstr("  -        -          -\n"));
  add_resources(record, {168, 24, 2000, 16}, GpuProfile{});
  larger.block = {192, 1, 1};  // one block of 6 warps fits twice
  add_resources(larger, {168, 24, 2000, 16}, GpuProfile{});
  EXPECT_THAT(report::table({record, larger, record}), HasSubstr(" 168    2,016       19 %\n"));
  larger.block = {384, 1, 1};  // one block of 12 warps
  add_resources(larger, {200, 0, 0, 0}, GpuProfile{});
  EXPECT_THAT(report::table({record, larger, record}), HasSubstr("  0 %\n"));
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
