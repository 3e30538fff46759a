// For tests that run ethnet-sim as its users do, and for those that need real seconds to pass.
#pragma once

#include <array>
#include <cstdio>
#include <ctime>
#include <string>
#include <thread>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ethnet::sim {

struct Outcome {
  std::string output;
  int exit_code = -1;
};

inline Outcome run(const std::string& arguments) {
  const std::string command = std::string{ETHNET_BIN_DIR "/ethnet-sim "} + arguments + " 2>&1";
  Outcome result;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return result;
  std::array<char, 4'096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    result.output.append(buffer.data(), n);
  }
  const int status = ::pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

// Real seconds pass: GnuTLS stirs the wall-clock second into its generator. The kernel is asked for
// the time, so that no interposition is in the way.
inline void wait_for_another_second() {
  const auto second = [] {
    timespec now{};
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    return now.tv_sec;
  };
  for (const auto start = second(); second() < start + 2;) std::this_thread::yield();
}

}  // namespace ethnet::sim
