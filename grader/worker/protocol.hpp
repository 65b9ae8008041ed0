// What the judge and the worker say to each other. Plain structs over a SOCK_SEQPACKET socket (one
// message per packet); tensors travel in shared memory whose layout the judge alone decides.
//
//   worker: Hello        the device is open (sent before any code of the submission is loaded)
//   worker: Loaded       the submission is loaded, or why not
//   judge:  CaseRequest  one problem
//   worker: CaseReply    what happened, as data: no expected value, tolerance, seed or verdict is
//                        on this side
//
// Between a request whose time is taken and its reply, so that the judge's clock holds the call
// alone:
//
//   worker: Ready        everything is prepared
//   judge:  Go           the clock starts
//   worker: Done         the call is over and its outputs are set aside on the device: the clock
//   stops
//
// The submission lives in the worker's process, so the judge trusts nothing it receives: see
// client/validate.hpp.
#pragma once

#include <cstdint>
#include <type_traits>

namespace flashlab::protocol {

inline constexpr uint32_t kMagic = 0x464c4142;  // "FLAB"
inline constexpr uint16_t kVersion = 5;

/// File descriptors of the worker process when it starts.
inline constexpr int kSocketFd = 3, kMemoryFd = 4;

/// Exit code of a worker that found its socket closed or an unusable request on it.
inline constexpr int kLostConnection = 93;

inline constexpr uint32_t kNameBytes = 32;
inline constexpr uint32_t kTextBytes = 512;
inline constexpr uint32_t kMaxTensors = 12;    ///< parameters of an entry point
inline constexpr uint32_t kMaxBuffers = 24;    ///< tensors and what the workspace gives
inline constexpr uint32_t kMaxCaptures = 4;    ///< workspace buffers copied back on request
inline constexpr uint32_t kGuardBytes = 1024;  ///< before and after each buffer on a real GPU
inline constexpr uint8_t kGuardByte = 0xA5;
inline constexpr uint32_t kPoison = 0xFFFFFFFFu;  ///< fills outputs and scratch; as float32 a NaN
inline constexpr uint64_t kReportCapacity = 16u << 20;  ///< many launches make many records

enum class MessageType : uint16_t {
  kHello = 1,
  kLoaded = 2,
  kCaseRequest = 3,
  kCaseReply = 4,
  kReady = 5,
  kGo = 6,
  kDone = 7,
};

struct Header {
  uint32_t magic = kMagic;
  uint16_t version = kVersion;
  MessageType type{};
  uint32_t size = 0;  ///< of the whole message, header included
  uint32_t id = 0;    ///< of the request that a reply answers; 0 elsewhere
};

/// A region of the shared memory; bytes = 0 when absent.
struct Span {
  uint64_t offset = 0, bytes = 0;
};

enum class DeviceKind : uint32_t { kVirtual = 1, kReal = 2 };

struct Hello {
  static constexpr MessageType kType = MessageType::kHello;
  Header header;
  DeviceKind device{};
  int32_t driver_version = 0, runtime_version = 0;  ///< as CUDA counts: 13000 is 13.0
  int32_t compute_major = 0, compute_minor = 0;
  uint64_t memory_bytes = 0;
  char device_name[kNameBytes * 4] = {};
  char error[kTextBytes] = {};  ///< empty when the device is ready
};

struct Loaded {
  static constexpr MessageType kType = MessageType::kLoaded;
  Header header;
  char error[kTextBytes] = {};  ///< empty when the submission and its entry points were found
};

/// The signatures that a worker can call (entry_points.cpp).
enum class EntryKind : uint32_t {
  kAttentionForward = 1,     ///< Q, K, V -> O
  kAttentionForwardLse = 2,  ///< Q, K, V -> O, L
  kMergeStates = 3,          ///< m, l, o of parts -> m, l, o
  kRowStatistics = 4,        ///< S -> m, l
  kRowSoftmax = 5,           ///< S -> P
  kAttentionBackward = 6,    ///< Q, K, V, O, L, dO -> dQ, dK, dV
};

/// A parameter of the entry point: float32 in device memory.
struct Tensor {
  char name[kNameBytes] = {};
  Span before;  ///< its content; bytes = 0 for an output, which is poisoned
  Span after;   ///< where its raw bytes go after the call
};

struct Capture {
  char name[kNameBytes] = {};
  Span span;  ///< where to copy the workspace buffer of that name, if it has exactly span.bytes
};

/// Whether the time of a call is taken.
enum class Timing : uint32_t {
  kNone = 0,
  kCall = 1,
  kEmpty = 2,  ///< everything as for kCall, but the entry point is not called
};

struct CaseRequest {
  static constexpr MessageType kType = MessageType::kCaseRequest;
  Header header;
  EntryKind kind{};
  Timing timing{};
  uint32_t entry = 0;  ///< which of the entry points on the worker's command line
  int32_t batch = 0, heads = 0, seq_q = 0, seq_k = 0, head_dim = 0;
  float scale = 0;
  uint32_t causal = 0;
  uint32_t tensor_count = 0;
  Tensor tensors[kMaxTensors];  ///< in the order of the parameters
  Span guards;                  ///< kMaxBuffers times front and back guard of kGuardBytes each
  Span report;                  ///< JSON text of vgpuReport, at most kReportCapacity
  Capture captures[kMaxCaptures];
  uint64_t workspace_limit = 0;  ///< bytes; Workspace::allocate returns nullptr beyond
  double launch_seconds = 0;     ///< limit of one launch on the virtual GPU
};

enum class CallStatus : uint32_t {
  kReturned = 1,     ///< the entry point returned
  kThrew = 2,        ///< a C++ exception left the entry point; `text` is its what()
  kSetupFailed = 3,  ///< the worker could not prepare the case; `text` says why
};

/// A CUDA error as data; code 0 is success.
struct ErrorRecord {
  int32_t code = 0;
  char name[kNameBytes * 2] = {};
};

struct BufferRecord {
  char name[kNameBytes] = {};
  uint64_t bytes = 0;  ///< as asked for
};

struct CaseReply {
  static constexpr MessageType kType = MessageType::kCaseReply;
  Header header;
  CallStatus status{};
  char text[kTextBytes] = {};
  ErrorRecord returned;         ///< what the entry point returned
  ErrorRecord last_error;       ///< cudaGetLastError right after it
  ErrorRecord synchronise;      ///< cudaDeviceSynchronize after that
  uint32_t outputs_copied = 0;  ///< 1 when tensors, guards and captures hold the device's bytes
  uint32_t guards_present = 0;  ///< 1 when buffers have guard bands
  uint32_t captured[kMaxCaptures] = {};  ///< 1 when that buffer was found with the expected size
  uint32_t buffer_count = 0;             ///< the tensors first, then the workspace in order
  BufferRecord buffers[kMaxBuffers];
  uint64_t workspace_bytes = 0;      ///< sum of what the workspace gave
  uint32_t refused_allocations = 0;  ///< requests that did not fit
  uint64_t peak_device_bytes = 0;  ///< real GPU: what cudaMemGetInfo saw go; virtual: in the report
  uint64_t launches = 0;           ///< kernels that the call launched, on every device
  uint64_t launched_threads = 0;   ///< of their grids together
  uint64_t resets = 0;        ///< what the report's `resets` has to be, or counts were wiped out
  uint64_t report_bytes = 0;  ///< length of the JSON text in `report`; 0 on a real GPU
  double event_seconds = -1;  ///< between CUDA events around the call; negative when unknown
  double host_seconds = 0;    ///< host clock, call and synchronisation
};

/// A message that says all by its type; its id is that of the request.
template <MessageType Type>
struct Signal {
  static constexpr MessageType kType = Type;
  Header header;
};
using Ready = Signal<MessageType::kReady>;
using Go = Signal<MessageType::kGo>;
using Done = Signal<MessageType::kDone>;

static_assert(std::is_trivially_copyable_v<Hello> && std::is_trivially_copyable_v<Loaded>);
static_assert(std::is_trivially_copyable_v<CaseRequest> && std::is_trivially_copyable_v<CaseReply>);
inline constexpr uint32_t kMaxMessageBytes = 8192;
static_assert(sizeof(CaseReply) <= kMaxMessageBytes && sizeof(CaseRequest) <= kMaxMessageBytes);

/// Fills in the header of an outgoing message.
template <class Message>
void seal(Message& message, uint32_t id = 0) {
  message.header = {kMagic, kVersion, Message::kType, sizeof(Message), id};
}

/// Whether `bytes` bytes received are one whole message of this type.
template <class Message>
bool is_whole(const Message& message, uint64_t bytes) {
  const Header& header = message.header;
  return bytes == sizeof(Message) && header.magic == kMagic && header.version == kVersion &&
         header.type == Message::kType && header.size == sizeof(Message);
}

/// Whether a span lies inside `total` bytes of shared memory.
inline bool fits(const Span& span, uint64_t total) {
  return span.bytes <= total && span.offset <= total - span.bytes;
}

}  // namespace flashlab::protocol
