#include "stop_signals.hpp"

#include <utility>

namespace ethnet::runtime {

StopSignals::StopSignals() {
  sigset_t held{};
  ::sigemptyset(&held);
  ::sigaddset(&held, SIGINT);
  ::sigaddset(&held, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &held, &before_);
}

bool StopSignals::pending() const {
  sigset_t waiting{};
  ::sigpending(&waiting);
  return ::sigismember(&waiting, SIGINT) == 1 || ::sigismember(&waiting, SIGTERM) == 1;
}

void StopSignals::release() {
  if (std::exchange(held_, false)) ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void ignore_file_size_signal() { std::signal(SIGXFSZ, SIG_IGN); }

}  // namespace ethnet::runtime
