#include "client/validate.hpp"

namespace flashlab::judge {
namespace {

template <size_t Size>
void terminate(char (&field)[Size]) {
  field[Size - 1] = '\0';
}

}  // namespace

std::optional<std::string> find_violation(protocol::CaseReply& reply,
                                          const protocol::CaseRequest& request) {
  terminate(reply.text);
  for (protocol::ErrorRecord* error : {&reply.returned, &reply.last_error, &reply.synchronise}) {
    terminate(error->name);
  }
  for (protocol::BufferRecord& buffer : reply.buffers) terminate(buffer.name);

  if (reply.header.id != request.header.id) return "an answer to another request";
  if (reply.status != protocol::CallStatus::kReturned &&
      reply.status != protocol::CallStatus::kThrew &&
      reply.status != protocol::CallStatus::kSetupFailed) {
    return "an answer with an unknown status";
  }
  if (reply.buffer_count > protocol::kMaxBuffers) return "an answer with too many buffers";
  if (reply.workspace_bytes > request.workspace_limit) {
    return "an answer with more workspace than there is";
  }
  return std::nullopt;
}

}  // namespace flashlab::judge
