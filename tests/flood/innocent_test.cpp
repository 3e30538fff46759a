// Who is banned, and who only has the same address (attack 61): whole nodes over TLS.
#include <chain/producer.hpp>
#include <sim/hostile/hostile_peer.hpp>
#include <sim/sim_node.hpp>

#include "lab.hpp"

namespace ethnet::testing {
namespace {

using sim::HostId;

class Neighbourhood {
 public:
  explicit Neighbourhood(Lab& lab) : lab_{lab}, genesis_{chain::dev_genesis()} {
    lab.world.set_default_link({.latency = milliseconds(20), .jitter = milliseconds(5)});
  }

  HostId add_node(const std::string& endpoint, std::optional<HostId> dials = {}) {
    return add(endpoint, [this, dials](const sim::HostEnv& env) {
      node::NodeConfig config;
      config.listen = {env.local};
      config.genesis = genesis_;
      if (dials) config.peers.emplace_back().endpoint = lab_.world.endpoint(*dials);
      auto node =
          node::Node::make(env.now, std::move(config), key(env), env.rng, env.prng, env.log);
      CHECK(node.has_value());
      (*node)->start(env.now);
      return sim::make_machine_host<sim::SimNode>(env, {}, std::move(*node));
    });
  }

  HostId add_hostile(const std::string& endpoint, sim::Act act, HostId victim) {
    return add(endpoint, [this, act, victim](const sim::HostEnv& env) {
      sim::HostileConfig config;
      config.act = act;
      config.local = env.local;
      config.key = key(env);
      config.genesis = &genesis_;
      config.targets = [this, victim] { return std::vector{lab_.world.endpoint(victim)}; };
      return sim::make_machine_host<sim::HostilePeer>(env, {}, env.now, std::move(config), env.rng,
                                                      env.prng, env.log);
    });
  }

  [[nodiscard]] const node::Node& node(HostId host) const {
    const auto* found = lab_.world.machine<sim::SimNode>(host);
    CHECK(found != nullptr);
    return found->node();
  }

 private:
  static std::shared_ptr<const crypto::SecretKey> key(const sim::HostEnv& env) {
    return std::make_shared<const crypto::SecretKey>(crypto::SecretKey::generate(env.rng));
  }
  HostId add(const std::string& endpoint, sim::HostFactory factory) {
    sim::HostSpec spec;
    spec.endpoint = Endpoint::parse(endpoint).value();
    spec.factory = std::move(factory);
    const HostId host = lab_.world.add_host(std::move(spec));
    lab_.world.start(host);
    return host;
  }

  Lab& lab_;
  Genesis genesis_;
};

TEST(InnocentNeighbour, atk_61_AnHonestNodeBehindTheAddressOfABannedOneConnectsAtOnce) {
  in_lab(61, [](Lab& lab) {
    Neighbourhood hood{lab};
    const HostId victim = hood.add_node("50.1.1.1:9001");
    hood.add_hostile("60.1.1.1:9001", sim::Act::bad_signatures, victim);
    lab.run(seconds(20));
    ASSERT_EQ(hood.node(victim).scores().banned().size(), 1U);
    ASSERT_EQ(hood.node(victim).sessions().peer_count(), 0U);
    // The banned one goes on knocking, from the same address.
    const HostId honest = hood.add_node("60.1.1.1:9002", victim);
    lab.run(seconds(1));
    EXPECT_EQ(hood.node(honest).sessions().peer_count(), 1U) << "by its first dial";
    EXPECT_EQ(hood.node(victim).sessions().peer_count(), 1U);
    lab.run(seconds(60));
    EXPECT_EQ(hood.node(honest).sessions().peer_count(), 1U) << "and it stays";
    EXPECT_EQ(hood.node(victim).scores().banned().size(), 1U);
  });
}

// Some connections that never speak are always pending there, within what one address may have.
TEST(InnocentNeighbour, atk_61_AmongStormsFromItsOwnAddressAnHonestNodeConnectsWithinItsBackoff) {
  in_lab(161, [](Lab& lab) {
    Neighbourhood hood{lab};
    const HostId victim = hood.add_node("50.1.1.1:9001");
    hood.add_hostile("60.1.1.1:9001", sim::Act::mute, victim);
    hood.add_hostile("60.1.1.1:9003", sim::Act::session_storm, victim);
    lab.run(seconds(10));
    const HostId honest = hood.add_node("60.1.1.1:9002", victim);
    lab.run(seconds(30));  // the longest that it waits between two dials
    EXPECT_EQ(hood.node(honest).sessions().peer_count(), 1U);
    EXPECT_TRUE(hood.node(victim).sessions().find(hood.node(honest).id()).has_value());
  });
}

}  // namespace
}  // namespace ethnet::testing
