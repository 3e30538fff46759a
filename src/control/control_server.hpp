// Serves ethnet.Control (proto/control.proto) on a Unix socket that only its owner can open.
//
// A call takes a thread of gRPC's until it ends, and waits at the desk; there are few of them.
// Threading: construct and destroy on one thread. Limits: below, and desk.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <node/snapshot.hpp>

#include "desk.hpp"

namespace ethnet::control {

// The owner's commands; each is one connection. More are closed at once, and counted.
inline constexpr std::size_t kMaxControlConnections = 16;
// Calls at once, each on a thread; more are told RESOURCE_EXHAUSTED.
inline constexpr std::size_t kMaxControlCalls = 16;
// Of one message in: a piece of what is published.
inline constexpr std::size_t kMaxControlMessageBytes = 1024 * 1024 + 1024;
// Of one message out, and copied on the node's thread at a time: a piece of what was fetched.
inline constexpr std::size_t kMaxPieceBytes = 1024 * 1024;

struct ControlConfig {
  std::string path;  // of the socket
  // A peer as a person writes it. Throws std::runtime_error.
  std::function<node::StaticPeer(const std::string&)> parse_peer;
  Desk::Post post;             // runs a turn on the node's thread, from any thread
  std::function<void()> stop;  // the node ends, from any thread
};

class ControlServer {
 public:
  // The desk outlives it. Throws std::runtime_error with one clear line when it cannot listen
  // there.
  ControlServer(ControlConfig config, Desk& desk);
  // Every call ends.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  // Any thread.
  [[nodiscard]] std::vector<node::Counter> counters() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ethnet::control
