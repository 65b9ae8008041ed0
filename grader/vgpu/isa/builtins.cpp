#include "isa/builtins.hpp"

#include <bit>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string>

#include "isa/isa.hpp"
#include "machine/block.hpp"

namespace vgpu {
namespace {

/// Where `bytes` bytes at a generic address lie on the host, for one lane; nullptr when they are
/// not accessible.
const uint8_t* host_address(const Warp& w, uint64_t address, size_t bytes, int lane) {
  const uint64_t window = address & kWindowMask;
  const uint64_t offset = address & ~kWindowMask;
  if (window == kSharedWindow)
    return offset + bytes <= w.shared_bytes ? w.shared + offset : nullptr;
  if (window == kLocalWindow) {
    return offset + bytes <= w.local_bytes
               ? w.local + static_cast<size_t>(lane) * w.local_bytes + offset
               : nullptr;
  }
  AccessCache cache;
  if (!w.block->find_allocation(address, cache) || address + bytes > cache.end) return nullptr;
  return reinterpret_cast<const uint8_t*>(address);
}

std::string device_string(const Warp& w, uint64_t address, int lane) {
  std::string text;
  for (constexpr size_t kLongest = 1 << 16; text.size() < kLongest; ++address) {
    const uint8_t* byte = host_address(w, address, 1, lane);
    if (byte == nullptr || *byte == 0) break;
    text += static_cast<char>(*byte);
  }
  return text;
}

/// Takes the arguments of one printf from the buffer that the compiler laid out: each aligned to
/// its size, 4 or 8 bytes.
struct Arguments {
  const Warp& w;
  uint64_t address;
  int lane;
  uint64_t offset = 0;
  int taken = 0;

  uint64_t take(size_t size) {
    ++taken;
    offset = (offset + size - 1) / size * size;
    uint64_t value = 0;
    if (const uint8_t* from = host_address(w, address + offset, size, lane))
      std::memcpy(&value, from, size);
    offset += size;
    return value;
  }
};

template <class T>
void append(std::string& out, const std::string& spec, T value) {
  char buffer[512];
  const int length = std::snprintf(buffer, sizeof buffer, spec.c_str(), value);
  if (length > 0)
    out.append(buffer, std::min<size_t>(static_cast<size_t>(length), sizeof buffer - 1));
}

/// `taken`: arguments of the text, what printf returns in a kernel.
std::string format(const std::string& text, Arguments arguments, int& taken) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    std::string spec = "%";
    bool is_long = false;
    for (++i; i < text.size() && std::strchr("-+ #0123456789.*lhjzt", text[i]) != nullptr; ++i) {
      if (text[i] == '*') {
        spec += std::to_string(static_cast<int>(arguments.take(4)));
      } else if (std::strchr("lhjzt", text[i]) != nullptr) {
        is_long |= text[i] != 'h';
      } else {
        spec += text[i];
      }
    }
    if (i >= text.size()) break;
    const char kind = text[i];
    switch (kind) {
      case '%':
        out += '%';
        break;
      case 'd':
      case 'i':
        if (is_long)
          append(out, spec + "lld", static_cast<long long>(arguments.take(8)));
        else
          append(out, spec + "d", static_cast<int>(arguments.take(4)));
        break;
      case 'u':
      case 'x':
      case 'X':
      case 'o':
        if (is_long)
          append(out, spec + "ll" + kind, static_cast<unsigned long long>(arguments.take(8)));
        else
          append(out, spec + kind, static_cast<unsigned>(arguments.take(4)));
        break;
      case 'c':
        append(out, spec + kind, static_cast<int>(arguments.take(4)));
        break;
      case 'f':
      case 'F':
      case 'e':
      case 'E':
      case 'g':
      case 'G':
      case 'a':
      case 'A':
        append(out, spec + kind, std::bit_cast<double>(arguments.take(8)));
        break;
      case 'p':
        append(out, spec + "p", reinterpret_cast<void*>(arguments.take(8)));
        break;
      case 's':
        append(out, spec + "s",
               device_string(arguments.w, arguments.take(8), arguments.lane).c_str());
        break;
      default:
        out += spec + kind;
    }
  }
  taken = arguments.taken;
  return out;
}

}  // namespace

void device_print(Warp& w, const Op* op) {
  static std::mutex output;
  for (int lane = 0; lane < kWarpSize; ++lane) {
    if ((w.active >> lane & 1) == 0) continue;
    int taken = 0;
    const std::string text = format(device_string(w, w.lanes<uint64_t>(op->a)[lane], lane),
                                    {w, w.lanes<uint64_t>(op->b)[lane], lane}, taken);
    const std::lock_guard lock(output);
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (op->d != isa::kNone) w.lanes<int32_t>(op->d)[lane] = taken;
  }
}

void device_allocate(Warp& w, const Op* op) {
  const uint64_t* const bytes = w.lanes<uint64_t>(op->a);
  for (uint32_t left = w.active; left != 0; left &= left - 1) {
    const int lane = std::countr_zero(left);
    w.lanes<uint64_t>(op->d)[lane] = w.block->context.heap->allocate(bytes[lane]);
  }
}

void device_free(Warp& w, const Op* op) {
  for (uint32_t left = w.active; left != 0; left &= left - 1) {
    const int lane = std::countr_zero(left);
    const uint64_t address = w.lanes<uint64_t>(op->a)[lane];
    if (address == 0 || w.block->context.heap->free(address)) continue;
    w.fault(FaultCode::Trap, op, lane,
            "free or delete of memory that malloc or new has not given, or that was freed before",
            w.block->context.memory->describe(address));
  }
}

void device_unsupported(Warp& w, const Op* op) {
  const Site& site = w.block->context.kernel->sites[op->site];
  w.fault(FaultCode::Unsupported, op, std::countr_zero(w.active),
          "the virtual GPU does not know the instruction `" + site.mnemonic + "`",
          "nothing was computed for it; the program needs a real GPU");
}

void device_assert(Warp& w, const Op* op) {
  const int lane = std::countr_zero(w.active);
  const auto text = [&](uint32_t offset) {
    return device_string(w, w.lanes<uint64_t>(offset)[lane], lane);
  };
  w.fault(
      FaultCode::Assert, op, lane, "assertion `" + text(op->a) + "` failed",
      text(op->b) + ":" + std::to_string(w.lanes<uint32_t>(op->c)[lane]) + ", in " + text(op->d));
}

void call_compiled(CompiledCode code, uint8_t* registers, const uint8_t* const* shared,
                   uint32_t rows) {
  code(registers, shared, rows);
}

}  // namespace vgpu
