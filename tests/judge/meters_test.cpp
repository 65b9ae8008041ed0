#include "meters.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "points.hpp"

namespace flashlab::judge {
namespace {

const Shape kShape{.seq_q = 8, .seq_k = 8, .head_dim = 4};
constexpr uint64_t kTensorBytes = 512;

std::string launch(double load_bytes) {
  return R"({"kernel":"k","global_load_requests":10,"global_load_sectors":40,"global_load_bytes":)" +
         std::to_string(load_bytes) +
         R"(,"global_store_requests":0,"global_store_sectors":0,"global_store_bytes":0,"global_atomic_requests":1,"global_atomic_sectors":2,"global_atomic_bytes":6,"compulsory_sectors":7,
            "warp_instructions":5,"lane_instructions":160,"shared_load_conflicts":2,"shared_store_conflicts":1,"shared_load_wavefronts":8,"shared_store_wavefronts":4,"async_copy_bytes":64,"local_bytes":)" +
         std::to_string(load_bytes / 4) + "}";
}

std::string report(const std::string& launches, const std::string& fault = "null") {
  return R"({"launches":[)" + launches + R"(],"fault":)" + fault +
         R"(,"peak_device_bytes":2000,"device_bytes":0,"peak_host_mapped_bytes":300,"module_bytes":20,)"
         R"("host_copy_bytes":1,"resets":3})";
}

protocol::CaseReply reply() {
  protocol::CaseReply result;
  result.workspace_bytes = 512;
  result.host_seconds = 0.25;
  result.resets = 3;
  return result;
}

TEST(Meters, SumsLaunches) {
  const Meters meters = read_meters(reply(), report(launch(100) + "," + launch(28)), kTensorBytes);
  EXPECT_EQ(meters.find("launches"), 2);
  EXPECT_EQ(meters.find("global_load_bytes"), 128);
  EXPECT_EQ(meters.find("distinct_bytes"), 32 * 14);
  EXPECT_EQ(meters.find("sector_bytes"), 32 * 84);
  EXPECT_EQ(meters.find("requested_bytes"), 140 + 2 * 64) << "cp.async reads memory too";
  EXPECT_EQ(meters.find("sectors_per_load_request"), 4);
  EXPECT_EQ(meters.find("sectors_per_store_request"), std::nullopt) << "no stores, no ratio";
  EXPECT_EQ(meters.find("unmetered_bytes"), 2000 - 512 - 512 + 300 + 20 + 1);
  EXPECT_EQ(meters.find("host_mapped_bytes"), 300);
  EXPECT_EQ(meters.find("local_bytes"), 25) << "of the launch that has most";
  EXPECT_EQ(meters.find("shared_conflict_share"), 0.25);
  EXPECT_EQ(meters.find("host_seconds"), 0.25);
  EXPECT_EQ(meters.find("event_seconds"), std::nullopt);
  EXPECT_FALSE(meters.fault);
}

TEST(Meters, CountsThatTheSubmissionResetAreRefused) {
  protocol::CaseReply other = reply();
  other.resets = 2;  // what the worker did itself
  EXPECT_THROW(read_meters(other, report(launch(100)), kTensorBytes), std::runtime_error);
}

TEST(Meters, ReadsTheFault) {
  const Meters meters = read_meters(
      reply(), report("", R"({"code":"IllegalAddress","report":"line 7"})"), kTensorBytes);
  ASSERT_TRUE(meters.fault);
  EXPECT_EQ(meters.fault->code, "IllegalAddress");
  EXPECT_EQ(meters.fault->report, "line 7");
}

TEST(Meters, ReadsTheFindings) {
  std::string text = report(launch(1));
  text.insert(1, R"("findings":[{"kind":"race","report":"line 7"}],)");
  EXPECT_EQ(read_meters(reply(), text, kTensorBytes).findings, std::vector<std::string>{"line 7"});
  text = report(launch(1));
  text.insert(1, R"("findings":["race"],)");
  EXPECT_THROW(read_meters(reply(), text, kTensorBytes), std::runtime_error);
}

TEST(Meters, ARealGpuHasNoCounts) {
  protocol::CaseReply counted = reply();
  counted.launches = 3;
  counted.launched_threads = 384;
  const Meters meters = read_meters(counted, "", kTensorBytes);
  EXPECT_EQ(meters.find("warp_instructions"), std::nullopt);
  EXPECT_EQ(meters.find("launches"), 3) << "the worker counts these on every device";
  EXPECT_EQ(meters.find("launched_threads"), 384);
  EXPECT_EQ(meters.find("workspace_bytes"), 512);
}

TEST(Meters, HostileTextIsRefused) {
  const std::string deep(200000, '[');
  for (const std::string& text : {std::string("{"), std::string("[]"), std::string("\xff\xfe"),
                                  deep, std::string("{\"launches\":3}"), report("7"), report("{}"),
                                  report(launch(-1)), report(R"({"global_load_requests":"many"})"),
                                  std::string(R"({"launches":[],"peak_device_bytes":1e999})"),
                                  std::string(R"({"launches":[]})")}) {
    EXPECT_THROW(read_meters(reply(), text, kTensorBytes), std::runtime_error)
        << text.substr(0, 60);
  }
}

TEST(Meters, ImpossibleTimesAreLeftOut) {
  protocol::CaseReply hostile = reply();
  hostile.host_seconds = std::numeric_limits<double>::infinity();
  hostile.event_seconds = std::nan("");
  const Meters meters = read_meters(hostile, "", kTensorBytes);
  EXPECT_EQ(meters.find("host_seconds"), std::nullopt);
  EXPECT_EQ(meters.find("event_seconds"), std::nullopt);
}

CaseSpec limited(const std::string& meter, const std::string& at_most,
                 const std::string& at_least = "", const std::string& hint = "") {
  CaseSpec spec;
  spec.shape = kShape;
  spec.limits.push_back({meter, at_most, at_least, hint});
  return spec;
}

TEST(Points, LimitsHoldUpToTheBoundAndNotBeyond) {
  Meters meters;
  meters.values["workspace_bytes"] = 512;
  EXPECT_EQ(find_broken_limit(limited("workspace_bytes", "8*Nq*Nk"), meters), std::nullopt);
  const auto broken = find_broken_limit(limited("workspace_bytes", "511"), meters);
  ASSERT_TRUE(broken);
  EXPECT_NE(broken->find("512 bytes of workspace; allowed are at most 511"), std::string::npos)
      << *broken;
  EXPECT_EQ(find_broken_limit(limited("workspace_bytes", "600", "512"), meters), std::nullopt);
  const auto too_little =
      find_broken_limit(limited("workspace_bytes", "", "513", "Keep S."), meters);
  ASSERT_TRUE(too_little);
  EXPECT_EQ(*too_little, "512 bytes of workspace; expected are at least 513 here. Keep S.");
}

TEST(Points, NotANumberBreaksALimit) {
  Meters meters;
  meters.values["workspace_bytes"] = std::nan("");
  EXPECT_TRUE(find_broken_limit(limited("workspace_bytes", "511"), meters));
}

TEST(Points, SharesAreShownAsSuch) {
  Meters meters;
  meters.values["shared_conflict_share"] = 0.8754;
  const auto broken = find_broken_limit(limited("shared_conflict_share", "0.05"), meters);
  ASSERT_TRUE(broken);
  EXPECT_TRUE(broken->starts_with("0.875 of all wavefronts")) << *broken;
}

TEST(Points, UnmeteredMemoryIsSaidToBeWhereItIs) {
  const Meters meters = read_meters(reply(), report(launch(100)), kTensorBytes);
  const auto broken = find_broken_limit(limited("unmetered_bytes", "1000"), meters);
  ASSERT_TRUE(broken);
  EXPECT_TRUE(broken->starts_with(
      "1,297 bytes of memory from elsewhere than the workspace (20 in __device__ and "
      "__constant__ variables, 300 in pinned host memory, 1 copied between the host and the "
      "device); allowed are at most 1,000 here."))
      << *broken;
}

TEST(Points, AMeterThatIsAbsentIsNotJudged) {
  EXPECT_EQ(find_broken_limit(limited("sector_bytes", "1"), Meters()), std::nullopt);
}

}  // namespace
}  // namespace flashlab::judge
