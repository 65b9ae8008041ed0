// From the ratio of times to points.
#pragma once

#include "lab.hpp"

namespace flashlab::judge {

/// Points for a time of `ratio` times the staff's, out of `most`: a multiple of the rule's step.
/// None when the ratio is no positive number.
double speed_points(const SpeedRule& rule, double most, double ratio);

/// Whether a ratio a little smaller, within the rule's grey band, would give more points.
bool is_close_to_more(const SpeedRule& rule, double most, double ratio);

}  // namespace flashlab::judge
