#include "log_watcher.hpp"

#include <chrono>
#include <utility>

namespace ethnet::observe {
namespace {

constexpr std::chrono::milliseconds kRest{1};

}  // namespace

LogWatcher::LogWatcher(EventLog& log, std::function<void()> on_change)
    : log_{log}, on_change_{std::move(on_change)}, thread_{[this] { run(); }} {}

LogWatcher::~LogWatcher() {
  {
    const std::scoped_lock lock{mutex_};
    ended_ = true;
  }
  end_.notify_all();
  log_.wake();
  thread_.join();
}

void LogWatcher::run() {
  while (!ended_) {
    const std::uint64_t version = log_.version();
    // Also where nobody reads: what is appended has room until somebody looks.
    (void)log_.newest();
    on_change_();
    rest();
    log_.wait(version);
  }
}

void LogWatcher::rest() {
  std::unique_lock lock{mutex_};
  (void)end_.wait_for(lock, kRest, [this] { return ended_.load(); });
}

}  // namespace ethnet::observe
