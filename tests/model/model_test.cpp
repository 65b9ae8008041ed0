// The model on synthetic launches: what it names as the limit, that more is never faster, and what
// it says about profiles and counters that it cannot use.
#include "model/model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace flashlab::model {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

GpuProfile gpu(const std::string& id = "h200") {
  return load_gpu(fs::path(GPU_PROFILES) / (id + ".toml"));
}

/// A launch of `blocks` blocks of 256 threads that does nothing yet.
json idle_launch(int blocks) {
  json launch = {{"kernel", "synthetic"},
                 {"grid", {blocks, 1, 1}},
                 {"block", {256, 1, 1}},
                 {"registers_per_thread", 32},
                 {"warp_instructions", 1},
                 {"largest_block_instructions", 0},
                 {"warp_instructions_by_class", json::object()}};
  for (const char* key : {"shared_static_bytes",
                          "shared_dynamic_bytes",
                          "shared_load_requests",
                          "shared_load_wavefronts",
                          "shared_store_wavefronts",
                          "shared_atomic_wavefronts",
                          "async_copy_shared_requests",
                          "async_copy_shared_wavefronts",
                          "global_load_requests",
                          "global_load_sectors",
                          "global_load_bytes",
                          "async_copy_bytes",
                          "global_store_requests",
                          "global_store_sectors",
                          "global_store_bytes",
                          "global_atomic_requests",
                          "global_atomic_sectors",
                          "local_load_requests",
                          "local_store_requests",
                          "local_load_sectors",
                          "local_store_sectors",
                          "compulsory_sectors",
                          "branches",
                          "barriers"})
    launch[key] = 0;
  return launch;
}

/// The same with `count` warp instructions of a class.
json executing(const char* kind, double count, int blocks = 132 * 8) {
  json launch = idle_launch(blocks);
  launch["warp_instructions_by_class"][kind] = count;
  return launch;
}

ModelledTime timed(const json& launch, const GpuProfile& profile = gpu()) {
  return model_time(json::array({launch}), profile);
}

Resource limit(const json& launch) {
  return limiter(timed(launch).shares);
}

constexpr double kMany = 4e8;

TEST(Limiter, ArithmeticIsBoundByItsPipe) {
  EXPECT_EQ(limit(executing("special", kMany)), Resource::Mufu);
  EXPECT_EQ(limit(executing("integer", kMany)), Resource::Integer);
  EXPECT_EQ(limit(executing("matrix", kMany)), Resource::Tensor);
  EXPECT_EQ(limit(executing("float64", kMany)), Resource::Fma);
}

TEST(Limiter, MultiplyAddsFillTheirPipeAsFastAsTheyIssue) {
  const Shares shares = timed(executing("fma32", kMany)).shares;
  const double fma = shares[static_cast<size_t>(Resource::Fma)];
  EXPECT_EQ(limiter(shares), Resource::Fma);
  EXPECT_GT(fma, 0.8);
  EXPECT_DOUBLE_EQ(fma, shares[static_cast<size_t>(Resource::Issue)]);
}

TEST(Limiter, MultiplyAddsTakeTheTimeOfThePeak) {
  // 66.9 TFLOP/s: 132 multiprocessors, 128 lanes, 2 operations, 1.98 GHz.
  const double seconds = kMany * 32 * 2 / 66.9e12;
  EXPECT_NEAR(timed(executing("fma32", kMany)).shares[0] * timed(executing("fma32", kMany)).seconds,
              seconds, seconds * 0.001);
}

TEST(Limiter, WavefrontsAreBoundBySharedMemory) {
  json launch = executing("load_shared", kMany / 32);
  launch["shared_load_requests"] = kMany / 32;
  launch["shared_load_wavefronts"] = kMany;
  EXPECT_EQ(limit(launch), Resource::Shared);
}

TEST(Limiter, LoadsWithOneSectorToALineAreBoundByL1) {
  json launch = executing("load_global", kMany / 32);
  launch["global_load_requests"] = kMany / 32;
  launch["global_load_sectors"] = kMany;
  launch["global_load_bytes"] = kMany * 4;
  EXPECT_EQ(limit(launch), Resource::L1);
}

TEST(Limiter, BytesThatAreTouchedOnceAreBoundByDeviceMemory) {
  json launch = executing("load_global", kMany / 16);
  launch["global_load_requests"] = kMany / 16;
  launch["global_load_sectors"] = kMany;
  launch["global_load_bytes"] = kMany * 32;
  launch["compulsory_sectors"] = kMany;
  EXPECT_EQ(limit(launch), Resource::Dram);
}

TEST(Limiter, OneBlockIsBoundByLatency) {
  json launch = executing("fma32", 1e6, 1);
  launch["branches"] = 1e5;
  EXPECT_EQ(limit(launch), Resource::Latency);
}

TEST(Limiter, AnEmptyKernelIsBoundByItsLaunch) {
  EXPECT_EQ(limit(idle_launch(1)), Resource::Launch);
  EXPECT_NEAR(timed(idle_launch(1)).seconds, gpu().floor_seconds, 1e-8);
  EXPECT_EQ(limit(idle_launch(4'000'000)), Resource::Launch);
  EXPECT_GT(timed(idle_launch(4'000'000)).seconds, 1e-3);
}

TEST(Placement, AHalfFilledGpuIsAsSlowAsAFullOne) {
  // One block on each of 66 multiprocessors takes as long as one on each of 132.
  const auto seconds = [](int blocks) {
    return timed(executing("fma32", 1e6 * blocks, blocks)).seconds;
  };
  EXPECT_DOUBLE_EQ(seconds(66), seconds(132));
  EXPECT_GT(seconds(133), 1.5 * seconds(132));
}

TEST(Placement, TheLargestBlockDecides) {
  json even = executing("fma32", 132e6, 132), uneven = even;
  even["warp_instructions"] = uneven["warp_instructions"] = 132e6;
  even["largest_block_instructions"] = 1e6;
  uneven["largest_block_instructions"] = 2e6;
  EXPECT_NEAR(timed(uneven).seconds / timed(even).seconds, 2, 0.05);
}

TEST(Placement, OccupancyIsThatOfTheProfile) {
  json launch = executing("fma32", 1e6);
  launch["registers_per_thread"] = 128;
  const LaunchTime time = timed(launch).launches[0];
  EXPECT_EQ(time.blocks_per_sm, 2);  // 65536 registers / (256 threads x 128)
  EXPECT_DOUBLE_EQ(time.occupancy, 0.25);
  EXPECT_DOUBLE_EQ(time.waves, 4);
  EXPECT_DOUBLE_EQ(timed(launch, gpu("t4")).launches[0].occupancy, 0.5);
}

/// A launch that uses everything a little.
json mixed_launch() {
  json launch = executing("fma32", 3e6, 700);
  launch["warp_instructions"] = 6e6;
  launch["largest_block_instructions"] = 9e3;
  launch["warp_instructions_by_class"].update({{"special", 2e5},
                                               {"integer", 1e6},
                                               {"load_global", 4e5},
                                               {"load_shared", 1e6},
                                               {"warp", 1e5},
                                               {"float64", 1e4},
                                               {"matrix", 1e4}});
  launch.update({{"shared_static_bytes", 20000},
                 {"shared_load_requests", 1e6},
                 {"shared_load_wavefronts", 2e6},
                 {"shared_store_wavefronts", 2e5},
                 {"global_load_requests", 4e5},
                 {"global_load_sectors", 1.6e6},
                 {"global_load_bytes", 4e7},
                 {"global_store_requests", 2e4},
                 {"global_store_sectors", 8e4},
                 {"global_store_bytes", 2.5e6},
                 {"global_atomic_requests", 1e3},
                 {"global_atomic_sectors", 4e3},
                 {"local_load_requests", 1e3},
                 {"local_load_sectors", 4e3},
                 {"compulsory_sectors", 4e5},
                 {"branches", 1e5},
                 {"barriers", 1e4},
                 {"async_copy_shared_wavefronts", 1e4}});
  return launch;
}

TEST(Monotony, MoreWorkIsNeverFaster) {
  const json launch = mixed_launch();
  const double seconds = timed(launch).seconds;
  for (const auto& [name, count] : launch["warp_instructions_by_class"].items()) {
    json more = launch;
    more["warp_instructions_by_class"][name] = count.get<double>() * 4;
    EXPECT_GT(timed(more).seconds, seconds) << name;
  }
  const std::vector<std::vector<const char*>> together = {
      {"shared_load_requests", "shared_load_wavefronts"},
      {"shared_load_wavefronts"},
      {"shared_store_wavefronts"},
      {"global_load_requests"},
      {"global_load_sectors", "global_load_bytes"},
      {"global_store_sectors", "global_store_bytes"},
      {"global_atomic_requests", "global_atomic_sectors"},
      {"local_load_requests", "local_load_sectors"},
      {"compulsory_sectors"},
      {"branches"},
      {"barriers"},
      {"largest_block_instructions"},
      {"shared_static_bytes"},
      {"registers_per_thread"}};
  for (const auto& keys : together) {
    json more = launch;
    for (const char* key : keys) more[key] = launch[key].get<int64_t>() * 4;
    EXPECT_GE(timed(more).seconds, seconds * (1 - 1e-12)) << keys[0];
  }
}

TEST(Monotony, ALargerGpuIsNeverSlower) {
  const double seconds = timed(mixed_launch()).seconds;
  for (double GpuProfile::*rate :
       {&GpuProfile::issue, &GpuProfile::shared_bytes_per_cycle, &GpuProfile::l2_bytes_per_cycle,
        &GpuProfile::fma, &GpuProfile::integer, &GpuProfile::mufu, &GpuProfile::fp64,
        &GpuProfile::lsu, &GpuProfile::tensor, &GpuProfile::blocks_per_cycle, &GpuProfile::clock_hz,
        &GpuProfile::dram_bytes_per_second, &GpuProfile::l2_bytes_per_second,
        &GpuProfile::l2_bytes}) {
    GpuProfile larger = gpu(), smaller = gpu();
    larger.*rate *= 2;
    smaller.*rate /= 64;
    EXPECT_LE(timed(mixed_launch(), larger).seconds, seconds);
    EXPECT_GT(timed(mixed_launch(), smaller).seconds,
              rate == &GpuProfile::l2_bytes_per_cycle ? 0 : seconds);
  }
  for (int multiprocessors : {264, 133, 132, 66, 1}) {
    GpuProfile other = gpu();
    other.limits.multiprocessors = multiprocessors;
    const double then = timed(mixed_launch(), other).seconds;
    EXPECT_TRUE(multiprocessors < 132 ? then > seconds : then <= seconds) << multiprocessors;
  }
}

TEST(Sum, LaunchesFollowEachOther) {
  const json launches = json::array({executing("special", kMany), executing("fma32", kMany)});
  const ModelledTime both = model_time(launches, gpu());
  ASSERT_EQ(both.launches.size(), 2);
  EXPECT_DOUBLE_EQ(both.seconds, both.launches[0].seconds + both.launches[1].seconds);
  EXPECT_EQ(limiter(both.shares), Resource::Mufu);
  const auto document = to_json(both);
  EXPECT_EQ(document["limiter"], "special functions");
  EXPECT_EQ(document["shares"].size(), kResources);
  EXPECT_EQ(document["launches"][1]["limiter"], "float32 arithmetic");
  EXPECT_NE(to_table(both).find("not measured"), std::string::npos);
  EXPECT_EQ(model_time(json::array(), gpu()).seconds, 0);
}

TEST(Profiles, EveryOneIsReadAndSlowerThanTheNext) {
  const std::vector<std::string> ids = known_gpus(GPU_PROFILES);
  EXPECT_EQ(ids, (std::vector<std::string>{"a100", "h100", "h200", "rtx4090", "t4"}));
  const json launch = executing("fma32", kMany);
  const auto seconds = [&](const char* id) { return timed(launch, gpu(id)).seconds; };
  EXPECT_GT(seconds("t4"), seconds("a100"));
  EXPECT_GT(seconds("a100"), seconds("h200"));
  EXPECT_GT(seconds("h200"), seconds("rtx4090"));
}

std::string message(const auto& action) {
  try {
    action();
  } catch (const ModelError& error) {
    return error.what();
  }
  return "no error";
}

/// What load_gpu says about the H200's profile after a replacement in its text.
std::string about_profile(const std::string& from, const std::string& to) {
  std::ifstream stream(fs::path(GPU_PROFILES) / "h200.toml");
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  const fs::path file = fs::path(testing::TempDir()) / "changed.toml";
  std::ofstream(file) << text;
  const std::string result = message([&] { load_gpu(file); });
  EXPECT_EQ(result.find('\n'), std::string::npos);
  EXPECT_EQ(result.find(file.string()), 0) << result;
  return result.substr(std::min(result.size(), file.string().size()));
}

TEST(Profiles, ABadOneGetsOneLine) {
  EXPECT_EQ(about_profile("mufu = 16", ""), ": 'mufu' in [rates] is missing");
  EXPECT_EQ(about_profile("mufu = 16", "mufu = 0"), ": 'mufu' in [rates] must be above 0");
  EXPECT_EQ(about_profile("mufu = 16", "mufu = '16'"), ": 'mufu' in [rates] must be a number");
  EXPECT_EQ(about_profile("mufu = 16", "mufu = 16\nmuf = 1"), ": 'muf' in [rates] is unknown");
  EXPECT_EQ(about_profile("[latencies]", "[latency]"), ": lacks the table [latencies]");
  EXPECT_EQ(about_profile("name =", "title ="), ": lacks 'name'");
  EXPECT_NE(about_profile("[rates]", "[rates"), "no error");
  EXPECT_EQ(message([] { load_gpu("/none/h200.toml"); }),
            "/none/h200.toml: there is no such profile");
  EXPECT_EQ(message([] { known_gpus("/none"); }), "/none: holds no GPU profiles (*.toml)");
}

std::string about_launch(const char* key, const json& value) {
  json launch = executing("fma32", 1e6);
  launch[key] = value;
  return message([&] { timed(launch); });
}

TEST(Counters, BadOnesGetOneLine) {
  const auto model = [](const json& counters) {
    return message([&] { model_time(counters, gpu()); });
  };
  EXPECT_EQ(model(json::object()), "the counters are no array of launches");
  EXPECT_EQ(model(json::array({1})), "launch 0 is no object");
  EXPECT_EQ(model(json::array({{{"grid", 1}}})), "launch 0 lacks 'kernel'");
  EXPECT_EQ(about_launch("registers_per_thread", nullptr),
            "launch 0 (synthetic) has no registers: ptxas was not found when it was counted");
  EXPECT_EQ(about_launch("branches", "many"), "launch 0 (synthetic) lacks the count 'branches'");
  EXPECT_EQ(about_launch("branches", -1), "launch 0 (synthetic) lacks the count 'branches'");
  EXPECT_EQ(about_launch("grid", {1, 0, 1}),
            "launch 0 (synthetic) has a 'grid' that is not three sizes");
  EXPECT_EQ(about_launch("block", 32), "launch 0 (synthetic) lacks 'block'");
  EXPECT_EQ(about_launch("warp_instructions_by_class", 0),
            "launch 0 (synthetic) lacks 'warp_instructions_by_class'");
  EXPECT_EQ(
      about_launch("shared_dynamic_bytes", 300000),
      "synthetic: a block of 256 threads, 32 registers each and 300000 bytes of shared memory "
      "does not fit on NVIDIA H200");
}

TEST(Constants, AreFoundByName) {
  Constants constants;
  EXPECT_EQ(find(constants, "overlap"), &constants.overlap);
  EXPECT_EQ(find(constants, "overlaps"), nullptr);
}

}  // namespace
}  // namespace flashlab::model
