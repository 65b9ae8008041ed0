#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "confine.hpp"

namespace flashlab::sandbox {
namespace {

// Rights of files, as newer headers name them; each version of Landlock knows those of the earlier.
constexpr uint64_t kExecute = 1u << 0, kWriteFile = 1u << 1, kReadFile = 1u << 2;
constexpr uint64_t kReadFolder = 1u << 3, kTruncate = 1u << 14;
constexpr uint64_t kOfVersion1 = (1u << 13) - 1, kRefer = 1u << 13;
constexpr uint64_t kOfPlainFiles = kExecute | kWriteFile | kReadFile | kTruncate;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

uint64_t rights_of_version(long version) {
  return kOfVersion1 | (version >= 2 ? kRefer : 0) | (version >= 3 ? kTruncate : 0);
}

void allow(int rules, const std::string& path, uint64_t rights) {
  const int file = open(path.c_str(), O_PATH | O_CLOEXEC);
  if (file < 0) return;
  struct stat status {};
  if (fstat(file, &status) != 0) fail("fstat");
  if (!S_ISDIR(status.st_mode)) rights &= kOfPlainFiles;
  landlock_path_beneath_attr rule{rights, file};
  if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
    fail("landlock_add_rule");
  }
  close(file);
}

}  // namespace

void confine_files(const std::vector<std::string>& readable,
                   const std::vector<std::string>& writable) {
  const long version =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) fail("this system has no Landlock");
  const uint64_t all = rights_of_version(version);
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = all;
  const auto rules =
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
  if (rules < 0) fail("landlock_create_ruleset");
  for (const std::string& path : readable) allow(rules, path, kExecute | kReadFile | kReadFolder);
  for (const std::string& path : writable) allow(rules, path, all);
  if (syscall(SYS_landlock_restrict_self, rules, 0) != 0) fail("landlock_restrict_self");
  close(rules);
}

}  // namespace flashlab::sandbox
