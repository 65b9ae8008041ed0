// The checks that can be switched on (VGPU_CHECK, `vgpu run --check`). A new check is one new file
// and one line in kChecks (checks.cpp).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "machine/observer.hpp"

namespace vgpu {

std::unique_ptr<Observer> watch_shared_bounds(const Block& block);
std::unique_ptr<Observer> watch_uninitialised_shared(const Block& block);
std::unique_ptr<Observer> watch_uninitialised_global(const Block& block);
std::unique_ptr<Observer> watch_shared_races(const Block& block);
ObserverFactory watch_global_races();
std::unique_ptr<Observer> watch_pending_copies(const Block& block);
std::unique_ptr<Observer> watch_shuffles(const Block& block);
std::unique_ptr<Observer> watch_barriers(const Block& block);

/// What a list of checks asks for.
struct Checks {
  std::vector<ObserverFactory> observers;
  bool leaks = false;  ///< memory that the program has not freed when it ends
};

/// The checks that a list names: "none", "all", or names separated by commas. Throws
/// std::invalid_argument that says which names there are.
Checks checks_from_list(std::string_view list);

/// Names and what each check finds, for help texts.
struct CheckInfo {
  const char* name;
  const char* finds;
};
std::vector<CheckInfo> all_checks();

}  // namespace vgpu
