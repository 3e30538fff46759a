// `--bandwidth.down` holds over all sessions together, at the socket, where peers keep to the
// credit that they are given; what we ask for comes in time, and so do heads.
#include <iostream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "metered_net.hpp"

namespace ethnet::testing {
namespace {

using sim::HostId;

constexpr quic::RateLimit kLimit{.per_second = 40 * 1024, .burst = 20 * 1024};
constexpr Duration kWindow = seconds(60);
constexpr std::size_t kAllowed = kLimit.per_second * 60;
constexpr std::size_t kHeaders = 5'000;

void limited(node::NodeConfig& config) { config.download = kLimit; }

void expect_within_two_percent(MeteredNet& net, HostId host, Instant from) {
  const std::size_t received = moved(net.meter(host).in, from, kWindow);
  std::cout << fmt::format("bandwidth.down: {} bytes in 60 s, {:.2f} % of the limit\n", received,
                           100.0 * static_cast<double>(received) / kAllowed);
  EXPECT_LE(received, kAllowed * 102 / 100);
  EXPECT_GE(received, kAllowed * 98 / 100);
  EXPECT_EQ(net.meter(host).sessions_down, 0U);
  EXPECT_EQ(net.counter(host, "mini_sync.timeouts"), 0U);
}

TEST(BandwidthDown, AMinuteOfHeadersFromManyIsWithinTwoPercent) {
  in_metered_net(2, [](MeteredNet& net) {
    std::vector<HostId> servers;
    for (int i = 0; i < 4; ++i) servers.push_back(net.add(kHeaders, {}));
    const HostId fetcher = net.add(0, servers, limited);
    net.run(seconds(5));
    const Instant from = net.clock(fetcher);
    net.run(kWindow);
    expect_within_two_percent(net, fetcher, from);
    EXPECT_EQ(net.meter(fetcher).sessions_up, servers.size());
    EXPECT_LT(net.node(fetcher).chain().head().number, kHeaders);  // there was demand all along
    EXPECT_GT(net.counter(fetcher, "quic.download_waits"), 0U);
    // Nobody lets a peer go that takes what it can.
    for (const HostId server : servers) EXPECT_EQ(net.meter(server).sessions_down, 0U);
  });
}

TEST(BandwidthDown, AMinuteOfChunksFromManyIsWithinTwoPercentAndHeadsComeInTime) {
  in_metered_net(3, [](MeteredNet& net) {
    constexpr std::size_t kChain = 20;
    const auto with_das = [](node::NodeConfig& config) {
      config.das.emplace().auto_sample = false;
    };
    std::vector<HostId> servers;
    for (int i = 0; i < 4; ++i) servers.push_back(net.add(kChain, {}, with_das));
    const HostId fetcher = net.add(kChain, servers, [&](node::NodeConfig& config) {
      with_das(config);
      limited(config);
    });
    net.run(seconds(2));
    das::DataId id;
    for (const HostId server : servers) id = net.publish(server, 3'500'000, 8 * 1'024);
    net.run(seconds(2));
    net.fetch(fetcher, id);
    net.run(seconds(5));
    const Instant from = net.clock(fetcher);
    for (int i = 0; i < 12; ++i) {
      net.seal(servers.front());
      net.run(seconds(5));
    }
    expect_within_two_percent(net, fetcher, from);
    EXPECT_EQ(net.counter(fetcher, "das.chunks_late"), 0U);
    EXPECT_LT(net.counter(fetcher, "das.chunks_received"), 3'500'000U / (8 * 1'024));
    const auto delays = net.head_delays(servers.front(), from, {fetcher});
    const Duration longest = *std::ranges::max_element(delays);
    std::cout << fmt::format("bandwidth.down: {} heads, longest {} ms\n", delays.size(),
                             longest.ns / 1'000'000);
    EXPECT_EQ(delays.size(), 12U);
    EXPECT_LT(longest, seconds(3));
  });
}

// The load is one that needs a limit.
TEST(BandwidthDown, WithoutALimitTheSameLoadTakesMore) {
  in_metered_net(2, [](MeteredNet& net) {
    std::vector<HostId> servers;
    for (int i = 0; i < 4; ++i) servers.push_back(net.add(kHeaders, {}));
    const HostId fetcher = net.add(0, servers);
    const Instant from = net.clock(fetcher) - seconds(1);
    net.run(seconds(10));
    EXPECT_GT(moved(net.meter(fetcher).in, from, seconds(11)), kAllowed);
    EXPECT_EQ(net.node(fetcher).chain().head().number, kHeaders);
    EXPECT_EQ(net.counter(fetcher, "quic.download_waits"), 0U);
  });
}

}  // namespace
}  // namespace ethnet::testing
