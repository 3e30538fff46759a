#include "toy.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace ethnet::sim {
namespace {

using toy::CounterEvent;
using toy::CounterReplica;
using toy::EchoEvent;
using toy::EchoPeer;

// What the observers of one world saw.
struct Seen {
  std::map<std::pair<HostId, std::uint32_t>, std::uint64_t> answers;  // by host and incarnation
  std::optional<std::string> wrong_answer;
};

class AnswersAreCountedOnce final : public Checker {
 public:
  explicit AnswersAreCountedOnce(const Seen& seen) : seen_{seen} {}
  [[nodiscard]] std::string_view name() const override { return "answers are counted once"; }
  [[nodiscard]] std::optional<std::string> check(const World&) override {
    return seen_.wrong_answer;
  }

 private:
  const Seen& seen_;
};

class AcknowledgedSurvives final : public Checker {
 public:
  [[nodiscard]] std::string_view name() const override { return "what is acknowledged survives"; }
  [[nodiscard]] std::optional<std::string> check(const World& world) override {
    if (!world.touched()) return std::nullopt;
    const HostId host = *world.touched();
    const auto* replica = world.machine<CounterReplica>(host);
    if (replica == nullptr) return std::nullopt;
    std::uint64_t& highest = highest_[host];
    if (replica->acknowledged() < highest) {
      return fmt::format("replica {} had acknowledged {} and now has {}", host, highest,
                         replica->acknowledged());
    }
    highest = replica->acknowledged();
    return std::nullopt;
  }

 private:
  std::map<HostId, std::uint64_t> highest_;
};

class NobodyKnowsMoreThanTheOwner final : public Checker {
 public:
  explicit NobodyKnowsMoreThanTheOwner(HostId replicas) : replicas_{replicas} {}
  [[nodiscard]] std::string_view name() const override {
    return "nobody knows more than the owner";
  }
  [[nodiscard]] std::optional<std::string> check(const World& world) override {
    if (!world.touched() || *world.touched() >= replicas_) return std::nullopt;
    for (HostId knower = 0; knower < replicas_; ++knower) {
      const auto* other = world.machine<CounterReplica>(knower);
      for (HostId owner = 0; other != nullptr && owner < replicas_; ++owner) {
        const auto* replica = world.machine<CounterReplica>(owner);
        if (replica == nullptr || other->known()[owner] <= replica->known()[owner]) continue;
        return fmt::format("replica {} knows {} of {}, which itself has {}", knower,
                           other->known()[owner], owner, replica->known()[owner]);
      }
    }
    return std::nullopt;
  }

 private:
  HostId replicas_;
};

class Toy final : public Scenario {
 public:
  explicit Toy(ToyBugs bugs) : bugs_{bugs} {}

  void build(World& world, Chaos& chaos) override {
    Prng prng = world.split("toy");
    replicas_ = at_most(2 + prng.below(5));
    echoes_ = at_most(2 + prng.below(3));
    target_ = static_cast<std::uint64_t>(prng.between(5, 60));
    questions_ = static_cast<std::uint64_t>(prng.between(5, 100));
    for (HostId i = 0; i < replicas_; ++i) add_counter(world, chaos);
    for (HostId i = 0; i < echoes_; ++i) add_echo(world, chaos);
    for (HostId i = 0; i < world.host_count(); ++i) {
      (i < replicas_ ? counters_at_ : echoes_at_).push_back(world.endpoint(i));
    }
  }

  [[nodiscard]] std::vector<std::unique_ptr<Checker>> make_checkers() override {
    std::vector<std::unique_ptr<Checker>> checkers;
    checkers.push_back(std::make_unique<AnswersAreCountedOnce>(seen_));
    checkers.push_back(std::make_unique<AcknowledgedSurvives>());
    checkers.push_back(std::make_unique<NobodyKnowsMoreThanTheOwner>(replicas_));
    return checkers;
  }

  // Whom a rebound host asked before still knows its old address, and asks there: tell all the new.
  void on_healed(World& world) override {
    counters_at_.clear();
    echoes_at_.clear();
    for (HostId i = 0; i < world.host_count(); ++i) {
      (i < replicas_ ? counters_at_ : echoes_at_).push_back(world.endpoint(i));
    }
    for (HostId i = 0; i < world.host_count(); ++i) {
      world.input<CounterReplica>(i, [&](CounterReplica& m) { m.set_replicas(counters_at_); });
      world.input<EchoPeer>(i, [&](EchoPeer& m) { m.set_peers(echoes_at_); });
    }
  }

  [[nodiscard]] std::optional<std::string> missing(const World& world) override {
    for (HostId host = 0; host < world.host_count(); ++host) {
      if (!world.is_up(host)) return fmt::format("host {} is down", host);
      if (const auto* echo = world.machine<EchoPeer>(host); echo != nullptr && !echo->done()) {
        return fmt::format("echo peer {} has {} of {} answers", host, echo->answered(), questions_);
      }
      const auto* counter = world.machine<CounterReplica>(host);
      if (counter == nullptr) continue;
      const auto lowest = std::ranges::min(counter->known());
      if (lowest < target_)
        return fmt::format("replica {} still knows of a count {}", host, lowest);
    }
    return std::nullopt;
  }

 private:
  void add_counter(World& world, Chaos& chaos) {
    HostSpec spec;
    spec.options = chaos.draw_host();
    spec.factory = [this](const HostEnv& env) {
      return make_machine_host<CounterReplica>(
          env, [](Now, const CounterEvent& event) { return describe(event); }, env.now,
          CounterReplica::Config{.index = env.index,
                                 .local = env.local,
                                 .replicas = counters_at_,
                                 .target = target_,
                                 .bug = bugs_.counter},
          env.prng, env.records);
    };
    world.add_host(std::move(spec));
  }

  void add_echo(World& world, Chaos& chaos) {
    HostSpec spec;
    spec.options = chaos.draw_host();
    spec.factory = [this](const HostEnv& env) {
      return make_machine_host<EchoPeer>(
          env,
          [this, index = env.index, incarnation = env.incarnation](Now, const EchoEvent& event) {
            judge(index, incarnation, event);
            return describe(event);
          },
          env.now,
          EchoPeer::Config{
              .local = env.local, .peers = echoes_at_, .questions = questions_, .bug = bugs_.echo},
          env.prng);
    };
    world.add_host(std::move(spec));
  }

  void judge(HostId host, std::uint32_t incarnation, const EchoEvent& event) {
    std::uint64_t& count = seen_.answers[{host, incarnation}];
    ++count;
    if (event.serial != count) {
      seen_.wrong_answer = fmt::format("host {} counted question {} as its answer number {}", host,
                                       event.serial, count);
    } else if (event.answer != toy::answer_to(event.question)) {
      seen_.wrong_answer = fmt::format("host {} took a wrong answer to {}", host, event.serial);
    }
  }

  ToyBugs bugs_;
  Seen seen_;
  HostId replicas_ = 0;
  HostId echoes_ = 0;
  std::uint64_t target_ = 0;
  std::uint64_t questions_ = 0;
  std::vector<Endpoint> counters_at_;
  std::vector<Endpoint> echoes_at_;
};

}  // namespace

ScenarioSpec make_toy_spec(ToyBugs bugs) {
  return {.name = "toy",
          .description = "echo peers and counter replicas: the simulator tests itself",
          .faults = without(kAllFaults, Fault::lost_disk),  // its counters need what they told
          .safety = seconds(15),
          .liveness = seconds(120),
          .sometimes = {},
          .make = [bugs] { return std::make_unique<Toy>(bugs); }};
}

}  // namespace ethnet::sim
