// Tells the judge itself that the call is over, before it begins.
#include <sys/socket.h>

#include "../../../grader/worker/protocol.hpp"
#include "honest.cuh"

namespace protocol = flashlab::protocol;

CHEAT_ENTRY {
  static uint32_t calls = 0;
  protocol::Done done;
  protocol::seal(done, ++calls);
  send(protocol::kSocketFd, &done, sizeof done, MSG_NOSIGNAL);
  return slow_work(a, stream);
}
