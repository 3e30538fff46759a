#include "discv5.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "discovery_scenario.hpp"

namespace ethnet::sim {
namespace {

constexpr std::size_t kFound = 16;  // Kademlia's k
constexpr std::size_t kLookups = 1'000;
constexpr std::string_view kRight = "a look-up found the nearest of all";
constexpr std::string_view kWrong = "a look-up missed one of the nearest";
constexpr std::string_view kNodesFound = "one of the nearest was found";
constexpr std::string_view kNodesMissed = "one of the nearest was missed";

struct Shape {
  Duration arrive;   // all have come
  Duration settle;   // then until they know each other
  Duration look_up;  // then so long look-ups begin, and some leave
  std::uint64_t churn_percent_an_hour = 0;
  std::uint64_t loss_ppm = 0;
  bool each_exact = true;  // else the nodes that were found count, not the look-ups
};

constexpr Shape kDiscv5{.arrive = seconds(300), .settle = seconds(360), .look_up = seconds(60)};
constexpr Shape kBriefDiscv5{.arrive = seconds(30), .settle = seconds(60), .look_up = seconds(20)};
constexpr Shape kChurn{.arrive = seconds(300),
                       .settle = seconds(300),
                       .look_up = seconds(1'200),
                       .churn_percent_an_hour = kDiscv5ChurnPercent,
                       .loss_ppm = 1'000,
                       .each_exact = false};
constexpr Shape kBriefChurn{.arrive = seconds(20),
                            .settle = seconds(60),
                            .look_up = seconds(180),
                            .churn_percent_an_hour = kDiscv5ChurnPercent,
                            .loss_ppm = 1'000,
                            .each_exact = false};

class Discv5 final : public DiscoveryScenario {
 public:
  Discv5(const Shape& shape, PlantedBug bug) : shape_{shape}, bug_{bug} {}

  void build(World& world, Chaos&) override {
    world.set_default_link({.latency = milliseconds(10),
                            .jitter = milliseconds(90),
                            .keeps_order = false,
                            .loss_ppm = shape_.loss_ppm});
    world.share_links();
    world_ = &world;
    prng_.emplace(world.split("discv5"));
    count_ = at_most(kDiscv5Nodes);
    const auto leaving =
        static_cast<HostId>(static_cast<std::uint64_t>(count_) * shape_.churn_percent_an_hour *
                            static_cast<std::uint64_t>(shape_.look_up.ns) /
                            (100 * static_cast<std::uint64_t>(seconds(3'600).ns)));
    add_nodes(world, *prng_, count_ + leaving);
    for (HostId i = kDiscv5Boots; i < count_; ++i) {
      world.after(shape_.arrive * i / count_, [this, i](World& w) { begin(w, i); });
    }
    const Duration settled = shape_.arrive + shape_.settle;
    for (HostId i = 0; i < leaving; ++i) {
      world.after(settled + shape_.look_up * (2 * i + 1) / (2 * std::int64_t{leaving}),
                  [this, i](World& w) { replace_one(w, count_ + i); });
    }
    lookups_ = std::min<std::size_t>(kLookups, count_);
    for (std::size_t i = 0; i < lookups_; ++i) {
      const auto at = static_cast<std::int64_t>(i);
      world.after(settled + shape_.look_up * at / static_cast<std::int64_t>(lookups_),
                  [this](World& w) { look_one_up(w); });
    }
  }

  [[nodiscard]] std::optional<std::string> missing(const World& world) override {
    const std::uint64_t right = reached().count(kRight);
    const std::uint64_t ended = right + reached().count(kWrong);
    if (ended < lookups_) return fmt::format("{} of {} look-ups have ended", ended, lookups_);
    if (shape_.each_exact && right * 100 < ended * kDiscv5RightPercent) {
      return fmt::format("{} of {} look-ups found the nearest of all; first failure: {}", right,
                         ended, first_wrong_);
    }
    const std::uint64_t found = reached().count(kNodesFound);
    const std::uint64_t all = found + reached().count(kNodesMissed);
    if (found * 100 < all * kDiscv5RightPercent) {
      return fmt::format("{} of the {} nearest were found; first failure: {}", found, all,
                         first_wrong_);
    }
    return broken_table(world);
  }

  // So that a swarm prints what a node holds and does.
  void on_end(const World& world) override {
    for (const HostId host : alive()) {
      const discovery::Host& node = discovery_of(world, host);
      const discv5::Engine* const v5 = node.v5();
      CHECK(v5 != nullptr);
      reached_.note("nodes that live at the end");
      reached_.note("entries of their tables", node.table().size());
      reached_.note("sessions that they have", v5->sessions());
      reached_.note("handshakes that they made", v5->session_counters().challenges_answered);
      reached_.note("datagrams that came to them", node.counters().datagrams);
      reached_.note("datagrams of these beyond a budget", node.counters().filtered);
    }
  }

 private:
  struct Try {
    NodeId target;
    Instant since;
  };

  [[nodiscard]] HostId draw() {
    auto it = alive().begin();
    std::advance(it, static_cast<std::ptrdiff_t>(prng_->below(alive().size())));
    return *it;
  }
  [[nodiscard]] bool is_settled(HostId host, Instant at) const {
    return plans_[host].since + kDiscv5Settled <= at;
  }

  void replace_one(World& world, HostId newcomer) {
    HostId gone = draw();
    while (gone < kDiscv5Boots) gone = draw();
    std::erase_if(tries_, [&](const auto& entry) {  // nobody is there to be told
      if (entry.first.first != gone) return false;
      --lookups_;
      return true;
    });
    end(world, gone);
    reached_.note("a node left and another came");
    begin(world, newcomer);
  }

  void look_one_up(World& world) {
    NodeId target;
    for (std::byte& b : target.bytes) b = static_cast<std::byte>(prng_->below(256));
    std::uint64_t id = 0;
    HostId host = 0;
    while (id == 0) {
      host = draw();
      if (is_settled(host, world.now())) id = look_up(world, host, target);
    }
    tries_.emplace(std::pair{host, id}, Try{target, world.now()});
  }

  void on_told(HostId host, const discovery::Event& event) override {
    const auto* const told = std::get_if<discv5::Event>(&event);
    const auto* const done = told == nullptr ? nullptr : std::get_if<discv5::LookupDone>(told);
    if (done == nullptr) return;
    const auto it = tries_.find({host, done->lookup});
    if (it == tries_.end()) return;  // of its own
    std::vector<NodeId> found;
    for (const auto& record : done->nearest) found.push_back(record->id());
    if (bug_ == PlantedBug::short_lookups && !found.empty()) found.erase(found.begin());
    judge(host, it->second, found);
    tries_.erase(it);
  }

  // Missed is who is nearer than the last that was found, where k were.
  void judge(HostId host, const Try& one, const std::vector<NodeId>& found) {
    std::size_t missed = 0;
    std::size_t expected = 0;
    for (const HostId other : alive()) {
      if (other == host || !is_settled(other, one.since)) continue;
      ++expected;
      const bool is_beyond =
          found.size() >= kFound && !closer(one.target, id_of(other), found.back());
      if (is_beyond || std::ranges::find(found, id_of(other)) != found.end()) continue;
      ++missed;
    }
    expected = std::min(expected, kFound);
    missed = std::min(missed, expected);
    reached_.note(missed == 0 ? kRight : kWrong);
    reached_.note(kNodesMissed, missed);
    reached_.note(kNodesFound, expected - missed);
    if (missed == 0) return;
    std::string why = fmt::format("node {} found {} nodes and missed {} that are nearer", host,
                                  found.size(), missed);
    world_->trace().comment(world_->now(), host, why);
    if (first_wrong_.empty()) first_wrong_ = std::move(why);
  }

  Shape shape_;
  PlantedBug bug_;
  World* world_ = nullptr;
  std::optional<Prng> prng_;
  HostId count_ = 0;
  std::size_t lookups_ = 0;
  std::map<std::pair<HostId, std::uint64_t>, Try> tries_;
  std::string first_wrong_;
};

ScenarioSpec make_spec(std::string_view name, std::string_view description, const Shape& shape,
                       PlantedBug bug) {
  ScenarioSpec spec{.name = name,
                    .description = description,
                    .faults = 0,
                    .chaos = false,
                    .safety = shape.arrive + shape.settle + shape.look_up,
                    .liveness = seconds(60),
                    .sometimes = {kRight, kNodesFound},
                    .make = [=] { return std::make_unique<Discv5>(shape, bug); }};
  if (shape.churn_percent_an_hour > 0) spec.sometimes.push_back("a node left and another came");
  return spec;
}

}  // namespace

ScenarioSpec make_discv5_spec(Discv5Size size, PlantedBug bug) {
  return make_spec("discv5", "10,000 nodes of discv5 alone find each other; look-ups",
                   size == Discv5Size::whole ? kDiscv5 : kBriefDiscv5, bug);
}
ScenarioSpec make_discv5_churn_spec(Discv5Size size, PlantedBug bug) {
  return make_spec("discv5-churn", "the same, of whom 20 % an hour are replaced, with loss",
                   size == Discv5Size::whole ? kChurn : kBriefChurn, bug);
}

}  // namespace ethnet::sim
