#include "measure/speed.hpp"

#include <algorithm>
#include <cmath>

namespace flashlab::judge {

double speed_points(const SpeedRule& rule, double most, double ratio) {
  if (!(ratio > 0)) return 0;
  const double part = std::log(rule.none / ratio) / std::log(rule.none / rule.full);
  const double points = most * std::clamp(part, 0.0, 1.0);
  return std::min(most, rule.step * std::round(points / rule.step));
}

bool is_close_to_more(const SpeedRule& rule, double most, double ratio) {
  return speed_points(rule, most, ratio * (1 - rule.grey)) > speed_points(rule, most, ratio);
}

}  // namespace flashlab::judge
