// A process that a benchmark measures from outside: this program in another role, or a peer's.
// Pinned to one core; its output is read by lines, its CPU time and memory from the kernel.
//
// Threading: everything on the calling thread. A child never outlives its object.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sched.h>
#include <sys/types.h>

namespace ethnet::bench {

// While it lives, the calling thread, and what it starts, run on this core alone.
class OnCore {
 public:
  explicit OnCore(int core);
  OnCore(const OnCore&) = delete;
  OnCore& operator=(const OnCore&) = delete;
  ~OnCore();

 private:
  cpu_set_t before_{};
};

class Child {
 public:
  // The program is found on PATH. Throws std::runtime_error when it cannot be started.
  Child(std::vector<std::string> command, int core);
  // This program with other arguments.
  [[nodiscard]] static Child self(std::vector<std::string> arguments, int core);
  ~Child();  // ends it
  Child(Child&& other) noexcept;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void say(std::string_view line) const;
  // The next line of its output. Throws when there is none any more.
  [[nodiscard]] std::string line();
  // The number in the next line, behind the word that it has to begin with.
  [[nodiscard]] double number(std::string_view word);

  [[nodiscard]] std::uint64_t cpu_ns() const;          // of all its threads, so far
  [[nodiscard]] std::uint64_t resident_bytes() const;  // anonymous pages: no code, no files
  // Waits for its end: the CPU time of its whole life. Throws when it failed.
  std::uint64_t wait();

 private:
  std::vector<std::string> command_;
  int in_ = -1;   // we write
  int out_ = -1;  // we read
  pid_t pid_ = -1;
  std::string rest_;  // read beyond the last line
};

// The whole path of a program on PATH, or nothing.
[[nodiscard]] std::optional<std::string> find_program(const std::string& name);
// Until a UDP socket is bound to this port of this machine; throws after 10 s.
void wait_for_udp_port(std::uint16_t port);
[[nodiscard]] std::uint16_t free_udp_port();
// CPU time of the calling thread.
[[nodiscard]] std::uint64_t thread_cpu_ns();

}  // namespace ethnet::bench
