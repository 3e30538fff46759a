#include "first_light.hpp"

#include <algorithm>
#include <utility>

#include <chain/producer.hpp>
#include <fmt/format.h>

#include "../node_checkers.hpp"
#include "../sim_node.hpp"

namespace ethnet::sim {
namespace {

constexpr std::int64_t kMostNodes = 10;
constexpr std::size_t kMaxPeers = 16;  // above kMostNodes also for the inbound part
constexpr Duration kLookUp = milliseconds(20);
// From healing, when all must have met: the longest backoff, a dial to an address that was left,
// and once more the backoff. (A dead session is found out sooner, by its ping: 35 s.)
constexpr Duration kLastBlock = seconds(90);

std::string describe(const node::NodeEvent& event) {
  if (const auto* up = std::get_if<node::SessionUp>(&event)) {
    return fmt::format("session up {} {}", up->peer.short_hex(), up->inbound ? "in" : "out");
  }
  if (const auto* down = std::get_if<node::SessionDown>(&event)) {
    return fmt::format("session down {} {}", down->peer.short_hex(), down->reason);
  }
  if (const auto* head = std::get_if<node::HeadMoved>(&event)) {
    return fmt::format("head {} {}", head->number, head->hash.short_hex());
  }
  if (const auto* reorg = std::get_if<node::Reorganised>(&event)) {
    return fmt::format("reorg {} -{} +{}", reorg->height, reorg->removed.size(),
                       reorg->added.size());
  }
  if (const auto* fork = std::get_if<node::ForkSeen>(&event)) {
    return fmt::format("fork {} {}", fork->height, fork->branch_head.short_hex());
  }
  if (const auto* sync = std::get_if<node::SyncMoved>(&event)) {
    return fmt::format("sync {} of {}", sync->imported, sync->target);
  }
  if (const auto* fatal = std::get_if<node::Fatal>(&event)) return "fatal " + fatal->what;
  return "look up";
}

class FirstLight final : public Scenario {
 public:
  explicit FirstLight(FirstLightBugs bugs) : bugs_{bugs}, genesis_{chain::dev_genesis()} {}

  void build(World& world, Chaos& chaos) override {
    world_ = &world;
    Prng prng = world.split("first-light");
    const auto count = static_cast<HostId>(prng.between(2, kMostNodes));
    plans_.resize(count);
    for (HostId i = 0; i < count; ++i) {
      SeededSecureRng rng{prng.split(fmt::format("key {}", i))};
      plans_[i].key = std::make_shared<crypto::SecretKey>(crypto::SecretKey::generate(rng));
      plans_[i].id = NodeId{crypto::node_id_of(plans_[i].key->public_key())};
      add_host(world, chaos);
    }
    draw_producers(prng);
    draw_dials(prng, chaos.has(Fault::rebind));
  }

  [[nodiscard]] std::vector<std::unique_ptr<Checker>> make_checkers() override {
    return make_node_checkers(watch_, kMaxPeers);
  }

  // Branches of the same height may both be kept for ever, each where it came first. So when all
  // had time to meet, one last block decides.
  void on_healed(World& world) override {
    healed_ = true;
    for (HostId i = 0; i < plans_.size(); ++i) {
      world.input<SimNode>(i, [](SimNode& m) { m.node().stop_producing(); });
    }
    world.after(kLastBlock, [this](World& w) { seal_last_block(w); });
  }

  [[nodiscard]] std::optional<std::string> missing(const World& world) override {
    if (!decided_) return "the last block is not sealed yet";
    if (late_) return late_;
    for (HostId i = 0; i < plans_.size(); ++i) {
      if (world.machine<SimNode>(i) == nullptr) return fmt::format("node {} is down", i);
    }
    for (HostId i = 0; i < plans_.size(); ++i) {
      for (const Dial& dial : plans_[i].dials) {
        if (auto wrong = missing_session(world, i, dial.to)) return wrong;
      }
    }
    const chain::ChainManager& first = node_of(world, 0).chain();
    for (HostId i = 0; i < plans_.size(); ++i) {
      const chain::ChainManager& chain = node_of(world, i).chain();
      if (chain.pending_batches() > 0) return fmt::format("node {} still stores", i);
      if (chain.head() == first.head()) continue;
      return fmt::format("node {} has head {} {}, node 0 has {} {}", i, chain.head().number,
                         chain.head().hash.short_hex(), first.head().number,
                         first.head().hash.short_hex());
    }
    return std::nullopt;
  }

 private:
  struct Dial {
    HostId to = 0;
    bool by_name = false;
    bool expects = false;
  };
  struct Plan {
    std::shared_ptr<const crypto::SecretKey> key;
    NodeId id;
    node::ProducerConfig producer;
    std::vector<Dial> dials;
  };

  [[nodiscard]] static const node::Node& node_of(const World& world, HostId host) {
    const SimNode* const machine = world.machine<SimNode>(host);
    CHECK(machine != nullptr);  // asked of running hosts only
    return machine->node();
  }

  void draw_producers(Prng& prng) {
    const auto producers = std::min<std::size_t>(prng.below(3) + 1, plans_.size());
    for (std::size_t i = 0; i < producers; ++i) {
      node::ProducerConfig& producer = plans_[i].producer;
      producer.enabled = true;
      producer.forks = prng.chance_ppm(600'000);
      producer.period = milliseconds(prng.between(1'000, 3'000));
    }
  }

  // A tree, so that all are connected, and some more; one edge in three is dialled from both sides.
  // Whose address changes must be dialled by name.
  void draw_dials(Prng& prng, bool names_only) {
    const auto add = [&](HostId from, HostId to) {
      const auto same = [to](const Dial& dial) { return dial.to == to; };
      if (from == to || std::ranges::any_of(plans_[from].dials, same)) return;
      Dial dial{.to = to};
      dial.by_name = prng.chance_ppm(250'000) || names_only;
      dial.expects = prng.chance_ppm(500'000);
      plans_[from].dials.push_back(dial);
    };
    const auto connect = [&](HostId a, HostId b) {
      const std::uint64_t way = prng.below(3);
      if (way != 0) add(a, b);
      if (way != 1) add(b, a);
    };
    for (HostId i = 1; i < plans_.size(); ++i) connect(i, static_cast<HostId>(prng.below(i)));
    for (std::uint64_t more = prng.below(plans_.size() + 1); more > 0; --more) {
      const auto a = static_cast<HostId>(prng.below(plans_.size()));
      connect(a, static_cast<HostId>(prng.below(plans_.size())));
    }
  }

  void add_host(World& world, Chaos& chaos) {
    HostSpec spec;
    spec.options = chaos.draw_host();
    spec.factory = [this](const HostEnv& env) {
      return make_machine_host<SimNode>(
          env,
          [this, host = env.index](Now, const node::NodeEvent& event) {
            watch_.on_event(host, event);
            if (const auto* wanted = std::get_if<node::ResolveWanted>(&event)) {
              look_up(host, *wanted);
            }
            return describe(event);
          },
          make_node(env));
    };
    world.add_host(std::move(spec));
  }

  [[nodiscard]] std::unique_ptr<node::Node> make_node(const HostEnv& env) {
    const Plan& plan = plans_[env.index];
    node::NodeConfig config;
    config.listen = {env.local};
    config.genesis = genesis_;
    config.max_peers = kMaxPeers;
    config.producer = plan.producer;
    if (healed_) config.producer.enabled = false;
    for (const Dial& dial : plan.dials) {
      node::StaticPeer peer;
      if (dial.by_name) {
        peer.host = fmt::format("node{}", dial.to);
      } else {
        peer.endpoint = world_->endpoint(dial.to);
      }
      if (dial.expects) peer.expected = plans_[dial.to].id;
      config.peers.push_back(std::move(peer));
    }
    auto node = node::Node::make(env.now, std::move(config), plan.key, env.rng, env.prng, env.log);
    CHECK(node.has_value());
    const std::size_t keep =
        env.records.size() - (bugs_.forgets_last_record && !env.records.empty() ? 1 : 0);
    for (std::size_t i = 0; i < keep; ++i) {
      const auto restored = (*node)->restore(env.records[i]);
      if (!restored) watch_.on_restore_failed(env.index, restored.error().message());
    }
    (*node)->start(env.now);
    watch_.on_start(env.index, **node);
    return std::move(*node);
  }

  void seal_last_block(World& world) {
    HostId highest = 0;
    const auto height = [&](HostId host) { return node_of(world, host).chain().head().number; };
    for (HostId i = 1; i < plans_.size(); ++i) {
      if (height(i) > height(highest)) highest = i;
    }
    for (HostId i = 0; i < plans_.size(); ++i) {
      if (height(i) < height(highest)) {
        late_ = fmt::format("when the last block is due, node {} has head {} and node {} has {}", i,
                            height(i), highest, height(highest));
      }
    }
    const Now now = world.now_at(highest);
    world.input<SimNode>(highest, [&](SimNode& m) {
      const chain::ChainManager& chain = m.node().chain();
      const auto parent = chain.pending_header(chain.pending_head().hash);
      CHECK(parent.has_value());
      const chain::HeaderInput block =
          chain::seal_signed(chain.config(), *parent, 0, *plans_[highest].key, "the last block");
      (void)m.node().import_headers(now, std::span{&block, 1}, {"scenario", "last block"});
    });
    decided_ = true;
  }

  // The resolver of this world: it always knows where a host is reached now.
  void look_up(HostId host, const node::ResolveWanted& wanted) {
    const HostId to = plans_[host].dials.at(wanted.target).to;
    world_->after(kLookUp, [host, to, target = wanted.target](World& world) {
      const Endpoint found = world.endpoint(to);
      const Now now = world.now_at(host);
      world.input<SimNode>(host,
                           [&](SimNode& m) { m.node().handle_resolved(now, target, {found}); });
    });
  }

  // Exactly one each is the checkers' business; here both must have it, and be its two ends.
  [[nodiscard]] std::optional<std::string> missing_session(const World& world, HostId a,
                                                           HostId b) const {
    const auto inbound = [&](HostId at, HostId peer) -> std::optional<bool> {
      const session::SessionManager& sessions = node_of(world, at).sessions();
      const auto handle = sessions.find(plans_[peer].id);
      if (!handle) return std::nullopt;
      return sessions.find(*handle)->inbound;
    };
    const auto at_a = inbound(a, b);
    const auto at_b = inbound(b, a);
    if (!at_a || !at_b) {
      return fmt::format("node {} dials {}: session {} here, {} there", a, b, at_a.has_value(),
                         at_b.has_value());
    }
    if (*at_a == *at_b) return fmt::format("nodes {} and {} hold different sessions", a, b);
    return std::nullopt;
  }

  FirstLightBugs bugs_;
  Genesis genesis_;
  World* world_ = nullptr;
  std::vector<Plan> plans_;
  NodeWatch watch_;
  bool healed_ = false;
  bool decided_ = false;
  std::optional<std::string> late_;
};

}  // namespace

ScenarioSpec make_first_light_spec(FirstLightBugs bugs) {
  return {.name = "first-light",
          .description = "two to ten nodes find each other, sync, fork and reorganise",
          .faults = kAllFaults,
          .safety = seconds(20),
          .liveness = seconds(120),
          .make = [bugs] { return std::make_unique<FirstLight>(bugs); }};
}

}  // namespace ethnet::sim
