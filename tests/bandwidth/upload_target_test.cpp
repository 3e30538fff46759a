// `--max-upload-target`: when the day's upload is used up, heads and what keeps sessions alive
// still go out, trusted peers are still served, and everybody is again when the next day begins.
#include <iostream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "metered_net.hpp"

namespace ethnet::testing {
namespace {

using sim::HostId;

constexpr std::size_t kHeaders = 3'000;
constexpr std::uint64_t kTarget = 1'500'000;  // less than one who has nothing wants
constexpr Duration kDay = seconds(600);

TEST(MaxUploadTarget, HeadsAloneAreServedUntilTheNextDay) {
  in_metered_net(4, [](MeteredNet& net) {
    const HostId server = net.add(kHeaders, {}, [](node::NodeConfig& config) {
      config.upload_per_day = kTarget;
      config.upload_day = kDay;
    });
    const HostId follower = net.add(kHeaders, {server});
    const std::vector<HostId> fetchers{net.add(0, {server}), net.add(0, {server})};
    net.run(seconds(20));
    EXPECT_EQ(net.counter(server, "node.upload_target_reached"), 1U);
    EXPECT_EQ(net.counter(server, "node.upload_target"), kTarget);
    EXPECT_GE(net.counter(server, "node.upload_today"), kTarget);
    const std::uint64_t height = net.node(fetchers.front()).chain().head().number;
    EXPECT_LT(height, kHeaders);
    // A minute in which the chain grows: the follower has all of it, at once.
    const Instant from = net.clock(server);
    for (int i = 0; i < 6; ++i) {
      net.seal(server);
      net.run(seconds(10));
    }
    const auto delays = net.head_delays(server, from, {follower});
    EXPECT_EQ(delays.size(), 6U);
    EXPECT_LT(*std::ranges::max_element(delays), milliseconds(500));
    const std::size_t sent = moved(net.meter(server).out, from, seconds(60));
    std::cout << fmt::format("max-upload-target: {} bytes in the minute after it\n", sent);
    EXPECT_LT(sent, 30'000U);
    EXPECT_EQ(net.node(fetchers.front()).chain().head().number, height);
    EXPECT_EQ(net.meter(server).sessions_up, 3U);
    EXPECT_EQ(net.meter(server).sessions_down, 0U);
    // The next day.
    net.run(kDay - seconds(60));
    for (const HostId fetcher : fetchers) {
      EXPECT_GT(net.node(fetcher).chain().head().number, height);
    }
    EXPECT_EQ(net.meter(server).sessions_down, 0U);
  });
}

TEST(MaxUploadTarget, DoesNotBindUsToWhomWeTrust) {
  in_metered_net(5, [](MeteredNet& net) {
    const auto key = net.make_key("trusted");
    const HostId server = net.add(kHeaders, {}, [&](node::NodeConfig& config) {
      config.upload_per_day = kTarget / 10;
      config.upload_day = kDay;
      config.trusted.insert(NodeId{crypto::node_id_of(key->public_key())});
    });
    const HostId stranger = net.add(0, {server});
    net.run(seconds(10));
    const HostId friend_of_ours = net.add(0, {server}, {}, key);
    net.run(seconds(20));
    EXPECT_EQ(net.counter(server, "node.upload_target_reached"), 1U);
    EXPECT_LT(net.node(stranger).chain().head().number, kHeaders);
    EXPECT_EQ(net.node(friend_of_ours).chain().head().number, kHeaders);
  });
}

}  // namespace
}  // namespace ethnet::testing
