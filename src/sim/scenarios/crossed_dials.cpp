#include "crossed_dials.hpp"

#include <utility>

#include <fmt/format.h>

#include "node_scenario.hpp"

namespace ethnet::sim {
namespace {

constexpr std::uint64_t kMostNodes = 4;
constexpr Duration kSafety = seconds(20);
constexpr Duration kSteady = seconds(2);  // how long it must hold

class CrossedDials final : public NodeScenario {
 public:
  explicit CrossedDials(PlantedBug bug) : NodeScenario{bug} {}

  void build(World& world, Chaos& chaos) override {
    Prng prng = world.split("crossed-dials");
    add_nodes(world, chaos, prng, at_most(2 + prng.below(kMostNodes - 1)));
    for (HostId a = 1; a < plans_.size(); ++a) {
      for (HostId b = 0; b < a; ++b) cross(prng, a, b);
    }
    for (HostId i = 0; i < plans_.size(); ++i) {
      if (prng.chance_ppm(50'000)) plans_[i].dials.push_back({.to = i});
      if (prng.chance_ppm(200'000)) plans_[i].retry_above = prng.below(2);
      plan_restarts(world, prng, i);
    }
    plans_.front().producer.enabled = prng.chance_ppm(500'000);
  }

  void on_healed(World& world) override {
    NodeScenario::on_healed(world);
    healed_at_ = world.now();
  }

  [[nodiscard]] std::optional<std::string> missing(const World& world) override {
    auto wrong = missing_host(world);
    for (HostId a = 1; !wrong && a < plans_.size(); ++a) {
      for (HostId b = 0; !wrong && b < a; ++b) wrong = missing_session(world, a, b);
    }
    if (wrong) {
      whole_since_.reset();
      return wrong;
    }
    if (!whole_since_) whole_since_ = world.now();
    if (world.now() - *whole_since_ < kSteady) return "the sessions are too young";
    return std::nullopt;
  }

  [[nodiscard]] std::optional<Duration> recovery() const override {
    if (!whole_since_) return std::nullopt;
    return *whole_since_ - healed_at_;
  }

 private:
  // Both ways three times in four; each way once more one time in four.
  void cross(Prng& prng, HostId a, HostId b) {
    const std::uint64_t way = prng.below(8);
    if (way != 0) add_dials(prng, a, b);
    if (way != 1) add_dials(prng, b, a);
  }

  void add_dials(Prng& prng, HostId from, HostId to) {
    plans_[from].dials.push_back({.to = to});
    if (!prng.chance_ppm(250'000)) return;
    const By by = prng.chance_ppm(500'000) ? By::second_address : By::name;
    plans_[from].dials.push_back({.to = to, .by = by});
  }

  // The first is a late start. One in three of the others is close to the healing.
  static void plan_restarts(World& world, Prng& prng, HostId host) {
    if (prng.chance_ppm(500'000)) restart(world, prng, host, {}, milliseconds(500));
    if (prng.chance_ppm(300'000)) restart(world, prng, host, {}, kSafety);
    if (prng.chance_ppm(150'000)) restart(world, prng, host, kSafety - seconds(2), kSafety);
  }

  static void restart(World& world, Prng& prng, HostId host, Duration low, Duration high) {
    const Duration at = nanoseconds(prng.between(low.ns, high.ns));
    const Duration down = nanoseconds(prng.between(0, seconds(2).ns));
    world.after(at, [host, down](World& w) {
      w.crash(host);
      w.after(down, [host](World& again) {
        if (!again.is_up(host)) again.start(host);
      });
    });
  }

  Instant healed_at_;
  std::optional<Instant> whole_since_;
};

}  // namespace

ScenarioSpec make_crossed_dials_spec(PlantedBug bug) {
  return {.name = "crossed-dials",
          .description = "two to four nodes dial each other at once: one session each, never none",
          .faults = without(kAllFaults, Fault::rebind),
          .safety = kSafety,
          .liveness = kCrossedBound + kSteady,
          .sometimes = {"a Retry (QUIC) was sent", "a dial was not started",
                        "a handshake was given up, inbound", "a handshake was given up, outbound",
                        "a node met itself", "a probe found the old session silent",
                        "a second session was refused, inbound",
                        "a second session was refused, outbound", "a session was replaced",
                        "a stateless reset was sent", "headers were served"},
          .make = [bug] { return std::make_unique<CrossedDials>(bug); }};
}

}  // namespace ethnet::sim
