#include "machine_loop.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <stdexcept>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace ethnet::runtime {
namespace {

constexpr std::int64_t kLongestWaitMs = 60'000;

// Rounded up: a deadline that is nearly due would be asked about again and again.
int milliseconds_until(Instant at) {
  const std::int64_t ns = std::max<std::int64_t>(0, (at - os_now().mono).ns);
  return static_cast<int>(std::min(kLongestWaitMs, (ns + 999'999) / 1'000'000));
}

}  // namespace

SocketWaiter::SocketWaiter() {
  sigset_t stops;
  sigemptyset(&stops);
  sigaddset(&stops, SIGINT);
  sigaddset(&stops, SIGTERM);
  signals_ = ::signalfd(-1, &stops, SFD_NONBLOCK | SFD_CLOEXEC);
  if (signals_ < 0) throw std::runtime_error("cannot wait for signals: no file descriptor is left");
}
SocketWaiter::~SocketWaiter() { ::close(signals_); }

SocketWaiter::Ready SocketWaiter::wait(const UdpSocket& socket, bool want_writable,
                                       Instant until) const {
  const short wanted = want_writable ? POLLIN | POLLOUT : POLLIN;
  std::array<pollfd, 2> fds{pollfd{socket.fd(), wanted, 0}, pollfd{signals_, POLLIN, 0}};
  const int timeout =
      until.is_never() ? static_cast<int>(kLongestWaitMs) : milliseconds_until(until);
  if (::poll(fds.data(), fds.size(), timeout) <= 0) return {};
  const bool stopped = fds[1].revents != 0;
  signalfd_siginfo taken{};  // or it would be delivered once nobody holds it back any more
  if (stopped) (void)!::read(signals_, &taken, sizeof taken);
  return {.readable = (fds[0].revents & (POLLIN | POLLERR)) != 0,
          .writable = (fds[0].revents & POLLOUT) != 0,
          .stopped = stopped};
}

}  // namespace ethnet::runtime
