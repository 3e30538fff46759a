// DiscoveryScenario: what the scenarios of discovery alone share: hosts that speak discv5 and
// nothing else (discovery/host), each in a network of its own, the first of which are boot nodes of
// all others; and the oracle over all that live. Packets and cryptography are the real ones.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <crypto/secp256k1.hpp>
#include <discovery/host/host.hpp>

#include "../scenario.hpp"

namespace ethnet::sim {

inline constexpr HostId kDiscv5Boots = 4;  // boot nodes, which stay for ever

class DiscoveryScenario : public Scenario {
 public:
  // Of one host at a time, so that many cost no more than one: its table holds all its limits.
  [[nodiscard]] std::vector<std::unique_ptr<Checker>> make_checkers() override;
  // Boot nodes alone start by themselves.
  [[nodiscard]] bool starts_later(HostId host) const override { return host >= kDiscv5Boots; }

 protected:
  struct Plan {
    std::shared_ptr<const crypto::SecretKey> key;
    discovery::EnrPtr record;
    // What it knows from an earlier life, as claims.
    std::vector<kbucket::RecordPtr> remembered;
    Instant since;  // when it came last
  };

  // What discovery tells of host `host`.
  virtual void on_told(HostId host, const discovery::Event& event) { (void)host, (void)event; }

  // Adds them to the plans; all must be there before any other host.
  void add_nodes(World& world, const Prng& prng, HostId count);
  // With what it remembers.
  void begin(World& world, HostId host);
  void end(World& world, HostId host);
  // 0: it makes as many as it may already.
  [[nodiscard]] static std::uint64_t look_up(World& world, HostId host, const NodeId& target);
  [[nodiscard]] static const discovery::Host& discovery_of(const World& world, HostId host);
  [[nodiscard]] const std::set<HostId>& alive() const { return alive_; }
  [[nodiscard]] const NodeId& id_of(HostId host) const { return plans_[host].record->node_id(); }
  // A table that breaks its limits, if any.
  [[nodiscard]] std::optional<std::string> broken_table(const World& world) const;

  std::vector<Plan> plans_;

 private:
  [[nodiscard]] static Endpoint address_of(HostId host);
  [[nodiscard]] std::unique_ptr<Host> make_host(const HostEnv& env);

  std::set<HostId> alive_;
};

}  // namespace ethnet::sim
