#include "discv5_siege.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "../hostile/discv5_crowd.hpp"
#include "discovery_scenario.hpp"

namespace ethnet::sim {
namespace {

constexpr Duration kLook = seconds(5);
constexpr Duration kDown = seconds(10);
constexpr Duration kLookUpEvery = seconds(15);
constexpr std::uint64_t kCheckEvery = 7;  // events

struct Shape {
  std::size_t hosts = 0;
  Duration beat;  // of each: a new name comes to every node that it aims at
  Duration crowd_comes;
  Duration victim_comes;
  Duration crash;
  Duration second_life;
  bool has_to_hold_half = false;
  bool remembers = false;  // what it had in its table, when it comes back
};

constexpr Shape kEclipse{.hosts = 2,
                         .beat = milliseconds(100),
                         .crowd_comes = seconds(60),
                         .victim_comes = seconds(90),
                         .crash = seconds(690),
                         .second_life = seconds(300),
                         .has_to_hold_half = true};
constexpr Shape kBriefEclipse{.hosts = 2,
                              .beat = milliseconds(250),
                              .crowd_comes = seconds(40),
                              .victim_comes = seconds(60),
                              .crash = seconds(150),
                              .second_life = seconds(80),
                              .has_to_hold_half = true};
constexpr Shape kPoisoned{.hosts = 28,
                          .beat = milliseconds(1'000),
                          .crowd_comes = seconds(180),
                          .victim_comes = seconds(60),
                          .crash = seconds(780),
                          .second_life = seconds(300),
                          .remembers = true};
constexpr Shape kBriefPoisoned{.hosts = 28,
                               .beat = milliseconds(4'000),
                               .crowd_comes = seconds(100),
                               .victim_comes = seconds(40),
                               .crash = seconds(190),
                               .second_life = seconds(60),
                               .remembers = true};

// Two hosts in two networks have twenty places of a table, whatever they name (attack 33).
class CrowdWithinItsPlaces final : public Checker {
 public:
  CrowdWithinItsPlaces(const Roster& roster, std::size_t most) : roster_{roster}, most_{most} {}

  [[nodiscard]] std::string_view name() const override { return "a network has few places"; }
  [[nodiscard]] std::optional<std::string> check(const World& world) override {
    if (++events_ % kCheckEvery != 0 || !world.touched()) return std::nullopt;
    const auto* const host = world.machine<discovery::Host>(*world.touched());
    if (host == nullptr) return std::nullopt;
    std::size_t theirs = 0;
    host->table().for_each([&](const kbucket::TableEntry& entry) {
      if (roster_.owns(entry.record->endpoint().ip)) ++theirs;
    });
    if (theirs <= most_) return std::nullopt;
    return fmt::format("node {} has {} of the attacker's in its table", *world.touched(), theirs);
  }

 private:
  const Roster& roster_;
  std::size_t most_;
  std::uint64_t events_ = 0;
};

class Discv5Siege final : public DiscoveryScenario {
 public:
  explicit Discv5Siege(const Shape& shape) : shape_{shape} {}

  void build(World& world, Chaos&) override {
    world.set_default_link(
        {.latency = milliseconds(20), .jitter = milliseconds(60), .keeps_order = false});
    world.share_links();
    world_ = &world;
    prng_.emplace(world.split("discv5 siege"));
    victim_ = at_most(kDiscv5SiegeHonest);
    add_nodes(world, *prng_, victim_ + 1);
    add_crowd(world);
    for (HostId i = kDiscv5Boots; i < victim_; ++i) {
      world.after(milliseconds(200) * i, [this, i](World& w) { begin(w, i); });
    }
    world.after(shape_.crowd_comes, [this](World& w) {
      for (HostId i = victim_ + 1; i < w.host_count(); ++i) w.start(i);
    });
    world.after(shape_.victim_comes, [this](World& w) { begin_life(w); });
    world.after(shape_.crash, [this](World& w) { crash(w); });
    world.after(shape_.crash + kDown, [this](World& w) { begin_life(w); });
  }

  [[nodiscard]] std::vector<std::unique_ptr<Checker>> make_checkers() override {
    auto out = DiscoveryScenario::make_checkers();
    out.push_back(std::make_unique<CrowdWithinItsPlaces>(
        *roster_, shape_.hosts * kbucket::kMaxTablePerSubnet));
    return out;
  }

  [[nodiscard]] std::optional<std::string> missing(const World& world) override {
    if (lives_.size() != 2) return "the victim has not lived twice";
    for (const Life& life : lives_) {
      if (!life.met) return "it knows nobody honest";
      if (shape_.has_to_hold_half && life.with_half < life.looks) {
        return fmt::format("half of those whom it held for alive were honest in {} of {} looks",
                           life.with_half, life.looks);
      }
      if (life.lost > 0) return fmt::format("nobody honest was known in {} looks", life.lost);
    }
    return broken_table(world);
  }

  void on_end(const World& world) override {
    if (lives_.size() == 2 && world.is_up(victim_)) end_life();
    reached_.note("identities that the attacker named", roster_->size());
  }

 private:
  struct Life {
    Instant since;
    std::optional<Duration> met;  // after how long somebody honest was known to be alive
    std::size_t looks = 0;        // once it had had time
    std::size_t with_half = 0;
    std::size_t lost = 0;  // with nobody honest, after there had been somebody
    std::size_t most_theirs = 0;
    std::size_t least_ours = SIZE_MAX;
  };

  void add_crowd(World& world) {
    std::vector<IpAddress> hosts;
    for (std::size_t i = 0; i < shape_.hosts; ++i) {
      hosts.push_back(
          IpAddress::v4({std::byte{70}, static_cast<std::byte>(i), std::byte{7}, std::byte{7}}));
    }
    roster_.emplace(prng_->split("roster"), hosts, kbucket::RecordPort::udp);
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      HostSpec spec;
      spec.endpoint = {hosts[i], 9000};
      spec.factory = [this, i](const HostEnv& env) {
        const auto order = static_cast<std::int64_t>(i);
        Discv5CrowdConfig config;
        config.host = i;
        config.roster = &*roster_;
        config.beat = shape_.beat;
        config.phase = shape_.beat * order / static_cast<std::int64_t>(shape_.hosts);
        config.aims = [this] { return aims(); };
        return make_machine_host<Discv5Crowd>(env, {}, env.now, std::move(config), env.rng);
      };
      world.add_all_ports(world.add_host(std::move(spec)), hosts[i]);
    }
  }

  // The victim, always, and one of the others.
  [[nodiscard]] std::vector<discv5::EnrPtr> aims() {
    std::vector<discv5::EnrPtr> out;
    if (world_->is_up(victim_)) out.push_back(plans_[victim_].record);
    const auto other = static_cast<HostId>(prng_->below(victim_));
    if (world_->is_up(other)) out.push_back(plans_[other].record);
    return out;
  }

  void begin_life(World& world) {
    begin(world, victim_);
    lives_.push_back({.since = world.now(), .met = {}});
    look(world, lives_.size());
    look_up_on(world, lives_.size());
  }

  void crash(World& world) {
    std::size_t all = 0;
    std::size_t theirs = 0;
    discovery_of(world, victim_).table().for_each([&](const kbucket::TableEntry& entry) {
      ++all;
      if (roster_->owns(entry.record->endpoint().ip)) ++theirs;
      if (shape_.remembers && entry.checks > 0) plans_[victim_].remembered.push_back(entry.record);
    });
    reached_.note("entries of the victim's table at its crash", all);
    reached_.note("of them the attacker's", theirs);
    end_life();
    end(world, victim_);
  }

  void look(World& world, std::size_t life_number) {
    if (lives_.size() != life_number || !world.is_up(victim_)) return;
    Life& life = lives_.back();
    std::size_t ours = 0;
    std::size_t theirs = 0;
    discovery_of(world, victim_).table().for_each([&](const kbucket::TableEntry& entry) {
      if (entry.relayable()) ++(roster_->owns(entry.record->endpoint().ip) ? theirs : ours);
    });
    const Duration age = world.now() - life.since;
    if (ours > 0 && !life.met) life.met = age;
    if (ours == 0 && life.met) ++life.lost;
    if (age >= kDiscv5SiegeStartUp) {
      ++life.looks;
      if (ours >= theirs) ++life.with_half;
      life.most_theirs = std::max(life.most_theirs, theirs);
      life.least_ours = std::min(life.least_ours, ours);
    }
    world.after(kLook, [this, life_number](World& w) { look(w, life_number); });
  }

  // As a node does that wants peers: the attacker sees to it that he is near everything.
  void look_up_on(World& world, std::size_t life_number) {
    if (lives_.size() != life_number || !world.is_up(victim_)) return;
    NodeId target;
    for (std::byte& b : target.bytes) b = static_cast<std::byte>(prng_->below(256));
    (void)look_up(world, victim_, target);
    world.after(kLookUpEvery, [this, life_number](World& w) { look_up_on(w, life_number); });
  }

  void on_told(HostId host, const discovery::Event& event) override {
    const auto* const told = std::get_if<discv5::Event>(&event);
    const auto* const done = told == nullptr ? nullptr : std::get_if<discv5::LookupDone>(told);
    if (host != victim_ || done == nullptr) return;
    for (const auto& record : done->nearest) {
      const bool is_theirs = roster_->owns(record->endpoint().ip);
      reached_.note(is_theirs ? "a look-up of the victim found the attacker's"
                              : "a look-up of the victim found somebody honest");
    }
  }

  // So that a swarm counts how many seeds came to what.
  void end_life() {
    const Life& life = lives_.back();
    const std::size_t number = lives_.size();
    if (life.looks > 0) {
      reached_.note(fmt::format("life {}: known to be alive, honest at least", number),
                    life.least_ours);
      reached_.note(fmt::format("life {}: known to be alive, the attacker's at most", number),
                    life.most_theirs);
    }
    reached_.note(fmt::format("life {}: {}", number,
                              life.met ? fmt::format("somebody honest was known within {} s",
                                                     10 * (1 + life.met->ns / seconds(10).ns))
                                       : "nobody honest"));
  }

  Shape shape_;
  World* world_ = nullptr;
  std::optional<Prng> prng_;
  HostId victim_ = 0;
  std::optional<Roster> roster_;
  std::vector<Life> lives_;
};

ScenarioSpec make_spec(std::string_view name, std::string_view description, const Shape& shape,
                       Duration liveness) {
  return {.name = name,
          .description = description,
          .faults = 0,
          .chaos = false,
          .safety = shape.crash + kDown + shape.second_life,
          .liveness = liveness,
          .sometimes = {"of them the attacker's", "a look-up of the victim found the attacker's"},
          .make = [=] { return std::make_unique<Discv5Siege>(shape); }};
}

}  // namespace

ScenarioSpec make_discv5_eclipse_spec(Discv5SiegeSize size) {
  return make_spec("discv5-eclipse", "two hosts with many identities besiege a node of discv5",
                   size == Discv5SiegeSize::whole ? kEclipse : kBriefEclipse, seconds(1));
}
ScenarioSpec make_discv5_poisoned_spec(Discv5SiegeSize size) {
  return make_spec("discv5-poisoned", "28 hosts fill the table of a node of discv5 that restarts",
                   size == Discv5SiegeSize::whole ? kPoisoned : kBriefPoisoned, kDiscv5SiegeRelief);
}

}  // namespace ethnet::sim
