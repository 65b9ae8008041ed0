#include "client/shared_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lab.hpp"
#include "text.hpp"

namespace flashlab::judge {

SharedMemory::SharedMemory(size_t bytes)
    : fd_(memfd_create("flashlab", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
  void* address = MAP_FAILED;
  if (fd_ >= 0 && ftruncate(fd_, static_cast<off_t>(bytes)) == 0 &&
      fcntl(fd_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
    address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  }
  if (address == MAP_FAILED) {
    const int reason = errno;
    if (fd_ >= 0) close(fd_);
    throw EnvironmentError(format("no shared memory of %zu bytes: %s", bytes, strerror(reason)));
  }
  bytes_ = {static_cast<std::byte*>(address), bytes};
}

SharedMemory::~SharedMemory() {
  munmap(bytes_.data(), bytes_.size());
  close(fd_);
}

}  // namespace flashlab::judge
