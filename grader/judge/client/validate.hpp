// What the judge checks of a reply before it reads it: it may have been written by the submission.
#pragma once

#include <optional>
#include <string>

#include "worker/protocol.hpp"

namespace flashlab::judge {

/// Why this reply cannot be an honest answer to this request; nothing when it can. Terminates all
/// texts in place.
std::optional<std::string> find_violation(protocol::CaseReply& reply,
                                          const protocol::CaseRequest& request);

}  // namespace flashlab::judge
