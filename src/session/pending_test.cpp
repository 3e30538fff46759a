// Places for connections that nobody has proven anything on: few for each address, and the crowd
// makes way for the newcomer.
#include <gtest/gtest.h>

#include "registry.hpp"
#include "testing/world.hpp"

namespace ethnet::session {
namespace {

using namespace ethnet::session::testing;
using Reason = DisconnectReason;

Endpoint v6(std::uint8_t subnet, std::uint16_t host) {
  ByteArray<16> bytes{std::byte{0x20}, std::byte{0x01}, std::byte{0x0d}, std::byte{0xb8}};
  bytes[7] = std::byte{subnet};
  bytes[14] = static_cast<std::byte>(host >> 8);
  bytes[15] = static_cast<std::byte>(host & 0xff);
  return {IpAddress::v6(bytes), 9000};
}

TEST(StrangerPrefix, IsAnAddressOfIPv4AndASubnetOfIPv6) {
  EXPECT_EQ(stranger_prefix(address(1, 1).ip), stranger_prefix(address(1, 2).ip));
  EXPECT_NE(stranger_prefix(address(1).ip), stranger_prefix(address(2).ip));
  EXPECT_EQ(stranger_prefix(v6(1, 1).ip), stranger_prefix(v6(1, 700).ip));
  EXPECT_NE(stranger_prefix(v6(1, 1).ip), stranger_prefix(v6(2, 1).ip));
  EXPECT_NE(stranger_prefix(v6(0, 1).ip), stranger_prefix(address(0).ip));
}

// As many subnets as a site has: 65,536.
Endpoint of_site(std::uint8_t site, std::uint16_t subnet) {
  ByteArray<16> bytes{std::byte{0x20}, std::byte{0x01}, std::byte{0x0d}, std::byte{0xb8}};
  bytes[5] = std::byte{site};
  bytes[6] = static_cast<std::byte>(subnet >> 8);
  bytes[7] = static_cast<std::byte>(subnet & 0xff);
  bytes[15] = std::byte{1};
  return {IpAddress::v6(bytes), 9000};
}

TEST(StrangerPrefix, ManyOfThemAreOfOneNet) {
  EXPECT_EQ(stranger_net(of_site(1, 1).ip), stranger_net(of_site(1, 60'000).ip));
  EXPECT_NE(stranger_net(of_site(1, 1).ip), stranger_net(of_site(2, 1).ip));
  EXPECT_EQ(stranger_net(address(1).ip), stranger_net(address(200).ip));
  const IpAddress near = IpAddress::v4({std::byte{10}, {}, std::byte{1}, std::byte{1}});
  EXPECT_NE(stranger_net(address(1).ip), stranger_net(near));
}

class Pending : public ::testing::Test {
 protected:
  // Opens a connection and says nothing on it.
  void stranger(const Endpoint& from) {
    const auto [at, fresh] = hosts.try_emplace(from, nullptr);
    if (fresh) at->second = &world.add_raw_host(from);
    ASSERT_TRUE(at->second->dial(world.now(), node.address()));
    world.run_for(milliseconds(31));
  }
  void strangers(std::size_t n, std::uint8_t host) {
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_NO_FATAL_FAILURE(stranger(address(host, static_cast<std::uint16_t>(9000 + i))));
    }
  }
  [[nodiscard]] std::size_t pending() { return node.manager().snapshot().handshaking; }
  [[nodiscard]] std::size_t refused() { return node.refused_with(Reason::pending_limit); }

  explicit Pending(std::size_t per_net = 128) : most_of_a_net{per_net} {}
  static Config config(std::size_t per_net) {
    Config out;
    out.max_pending = 20;
    out.max_pending_inbound = 12;
    out.max_pending_per_prefix = 4;
    out.max_pending_per_net = per_net;
    return out;
  }
  std::size_t most_of_a_net;
  World world;
  Node& node = world.add_node(make_key(1), address(1), config(most_of_a_net));
  std::map<Endpoint, FakeHost*> hosts;
};

class PendingOfSites : public Pending {
 protected:
  PendingOfSites() : Pending{8} {}
};

TEST_F(Pending, OneIPv4AddressHasFewPlaces) {
  strangers(6, 2);
  EXPECT_EQ(pending(), 4U);
  EXPECT_EQ(refused(), 2U);
}

TEST_F(Pending, OneIPv6SubnetHasFewPlacesWhateverTheAddress) {
  for (std::uint16_t i = 0; i < 6; ++i) ASSERT_NO_FATAL_FAILURE(stranger(v6(1, i)));
  EXPECT_EQ(pending(), 4U);
  ASSERT_NO_FATAL_FAILURE(stranger(v6(2, 1)));
  EXPECT_EQ(pending(), 5U);
}

// Three addresses hold all the places; whoever comes from elsewhere gets a session all the same.
TEST_F(Pending, ACrowdFromFewAddressesMakesWayForOneFromElsewhere) {
  for (std::uint8_t host = 2; host <= 4; ++host) ASSERT_NO_FATAL_FAILURE(strangers(4, host));
  ASSERT_EQ(pending(), 12U);
  Node& honest = world.add_node(make_key(2), address(9));
  ASSERT_TRUE(honest.dial(node.address()));
  world.run_for(milliseconds(500));
  EXPECT_EQ(honest.manager().session_count(), 1U);
  EXPECT_EQ(refused(), 1U);
  // The oldest of the crowd went.
  EXPECT_EQ(node.events<SessionRefused>().at(0).remote, address(2, 9000));
  // And one more of the crowd goes nowhere.
  ASSERT_NO_FATAL_FAILURE(stranger(address(2, 9100)));
  EXPECT_EQ(pending(), 12U);
}

TEST_F(Pending, TheCrowdDoesNotDisplaceOneFromElsewhere) {
  ASSERT_NO_FATAL_FAILURE(stranger(address(9)));
  for (std::uint8_t host = 2; host <= 6; ++host) ASSERT_NO_FATAL_FAILURE(strangers(8, host));
  EXPECT_EQ(pending(), 12U);
  for (const SessionRefused& gone : node.events<SessionRefused>()) {
    EXPECT_NE(gone.remote, address(9));
  }
}

// One whose site has more subnets than there are places takes a share of them, and makes way for
// others; who came before from elsewhere is not displaced by it.
TEST_F(PendingOfSites, ASiteOfManySubnetsIsOneCrowd) {
  ASSERT_NO_FATAL_FAILURE(stranger(of_site(1, 1)));
  for (std::uint16_t i = 0; i < 30; ++i) ASSERT_NO_FATAL_FAILURE(stranger(of_site(2, i)));
  EXPECT_EQ(pending(), 1U + 8U);
  ASSERT_NO_FATAL_FAILURE(strangers(3, 9));
  EXPECT_EQ(pending(), 12U);
  for (std::uint16_t i = 30; i < 60; ++i) ASSERT_NO_FATAL_FAILURE(stranger(of_site(2, i)));
  // All places are taken, and still one from elsewhere gets one; the site's oldest went.
  ASSERT_NO_FATAL_FAILURE(stranger(of_site(3, 1)));
  EXPECT_EQ(pending(), 12U);
  for (const SessionRefused& gone : node.events<SessionRefused>()) {
    EXPECT_EQ(stranger_net(gone.remote.ip), stranger_net(of_site(2, 0).ip));
  }
}

// Where everybody has one, the oldest has had the most time.
TEST_F(Pending, AmongEqualsTheOldestMakesWay) {
  for (std::uint8_t i = 0; i < 12; ++i) {
    ASSERT_NO_FATAL_FAILURE(stranger(address(static_cast<std::uint8_t>(20 + i))));
  }
  ASSERT_NO_FATAL_FAILURE(stranger(address(99)));
  EXPECT_EQ(pending(), 12U);
  ASSERT_EQ(refused(), 1U);
  EXPECT_EQ(node.events<SessionRefused>()[0].remote, address(20));
}

TEST_F(Pending, StrangersLeaveRoomForOurDials) {
  for (std::uint8_t host = 2; host <= 5; ++host) ASSERT_NO_FATAL_FAILURE(strangers(4, host));
  for (std::uint8_t i = 0; i < 8; ++i) {
    EXPECT_TRUE(node.dial(address(static_cast<std::uint8_t>(200 + i))));
  }
  EXPECT_TRUE(node.dial(address(220)).error().is(SessionError::pending_limit));
}

}  // namespace
}  // namespace ethnet::session
