// Asks those who know how others reach us, as --nat says, for as long as a node runs, and tells the
// node. On the runner's thread.
#pragma once

#include <cstdint>
#include <memory>

#include <base/log.hpp>
#include <runtime/node_runner.hpp>

#include "node_options.hpp"

namespace ethnet::app {

class NatService {
 public:
  // `port`: of QUIC, as bound. The runner and the log outlive it. Throws std::runtime_error with
  // one clear line where there is nobody to ask.
  NatService(const NodeOptions& options, runtime::NodeRunner& runner, std::uint16_t port, Log& log);
  NatService(const NatService&) = delete;
  NatService& operator=(const NatService&) = delete;
  // Mappings are given back.
  ~NatService();

 private:
  class Asker;
  class Race;
  class Stun;
  class Pmp;
  class Upnp;
  class Any;
  std::unique_ptr<Asker> asker_;  // null: nobody is asked
};

}  // namespace ethnet::app
