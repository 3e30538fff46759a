#include "siege.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <discovery/dns/tree.hpp>
#include <fmt/format.h>
#include <types/enr.hpp>

#include "../hostile/crowd_host.hpp"
#include "../seeded_secure_rng.hpp"
#include "node_scenario.hpp"
#include "siege_course.hpp"

namespace ethnet::sim {
namespace {

constexpr std::size_t kVictimPeers = 30;
constexpr std::size_t kPlaces = kVictimPeers / 3;  // that it dials for
constexpr std::size_t kHonestPeers = 12;
constexpr Duration kLook = seconds(1);
constexpr std::string_view kDomain = "nodes.example";

struct Shape {
  std::size_t hosts = 2;       // of the attacker
  std::size_t of_victim = 10;  // inbound places of the victim that each of them wants
  std::size_t of_others = 1;   // of everybody else
  Duration beat = seconds(2);  // between tries to get them
  SiegeTimes times{.crowd_comes = seconds(20),
                   .victim_comes = seconds(40),
                   .crash = seconds(280),
                   .second_life = seconds(240)};
  std::size_t listed = 0;  // identities of each host that a list in the DNS names; 0: there is none
  bool has_to_hold_half = true;  // else: to have an honest peer in time after its restart
};
constexpr Shape kEclipse{};
constexpr Shape kPoisoned{.hosts = 28,
                          .of_victim = 1,
                          .of_others = 1,
                          .beat = seconds(5),
                          .times = {.crowd_comes = seconds(60),
                                    .victim_comes = seconds(10),
                                    .crash = seconds(300),
                                    .second_life = seconds(1)},
                          .has_to_hold_half = false};
constexpr Shape kBriefEclipse{.times = {.crowd_comes = seconds(20),
                                        .victim_comes = seconds(40),
                                        .crash = seconds(130),
                                        .second_life = seconds(90)}};
constexpr Shape kBriefPoisoned{.hosts = 12,
                               .of_victim = 3,
                               .of_others = 1,
                               .beat = seconds(5),
                               .times = {.crowd_comes = seconds(30),
                                         .victim_comes = seconds(10),
                                         .crash = seconds(100),
                                         .second_life = seconds(1)},
                               .has_to_hold_half = false};

class Siege final : public NodeScenario {
 public:
  explicit Siege(const Shape& shape) : NodeScenario{PlantedBug::none}, shape_{shape} {}

  void build(World& world, Chaos& chaos) override {
    world_ = &world;
    world.set_default_link({.latency = milliseconds(20), .jitter = milliseconds(60)});
    Prng prng = world.split("siege");
    const HostId honest = std::max<HostId>(2, at_most(kSiegeHonest));
    victim_ = honest;
    add_nodes(world, chaos, prng, honest + 1);
    auto capability = session::Capability::parse(mini_sync::kCapability);
    CHECK(capability.has_value());
    for (HostId i = 0; i <= honest; ++i) {
      plans_[i].offers = {*capability};
      plans_[i].discovery = true;
      plans_[i].max_peers = i == victim_ ? kVictimPeers : kHonestPeers;
      if (i > 0 && i != victim_) plans_[i].dials.push_back({.to = 0});
    }
    plans_[victim_].saved = only_the_boot_node();
    add_crowd(world, prng);
    if (shape_.listed > 0) publish_list(prng);
    course_.begin(world, shape_.times, victim_,
                  {.start = [this](World& w) { w.start(victim_); },
                   .begun = {},
                   .stop = [this](World& w) { crash(w); },
                   .look = [this](const World& w) { return look(w); }});
  }

  [[nodiscard]] std::vector<std::unique_ptr<Checker>> make_checkers() override {
    auto out = NodeScenario::make_checkers();
    if (shape_.has_to_hold_half) {
      out.push_back(std::make_unique<SomebodyHonestAlways>(course_.lives()));
    }
    return out;
  }
  [[nodiscard]] bool starts_later(HostId host) const override { return host >= victim_; }

  [[nodiscard]] std::optional<std::string> missing(const World& world) override {
    if (!course_.has_lived_twice()) return "the victim has not lived twice";
    if (shape_.has_to_hold_half) {
      for (const SiegeLife& life : course_.lives()) {
        if (auto wrong = lacks_half(life)) return wrong;
      }
      return std::nullopt;
    }
    if (!course_.life().met) return "it has no honest peer";
    if (world.now() - course_.life().since < kSiegeStartUp) return "its dials are not counted yet";
    return lacks_mixture(dials(world));
  }

  void on_end(const World& world) override {
    NodeScenario::on_end(world);
    if (course_.lives().empty() || !world.is_up(victim_)) return;
    end_life(world);
    course_.note_identities();
  }

 private:
  // Each in a /24 of its own.
  [[nodiscard]] std::optional<Endpoint> address_of(HostId host) const override {
    return Endpoint{
        IpAddress::v4({std::byte{60}, std::byte{1}, static_cast<std::byte>(host), std::byte{1}}),
        9001};
  }

  [[nodiscard]] Bytes only_the_boot_node() const {
    const Endpoint where = *address_of(0);
    const auto record = EnrBuilder{1}.ip(where.ip).quic(where.port).sign(*plans_[0].key);
    CHECK(record.has_value());
    kbucket::SavedNodes saved;
    saved.nodes.push_back({to_bytes(record->record().encoded()), 0});
    return kbucket::encode(saved);
  }

  void add_crowd(World& world, const Prng& prng) {
    const auto make = [this](const HostEnv& env, std::size_t host) {
      CrowdConfig config;
      config.host = host;
      config.roster = &course_.roster();
      config.genesis = &genesis();
      config.beat = shape_.beat;
      config.aims = [this] { return aims(); };
      return make_machine_host<CrowdHost>(env, {}, env.now, std::move(config), env.rng);
    };
    course_.add_crowd(world, prng, {.hosts = shape_.hosts, .port = 9001, .make = make});
  }

  // It names the attacker's identities, on all his hosts, and nobody else.
  void publish_list(const Prng& prng) {
    const ForkId fork = genesis().fork_schedule().fork_id(0, genesis().header.timestamp);
    std::vector<VerifiedEnr> records;
    Roster& roster = course_.roster();
    for (std::size_t i = 0; i < shape_.hosts * shape_.listed; ++i) {
      const std::size_t name = roster.fresh(i % shape_.hosts, plans_[victim_].id);
      const Endpoint where = roster.endpoint(name);
      EnrBuilder builder{1};
      builder.ip(where.ip).quic(where.port).fork_id(fork);
      records.push_back(builder.sign(*roster.at(name).key).value());
    }
    SeededSecureRng rng{prng.split("list")};
    const auto key = crypto::SecretKey::generate(rng);
    const auto tree = dns::make_tree(records, {});
    CHECK(tree.has_value());
    dns_[std::string{kDomain}] = {tree->sign(1, key).encode()};
    for (const auto& [label, text] : tree->entries) {
      dns_[fmt::format("{}.{}", label, kDomain)] = {text};
    }
    plans_[victim_].dns_trees = {dns::Link::make(key.public_key(), kDomain).value()};
  }
  [[nodiscard]] const std::vector<std::string>* texts_of(const std::string& name) const override {
    const auto found = dns_.find(name);
    return found == dns_.end() ? nullptr : &found->second;
  }

  [[nodiscard]] std::vector<CrowdConfig::Aim> aims() const {
    std::vector<CrowdConfig::Aim> out;
    for (HostId i = 0; i <= victim_; ++i) {
      if (!world_->is_up(i)) continue;
      out.push_back({.at = world_->endpoint(i),
                     .id = plans_[i].id,
                     .places = i == victim_ ? shape_.of_victim : shape_.of_others});
    }
    return out;
  }

  void crash(World& world) {
    end_life(world);
    plans_[victim_].saved = node_of(world, victim_).saved_nodes();
    course_.note_table(node_of(world, victim_).discovery()->discovery().table());
    world.crash(victim_);
  }

  [[nodiscard]] bool is_honest(const NodeId& id) const {
    return std::ranges::any_of(plans_, [&](const Plan& plan) { return plan.id == id; });
  }

  [[nodiscard]] SiegeLook look(const World& world) const {
    SiegeLook out;
    const session::SessionManager& sessions = node_of(world, victim_).sessions();
    for (const session::SessionHandle handle : sessions.sessions()) {
      const session::PeerInfo& peer = *sessions.find(handle);
      if (peer.visit || !is_honest(peer.id)) continue;
      out.somebody = true;
      if (!peer.inbound) ++out.ours;
    }
    out.half = 2 * out.ours >= kPlaces;
    return out;
  }

  using Dials = std::array<std::uint64_t, peers::kSources>;
  static constexpr std::array<std::string_view, peers::kSources> kDials{
      "peers.dials.anchors", "peers.dials.table", "peers.dials.lookups", "peers.dials.dns"};

  [[nodiscard]] Dials dials(const World& world) const {
    Dials out{};
    const std::vector<node::Counter> counters = node_of(world, victim_).counters();
    for (std::size_t i = 0; i < kDials.size(); ++i) {
      const auto it = std::ranges::find(counters, kDials.at(i), &node::Counter::name);
      CHECK(it != counters.end());  // renamed: rename it above
      out.at(i) = it->value;
    }
    return out;
  }

  // So that a swarm counts how many seeds came to what.
  void end_life(const World& world) {
    const SiegeLife& life = course_.life();
    const std::size_t number = course_.number();
    if (life.looks > 0) {
      reached_.note(fmt::format("life {}: {} of {} dialled places honest at least", number,
                                life.least_ours, kPlaces));
      reached_.note(fmt::format("life {}: half of them honest in {} % of the time", number,
                                100 * life.with_half / life.looks));
    }
    course_.note_met("the first honest peer", "no honest peer");
    const Dials counts = dials(world);
    for (std::size_t i = 0; i < kDials.size(); ++i) {
      reached_.note(fmt::format("life {}: {}", number, kDials.at(i)), counts.at(i));
    }
    if (counts.back() > 0) reached_.note("the list was dialled from");
  }

  [[nodiscard]] static std::optional<std::string> lacks_half(const SiegeLife& life) {
    if (life.with_half == life.looks) return std::nullopt;
    return fmt::format("half of the dialled places were honest in {} of {} looks, {} at least",
                       life.with_half, life.looks, life.least_ours);
  }

  [[nodiscard]] static std::optional<std::string> lacks_mixture(const Dials& dials) {
    std::uint64_t all = 0;
    for (const std::uint64_t of_one : dials) all += of_one;
    const std::uint64_t most = *std::ranges::max_element(dials);
    if (2 * most <= all + 1) return std::nullopt;  // of an odd number one has the larger half
    return fmt::format("one source had {} of {} dials", most, all);
  }

  Shape shape_;
  World* world_ = nullptr;
  HostId victim_ = 0;
  std::map<std::string, std::vector<std::string>> dns_;
  SiegeCourse course_{reached_, kLook, kSiegeStartUp};
};

ScenarioSpec make_spec(std::string_view name, std::string_view description, const Shape& shape,
                       Duration liveness) {
  return {.name = name,
          .description = description,
          .faults = 0,
          .fidelity = Fidelity::mem,
          .chaos = false,
          .safety = shape.times.end(),
          .liveness = liveness,
          .sometimes = {"of them the attacker's", "a node was found and dialled"},
          .make = [=] { return std::make_unique<Siege>(shape); }};
}

}  // namespace

ScenarioSpec make_eclipse_spec(SiegeSize size) {
  return make_spec("eclipse", "two hosts with 100,000 identities besiege a node (mem)",
                   size == SiegeSize::whole ? kEclipse : kBriefEclipse, seconds(1));
}
ScenarioSpec make_poisoned_spec(SiegeSize size) {
  return make_spec("poisoned", "28 hosts hold a full network's places when a node restarts (mem)",
                   size == SiegeSize::whole ? kPoisoned : kBriefPoisoned, kSiegeRelief);
}
ScenarioSpec make_poisoned_dns_spec(SiegeSize size) {
  Shape shape = size == SiegeSize::whole ? kPoisoned : kBriefPoisoned;
  shape.listed = 64;
  ScenarioSpec spec =
      make_spec("poisoned-dns", "the same, and a list in the DNS names the 28 alone (mem)", shape,
                kSiegeRelief);
  spec.sometimes.push_back("the list was dialled from");
  return spec;
}

}  // namespace ethnet::sim
