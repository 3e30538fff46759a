#include "discv5_siege.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "../hostile/discv5_crowd.hpp"
#include "discovery_scenario.hpp"
#include "siege_course.hpp"

namespace ethnet::sim {
namespace {

constexpr Duration kLook = seconds(5);
constexpr Duration kLookUpEvery = seconds(15);
constexpr std::uint64_t kCheckEvery = 7;  // events

struct Shape {
  std::size_t hosts = 0;
  Duration beat;  // of each: a new name comes to every node that it aims at
  SiegeTimes times;
  bool has_to_hold_half = false;
  bool remembers = false;  // what it had in its table, when it comes back
};

constexpr Shape kEclipse{.hosts = 2,
                         .beat = milliseconds(100),
                         .times = {.crowd_comes = seconds(60),
                                   .victim_comes = seconds(90),
                                   .crash = seconds(690),
                                   .second_life = seconds(300)},
                         .has_to_hold_half = true};
constexpr Shape kBriefEclipse{.hosts = 2,
                              .beat = milliseconds(250),
                              .times = {.crowd_comes = seconds(40),
                                        .victim_comes = seconds(60),
                                        .crash = seconds(150),
                                        .second_life = seconds(80)},
                              .has_to_hold_half = true};
constexpr Shape kPoisoned{.hosts = 28,
                          .beat = milliseconds(1'000),
                          .times = {.crowd_comes = seconds(180),
                                    .victim_comes = seconds(60),
                                    .crash = seconds(780),
                                    .second_life = seconds(300)},
                          .remembers = true};
constexpr Shape kBriefPoisoned{.hosts = 28,
                               .beat = milliseconds(4'000),
                               .times = {.crowd_comes = seconds(100),
                                         .victim_comes = seconds(40),
                                         .crash = seconds(190),
                                         .second_life = seconds(60)},
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
    course_.begin(world, shape_.times, victim_,
                  {.start = [this](World& w) { DiscoveryScenario::begin(w, victim_); },
                   .begun = [this](World& w) { look_up_on(w, course_.number()); },
                   .stop = [this](World& w) { crash(w); },
                   .look = [this](const World& w) { return look(w); }});
  }

  [[nodiscard]] std::vector<std::unique_ptr<Checker>> make_checkers() override {
    auto out = DiscoveryScenario::make_checkers();
    out.push_back(std::make_unique<CrowdWithinItsPlaces>(
        course_.roster(), shape_.hosts * kbucket::kMaxTablePerSubnet));
    if (shape_.has_to_hold_half) {
      out.push_back(std::make_unique<SomebodyHonestAlways>(course_.lives()));
    }
    return out;
  }

  [[nodiscard]] std::optional<std::string> missing(const World& world) override {
    if (!course_.has_lived_twice()) return "the victim has not lived twice";
    for (const SiegeLife& life : course_.lives()) {
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
    if (course_.has_lived_twice() && world.is_up(victim_)) end_life();
    course_.note_identities();
  }

 private:
  void add_crowd(World& world) {
    const auto make = [this](const HostEnv& env, std::size_t host) {
      Discv5CrowdConfig config;
      config.host = host;
      config.roster = &course_.roster();
      config.beat = shape_.beat;
      config.phase =
          shape_.beat * static_cast<std::int64_t>(host) / static_cast<std::int64_t>(shape_.hosts);
      config.aims = [this] { return aims(); };
      return make_machine_host<Discv5Crowd>(env, {}, env.now, std::move(config), env.rng);
    };
    course_.add_crowd(
        world, *prng_,
        {.hosts = shape_.hosts, .port = 9000, .records = kbucket::RecordPort::udp, .make = make});
  }

  // The victim, always, and one of the others.
  [[nodiscard]] std::vector<discv5::EnrPtr> aims() {
    std::vector<discv5::EnrPtr> out;
    if (world_->is_up(victim_)) out.push_back(plans_[victim_].record);
    const auto other = static_cast<HostId>(prng_->below(victim_));
    if (world_->is_up(other)) out.push_back(plans_[other].record);
    return out;
  }

  void crash(World& world) {
    const kbucket::Table& table = discovery_of(world, victim_).table();
    table.for_each([&](const kbucket::TableEntry& entry) {
      if (shape_.remembers && entry.checks > 0) plans_[victim_].remembered.push_back(entry.record);
    });
    course_.note_table(table);
    end_life();
    end(world, victim_);
  }

  [[nodiscard]] SiegeLook look(const World& world) const {
    SiegeLook out;
    discovery_of(world, victim_).table().for_each([&](const kbucket::TableEntry& entry) {
      if (!entry.relayable()) return;
      ++(course_.roster().owns(entry.record->endpoint().ip) ? out.theirs : out.ours);
    });
    out.somebody = out.ours > 0;
    out.half = out.ours >= out.theirs;
    return out;
  }

  // As a node does that wants peers: the attacker sees to it that he is near everything.
  void look_up_on(World& world, std::size_t life_number) {
    if (course_.number() != life_number || !world.is_up(victim_)) return;
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
      const bool is_theirs = course_.roster().owns(record->endpoint().ip);
      reached_.note(is_theirs ? "a look-up of the victim found the attacker's"
                              : "a look-up of the victim found somebody honest");
    }
  }

  // So that a swarm counts how many seeds came to what.
  void end_life() {
    const SiegeLife& life = course_.life();
    const std::size_t number = course_.number();
    if (life.looks > 0) {
      reached_.note(fmt::format("life {}: known to be alive, honest at least", number),
                    life.least_ours);
      reached_.note(fmt::format("life {}: known to be alive, the attacker's at most", number),
                    life.most_theirs);
    }
    course_.note_met("somebody honest was known", "nobody honest");
  }

  Shape shape_;
  World* world_ = nullptr;
  std::optional<Prng> prng_;
  HostId victim_ = 0;
  SiegeCourse course_{reached_, kLook, kDiscv5SiegeStartUp};
};

ScenarioSpec make_spec(std::string_view name, std::string_view description, const Shape& shape,
                       Duration liveness) {
  return {.name = name,
          .description = description,
          .faults = 0,
          .chaos = false,
          .safety = shape.times.end(),
          .liveness = liveness,
          .sometimes = {"of them the attacker's", "a look-up of the victim found the attacker's"},
          .make = [=] { return std::make_unique<Discv5Siege>(shape); }};
}

}  // namespace

ScenarioSpec make_discv5_eclipse_spec(SiegeSize size) {
  return make_spec("discv5-eclipse", "two hosts with many identities besiege a node of discv5",
                   size == SiegeSize::whole ? kEclipse : kBriefEclipse, seconds(1));
}
ScenarioSpec make_discv5_poisoned_spec(SiegeSize size) {
  return make_spec("discv5-poisoned", "28 hosts fill the table of a node of discv5 that restarts",
                   size == SiegeSize::whole ? kPoisoned : kBriefPoisoned, kDiscv5SiegeRelief);
}

}  // namespace ethnet::sim
