// The vote on our own address.
#include "ip_vote.hpp"

#include <gtest/gtest.h>

#include "testing/records.hpp"

namespace ethnet::kbucket {
namespace {

using namespace testing;

const Endpoint kHome = endpoint("5.5.5.5:9000");
const Endpoint kElsewhere = endpoint("6.6.6.6:9000");

// `count` voters from subnets of their own, beginning with number `first`; the last change.
std::optional<OwnAddress> vote(IpVote& votes, Duration when, std::size_t first, std::size_t count,
                               const Endpoint& seen) {
  std::optional<OwnAddress> change;
  for (std::size_t i = first; i < first + count; ++i) {
    if (auto c = votes.on_vote(at(when), own_subnet(i).ip, seen)) change = c;
  }
  return change;
}

TEST(IpVote, TenDistinctSubnetsMakeAnAddressAndNineDoNot) {
  IpVote votes;
  EXPECT_EQ(vote(votes, seconds(0), 0, 9, kHome), std::nullopt);
  EXPECT_EQ(vote(votes, seconds(1), 9, 1, kHome), (OwnAddress{Scope::wan, kHome}));
  EXPECT_EQ(votes.current(Scope::wan, false), kHome);
  EXPECT_EQ(votes.current(Scope::wan, true), std::nullopt);
}

TEST(IpVote, ASubnetHasOneVote) {
  IpVote votes;
  for (std::uint8_t host = 1; host < 100; ++host) {
    EXPECT_EQ(votes.on_vote(at(seconds(0)), shared_subnet(host).ip, kHome), std::nullopt);
  }
  EXPECT_EQ(votes.voters(), 1U);
}

TEST(IpVote, AVoteCountsForTwoMinutes) {
  IpVote votes;
  EXPECT_EQ(vote(votes, seconds(0), 0, 5, kHome), std::nullopt);
  EXPECT_EQ(vote(votes, seconds(121), 5, 9, kHome), std::nullopt);
  EXPECT_NE(vote(votes, seconds(122), 14, 1, kHome), std::nullopt);
}

TEST(IpVote, TenThatAreNoMajorityChangeNothing) {
  IpVote votes;
  votes.set(kHome);
  vote(votes, seconds(0), 0, 12, kHome);
  EXPECT_EQ(vote(votes, seconds(1), 20, 12, kElsewhere), std::nullopt);
  EXPECT_NE(vote(votes, seconds(2), 40, 1, kElsewhere), std::nullopt);
}

TEST(IpVote, TheFamiliesAreCountedApart) {
  IpVote votes;
  vote(votes, seconds(0), 0, 10, kHome);
  const Endpoint v6 = endpoint("[2a00::5]:9000");
  for (unsigned i = 0; i < 10; ++i) {
    ByteArray<16> bytes{};
    bytes[0] = std::byte{0x2a};
    bytes[5] = static_cast<std::byte>(i);
    const auto change = votes.on_vote(at(seconds(1)), IpAddress::v6(bytes), v6);
    EXPECT_EQ(change.has_value(), i == 9);
  }
  EXPECT_EQ(votes.current(Scope::wan, false), kHome);
  EXPECT_EQ(votes.current(Scope::wan, true), v6);
}

TEST(IpVote, OneVoteIsEnoughOnLoopbackAndLan) {
  IpVote votes;
  EXPECT_EQ(votes.on_vote(at(seconds(0)), endpoint("127.0.0.1:1").ip, endpoint("127.0.0.1:9")),
            (OwnAddress{Scope::loopback, endpoint("127.0.0.1:9")}));
  EXPECT_EQ(votes.on_vote(at(seconds(0)), endpoint("10.0.0.7:1").ip, endpoint("10.0.0.2:9")),
            (OwnAddress{Scope::lan, endpoint("10.0.0.2:9")}));
}

TEST(IpVote, TwoOnALanThatDisagreeDoNotMakeItSwing) {
  IpVote votes;
  const Endpoint ours = endpoint("10.0.0.2:9");
  std::size_t changes = 0;
  for (int i = 0; i < 600; ++i) {
    const Endpoint lie = i < 300 ? ours : endpoint("10.0.0.66:9");
    if (votes.on_vote(at(seconds(i)), endpoint("10.0.0.7:1").ip, ours)) ++changes;
    if (votes.on_vote(at(seconds(i)), endpoint("10.0.0.8:1").ip, lie)) ++changes;
  }
  EXPECT_EQ(changes, 1U);
  EXPECT_EQ(votes.current(Scope::lan, false), ours);
}

TEST(IpVote, AVoterSpeaksForItsOwnScopeOnly) {
  IpVote votes;
  for (std::size_t i = 0; i < 30; ++i) {
    const IpAddress wan = own_subnet(i).ip;
    EXPECT_EQ(votes.on_vote(at(seconds(0)), wan, endpoint("10.0.0.2:9")), std::nullopt);
    EXPECT_EQ(votes.on_vote(at(seconds(0)), wan, endpoint("127.0.0.1:9")), std::nullopt);
    EXPECT_EQ(votes.on_vote(at(seconds(0)), wan, endpoint("224.0.0.1:9")), std::nullopt);
    EXPECT_EQ(votes.on_vote(at(seconds(0)), wan, endpoint("5.5.5.5:0")), std::nullopt);
  }
  EXPECT_EQ(votes.on_vote(at(seconds(0)), endpoint("10.0.0.7:1").ip, kHome), std::nullopt);
  EXPECT_EQ(votes.ignored(), 121U);
  EXPECT_EQ(votes.voters(), 0U);
}

TEST(IpVote, VotersAreBounded) {
  IpVote votes;
  for (std::size_t i = 0; i < 3 * kMaxVoters; ++i) {
    const Endpoint seen{kHome.ip, static_cast<std::uint16_t>(i + 1)};
    EXPECT_EQ(votes.on_vote(at(milliseconds(static_cast<std::int64_t>(i))), own_subnet(i).ip, seen),
              std::nullopt);
  }
  EXPECT_EQ(votes.voters(), kMaxVoters);
}

}  // namespace
}  // namespace ethnet::kbucket
