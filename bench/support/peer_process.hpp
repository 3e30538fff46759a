// A peer's implementation in a process of its own, spoken to by lines: bench/compare/*/ says which.
// One command out, one answer in; the peer measures itself.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <base/bytes.hpp>

#include "paired.hpp"

namespace ethnet::bench {

class PeerProcess {
 public:
  // Starts the command, found on PATH. Throws std::runtime_error when it cannot be started.
  explicit PeerProcess(std::vector<std::string> command);
  ~PeerProcess();  // closes its input, which ends it, and waits
  PeerProcess(const PeerProcess&) = delete;
  PeerProcess& operator=(const PeerProcess&) = delete;

  // Throws std::runtime_error when the peer is gone, or answers with an error.
  std::string ask(const std::string& command);

  // Keeps `data` under `name` at the peer.
  void load(const std::string& name, ByteView data);
  // What the peer makes of it, as hex.
  std::string check(const std::string& area, const std::string& name);
  // The peer's side of a comparison; this object must outlive it.
  [[nodiscard]] Side side(const std::string& peer, const std::string& area,
                          const std::string& name);

 private:
  struct Pipes;
  std::unique_ptr<Pipes> pipes_;
  std::vector<std::string> command_;
};

}  // namespace ethnet::bench
