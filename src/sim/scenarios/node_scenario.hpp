// NodeScenario: what the scenarios of whole nodes share: their keys and plans, the host of each,
// the resolver, the checkers (node_checkers.hpp) and the question whether two nodes hold the two
// ends of one session. A scenario draws the plans and says what the world must come to.
// Nodes have the transport of the scenario's fidelity (../fidelity.hpp), and the development chain.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <crypto/secp256k1.hpp>
#include <node/node.hpp>

#include "../node_checkers.hpp"
#include "../scenario.hpp"
#include "../sim_node.hpp"
#include "planted_bug.hpp"

namespace ethnet::sim {

class NodeScenario : public Scenario {
 public:
  explicit NodeScenario(PlantedBug bug);

  [[nodiscard]] std::vector<std::unique_ptr<Checker>> make_checkers() override;
  void on_healed(World& world) override;
  void on_end(const World& world) override;

 protected:
  enum class By : std::uint8_t {
    address,         // as it is at the start
    second_address,  // IPv6, beside it
    name,            // looked up at each dial
  };
  struct Dial {
    HostId to = 0;
    By by = By::address;
    bool expects = false;  // whom it will find there
  };
  struct Plan {
    std::shared_ptr<const crypto::SecretKey> key;
    NodeId id;
    chain::RuleChoice fork_choice;
    node::ProducerConfig producer;
    std::vector<Dial> dials;
    std::size_t max_peers = 16;
    std::optional<std::size_t> retry_above;
    // Versions of mini-sync, and what nobody has use for; none: what a node offers that was not
    // told.
    std::vector<session::Capability> offers;
    bool discovery = false;
    Bytes saved;  // what its discovery has of an earlier run
    std::vector<dns::Link> dns_trees;
    bool das = false;
    std::uint64_t losses_seen = 0;  // of its disk
  };

  // What a node tells, as its observers hear it; after the checkers' watch.
  virtual void on_told(HostId host, const node::NodeEvent& event) { (void)host, (void)event; }

  // What plans name their rules from; those of the chain unless it is called.
  void use_rules(chain::RuleBook rules) { rules_ = std::move(rules); }
  // Makes `count` plans with keys, and their hosts. Dials are drawn afterwards: hosts start later.
  void add_nodes(World& world, Chaos& chaos, Prng& prng, HostId count);
  // At `mem`: how long acknowledgements wait for something to travel with (MemoryConfig). For
  // scenarios whose links lose nothing.
  void set_ack_delay(Duration delay) { ack_delay_ = delay; }
  // Where a node is; nothing: where the world puts it, on a LAN.
  [[nodiscard]] virtual std::optional<Endpoint> address_of(HostId host) const {
    (void)host;
    return std::nullopt;
  }
  // The texts of a name in this world's DNS; null: there is no such name.
  [[nodiscard]] virtual const std::vector<std::string>* texts_of(const std::string& name) const {
    (void)name;
    return nullptr;
  }
  // A block on the head of this node, sealed by it.
  void seal_block(World& world, HostId host, std::string_view extra);
  [[nodiscard]] static const node::Node& node_of(const World& world, HostId host);
  [[nodiscard]] const Genesis& genesis() const { return genesis_; }
  // A host that is down, if any.
  [[nodiscard]] std::optional<std::string> missing_host(const World& world) const;
  // Exactly one each is the checkers' business; here both must have it, and be its two ends.
  [[nodiscard]] std::optional<std::string> missing_session(const World& world, HostId a,
                                                           HostId b) const;

  // Branches of the same height may both be kept for ever, each where it came first: one more block
  // on the highest decides. What node is not as high, if any; the block is sealed all the same.
  [[nodiscard]] std::optional<std::string> seal_last_block(World& world);
  // A node whose head is another than that of node 0, or which has not stored it.
  [[nodiscard]] std::optional<std::string> missing_head(const World& world) const;
  // Every look-up of a node that ends.
  virtual void on_looked_up(HostId host, const discv_lite::LookupDone& done) {
    (void)host, (void)done;
  }
  // A table of the node that is not as it was before its start.
  [[nodiscard]] static std::optional<std::string> kept_table(const World& world, HostId host);
  [[nodiscard]] bool healed() const { return healed_; }
  [[nodiscard]] PlantedBug bug() const { return bug_; }
  [[nodiscard]] NodeWatch& watch() { return watch_; }

  std::vector<Plan> plans_;

 private:
  [[nodiscard]] static std::vector<session::Capability> offer_of(const Plan& plan);
  [[nodiscard]] std::unique_ptr<Host> make_host(const HostEnv& env);
  [[nodiscard]] std::unique_ptr<node::Node> make_node(const HostEnv& env);
  [[nodiscard]] Result<std::unique_ptr<node::Node>> make_bare_node(const HostEnv& env) const;
  [[nodiscard]] node::NodeConfig make_config(const HostEnv& env) const;
  void on_node_event(HostId host, const node::NodeEvent& event);
  void on_session_event(HostId host, const session::SessionEvent& event);
  void look_up(HostId host, const node::ResolveWanted& wanted);
  void look_up(HostId host, const node::TextsWanted& wanted);

  PlantedBug bug_;
  chain::RuleBook rules_;
  Genesis genesis_;
  World* world_ = nullptr;
  NodeWatch watch_;
  std::optional<Duration> ack_delay_;
  bool healed_ = false;
};

}  // namespace ethnet::sim
