#include "boot_timer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace ethnet::runtime {
namespace {

int make_timer() {
  const int fd = ::timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0)
    throw std::runtime_error(fmt::format("cannot make a timer: {}", std::strerror(errno)));
  return fd;
}

}  // namespace

BootTimer::BootTimer(boost::asio::io_context& io, std::function<void()> fire)
    : descriptor_{io, make_timer()}, fire_{std::move(fire)} {
  wait();
}

void BootTimer::set(Instant at) {
  if (std::exchange(at_, at) == at) return;
  itimerspec spec{};
  if (!at.is_never()) {
    // Absolute; 0 would disarm it.
    const std::int64_t ns = std::max<std::int64_t>(at.ns, 1);
    spec.it_value.tv_sec = static_cast<time_t>(ns / 1'000'000'000);
    spec.it_value.tv_nsec = static_cast<long>(ns % 1'000'000'000);
  }
  ::timerfd_settime(descriptor_.native_handle(), TFD_TIMER_ABSTIME, &spec, nullptr);
}

void BootTimer::wait() {
  descriptor_.async_wait(
      boost::asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
        if (error) return;
        std::uint64_t expirations = 0;
        const auto n = ::read(descriptor_.native_handle(), &expirations, sizeof expirations);
        // Set anew between its expiry and now: not this time.
        if (n == sizeof expirations) {
          at_ = Instant::never();
          fire_();
        }
        wait();
      });
}

}  // namespace ethnet::runtime
