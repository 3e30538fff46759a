#include "peer_process.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <utility>

#include <base/hex.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ethnet::bench {

struct PeerProcess::Pipes {
  int in = -1;   // we write
  int out = -1;  // we read
  pid_t pid = -1;
  std::string rest;  // read beyond the last line
};

namespace {

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe left");
  return ends;
}

pid_t spawn(std::vector<std::string>& command, int input, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  std::vector<char*> arguments;
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

PeerProcess::PeerProcess(std::vector<std::string> command)
    : pipes_{std::make_unique<Pipes>()}, command_{std::move(command)} {
  const auto to_peer = make_pipe();
  const auto from_peer = make_pipe();
  std::signal(SIGPIPE, SIG_IGN);  // a peer that is gone is an error of write
  pipes_->in = to_peer[1];
  pipes_->out = from_peer[0];
  pipes_->pid = spawn(command_, to_peer[0], from_peer[1]);
  ::close(to_peer[0]);
  ::close(from_peer[1]);
}

PeerProcess::~PeerProcess() {
  ::close(pipes_->in);
  ::close(pipes_->out);
  ::waitpid(pipes_->pid, nullptr, 0);
}

std::string PeerProcess::ask(const std::string& command) {
  const std::string line = command + "\n";
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t n = ::write(pipes_->in, line.data() + sent, line.size() - sent);
    if (n <= 0) throw std::runtime_error(fmt::format("{} is gone", command_.back()));
    sent += static_cast<std::size_t>(n);
  }
  std::string& rest = pipes_->rest;
  std::size_t end = rest.find('\n');
  while (end == std::string::npos) {
    std::array<char, 4096> buffer{};
    const ssize_t n = ::read(pipes_->out, buffer.data(), buffer.size());
    if (n <= 0) throw std::runtime_error(fmt::format("{} is gone", command_.back()));
    rest.append(buffer.data(), static_cast<std::size_t>(n));
    end = rest.find('\n');
  }
  std::string answer = rest.substr(0, end);
  rest.erase(0, end + 1);
  if (answer.starts_with("error"))
    throw std::runtime_error(fmt::format("{}: {}", command_.back(), answer));
  return answer;
}

void PeerProcess::load(const std::string& name, ByteView data) {
  ask(fmt::format("load {} {}", name, to_hex(data)));
}

std::string PeerProcess::check(const std::string& area, const std::string& name) {
  return ask(fmt::format("check {} {}", area, name));
}

Side PeerProcess::side(const std::string& peer, const std::string& area, const std::string& name) {
  return {peer, [this, area, name](std::uint64_t items) {
            return std::stoull(ask(fmt::format("run {} {} {}", area, name, items)));
          }};
}

}  // namespace ethnet::bench
