// One worker process as the judge sees it: hostile, possibly dead, never waited for beyond a
// deadline.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "client/process.hpp"
#include "client/shared_memory.hpp"
#include "worker/protocol.hpp"

namespace flashlab::judge {

/// What the virtual GPU of a worker does besides executing.
enum class WorkerMode {
  kPlain,      ///< nothing
  kChecks,     ///< its checks, which take a hundred times as long
  kResources,  ///< asks ptxas for the registers of each kernel, which the modelled time needs
};

struct WorkerOptions {
  std::filesystem::path worker, submission;
  std::vector<std::string> entries;                 ///< names of the entry points
  std::vector<std::string> launcher;                ///< put before the worker: a sandbox
  std::vector<std::filesystem::path> runtime_dirs;  ///< where libcudart.so.13 is
  double start_seconds = 0;
  uint64_t memory_bytes = 0;         ///< that it may take, with all that it starts; 0: no limit
  uint64_t device_memory_bytes = 0;  ///< of the virtual GPU; 0: what it has by itself
  WorkerMode mode = WorkerMode::kPlain;
};

/// What came of waiting for the worker.
struct Outcome {
  enum class Kind {
    kAnswer,     ///< a whole message of the expected type
    kSignal,     ///< the process died of a signal (`code`)
    kExit,       ///< the process exited (`code`)
    kTimeout,    ///< no answer before the deadline
    kViolation,  ///< something that is no message (`text`)
    kMemory,     ///< it took more memory than it may, and was ended
  };
  Kind kind = Kind::kAnswer;
  int code = 0;
  std::string text;

  bool answered() const { return kind == Kind::kAnswer; }
};

/// The judge's clock around one call.
struct CallTime {
  bool empty = false;   ///< everything but the call: what the clock shows for nothing
  double seconds = -1;  ///< from Go to Done; negative when the call was not made
  double answer_seconds =
      0;  ///< from Done to the answer: with the outputs, about as long each time
};

class Worker {
 public:
  /// Starts the process and waits until it has opened the device. Throws EnvironmentError when it
  /// does not: until then no code of the submission has run.
  Worker(const WorkerOptions& options, size_t memory_bytes);

  const protocol::Hello& hello() const { return hello_; }
  const SharedMemory& memory() const { return memory_; }

  /// Waits for the submission to be loaded. An answer with an empty `loaded.error` means it was.
  Outcome wait_loaded(protocol::Loaded& loaded, double seconds);
  /// Sends one request and waits for its reply, which is validated.
  /// With `time`, the call's time is taken.
  Outcome run(protocol::CaseRequest& request, protocol::CaseReply& reply, double seconds,
              CallTime* time = nullptr);

  /// What the submission printed since the last call: at most kOutputCap bytes, the rest is dropped
  /// and said so.
  std::string take_output();

 private:
  using Clock = std::chrono::steady_clock;
  /// Waits until a message is there. When `awake`, without sleeping for the first moments: being
  /// woken costs tens of microseconds.
  Outcome wait(double seconds, bool awake);
  template <class Message>
  Outcome receive(Message& message, double seconds, bool awake = false);
  /// From Ready to Done; nothing to do when the worker could not prepare the call and has answered.
  Outcome take_time(uint32_t id, double seconds, CallTime& time);
  Outcome ended();
  void drain();

  uint64_t memory_bytes_;
  SharedMemory memory_;
  UniqueFd socket_, output_;
  std::unique_ptr<Process> process_;
  protocol::Hello hello_;
  uint32_t next_id_ = 1;
  std::string printed_;
  bool dropped_ = false;
};

inline constexpr size_t kOutputCap = 64 * 1024;

}  // namespace flashlab::judge
