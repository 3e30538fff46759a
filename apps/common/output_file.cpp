#include "output_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include <base/printable.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <store/descriptor.hpp>
#include <sys/stat.h>
#include <unistd.h>

namespace ethnet::app {
namespace {

using store::Descriptor;

namespace fs = std::filesystem;

constexpr mode_t kPermissions = 0777;

// The new file gets the mode of the one that it replaces, and its owner where the system lets us.
// A group that it cannot have gets no more than everybody. Not 0: it failed, and errno.
int take_after(const struct stat& before, int fd) {
  struct stat now{};
  mode_t mode = before.st_mode & kPermissions;
  const bool has_group = ::fchown(fd, before.st_uid, before.st_gid) == 0 ||
                         ::fchown(fd, static_cast<uid_t>(-1), before.st_gid) == 0;
  if (!has_group) mode &= ~mode_t{S_IRWXG} | ((mode & S_IRWXO) << 3U);
  if (::fstat(fd, &now) != 0) return -1;
  return (now.st_mode & kPermissions) == mode ? 0 : ::fchmod(fd, mode);
}

// The name beside a file under which it is written, gone at the end of the scope.
class NameBeside {
 public:
  explicit NameBeside(OutputTarget target) : target_{std::move(target)} {}
  NameBeside(const NameBeside&) = delete;
  NameBeside& operator=(const NameBeside&) = delete;
  ~NameBeside() {
    if (made_) ::unlink(name_.c_str());
  }
  // The descriptor, or -1. A run that was killed may have left a name, and in a container the next
  // one has its number.
  [[nodiscard]] int make() {
    const auto& before = target_.before;
    const int fd = open_new(before ? 0600 : 0666);
    if (fd < 0 || !before || take_after(*before, fd) == 0) return fd;
    const int error = errno;
    ::close(fd);
    errno = error;
    return -1;
  }
  [[nodiscard]] int keep() {
    const int result = ::rename(name_.c_str(), target_.path.c_str());
    made_ = result != 0;
    return result;
  }

 private:
  int open_new(mode_t mode) {
    int fd = -1;
    for (unsigned nth = 0; fd < 0 && nth < kMostNames; ++nth) {
      name_ = fmt::format("{}.part-{}-{}", target_.path, ::getpid(), nth);
      fd = ::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
      if (fd < 0 && errno != EEXIST) break;
    }
    made_ = fd >= 0;
    return fd;
  }

  static constexpr unsigned kMostNames = 64;
  OutputTarget target_;
  std::string name_;
  bool made_ = false;
};

// What no file can replace (a directory, a pipe, a device), and what the way there does not name:
// what /proc says of a descriptor's file that was deleted is no path of it.
bool is_in_place(const std::string& path, const OutputTarget& target) {
  struct stat is{};
  if (::stat(path.c_str(), &is) != 0) return false;
  const auto& before = target.before;
  return !S_ISREG(is.st_mode) || !before || before->st_dev != is.st_dev ||
         before->st_ino != is.st_ino;
}

}  // namespace

std::string refuse_no_file(const std::string& path) {
  return path.empty() ? "no file is named: the path is empty" : "";
}

OutputFile::OutputFile(std::string flag, std::string path)
    : flag_{std::move(flag)}, path_{std::move(path)} {}

void OutputFile::fail(int error) const {
  const std::string where = is_standard_output() ? "standard output" : printable(path_);
  throw std::runtime_error(
      fmt::format("{}: cannot write {}: {}", flag_, where, std::strerror(error)));
}

OutputTarget OutputFile::target() const {
  auto found = output_target(path_);
  if (!found) fail(found.error());
  return *std::move(found);
}

void OutputFile::check() const {
  if (!is_wanted() || is_standard_output()) return;
  OutputTarget to = target();
  if (is_in_place(path_, to)) {
    std::error_code ignored;
    if (fs::is_directory(path_, ignored)) fail(EISDIR);
    if (::access(path_.c_str(), W_OK) != 0) fail(errno);
    return;
  }
  NameBeside beside{std::move(to)};
  if (const Descriptor made{beside.make()}; !made.valid()) fail(errno);
}

void OutputFile::write(std::string_view text) const { write(text_bytes(text)); }

void OutputFile::write(ByteView bytes) const {
  if (!is_wanted()) return;
  if (is_standard_output()) return write_to(STDOUT_FILENO, bytes);
  OutputTarget to = target();
  if (!is_in_place(path_, to)) return replace(std::move(to), bytes);
  // After what it has. A link in the place of what was no link is not followed.
  const int no_link = to.path == path_ ? O_NOFOLLOW : 0;
  Descriptor out{::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | no_link)};
  if (!out.valid()) fail(errno);
  write_to(out.get(), bytes);
  if (out.close() != 0) fail(errno);
}

void OutputFile::write_to(int fd, ByteView bytes) const {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

// After a loss of power it is the one or the other, too.
void OutputFile::replace(OutputTarget target, ByteView bytes) const {
  NameBeside beside{std::move(target)};
  Descriptor out{beside.make()};
  if (!out.valid()) fail(errno);
  write_to(out.get(), bytes);
  if (::fsync(out.get()) != 0 || out.close() != 0 || beside.keep() != 0) fail(errno);
}

}  // namespace ethnet::app
