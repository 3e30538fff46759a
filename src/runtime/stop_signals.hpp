// SIGINT and SIGTERM, held back from the start of a program until somebody can take them (a
// NodeRunner): a stop during start-up is then a clean one too. Make it before any thread.
#pragma once

#include <csignal>

namespace ethnet::runtime {

class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals() { release(); }

  // One has come and waits.
  [[nodiscard]] bool pending() const;
  // What waits is delivered.
  void release();

 private:
  sigset_t before_{};
  bool held_ = true;
};

// A write beyond RLIMIT_FSIZE is an error of that write, not the death of the process.
void ignore_file_size_signal();

}  // namespace ethnet::runtime
