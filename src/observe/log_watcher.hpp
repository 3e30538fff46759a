// A thread that takes in what is appended to an EventLog, and calls `on_change` after it: at once
// after a quiet time, and then once a millisecond at most. To wake a thread costs the node's own
// more than all else of an event does; who rests is not woken.
// Several may watch one log; the node's thread waits for none of them.
// Threading: `on_change` runs on the watcher's thread, once at its start and after each change of
// the log. The destructor waits for it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
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
  void rest();

  EventLog& log_;
  std::function<void()> on_change_;
  std::atomic<bool> ended_{false};
  std::mutex mutex_;  // of the rest
  std::condition_variable end_;
  std::thread thread_;
};

}  // namespace ethnet::observe
