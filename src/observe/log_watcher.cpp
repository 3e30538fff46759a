#include "log_watcher.hpp"

#include <utility>

namespace ethnet::observe {

LogWatcher::LogWatcher(EventLog& log, std::function<void()> on_change)
    : log_{log}, on_change_{std::move(on_change)}, thread_{[this] { run(); }} {}

LogWatcher::~LogWatcher() {
  ended_ = true;
  log_.wake();
  thread_.join();
}

void LogWatcher::run() {
  while (!ended_) {
    const std::uint64_t version = log_.version();
    // Also where nobody reads: what is appended has room until somebody looks.
    (void)log_.newest();
    on_change_();
    log_.wait(version);
  }
}

}  // namespace ethnet::observe
