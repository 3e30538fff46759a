// Whom discv5 and discv4 bring is dialled where its record names our chain and a port for QUIC, and
// one record of ours says all that we speak.
#include "udp_discovery.hpp"

#include <memory>

#include <gtest/gtest.h>
#include <types/enr.hpp>
#include <types/hash_of.hpp>

#include "testing/net.hpp"

namespace ethnet::node {
namespace {

class Targets : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kFork = 100;

  [[nodiscard]] EnrBuilder record() const {
    EnrBuilder out{1};
    out.ip(IpAddress::parse("60.1.1.1").value()).udp(30'303);
    return out;
  }
  [[nodiscard]] DialTarget judge(const EnrBuilder& builder, std::uint64_t head = 10) const {
    const auto node = kbucket::NodeRecord::of(
        std::make_shared<const VerifiedEnr>(builder.sign(key_).value()), kbucket::RecordPort::udp);
    CHECK(node != nullptr);
    return dial_target(*node, ours_, head, 1'000 + head);
  }

  ForkSchedule ours_{Hash32{}, 1'000, {kFork}, {}};
  ForkSchedule others_{[] {
                         Hash32 hash;
                         hash.bytes.fill(std::byte{7});
                         return hash;
                       }(),
                       1'000,
                       {kFork},
                       {}};
  crypto::SecretKey key_ = crypto::SecretKey::from_bytes(Bytes(32, std::byte{5})).value();
};

TEST_F(Targets, ANodeOfOurChainWithAPortForQuicIsDialledThere) {
  const DialTarget target = judge(record().quic(4'000).fork_id(ours_.fork_id(10, 1'010)));
  EXPECT_EQ(target.verdict, Dialable::yes);
  EXPECT_EQ(target.endpoint, (Endpoint{IpAddress::parse("60.1.1.1").value(), 4'000}));
}

TEST_F(Targets, WhoIsOnAnotherChainOrForkOrSaysNothingIsNotDialled) {
  EXPECT_EQ(judge(record().quic(4'000).fork_id(others_.fork_id(10, 1'010))).verdict,
            Dialable::other_fork);
  EXPECT_EQ(judge(record().quic(4'000)).verdict, Dialable::no_fork_id);
  EXPECT_EQ(judge(record().tcp(4'000).fork_id(ours_.fork_id(10, 1'010))).verdict,
            Dialable::no_session_port);
  // It has not passed a fork that we have, and does not know of it.
  const ForkSchedule stale{Hash32{}, 1'000, {}, {}};
  EXPECT_EQ(judge(record().quic(4'000).fork_id(stale.fork_id(200, 1'200)), 200).verdict,
            Dialable::other_fork);
}

TEST(UdpPort, IsOfTheFamilyOfTheAddress) {
  const auto key = crypto::SecretKey::from_bytes(Bytes(32, std::byte{5})).value();
  EnrBuilder four{1};
  put_udp_port(four, IpAddress::parse("60.1.1.1").value(), 5);
  EXPECT_EQ(four.sign(key)->record().udp(), 5);
  EnrBuilder six{1};
  put_udp_port(six, IpAddress::parse("2001:db8::1").value(), 6);
  EXPECT_EQ(six.sign(key)->record().udp6(), 6);
  EXPECT_EQ(six.sign(key)->record().udp(), std::nullopt);
}

TEST(OwnRecord, NamesTheForkThatTheHeadHasPassedAndIsSignedAnewForNoOtherHead) {
  Net net;
  Genesis genesis = chain::dev_genesis();
  genesis.config.set_begin(Fork::arrow_glacier, 3);  // it changes no rule but the old difficulty
  const ForkSchedule schedule = genesis.fork_schedule();
  NodeConfig config;
  config.producer = {.enabled = true, .forks = false, .period = seconds(1)};
  config.udp_discovery = UdpDiscoveryConfig{.listen = {{Net::address(1).ip, 32'303}},
                                            .v4 = false,
                                            .v5 = true,
                                            .boot_records = {},
                                            .boot_nodes = {}};
  Box& box = net.add(config, 1, genesis);
  const auto record = [&] { return VerifiedEnr::decode(box.node->enr()).value(); };
  const std::uint64_t first = record()->seq();
  EXPECT_EQ(record()->fork_id(), schedule.fork_id(0, 0));
  EXPECT_EQ(record()->udp(), 32'303);
  while (box.head().number < 2) net.run(milliseconds(100));
  EXPECT_EQ(record()->seq(), first) << "no fork was passed";
  while (box.head().number < 5) net.run(milliseconds(100));
  EXPECT_EQ(record()->fork_id(), schedule.fork_id(5, 0));
  EXPECT_NE(record()->fork_id(), schedule.fork_id(0, 0));
  EXPECT_GT(record()->seq(), first);
  EXPECT_EQ(box.node->udp_discovery()->host().local_record()->record().seq(), record()->seq());
}

}  // namespace
}  // namespace ethnet::node
