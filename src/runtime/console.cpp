#include "console.hpp"

#include <cerrno>
#include <string_view>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

namespace ethnet::runtime {
namespace {

// Back to the first column; erase to the end of the line (ECMA-48, EL).
constexpr std::string_view kErase = "\r\x1b[K";
constexpr std::size_t kFallbackWidth = 80;  // a terminal that does not say

void write_to(int fd, const std::string& bytes) {
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const auto n = ::write(fd, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nobody reads it; a node runs on
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::size_t width_of(int fd) {
  if (::isatty(fd) != 1) return 0;
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kFallbackWidth;
  return size.ws_col;
}

}  // namespace

Console::Console(Write write, Width width) : write_{std::move(write)}, width_{std::move(width)} {}
Console::Console(int fd)
    : Console{[fd](const std::string& bytes) { write_to(fd, bytes); },
              [fd] { return width_of(fd); }} {}
Console::~Console() { clear_status(); }

// The last column stays free: some terminals wrap when it is written.
std::string Console::shown() const { return status_.substr(0, width_() - 1); }

void Console::line(const std::string& text) {
  const std::lock_guard lock{mutex_};
  if (status_.empty() || !is_terminal()) {
    write_(text + "\n");
  } else {
    write_(std::string{kErase} + text + "\n" + shown());
  }
}

void Console::status(const std::string& text) {
  const std::lock_guard lock{mutex_};
  if (!is_terminal()) return;
  status_ = text;
  write_(std::string{kErase} + shown());
}

void Console::clear_status() {
  const std::lock_guard lock{mutex_};
  if (!std::exchange(status_, {}).empty() && is_terminal()) write_(std::string{kErase});
}

}  // namespace ethnet::runtime
