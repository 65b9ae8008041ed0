#include <cstdio>

#include "model/model.hpp"

namespace flashlab::model {
namespace {

struct Names {
  const char *key, *title;
};
constexpr std::array<Names, kResources> kNames{{{"fma", "float32 arithmetic"},
                                                {"mufu", "special functions"},
                                                {"integer", "integer arithmetic"},
                                                {"tensor", "tensor cores"},
                                                {"issue", "instruction issue"},
                                                {"shared", "shared-memory bandwidth"},
                                                {"l1", "L1 lookups"},
                                                {"l2", "L2 bandwidth"},
                                                {"dram", "device-memory bandwidth"},
                                                {"latency", "latency: too few warps"},
                                                {"launch", "launching the kernel"}}};

template <class Time>
void add_shares(nlohmann::ordered_json& object, const Time& time) {
  const Resource most = limiter(time.shares);
  object["seconds"] = time.seconds;
  object["limiter"] = title(most);
  object["limiter_share"] = time.shares[static_cast<size_t>(most)];
  for (size_t i = 0; i < kResources; ++i) object["shares"][kNames[i].key] = time.shares[i];
}

template <class... Values>
std::string line(const char* pattern, Values... values) {
  char text[200];
  const int length = std::snprintf(text, sizeof text, pattern, values...);
  return std::string(text, static_cast<size_t>(std::min<int>(length, sizeof text - 1)));
}

}  // namespace

const char* key(Resource resource) {
  return kNames[static_cast<size_t>(resource)].key;
}
const char* title(Resource resource) {
  return kNames[static_cast<size_t>(resource)].title;
}

nlohmann::ordered_json to_json(const ModelledTime& time) {
  nlohmann::ordered_json object;
  object["gpu"] = time.gpu;
  object["name"] = time.name;
  add_shares(object, time);
  nlohmann::ordered_json& launches = object["launches"] = nlohmann::ordered_json::array();
  for (const LaunchTime& launch : time.launches) {
    nlohmann::ordered_json& of_launch = launches.emplace_back();
    of_launch["kernel"] = launch.kernel;
    add_shares(of_launch, launch);
    of_launch["occupancy"] = launch.occupancy;
    of_launch["waves"] = launch.waves;
    of_launch["blocks_per_sm"] = launch.blocks_per_sm;
    of_launch["registers"] = launch.registers;
  }
  return object;
}

std::string to_table(const ModelledTime& time) {
  std::string text = "Modelled for " + time.name + ", not measured\n\n";
  text += line("%12s  %-26s %9s %8s  %s\n", "time", "limiter", "occupancy", "waves", "kernel");
  for (const LaunchTime& launch : time.launches) {
    const Resource most = limiter(launch.shares);
    text += line("%9.2f us  %-26s %7.0f %% %8.2f  ", launch.seconds * 1e6, title(most),
                 launch.occupancy * 100, launch.waves);
    text += launch.kernel + "\n";
  }
  text += line("%9.2f us  together\n\nPart of the time that each resource alone would need\n",
               time.seconds * 1e6);
  for (size_t i = 0; i < kResources; ++i)
    text += line("  %-26s %5.1f %%\n", kNames[i].title, time.shares[i] * 100);
  return text;
}

}  // namespace flashlab::model
