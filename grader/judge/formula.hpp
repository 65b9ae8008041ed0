// Bounds as lab.toml writes them: arithmetic over the shape of a case, as in "4*B*H*(Nq + Nk)*d".
#pragma once

#include <string_view>

#include "lab.hpp"

namespace flashlab::judge {

/// The value of `text` for `shape`. Numbers; B, H, Nq, Nk, d; + - * / ( ) and ceil(x), which rounds
/// up. Throws std::invalid_argument, saying where, when the text is no such formula or its value is
/// not finite.
double evaluate(std::string_view text, const Shape& shape);

}  // namespace flashlab::judge
