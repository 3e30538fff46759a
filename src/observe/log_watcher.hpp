// A thread that takes in what is appended to an EventLog, at once, and calls `on_change` after it.
// Several may watch one log; the node's thread waits for none of them.
// Threading: `on_change` runs on the watcher's thread, once at its start and after each change of
// the log. The destructor waits for it.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "event_log.hpp"

namespace ethnet::observe {

class LogWatcher {
 public:
  // The log outlives it.
  LogWatcher(EventLog& log, std::function<void()> on_change);
  ~LogWatcher();
  LogWatcher(const LogWatcher&) = delete;
  LogWatcher& operator=(const LogWatcher&) = delete;

 private:
  void run();

  EventLog& log_;
  std::function<void()> on_change_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace ethnet::observe
