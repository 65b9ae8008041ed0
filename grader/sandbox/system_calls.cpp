#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <system_error>
#include <vector>

#include "confine.hpp"

namespace flashlab::sandbox {
namespace {

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64;
#endif
constexpr unsigned kNone = ~0u;               // no family of sockets
constexpr unsigned kOtherTable = 0x40000000;  // x32: the same calls under other numbers

constexpr long kForbidden[] = {
    // the network, and other ways to meet a process of somebody else
    SYS_connect, SYS_add_key, SYS_request_key, SYS_keyctl, SYS_mq_open, SYS_shmget, SYS_semget,
    SYS_msgget,
    // other processes: their memory, files and threads
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_open, SYS_pidfd_getfd,
    SYS_pidfd_send_signal, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_tkill, SYS_kcmp,
    SYS_process_madvise,
    // parts of the kernel that only administrators and attackers need
    SYS_unshare, SYS_setns, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_bpf,
    SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter,
    SYS_io_uring_register, SYS_init_module, SYS_finit_module, SYS_kexec_load, SYS_open_tree,
    SYS_move_mount, SYS_fsopen, SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_syslog, SYS_acct,
    SYS_swapon, SYS_reboot, SYS_quotactl};

/// Signals may go to oneself only: the number of this process stays when it executes the command.
constexpr long kSignals[] = {SYS_kill, SYS_tgkill};

constexpr sock_filter load(size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset));
}
constexpr sock_filter skip_unless_equal(unsigned value, unsigned char skip) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip);
}
constexpr sock_filter answer(unsigned what) {
  return BPF_STMT(BPF_RET | BPF_K, what);
}

std::vector<sock_filter> filter(bool gpu) {
  constexpr size_t kNumber = offsetof(seccomp_data, nr);
  constexpr size_t kFirst = offsetof(seccomp_data, args);  // its lower half: little-endian
  constexpr size_t kSecond = kFirst + sizeof(seccomp_data::args[0]);
  const sock_filter refuse = answer(SECCOMP_RET_ERRNO | EPERM);
  std::vector<sock_filter> code = {
      load(offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0),
      answer(SECCOMP_RET_KILL_PROCESS),
      load(kNumber),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kOtherTable, 0, 1),
      refuse,
  };
  for (const long call : kForbidden) {
    code.push_back(skip_unless_equal(static_cast<unsigned>(call), 1));
    code.push_back(refuse);
  }
  // A datagram needs no connection, so that sockets for them stay forbidden.
  code.push_back(skip_unless_equal(SYS_socket, 6));
  code.insert(
      code.end(),
      {load(kFirst), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, gpu ? unsigned{AF_UNIX} : kNone, 0, 2),
       load(kSecond), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SOCK_DGRAM, 0, 1), refuse,
       answer(SECCOMP_RET_ALLOW)});
  for (const long call : kSignals) {
    const auto self = static_cast<unsigned>(getpid());
    code.insert(code.end(), {skip_unless_equal(static_cast<unsigned>(call), 4), load(kFirst),
                             BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, self, 1, 0), refuse,
                             answer(SECCOMP_RET_ALLOW)});
  }
  // A new user name space comes by clone as well. The flags of clone3 lie in memory, which a filter
  // cannot see; the C library uses clone when there is no clone3.
  code.insert(code.end(), {skip_unless_equal(SYS_clone, 3), load(kFirst),
                           BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_NEWUSER, 0, 1), refuse,
                           load(kNumber), skip_unless_equal(SYS_clone3, 1),
                           answer(SECCOMP_RET_ERRNO | ENOSYS), answer(SECCOMP_RET_ALLOW)});
  return code;
}

}  // namespace

void confine_system_calls(bool gpu) {
  std::vector<sock_filter> code = filter(gpu);
  sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    throw std::system_error(errno, std::generic_category(), "this system has no seccomp filters");
  }
}

}  // namespace flashlab::sandbox
