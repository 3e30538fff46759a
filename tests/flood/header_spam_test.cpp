// Peers that ask for headers without end (attack 43), and ever new identities on one network that
// do (attack 62): whole nodes, whose work takes the time that it was measured to take. With
// ETHNET_FLOOD=full the counts that the rows name, for longer.
#include <algorithm>

#include <chain/producer.hpp>
#include <protocol/mini_sync/limits.hpp>
#include <sim/sim_node.hpp>

#include "header_asker.hpp"
#include "lab.hpp"

namespace ethnet::testing {
namespace {

using sim::HostId;

constexpr std::size_t kMiB = 1024 * 1024;
constexpr std::uint64_t kChain = 1'100;  // headers that the node has

std::vector<chain::HeaderInput> long_chain(const Genesis& genesis) {
  std::vector<chain::HeaderInput> out;
  Header parent = genesis.header;
  while (out.size() < kChain) {
    parent = chain::seal_header(genesis.config, parent, parent.timestamp + 1,
                                genesis.header.beneficiary, "spam");
    out.push_back({parent.encode(), {}, {}});
  }
  return out;
}

class Served {
 public:
  explicit Served(Lab& lab) : lab_{lab}, genesis_{chain::dev_genesis()} {
    lab.world.set_default_link({.latency = milliseconds(4), .jitter = milliseconds(2)});
    sim::HostSpec spec;
    spec.endpoint = {IpAddress::parse("50.1.1.1").value(), 9001};
    spec.options.costs = sim::measured_costs();
    spec.factory = [this](const sim::HostEnv& env) { return make_node(env); };
    node_ = lab.world.add_host(std::move(spec));
    lab.world.start(node_);
    lab.world.input<sim::SimNode>(node_, [&](sim::SimNode& m) {
      (void)m.node().import_headers(lab.world.now_at(node_), long_chain(genesis_),
                                    {"test", "chain"});
    });
    lab.run(seconds(1));
  }

  HostId add(const std::string& ip, HeaderAskerOptions options) {
    sim::HostSpec spec;
    spec.endpoint = {IpAddress::parse(ip).value(), 9001};
    spec.factory = [this, options](const sim::HostEnv& env) {
      return sim::make_machine_host<HeaderAsker>(env, {}, env, options, genesis_);
    };
    const HostId host = lab_.world.add_host(std::move(spec));
    lab_.world.start(host);
    const Now now = lab_.world.now_at(host);
    lab_.world.input<HeaderAsker>(host,
                                  [&](HeaderAsker& m) { m.dial(now, lab_.world.endpoint(node_)); });
    return host;
  }

  [[nodiscard]] const HeaderAsker& asker(HostId host) const {
    const HeaderAsker* found = lab_.world.machine<HeaderAsker>(host);
    CHECK(found != nullptr);
    return *found;
  }
  [[nodiscard]] const node::Node& node() const {
    const auto* found = lab_.world.machine<sim::SimNode>(node_);
    CHECK(found != nullptr);
    return found->node();
  }
  [[nodiscard]] Duration busy() const { return lab_.world.busy(node_); }

  // The median of what these hosts asked in their time from `from` on.
  [[nodiscard]] Duration median(const std::vector<HostId>& hosts, Instant from) const {
    std::vector<Duration> took;
    for (const HostId host : hosts) {
      for (const HeaderAsker::Answer& answer : asker(host).answers()) {
        if (answer.asked >= from) took.push_back(answer.took);
      }
    }
    CHECK(!took.empty());
    std::ranges::sort(took);
    return took[took.size() / 2];
  }

 private:
  std::unique_ptr<sim::Host> make_node(const sim::HostEnv& env) {
    node::NodeConfig config;
    config.listen = {env.local};
    config.genesis = genesis_;
    config.max_peers = 200;
    auto node =
        node::Node::make(env.now, std::move(config),
                         std::make_shared<crypto::SecretKey>(crypto::SecretKey::generate(env.rng)),
                         env.rng, env.prng, env.log,
                         std::make_unique<transport::MemoryTransport>(
                             transport::MemoryConfig{.local = env.local}, env.rng));
    CHECK(node.has_value());
    (*node)->start(env.now);
    return sim::make_machine_host<sim::SimNode>(env, {}, std::move(*node));
  }

  Lab& lab_;
  Genesis genesis_;
  HostId node_ = 0;
};

constexpr HeaderAskerOptions kGreedy{
    .amount = 1'024, .at_once = mini_sync::kMaxQueuedRequests, .period = {}};
constexpr HeaderAskerOptions kHonest{.period = milliseconds(250)};

TEST(HeaderSpam, atk_43_FiftyWhoAskForEverythingDoNotSlowTheOthersDown) {
  in_lab(43, [](Lab& lab) {
    Served served{lab};
    std::vector<HostId> honest;
    for (int i = 0; i < 5; ++i) honest.push_back(served.add(fmt::format("60.{}.1.1", i), kHonest));
    lab.run(seconds(2));
    const Instant quiet = lab.world.now_at(honest.front()).mono;
    lab.run(seconds(5));
    const Duration baseline = served.median(honest, quiet);

    const int attackers = count(12, 50);
    const AllocationMeter meter;
    for (int i = 0; i < attackers; ++i) served.add(fmt::format("61.{}.1.1", i), kGreedy);
    lab.run(milliseconds(500));
    const Instant begin = lab.world.now_at(honest.front()).mono;
    const Duration busy_before = served.busy();
    const std::uint64_t served_before = served.node().sync().counters().headers_served;
    const Duration time = count(seconds(1), seconds(30));
    lab.run(time);
    const Duration during = served.median(honest, begin);
    const Duration busy = served.busy() - busy_before;
    const std::uint64_t headers = served.node().sync().counters().headers_served - served_before;
    fmt::print(
        "quiet: median {} us; {} greedy: {} us, {} headers, node at work {} of {} ms, {} MiB "
        "more\n",
        baseline.ns / 1'000, attackers, during.ns / 1'000, headers, busy.ns / 1'000'000,
        time.ns / 1'000'000, meter.peak_growth() / std::int64_t{kMiB});
    EXPECT_LT(during, baseline * 2);
    // All that the world holds, the attackers' own part and what is on the wire included.
    EXPECT_LE(meter.peak_growth(), attackers * 12 * static_cast<std::int64_t>(kMiB));
    EXPECT_LT(busy, time / 2) << "whatever else the node does has its time";
    EXPECT_GT(served.node().sync().counters().answers_put_off, 0U) << "they ask for too much";
    for (const HostId host : honest) {
      EXPECT_TRUE(served.asker(host).has_session());
      EXPECT_LE(served.asker(host).unanswered(), 1U);
    }
  });
}

// Each of the crowd asks for a little, leaves with it and comes back as somebody else.
TEST(HeaderSpam, atk_62_ACrowdOfNewNamesOnOneNetworkGetsTheShareOfOnePeer) {
  in_lab(62, [](Lab& lab) {
    constexpr HeaderAskerOptions kCrowd{
        .amount = 32, .at_once = 1, .period = {}, .answers_a_name = 1};
    Served served{lab};
    // As many as want more than there is: what is left over is for whoever asks.
    std::vector<HostId> peers;
    for (int i = 0; i < 12; ++i) peers.push_back(served.add(fmt::format("60.{}.1.1", i), kGreedy));
    std::vector<HostId> crowd;
    for (int i = 0; i < count(80, 120); ++i) {
      crowd.push_back(served.add(fmt::format("61.7.7.{}", i + 1), kCrowd));
    }
    lab.run(milliseconds(500));
    const auto headers_of = [&](const std::vector<HostId>& hosts) {
      std::uint64_t sum = 0;
      for (const HostId host : hosts) sum += served.asker(host).headers();
      return sum;
    };
    const std::uint64_t before = headers_of(peers);
    const std::uint64_t crowd_before = headers_of(crowd);
    lab.run(count(seconds(1), seconds(80)));
    const std::uint64_t of_one = (headers_of(peers) - before) / peers.size();
    const std::uint64_t of_crowd = headers_of(crowd) - crowd_before;
    std::size_t names = 0;
    for (const HostId host : crowd) names += served.asker(host).names();
    fmt::print("one peer got {} headers, {} identities on one /24 {}\n", of_one, names, of_crowd);
    EXPECT_GT(names, count<std::size_t>(150, 10'000));
    EXPECT_GT(served.node().sync().counters().answers_put_off, 0U) << "there is not enough for all";
    EXPECT_LE(of_crowd, of_one + of_one / 20);
  });
}

}  // namespace
}  // namespace ethnet::testing
