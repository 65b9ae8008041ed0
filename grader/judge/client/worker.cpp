#include "client/worker.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "client/resident.hpp"
#include "client/validate.hpp"
#include "lab.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

constexpr auto kAwake = std::chrono::milliseconds(50);
constexpr double kMostPatience = 10;  // times the limit
constexpr auto kWorthWaiting = std::chrono::milliseconds(20);
constexpr double kWatchMilliseconds = 100;  // between two looks at the memory that it takes
constexpr double kGraceSeconds = 0.5;       // for a worker whose socket closed to end by itself

/// Variables of the judge's own environment that choose devices and threads; nothing else is passed
/// on.
constexpr const char* kPassedOn[] = {"CUDA_VISIBLE_DEVICES", "VGPU_THREADS"};

std::vector<std::string> worker_environment(const WorkerOptions& options) {
  std::string library_path;
  for (const std::filesystem::path& dir : options.runtime_dirs) {
    library_path += (library_path.empty() ? "" : ":") + std::filesystem::absolute(dir).string();
  }
  std::vector<std::string> environment = {"PATH=/usr/bin:/bin", "LD_LIBRARY_PATH=" + library_path,
                                          "VGPU_QUIET=1"};  // faults come in the report
  // Without the variable, the virtual GPU looks for ptxas itself.
  const char* ptxas = options.mode == WorkerMode::kResources ? std::getenv("VGPU_PTXAS") : "none";
  if (ptxas != nullptr) environment.push_back(std::string("VGPU_PTXAS=") + ptxas);
  if (options.mode == WorkerMode::kChecks) environment.emplace_back("VGPU_CHECK=all");
  if (options.device_memory_bytes > 0) {
    environment.push_back("VGPU_DEVICE_MEMORY=" + std::to_string(options.device_memory_bytes));
  }
  for (const char* name : kPassedOn) {
    if (const char* value = std::getenv(name)) {
      environment.push_back(std::string(name) + "=" + value);
    }
  }
  return environment;
}

std::vector<std::string> worker_command(const WorkerOptions& options) {
  std::vector<std::string> argv = options.launcher;
  argv.push_back(std::filesystem::absolute(options.worker).string());
  argv.push_back(std::filesystem::absolute(options.submission).string());
  argv.insert(argv.end(), options.entries.begin(), options.entries.end());
  return argv;
}

}  // namespace

Worker::Worker(const WorkerOptions& options, size_t memory_bytes)
    : memory_bytes_(options.memory_bytes), memory_(memory_bytes) {
  int sockets[2], output[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0 ||
      pipe2(output, O_CLOEXEC | O_NONBLOCK) != 0) {
    throw EnvironmentError("no socket or pipe for the worker");
  }
  socket_ = UniqueFd(sockets[0]);
  output_ = UniqueFd(output[0]);
  const UniqueFd theirs(sockets[1]), output_write(output[1]);
  // Only our end may be non-blocking: a printf of the submission must wait for us, not fail.
  fcntl(output_write.get(), F_SETFL, fcntl(output_write.get(), F_GETFL) & ~O_NONBLOCK);
  ProcessSpec spec;
  spec.argv = worker_command(options);
  spec.environment = worker_environment(options);
  spec.socket_fd = theirs.get();
  spec.memory_fd = memory_.fd();
  spec.output_fd = output_write.get();
  process_ = std::make_unique<Process>(spec);

  const Outcome outcome = receive(hello_, options.start_seconds);
  if (!outcome.answered()) {
    throw EnvironmentError("the worker did not start (" + options.worker.string() +
                           "): " + printable(take_output()));
  }
  if (hello_.error[0] != '\0') {
    throw EnvironmentError(std::string("the worker cannot use the device: ") + hello_.error);
  }
}

Outcome Worker::wait_loaded(protocol::Loaded& loaded, double seconds) {
  Outcome outcome = receive(loaded, seconds);
  loaded.error[sizeof loaded.error - 1] = '\0';
  return outcome;
}

Outcome Worker::run(protocol::CaseRequest& request, protocol::CaseReply& reply, double seconds,
                    CallTime* time) {
  if (time != nullptr) {
    request.timing = time->empty ? protocol::Timing::kEmpty : protocol::Timing::kCall;
  }
  protocol::seal(request, next_id_++);
  if (send(socket_.get(), &request, sizeof request, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    return ended();
  Clock::time_point done;
  if (time != nullptr) {
    if (Outcome outcome = take_time(request.header.id, seconds, *time); !outcome.answered()) {
      return outcome;
    }
    done = Clock::now();
  }
  Outcome outcome = receive(reply, seconds);
  if (!outcome.answered()) return outcome;
  if (time != nullptr) {
    time->answer_seconds = std::chrono::duration<double>(Clock::now() - done).count();
  }
  if (const auto violation = find_violation(reply, request)) {
    return {Outcome::Kind::kViolation, 0, *violation};
  }
  if (time != nullptr && time->seconds < 0 && reply.status != protocol::CallStatus::kSetupFailed) {
    return {Outcome::Kind::kViolation, 0, "an answer before the call"};
  }
  return outcome;
}

Outcome Worker::take_time(uint32_t id, double seconds, CallTime& time) {
  if (Outcome outcome = wait(seconds, false); !outcome.answered()) return outcome;
  protocol::Header header;
  recv(socket_.get(), &header, sizeof header, MSG_DONTWAIT | MSG_PEEK);
  if (header.type == protocol::MessageType::kCaseReply) return {};
  protocol::Ready ready;
  protocol::Done done;
  if (Outcome outcome = receive(ready, seconds); !outcome.answered()) return outcome;
  // A message that came before Go cannot be the answer to it.
  if (recv(socket_.get(), &header, 1, MSG_DONTWAIT | MSG_PEEK) >= 0) {
    return {Outcome::Kind::kViolation, 0, "an answer before the call"};
  }
  protocol::Go go;
  protocol::seal(go, id);
  const auto start = Clock::now();
  if (send(socket_.get(), &go, sizeof go, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return ended();
  Outcome outcome = receive(done, seconds, /*awake=*/true);
  time.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (outcome.answered() && (ready.header.id != id || done.header.id != id)) {
    return {Outcome::Kind::kViolation, 0, "an answer to another request"};
  }
  return outcome;
}

Outcome Worker::wait(double seconds, bool awake) {
  const auto start = Clock::now();
  std::optional<double> waited_before;  // looked up when it takes long: not in a time that counts
  auto deadline = start + std::chrono::duration<double>(seconds);
  pollfd fds[] = {
      {socket_.get(), POLLIN, 0}, {output_.get(), POLLIN, 0}, {process_->end_fd(), POLLIN, 0}};
  while (true) {
    const auto now = Clock::now();
    const std::chrono::duration<double, std::milli> left = deadline - now;
    if (left.count() <= 0) {
      // On a busy machine it gets the time that it waited for a CPU, but not without end.
      const double waited =
          waited_before ? seconds_without_cpu(process_->id()) - *waited_before : 0;
      const auto later = start + std::chrono::duration<double>(
                                     std::min(seconds + waited, kMostPatience * seconds));
      if (later - now < kWorthWaiting) return {Outcome::Kind::kTimeout, 0, ""};
      deadline = later;
      continue;
    }
    const bool sleeps = !awake || now - start > kAwake;
    if (sleeps && !waited_before) waited_before = seconds_without_cpu(process_->id());
    const double patience =
        memory_bytes_ > 0 ? std::min(left.count(), kWatchMilliseconds) : left.count();
    poll(fds, std::size(fds), sleeps ? static_cast<int>(std::ceil(patience)) : 0);
    if (sleeps && memory_bytes_ > 0 && resident_bytes(process_->id()) > memory_bytes_) {
      process_->finish();
      return {Outcome::Kind::kMemory, 0, ""};
    }
    if ((fds[1].revents & POLLIN) != 0) drain();
    if ((fds[1].revents & (POLLIN | POLLHUP)) == POLLHUP) fds[1].fd = -1;
    // The socket before the end of the process: an answer that was sent counts, whatever came after
    // it.
    char first = 0;
    const ssize_t got = recv(socket_.get(), &first, 1, MSG_DONTWAIT | MSG_PEEK);
    if (got > 0) return {};
    const bool closed = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
    if (closed || (fds[2].revents & POLLIN) != 0) return ended();
  }
}

template <class Message>
Outcome Worker::receive(Message& message, double seconds, bool awake) {
  if (Outcome outcome = wait(seconds, awake); !outcome.answered()) return outcome;
  const ssize_t got = recv(socket_.get(), &message, sizeof message, MSG_DONTWAIT | MSG_TRUNC);
  if (!awake) drain();
  if (got > 0 && protocol::is_whole(message, static_cast<uint64_t>(got))) return {};
  return {Outcome::Kind::kViolation, 0, "bytes that are no message"};
}

Outcome Worker::ended() {
  pollfd end{process_->end_fd(), POLLIN, 0};
  poll(&end, 1, static_cast<int>(kGraceSeconds * 1e3));
  const bool alive = (end.revents & POLLIN) == 0 && process_->end_fd() >= 0;
  const ProcessEnd how = process_->finish();
  drain();
  if (alive || (how.signal == 0 && how.code == protocol::kLostConnection)) {
    return {Outcome::Kind::kViolation, 0, "nothing any more: it was closed"};
  }
  if (how.signal != 0) return {Outcome::Kind::kSignal, how.signal, ""};
  return {Outcome::Kind::kExit, how.code, ""};
}

void Worker::drain() {
  char buffer[16 * 1024];
  // Bounded, so that a flood cannot keep us from looking at the clock.
  for (size_t total = 0; total < kOutputCap;) {
    const ssize_t got = read(output_.get(), buffer, sizeof buffer);
    if (got <= 0) return;
    total += static_cast<size_t>(got);
    const size_t kept = std::min(static_cast<size_t>(got), kOutputCap - printed_.size());
    printed_.append(buffer, kept);
    dropped_ = dropped_ || kept < static_cast<size_t>(got);
  }
}

std::string Worker::take_output() {
  drain();
  std::string text = std::move(printed_);
  if (dropped_) text += "\n[more output was dropped]";
  printed_.clear();
  dropped_ = false;
  return text;
}

}  // namespace flashlab::judge
