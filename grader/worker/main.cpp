// flashlab-worker SUBMISSION.so ENTRY...: the untrusted side. Loads one submission and runs one
// case per request that arrives on the socket kSocketFd; tensors are in the shared memory
// kMemoryFd. Started by the judge only.
#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <span>
#include <vector>

#include "run_case.hpp"
#include "text.hpp"

namespace flashlab::worker {
namespace {

/// Ends without destructors or exit handlers: a submission must get no turn after its last answer.
[[noreturn]] void leave(int code) {
  std::fflush(nullptr);
  _exit(code);
}

template <class Message>
void send_message(Message message, uint32_t id = 0) {
  protocol::seal(message, id);
  const ssize_t sent = send(protocol::kSocketFd, &message, sizeof message, MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(sizeof message)) leave(protocol::kLostConnection);
}

/// The next request, or the end of the process when the judge has closed the socket.
protocol::CaseRequest next_request(size_t memory_bytes, size_t entries) {
  protocol::CaseRequest request;
  const ssize_t got = recv(protocol::kSocketFd, &request, sizeof request, MSG_TRUNC);
  if (got == 0) leave(0);
  if (got < 0 || !protocol::is_whole(request, static_cast<uint64_t>(got)) ||
      !is_servable(request, memory_bytes) || request.entry >= entries) {
    leave(protocol::kLostConnection);
  }
  return request;
}

/// Waits for a message without blocking at first: waking a sleeping process costs tens of
/// microseconds, which the judge's clock would see.
template <class Message>
ssize_t receive_at_once(Message& message) {
  constexpr auto kPatience = std::chrono::milliseconds(50);
  const auto start = std::chrono::steady_clock::now();
  ssize_t got = 0;
  do {
    got = recv(protocol::kSocketFd, &message, sizeof message, MSG_TRUNC | MSG_DONTWAIT);
  } while (got < 0 && std::chrono::steady_clock::now() - start < kPatience);
  return got >= 0 ? got : recv(protocol::kSocketFd, &message, sizeof message, MSG_TRUNC);
}

/// The judge's clock, started and stopped by messages.
class SocketGate : public Gate {
 public:
  void wait_for_go() override {
    send_message(protocol::Ready(), id);
    protocol::Go go;
    const ssize_t got = receive_at_once(go);
    if (got == 0) leave(0);
    if (got < 0 || !protocol::is_whole(go, static_cast<uint64_t>(got))) {
      leave(protocol::kLostConnection);
    }
  }
  void done() override { send_message(protocol::Done(), id); }

  uint32_t id = 0;  ///< of the request
};

std::span<std::byte> map_memory() {
  struct stat status {};
  if (fstat(protocol::kMemoryFd, &status) != 0) return {};
  const auto bytes = static_cast<size_t>(status.st_size);
  void* address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, protocol::kMemoryFd, 0);
  if (address == MAP_FAILED) return {};
  return {static_cast<std::byte*>(address), bytes};
}

/// Loads the submission; `functions` gets the addresses of its entry points.
protocol::Loaded load(const char* submission, std::span<char* const> entry_names,
                      std::vector<void*>& functions) {
  protocol::Loaded loaded;
  void* library = dlopen(submission, RTLD_NOW | RTLD_LOCAL);
  for (const char* name : entry_names) {
    functions.push_back(library != nullptr ? dlsym(library, name) : nullptr);
    if (functions.back() == nullptr) {
      put_text(loaded.error, dlerror());
      break;
    }
  }
  return loaded;
}

int serve(const char* submission, std::span<char* const> entry_names) {
  prctl(PR_SET_PDEATHSIG,
        SIGKILL);  // again here: a launcher that changes the user loses the judge's
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // what a student prints survives a crash
  const std::span<std::byte> memory = map_memory();
  if (memory.empty()) {
    std::fputs("flashlab-worker: no shared memory: this program is started by flashlab-judge\n",
               stderr);
    return 2;
  }
  const Device device;
  send_message(device.hello());

  std::vector<void*> functions;
  send_message(load(submission, entry_names, functions));

  SocketGate gate;
  Kept kept{device, gate, {}};
  while (true) {
    const protocol::CaseRequest request = next_request(memory.size(), functions.size());
    gate.id = request.header.id;
    const protocol::CaseReply reply = run_case(kept, functions[request.entry], request, memory);
    std::fflush(stdout);
    send_message(reply, request.header.id);
  }
}

}  // namespace
}  // namespace flashlab::worker

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: flashlab-worker SUBMISSION.so ENTRY...\n", stderr);
    return 2;
  }
  return flashlab::worker::serve(argv[1], std::span(argv, argc).subspan(2));
}
