// A timer on the clock of os_now(): CLOCK_BOOTTIME, which counts on while the machine sleeps. What
// became due meanwhile fires when it wakes; Asio's own timers would wait for the rest of their time
// awake. One thread, the io_context's.
#pragma once

#include <functional>

#include <base/instant.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace ethnet::runtime {

class BootTimer {
 public:
  // `fire` runs on `io`'s thread, once for each set() that comes due.
  BootTimer(boost::asio::io_context& io, std::function<void()> fire);
  BootTimer(const BootTimer&) = delete;
  BootTimer& operator=(const BootTimer&) = delete;

  // In place of what was set before; Instant::never() sets nothing.
  void set(Instant at);

 private:
  void wait();

  boost::asio::posix::stream_descriptor descriptor_;  // owns the timerfd
  std::function<void()> fire_;
  Instant at_ = Instant::never();
};

}  // namespace ethnet::runtime
