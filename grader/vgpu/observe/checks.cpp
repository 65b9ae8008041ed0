#include "observe/checks.hpp"

#include <algorithm>
#include <stdexcept>

namespace vgpu {
namespace {

struct Check {
  CheckInfo info;
  std::unique_ptr<Observer> (*make)(const Block&);
};

constexpr Check kChecks[] = {
    {{"uninitialised", "reads of shared memory that the block has not written"},
     watch_uninitialised_shared},
    {{"races", "accesses to shared memory that no barrier orders"}, watch_shared_races},
};

}  // namespace

std::vector<CheckInfo> all_checks() {
  std::vector<CheckInfo> list;
  for (const Check& check : kChecks) list.push_back(check.info);
  return list;
}

std::vector<ObserverFactory> checks_from_list(std::string_view list) {
  std::vector<ObserverFactory> observers;
  while (!list.empty()) {
    const std::string_view name = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), name.size() + 1));
    if (name == "none") continue;
    bool found = false;
    for (const Check& check : kChecks) {
      if (name != "all" && name != check.info.name) continue;
      observers.emplace_back(check.make);
      found = true;
    }
    if (found) continue;
    std::string names = "all, none";
    for (const Check& check : kChecks) names += std::string(", ") + check.info.name;
    throw std::invalid_argument("there is no check `" + std::string(name) + "`; known: " + names);
  }
  return observers;
}

}  // namespace vgpu
