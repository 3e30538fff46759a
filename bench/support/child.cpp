#include "child.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <ctime>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ethnet::bench {
namespace {

constexpr const char* kThisProgram = "/proc/self/exe";

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe left");
  return ends;
}

std::uint64_t nanoseconds(const timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_nsec);
}
std::uint64_t nanoseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_usec) * 1'000U;
}

pid_t spawn(std::vector<std::string>& command, int input, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  if (command.front() != kThisProgram) {  // a peer's chatter
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = -1;
  const int error =
      ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), ::environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error(fmt::format("cannot start {}", command.front()));
  return pid;
}

}  // namespace

OnCore::OnCore(int core) {
  ::sched_getaffinity(0, sizeof before_, &before_);
  cpu_set_t one;
  CPU_ZERO(&one);
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  CPU_SET(static_cast<std::size_t>(core % std::max(cores, 1)), &one);
  ::sched_setaffinity(0, sizeof one, &one);
}
OnCore::~OnCore() { ::sched_setaffinity(0, sizeof before_, &before_); }

Child::Child(std::vector<std::string> command, int core) : command_{std::move(command)} {
  std::signal(SIGPIPE, SIG_IGN);  // a child that is gone is an error of write
  const auto to_child = make_pipe();
  const auto from_child = make_pipe();
  const OnCore pinned{core};
  in_ = to_child[1];
  out_ = from_child[0];
  pid_ = spawn(command_, to_child[0], from_child[1]);
  ::close(to_child[0]);
  ::close(from_child[1]);
}

Child Child::self(std::vector<std::string> arguments, int core) {
  arguments.insert(arguments.begin(), kThisProgram);
  return Child{std::move(arguments), core};
}

Child::Child(Child&& other) noexcept
    : command_{std::move(other.command_)},
      in_{std::exchange(other.in_, -1)},
      out_{std::exchange(other.out_, -1)},
      pid_{std::exchange(other.pid_, -1)},
      rest_{std::move(other.rest_)} {}

Child::~Child() {
  if (in_ >= 0) ::close(in_);
  if (out_ >= 0) ::close(out_);
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Child::say(std::string_view line) const {
  const std::string text = std::string{line} + "\n";
  if (::write(in_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error(fmt::format("{} is gone", command_.front()));
  }
}

std::string Child::line() {
  std::size_t end = rest_.find('\n');
  while (end == std::string::npos) {
    std::array<char, 4096> buffer{};
    const ssize_t n = ::read(out_, buffer.data(), buffer.size());
    if (n <= 0) throw std::runtime_error(fmt::format("{} ended early", fmt::join(command_, " ")));
    rest_.append(buffer.data(), static_cast<std::size_t>(n));
    end = rest_.find('\n');
  }
  std::string first = rest_.substr(0, end);
  rest_.erase(0, end + 1);
  return first;
}

double Child::number(std::string_view word) {
  const std::string text = line();
  if (!text.starts_with(word)) {
    throw std::runtime_error(fmt::format("{} said '{}'", fmt::join(command_, " "), text));
  }
  return std::stod(text.substr(word.size()));
}

std::uint64_t Child::cpu_ns() const {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &time) != 0) {
    throw std::runtime_error(fmt::format("{} is gone", command_.front()));
  }
  return nanoseconds(time);
}

std::uint64_t Child::resident_bytes() const {
  std::ifstream status{fmt::format("/proc/{}/status", pid_)};
  for (std::string text; std::getline(status, text);) {
    if (text.starts_with("RssAnon:")) return std::stoull(text.substr(8)) * 1024;
  }
  throw std::runtime_error(fmt::format("{} is gone", command_.front()));
}

std::uint64_t Child::wait() {
  int status = 0;
  rusage usage{};
  if (::wait4(std::exchange(pid_, -1), &status, 0, &usage) < 0 || !WIFEXITED(status) ||
      WEXITSTATUS(status) != 0) {
    throw std::runtime_error(fmt::format("{} failed", fmt::join(command_, " ")));
  }
  return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
}

std::optional<std::string> find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders{std::string{path == nullptr ? "" : path} + ":/usr/sbin"};
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string whole = folder + "/" + name;
    if (::access(whole.c_str(), X_OK) == 0) return whole;
  }
  return std::nullopt;
}

void wait_for_udp_port(std::uint16_t port) {
  const std::string wanted = fmt::format(":{:04X} ", port);
  for (int tries = 0; tries < 1000; ++tries) {
    std::ifstream sockets{"/proc/net/udp"};
    for (std::string text; std::getline(sockets, text);) {
      if (text.find(wanted) < 20) return;  // the local address comes first
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  throw std::runtime_error(fmt::format("nobody bound port {}", port));
}

std::uint16_t free_udp_port() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, generic, size) != 0 || ::getsockname(fd, generic, &size) != 0) {
    throw std::runtime_error("no UDP port left");
  }
  ::close(fd);
  return ntohs(address.sin_port);
}

std::uint64_t thread_cpu_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return nanoseconds(time);
}

}  // namespace ethnet::bench
