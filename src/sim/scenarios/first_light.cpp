#include "first_light.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "node_scenario.hpp"

namespace ethnet::sim {
namespace {

constexpr std::uint64_t kMostNodes = 10;
// From healing, when all must have met: the longest backoff, a dial to an address that was left,
// and once more the backoff. (A dead session is found out sooner, by its ping: 35 s.)
constexpr Duration kLastBlock = seconds(90);

class FirstLight final : public NodeScenario {
 public:
  explicit FirstLight(PlantedBug bug) : NodeScenario{bug} {}

  void build(World& world, Chaos& chaos) override {
    Prng prng = world.split("first-light");
    add_nodes(world, chaos, prng, at_most(2 + prng.below(kMostNodes - 1)));
    draw_producers(prng);
    draw_dials(prng, chaos.has(Fault::rebind));
    if (prng.chance_ppm(200'000)) {
      for (Plan& plan : plans_) plan.retry_above = prng.below(3);
    }
  }

  // When all had time to meet, one last block decides.
  void on_healed(World& world) override {
    NodeScenario::on_healed(world);
    healed_at_ = world.now();
    world.after(kLastBlock, [this](World& w) {
      late_ = seal_last_block(w);
      decided_ = true;
    });
  }

  [[nodiscard]] std::optional<std::string> missing(const World& world) override {
    if (auto wrong = missing_host(world)) return wrong;
    const auto apart = missing_sessions(world);
    if (apart) {
      connected_after_.reset();
    } else if (!connected_after_) {
      connected_after_ = world.now() - healed_at_;
    }
    if (!decided_) return "the last block is not sealed yet";
    if (late_) return late_;
    if (apart) return apart;
    return missing_head(world);
  }

  [[nodiscard]] std::optional<Duration> recovery() const override { return connected_after_; }

 private:
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
      if (std::ranges::any_of(plans_[from].dials, same)) return;
      Dial dial{.to = to};
      dial.by = prng.chance_ppm(250'000) || names_only ? By::name : By::address;
      dial.expects = from != to && prng.chance_ppm(500'000);
      plans_[from].dials.push_back(dial);
    };
    const auto connect = [&](HostId a, HostId b) {
      if (a == b) return;
      const std::uint64_t way = prng.below(3);
      if (way != 0) add(a, b);
      if (way != 1) add(b, a);
    };
    const auto count = static_cast<HostId>(plans_.size());
    const bool crowded = count > 3 && prng.chance_ppm(250'000);
    const HostId others = crowded ? count - 1 : count;
    for (HostId i = 1; i < others; ++i) connect(i, static_cast<HostId>(prng.below(i)));
    for (std::uint64_t more = prng.below(others + 1U); more > 0; --more) {
      const auto a = static_cast<HostId>(prng.below(others));
      connect(a, static_cast<HostId>(prng.below(others)));
    }
    if (crowded) {  // the others hold together without it, whoever gets its slots
      crowded_ = others;
      plans_[others].max_peers = 1 + prng.below(2);
      for (HostId i = 0; i < others; ++i) connect(others, i);
    }
    const auto self = static_cast<HostId>(prng.below(count));
    if (prng.chance_ppm(150'000)) add(self, self);
  }

  [[nodiscard]] std::optional<std::string> missing_sessions(const World& world) const {
    for (HostId i = 0; i < plans_.size(); ++i) {
      for (const Dial& dial : plans_[i].dials) {
        if (dial.to == i || i == crowded_ || dial.to == crowded_) continue;
        if (auto wrong = missing_session(world, i, dial.to)) return wrong;
      }
    }
    if (!crowded_) return std::nullopt;
    const std::size_t have = node_of(world, *crowded_).sessions().session_count();
    if (have == plans_[*crowded_].max_peers) return std::nullopt;
    return fmt::format("node {}, which many dial, has {} sessions of {}", *crowded_, have,
                       plans_[*crowded_].max_peers);
  }

  Instant healed_at_;
  std::optional<Duration> connected_after_;
  std::optional<HostId> crowded_;
  bool decided_ = false;
  std::optional<std::string> late_;
};

}  // namespace

ScenarioSpec make_first_light_spec(PlantedBug bug) {
  return {.name = "first-light",
          .description = "two to ten nodes find each other, sync, fork and reorganise",
          .faults = kAllFaults,
          .safety = seconds(20),
          .liveness = seconds(120),
          .sometimes = {"a Retry (QUIC) was sent",
                        "a dial was not started",
                        "a fork was seen",
                        "a handshake was given up, inbound",
                        "a handshake was given up, outbound",
                        "a mini-sync request timed out",
                        "a node had max_peers sessions",
                        "a node met itself",
                        "a peer too many was refused",
                        "a ping was not answered",
                        "a probe found the old session silent",
                        "a reorganisation",
                        "a reorganisation of depth 3 or more",
                        "a second session was refused, inbound",
                        "a second session was refused, outbound",
                        "a session survived a NAT rebinding",
                        "a session was replaced",
                        "a stateless reset was sent",
                        "a torn write was cut off",
                        "a write failed",
                        "an early header was parked",
                        "headers were served"},
          .make = [bug] { return std::make_unique<FirstLight>(bug); }};
}

}  // namespace ethnet::sim
