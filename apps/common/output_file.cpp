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

// The name beside a file under which it is written, gone at the end of the scope.
class NameBeside {
 public:
  // A link stays one: what it leads to is written.
  explicit NameBeside(const std::string& path) {
    std::error_code error;
    const fs::path resolved = fs::canonical(path, error);
    target_ = error ? path : resolved.string();
  }
  NameBeside(const NameBeside&) = delete;
  NameBeside& operator=(const NameBeside&) = delete;
  ~NameBeside() {
    if (made_) ::unlink(name_.c_str());
  }
  // The descriptor, or -1. A run that was killed may have left a name, and in a container the next
  // one has its number.
  [[nodiscard]] int make() {
    int fd = -1;
    for (unsigned nth = 0; fd < 0 && nth < kMostNames; ++nth) {
      name_ = fmt::format("{}.part-{}-{}", target_, ::getpid(), nth);
      fd = ::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (fd < 0 && errno != EEXIST) break;
    }
    made_ = fd >= 0;
    return fd;
  }
  [[nodiscard]] int keep() {
    const int result = ::rename(name_.c_str(), target_.c_str());
    made_ = result != 0;
    return result;
  }

 private:
  static constexpr unsigned kMostNames = 64;
  std::string target_;
  std::string name_;
  bool made_ = false;
};

bool is_standard_output(const std::string& path) { return path == "-"; }

// What cannot be replaced by a file: a directory, a pipe, a device.
bool is_no_file(const std::string& path) {
  struct stat what{};
  return ::stat(path.c_str(), &what) == 0 && !S_ISREG(what.st_mode);
}

}  // namespace

OutputFile::OutputFile(std::string flag, std::string path)
    : flag_{std::move(flag)}, path_{std::move(path)} {}

void OutputFile::fail(int error) const {
  const std::string where = is_standard_output(path_) ? "standard output" : printable(path_);
  throw std::runtime_error(
      fmt::format("{}: cannot write {}: {}", flag_, where, std::strerror(error)));
}

void OutputFile::check() const {
  if (!is_wanted() || is_standard_output(path_)) return;
  if (is_no_file(path_)) {
    std::error_code ignored;
    if (fs::is_directory(path_, ignored)) fail(EISDIR);
    if (::access(path_.c_str(), W_OK) != 0) fail(errno);
    return;
  }
  NameBeside beside{path_};
  if (const Descriptor made{beside.make()}; !made.valid()) fail(errno);
}

void OutputFile::write(std::string_view text) const {
  if (!is_wanted()) return;
  if (is_standard_output(path_)) return write_to(STDOUT_FILENO, text);
  if (!is_no_file(path_)) return replace(text);
  Descriptor out{::open(path_.c_str(), O_WRONLY | O_CLOEXEC)};
  if (!out.valid()) fail(errno);
  write_to(out.get(), text);
  if (out.close() != 0) fail(errno);
}

void OutputFile::write_to(int fd, std::string_view text) const {
  while (!text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(errno);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

// After a loss of power it is the one or the other, too.
void OutputFile::replace(std::string_view text) const {
  NameBeside beside{path_};
  Descriptor out{beside.make()};
  if (!out.valid()) fail(errno);
  write_to(out.get(), text);
  if (::fsync(out.get()) != 0 || out.close() != 0 || beside.keep() != 0) fail(errno);
}

}  // namespace ethnet::app
