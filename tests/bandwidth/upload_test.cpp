// `--bandwidth.up` holds over all sessions together, at the socket, and heads go first.
#include <iostream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "metered_net.hpp"

namespace ethnet::testing {
namespace {

using sim::HostId;

constexpr quic::RateLimit kLimit{.per_second = 64 * 1024, .burst = 32 * 1024};
constexpr std::size_t kHeaders = 1'500;
constexpr Duration kWindow = seconds(60);
constexpr std::size_t kAllowed = kLimit.per_second * 60;

// One node with headers, some that have none and want them all, and some that follow its head.
struct Load {
  HostId server = 0;
  std::vector<HostId> fetchers;
  std::vector<HostId> followers;
};

Load make_load(MeteredNet& net, const quic::RateLimit& limit) {
  Load load;
  load.server = net.add(kHeaders, {}, [&](node::NodeConfig& config) { config.upload = limit; });
  for (int i = 0; i < 3; ++i) load.followers.push_back(net.add(kHeaders, {load.server}));
  net.run(seconds(1));
  for (int i = 0; i < 6; ++i) load.fetchers.push_back(net.add(0, {load.server}));
  return load;
}

TEST(BandwidthUp, AMinuteOfBusyServingIsWithinTwoPercentAndHeadsComeFirst) {
  in_metered_net(1, [](MeteredNet& net) {
    const Load load = make_load(net, kLimit);
    net.run(seconds(4));
    Meter& meter = net.meter(load.server);
    const Instant from = net.clock(load.server);
    for (int head = 0; head < 12; ++head) {
      net.seal(load.server);
      net.run(seconds(5));
    }
    const std::size_t sent = moved(meter.out, from, kWindow);
    const std::vector<Duration> delays = net.head_delays(load.server, from, load.followers);
    const Duration longest = *std::ranges::max_element(delays);
    std::cout << fmt::format(
        "bandwidth.up: {} bytes in 60 s, {:.2f} % of the limit; {} heads, "
        "longest {} ms\n",
        sent, 100.0 * static_cast<double>(sent) / kAllowed, delays.size(), longest.ns / 1'000'000);
    EXPECT_LE(sent, kAllowed * 102 / 100);
    EXPECT_GE(sent, kAllowed * 98 / 100);
    // Whatever minute: no more than the rate and the burst.
    for (Instant t{from - seconds(6)}; t < from; t = t + milliseconds(100)) {
      EXPECT_LE(moved(meter.out, t, kWindow), kAllowed + kLimit.burst);
    }
    for (const HostId fetcher : load.fetchers) {
      EXPECT_LT(net.node(fetcher).chain().head().number, kHeaders);  // there was demand all along
      EXPECT_GT(net.node(fetcher).chain().head().number, kHeaders / 4);  // for everybody
      EXPECT_EQ(net.counter(fetcher, "mini_sync.timeouts"), 0U);
    }
    EXPECT_EQ(meter.sessions_up, 9U);
    EXPECT_EQ(meter.sessions_down, 0U);
    EXPECT_EQ(delays.size(), 12U);
    EXPECT_LT(longest, seconds(2));
    EXPECT_GT(net.counter(load.server, "quic.upload_waits"), 0U);
    EXPECT_GT(net.counter(load.server, "quic.upload_put_off"), 0U);
    EXPECT_GE(net.counter(load.server, "quic.bytes_out"), sent);
  });
}

// The load is one that needs a limit.
TEST(BandwidthUp, WithoutALimitTheSameLoadTakesMore) {
  in_metered_net(1, [](MeteredNet& net) {
    const Load load = make_load(net, {});
    const Instant from = net.clock(load.server);
    net.run(seconds(10));
    EXPECT_GT(moved(net.meter(load.server).out, from, seconds(10)), kAllowed);
    for (const HostId fetcher : load.fetchers) {
      EXPECT_EQ(net.node(fetcher).chain().head().number, kHeaders);
    }
    EXPECT_EQ(net.counter(load.server, "quic.upload_waits"), 0U);
    EXPECT_EQ(net.counter(load.server, "quic.upload_put_off"), 0U);
  });
}

}  // namespace
}  // namespace ethnet::testing
