#include "storm.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "../hostile/hostile_peer.hpp"
#include "node_scenario.hpp"

namespace ethnet::sim {
namespace {

constexpr std::uint64_t kFewNodes = 6;
constexpr std::uint64_t kMostNodes = 30;
constexpr std::uint64_t kMostHostile = 3;
// From healing, when all honest nodes must have met and be equally high: see first_light.cpp.
constexpr Duration kLastBlock = seconds(90);
constexpr Duration kLook = milliseconds(500);  // how often the scenario looks whether to go on
constexpr Duration kGoodbye = seconds(40);     // idle timeout of connections, and some

class Storm final : public NodeScenario {
 public:
  explicit Storm(const StormOptions& options) : NodeScenario{options.bug}, act_{options.act} {}

  void build(World& world, Chaos& chaos) override {
    Prng prng = world.split("storm");
    const bool crowd = prng.below(16) == 0;
    const std::uint64_t few = 3 + prng.below(kFewNodes - 2);
    const std::uint64_t many = kFewNodes + 1 + prng.below(kMostNodes - kFewNodes);
    add_nodes(world, chaos, prng, at_most(crowd ? many : few));
    draw_nodes(prng.split("nodes"));
    draw_dials(prng.split("dials"), chaos.has(Fault::rebind));
    add_hostile(world, chaos, prng.split("hostile"));
    if (crowd) note("a crowd of nodes");
  }

  void on_healed(World& world) override {
    NodeScenario::on_healed(world);
    healed_at_ = world.now();
    for (HostId host = honest(); host < world.host_count(); ++host) {
      world.input<HostilePeer>(host, [](HostilePeer& m) { m.set_calm(); });
    }
    world.after(kLook, [this](World& w) { look(w); });
  }

  [[nodiscard]] std::optional<std::string> missing(const World& world) override {
    if (auto wrong = missing_host(world)) return wrong;
    if (late_) return late_;
    switch (stage_) {
      case Stage::meet:
        if (auto apart = missing_sessions(world)) return apart;
        return "the last block is not sealed yet";
      case Stage::decide:
        if (auto wrong = missing_head(world)) return wrong;
        return "nobody said goodbye yet";
      case Stage::part:
        for (HostId i = 0; i < honest(); ++i) {
          if (auto kept = kept_table(world, i)) return kept;
        }
        return std::nullopt;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<Duration> recovery() const override { return met_after_; }

 private:
  enum class Stage : std::uint8_t { meet, decide, part };

  [[nodiscard]] HostId honest() const { return static_cast<HostId>(plans_.size()); }
  void note(std::string_view name) { watch().note(name); }

  void draw_nodes(Prng prng) {
    for (Plan& plan : plans_) {
      plan.max_peers = 2 * (plans_.size() + kMostHostile);  // liveness is of those who have room
      plan.offers = draw_offer(prng);
      plan.producer.forks = prng.chance_ppm(600'000);
      plan.producer.period = milliseconds(prng.between(1'000, 3'000));
    }
    for (std::uint64_t left = 1 + prng.below(4); left > 0; --left) {
      plans_[prng.below(plans_.size())].producer.enabled = true;
    }
    if (prng.chance_ppm(200'000)) {
      for (Plan& plan : plans_) plan.retry_above = prng.below(3);
    }
  }

  // All have 0.1; some later versions, and some a capability that no node has use for.
  [[nodiscard]] static std::vector<session::Capability> draw_offer(Prng& prng) {
    std::vector<session::Capability> offer;
    for (const std::string_view literal :
         {"mini-sync/0.1", "mini-sync/0.2", "mini-sync/0.3", "laboratory/1"}) {
      const bool drawn = prng.chance_ppm(400'000);
      if (!offer.empty() && !drawn) continue;
      auto capability = session::Capability::parse(literal);
      CHECK(capability.has_value());
      offer.push_back(*std::move(capability));
    }
    return offer;
  }

  // A tree and some more; some edges from both sides. Whose address changes is dialled by name.
  void draw_dials(Prng prng, bool names_only) {
    const auto add = [&](HostId from, HostId to) {
      const bool by_name = prng.chance_ppm(250'000);
      const bool expects = prng.chance_ppm(500'000);
      const auto same = [to](const Dial& dial) { return dial.to == to; };
      if (std::ranges::any_of(plans_[from].dials, same)) return;
      plans_[from].dials.push_back(
          {.to = to, .by = by_name || names_only ? By::name : By::address, .expects = expects});
    };
    const auto connect = [&](HostId a, HostId b) {
      const std::uint64_t way = prng.below(3);
      if (a == b) return;
      if (way != 0) add(a, b);
      if (way != 1) add(b, a);
    };
    for (HostId i = 1; i < honest(); ++i) connect(i, static_cast<HostId>(prng.below(i)));
    for (std::uint64_t more = prng.below(honest()); more > 0; --more) {
      const auto a = static_cast<HostId>(prng.below(honest()));
      connect(a, static_cast<HostId>(prng.below(honest())));
    }
  }

  void add_hostile(World& world, Chaos& chaos, Prng prng) {
    const HostId count =
        at_most(std::max<std::uint64_t>(prng.below(kMostHostile + 1), act_ ? 1 : 0));
    for (std::uint64_t i = 0; i < count; ++i) {
      HostilePlan plan;
      SeededSecureRng rng{prng.split(fmt::format("key {}", i))};
      plan.key = std::make_shared<crypto::SecretKey>(crypto::SecretKey::generate(rng));
      const Act drawn = kActs.at(prng.below(kActCount)).act;
      plan.act = act_.value_or(drawn);
      // Often, or now and then: the sum of the work stays within what a seed may cost.
      plan.beat =
          milliseconds(prng.chance_ppm(300'000) ? prng.between(50, 300) : prng.between(300, 2'000));
      for (std::uint64_t more = 1 + prng.below(3); more > 0; --more) {
        plan.victims.push_back(static_cast<HostId>(prng.below(honest())));
      }
      if (prng.chance_ppm(300'000)) {  // an honest node dials it, as one of many
        plans_[plan.victims.front()].dials.push_back({.to = honest() + static_cast<HostId>(i)});
      }
      hostile_.push_back(std::move(plan));
      HostSpec spec;
      spec.options = chaos.draw_host();
      spec.factory = [this, &world, i](const HostEnv& env) {
        return make_hostile(world, env, hostile_[i]);
      };
      (void)world.add_host(std::move(spec));
    }
  }

  struct HostilePlan {
    std::shared_ptr<const crypto::SecretKey> key;
    Act act = Act::silence;
    Duration beat;
    std::vector<HostId> victims;
  };

  [[nodiscard]] std::unique_ptr<Host> make_hostile(const World& world, const HostEnv& env,
                                                   const HostilePlan& plan) {
    HostileConfig config;
    config.act = plan.act;
    config.local = env.local;
    config.key = plan.key;
    config.genesis = &genesis();
    config.beat = plan.beat;
    config.calm = healed();
    config.note = [this](std::string_view name) { note(name); };
    config.targets = [&world, &plan] {
      std::vector<Endpoint> targets;
      for (const HostId victim : plan.victims) targets.push_back(world.endpoint(victim));
      return targets;
    };
    return make_machine_host<HostilePeer>(env, {}, env.now, std::move(config), env.rng, env.prng,
                                          env.log);
  }

  // Goes on when the time has come; `missing` may only look.
  void look(World& world) {
    const bool due = world.now() - healed_at_ >= kLastBlock;
    if (!missing_host(world)) {
      if (stage_ == Stage::meet && (due || (!missing_sessions(world) && equally_high(world)))) {
        if (!missing_sessions(world)) met_after_ = world.now() - healed_at_;
        late_ = missing_sessions(world);
        const auto lower = seal_last_block(world);
        if (!late_) late_ = lower;
        stage_ = Stage::decide;
      } else if (stage_ == Stage::decide && !missing_head(world)) {
        say_goodbye(world);
        stage_ = Stage::part;
      } else if (stage_ == Stage::decide && equally_high(world)) {
        // A hostile branch that ends as high makes a tie, which the next block breaks.
        (void)seal_last_block(world);
      }
    }
    if (stage_ != Stage::part) {
      world.after(kLook, [this](World& w) { look(w); });
    }
  }

  [[nodiscard]] bool equally_high(const World& world) const {
    const std::uint64_t height = node_of(world, 0).chain().head().number;
    for (HostId i = 0; i < honest(); ++i) {
      const chain::ChainManager& chain = node_of(world, i).chain();
      if (chain.head().number != height || chain.pending_batches() > 0) return false;
    }
    return true;
  }

  void say_goodbye(World& world) {
    for (HostId i = 0; i < honest(); ++i) {
      if (bug() == PlantedBug::stays) break;
      const Now now = world.now_at(i);
      world.input<SimNode>(i, [now](SimNode& m) { m.node().shut_down(now); });
    }
    for (HostId host = honest(); host < world.host_count(); ++host) {
      const Now now = world.now_at(host);
      world.input<HostilePeer>(host, [now](HostilePeer& m) { m.stop(now); });
    }
  }

  [[nodiscard]] std::optional<std::string> missing_sessions(const World& world) const {
    for (HostId i = 0; i < honest(); ++i) {
      for (const Dial& dial : plans_[i].dials) {
        if (dial.to >= honest()) continue;
        if (auto wrong = missing_session(world, i, dial.to)) return wrong;
      }
    }
    return std::nullopt;
  }

  std::optional<Act> act_;
  std::vector<HostilePlan> hostile_;
  Stage stage_ = Stage::meet;
  Instant healed_at_;
  std::optional<Duration> met_after_;
  std::optional<std::string> late_;
};

}  // namespace

ScenarioSpec make_storm_spec(StormOptions options) {
  return {.name = "storm",
          .description = "three to thirty nodes under every fault, and peers that mean harm",
          .faults = kAllFaults,
          .safety = seconds(20),
          .liveness = kLastBlock + kGoodbye + seconds(20),
          .sometimes = {"a banned peer was not let in", "a black hole was found",
                        "a breach of protocol ended a session", "a fork was seen",
                        "a handshake was given up, inbound", "a handshake was given up, outbound",
                        "a mini-sync request timed out", "a peer was banned",
                        "a peer was closed as useless", "a probe found the old session silent",
                        "a reorganisation of depth 3 or more", "a session carries a later version",
                        "a session carries two capabilities", "a session survived a NAT rebinding",
                        "a session was replaced", "headers were served"},
          .make = [options] { return std::make_unique<Storm>(options); }};
}

}  // namespace ethnet::sim
