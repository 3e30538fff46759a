// Whom discv5 and discv4 bring is dialled where its record names our chain and a port for QUIC, and
// one record of ours says all that we speak.
#include "udp_discovery.hpp"

#include <memory>
#include <set>

#include <discovery/kbucket/nodes_file.hpp>
#include <discovery/v4/testing/packets.hpp>
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
    return dial_target(builder.sign(key_)->record(), {}, ours_, head, 1'000 + head);
  }
  // Of a node that answered at `seen`, as discovery has it.
  [[nodiscard]] DialTarget judge_seen(EnrBuilder builder, const char* seen) const {
    const IpAddress ip = IpAddress::parse(seen).value();
    const auto record = builder.fork_id(ours_.fork_id(10, 1'010)).sign(key_);
    return dial_target(record->record(), {kbucket::scope_of(ip), ip}, ours_, 10, 1'010);
  }
  [[nodiscard]] Dialable judge_listed(const char* ip, kbucket::Scope scope) const {
    EnrBuilder builder{1};
    builder.ip(IpAddress::parse(ip).value()).quic(443).fork_id(ours_.fork_id(10, 1'010));
    return dial_target(builder.sign(key_)->record(), {scope, std::nullopt}, ours_, 10, 1'010)
        .verdict;
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

// Attack 38: the address that answers is the attacker's, the one to be dialled somebody else's.
TEST_F(Targets, atk_38_WhereNobodyHasSeenTheNodeItIsNotDialled) {
  const auto two_faced = [&](const char* ip) {
    EnrBuilder out = record();  // of discovery alone
    out.ip(IpAddress::parse(ip).value()).quic6(443);
    return out;
  };
  for (const char* ip : {"fd00::1", "::1", "ff02::fb", "2600:9::9"}) {
    EXPECT_EQ(judge_seen(two_faced(ip), "60.1.1.1").verdict, Dialable::elsewhere) << ip;
  }
  // It speaks QUIC where it was seen too.
  const DialTarget target = judge_seen(two_faced("2600:9::9").quic(444), "60.1.1.1");
  EXPECT_EQ(target.verdict, Dialable::yes);
  EXPECT_EQ(target.endpoint, Endpoint::parse("60.1.1.1:444").value());
}

// "quic" is of both families where there is no "quic6".
TEST_F(Targets, atk_38_OfTwoAddressesTheOneThatAnsweredIsDialled) {
  for (const char* ip : {"192.168.1.1", "127.0.0.1", "224.0.0.251", "60.9.9.9"}) {
    EnrBuilder out{1};
    out.ip(IpAddress::parse(ip).value()).quic(443);
    out.ip(IpAddress::parse("2600::1").value()).udp6(30'303);
    const DialTarget target = judge_seen(std::move(out), "2600::1");
    EXPECT_EQ(target.verdict, Dialable::yes);
    EXPECT_EQ(target.endpoint, Endpoint::parse("[2600::1]:443").value()) << ip;
  }
}

TEST_F(Targets, atk_38_AListNamesNobodysNeighboursAndNoGroupOfHosts) {
  using kbucket::Scope;
  EXPECT_EQ(judge_listed("60.9.9.9", Scope::wan), Dialable::yes);
  for (const char* ip : {"192.168.1.1", "127.0.0.1", "169.254.1.1", "224.0.0.251", "0.0.0.0"}) {
    EXPECT_EQ(judge_listed(ip, Scope::wan), Dialable::elsewhere) << ip;
  }
  EXPECT_EQ(judge_listed("192.168.1.1", Scope::lan), Dialable::yes);
  EXPECT_EQ(judge_listed("127.0.0.1", Scope::lan), Dialable::elsewhere);
  EXPECT_EQ(judge_listed("127.0.0.1", Scope::loopback), Dialable::yes);
  EXPECT_EQ(judge_listed("224.0.0.251", Scope::loopback), Dialable::elsewhere);
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

NodeConfig speaking_discv5() {
  NodeConfig config;
  config.udp_discovery = Net::discovery_of(1, false, true);
  return config;
}

class Restart : public ::testing::Test {
 protected:
  static constexpr std::size_t kNodes = 40;
  static std::shared_ptr<const crypto::SecretKey> key(std::uint64_t number) {
    ByteArray<32> bytes{};
    store_be<std::uint64_t>(MutByteView{bytes}.last(8), number + 1);
    return std::make_shared<const crypto::SecretKey>(crypto::SecretKey::from_bytes(bytes).value());
  }
  static Endpoint where(std::size_t number) {
    return {
        IpAddress::v4({std::byte{60}, std::byte{1}, static_cast<std::byte>(number), std::byte{1}}),
        30'303};
  }
  // A file of nodes that were seen, the last one first.
  static Bytes file() {
    kbucket::SavedNodes out;
    for (std::size_t i = 0; i < kNodes; ++i) {
      EnrBuilder record{1};
      record.ip(where(i).ip).udp(where(i).port);
      out.nodes.push_back({to_bytes(record.sign(*key(i))->record().encoded()), 1'700'000'000 - i});
    }
    return kbucket::encode(out);
  }
  UdpDiscovery make(UdpDiscoveryConfig config) {
    EnrBuilder record{1};
    record.ip(Net::address(1).ip);
    return {now_,       std::move(config),
            key(1'000), std::make_shared<const VerifiedEnr>(record.sign(*key(1'000)).value()),
            rng_,       Prng{1}};
  }
  std::set<Endpoint> asked(UdpDiscovery& discovery) {
    std::set<Endpoint> out;
    Bytes buffer(kTransmitBufferBytes);
    while (const auto sent = discovery.poll_transmit(now_, buffer)) out.insert(sent->remote);
    return out;
  }
  Now now_{Instant{} + seconds(100), UnixTime::from_seconds(1'800'000'000)};
  sim::SeededSecureRng rng_{Prng{7}};
};

TEST_F(Restart, ThoseSeenLastAreAskedAtOnceWithoutABootNode) {
  for (const bool v5 : {true, false}) {
    UdpDiscoveryConfig config = *speaking_discv5().udp_discovery;
    config.v4 = !v5;
    config.v5 = v5;
    config.saved = file();
    UdpDiscovery discovery = make(std::move(config));
    ASSERT_TRUE(discovery.restore(now_).has_value());
    EXPECT_EQ(discovery.start(now_), 0U);
    const std::set<Endpoint> told = asked(discovery);
    for (std::size_t i = 0; v5 && i < kMaxAskedAtRestart; ++i) {
      EXPECT_TRUE(told.contains(where(i))) << i;
    }
    EXPECT_FALSE(told.empty()) << "discv4 begins a look-up among them";
    // They are known, but not to others before they have answered.
    EXPECT_GT(discovery.host().table().size(), 20U);
    EXPECT_TRUE(discovery.host().table().closest(NodeId{}, 16, false).empty());
    // And are kept for the next run, though they did not answer in this one.
    EXPECT_EQ(kbucket::decode_saved_nodes(discovery.saved_nodes())->nodes.size(),
              discovery.host().table().size());
  }
}

TEST_F(Restart, NodesOfNetworksThatAreNotAllowedAreForgotten) {
  UdpDiscoveryConfig config = *speaking_discv5().udp_discovery;
  config.saved = file();
  config.nets = NetList::parse("60.1.3.0/24").value();
  UdpDiscovery discovery = make(std::move(config));
  ASSERT_TRUE(discovery.restore(now_).has_value());
  EXPECT_EQ(discovery.start(now_), 0U);
  EXPECT_EQ(asked(discovery), (std::set<Endpoint>{where(3)}));
  EXPECT_EQ(discovery.host().table().size(), 1U);
}

TEST_F(Restart, AFileThatIsNoneIsSaid) {
  UdpDiscoveryConfig config = *speaking_discv5().udp_discovery;
  config.saved = Bytes(20, std::byte{1});
  UdpDiscovery discovery = make(std::move(config));
  EXPECT_FALSE(discovery.restore(now_).has_value());
  EXPECT_EQ(discovery.host().table().size(), 0U);
}

TEST(MappedAddress, StandsInTheRecordUntilNobodyHasComeForFiveMinutes) {
  Net net;
  Box& box = net.add(speaking_discv5(), 1);
  const auto record = [&] { return VerifiedEnr::decode(box.node->enr()).value(); };
  const auto tell = [&](std::uint16_t port, std::uint16_t discovery_port) {
    box.pump->input(net.now_of(box), [&](Node& n) {
      n.set_external(net.now_of(box), {IpAddress::parse("60.1.1.1").value(), port}, discovery_port);
    });
  };
  tell(40'000, 40'001);
  EXPECT_EQ(record()->ip(), IpAddress::parse("60.1.1.1").value());
  EXPECT_EQ(record()->quic(), 40'000);
  EXPECT_EQ(record()->udp(), 40'001);
  const std::uint64_t first = record()->seq();
  tell(40'000, 40'001);
  EXPECT_EQ(record()->seq(), first) << "nothing has changed";
  net.run(seconds(290));
  EXPECT_EQ(record()->ip(), IpAddress::parse("60.1.1.1").value());
  net.run(seconds(20));
  EXPECT_EQ(record()->ip(), std::nullopt) << "nobody came";
  EXPECT_EQ(record()->udp(), std::nullopt);
  EXPECT_GT(record()->seq(), first);
  EXPECT_EQ(box.log.count("Nobody reaches us"), 1U);
  tell(40'000, 40'001);
  EXPECT_EQ(record()->ip(), std::nullopt) << "the same mapping, renewed, is no news";
  tell(40'002, 40'001);
  EXPECT_EQ(record()->quic(), 40'002) << "another one is";
}

// Twelve nodes of discv4, each of a network of its own, that all see us at one address.
std::optional<Bytes> pong_of_voters(const Packet& packet, const Endpoint& seen, Now now) {
  const auto asked = discv4::open(packet.bytes);
  if (!asked || asked->type != discv4::PacketType::ping) return std::nullopt;
  for (std::uint64_t i = 1; i <= 12; ++i) {
    if (packet.to != discv4::testing::place_of(i)) continue;
    return discv4::testing::packet_of(discv4::Pong{.to = discv4::testing::wire_place(seen),
                                                   .ping_hash = asked->hash,
                                                   .expiration = discv4::expiration_at(now.wall)},
                                      *discv4::testing::key_of(i));
  }
  return std::nullopt;
}

NodeConfig asking_voters() {
  NodeConfig config = speaking_discv5();
  config.udp_discovery->v4 = true;
  config.udp_discovery->v5 = false;
  for (std::uint64_t i = 1; i <= 12; ++i) {
    config.udp_discovery->boot_nodes.push_back(
        discv4::V4Node::of(discv4::testing::key_of(i)->public_key(),
                           discv4::testing::wire_place(discv4::testing::place_of(i))));
  }
  return config;
}

// Whose packets live for twenty seconds, and whose clocks are a minute behind ours.
TEST(Clock, IsDoubtedAloudWhenAnswersToPingsHaveExpired) {
  Net net;
  const Endpoint seen = Endpoint::parse("70.1.1.1:32303").value();
  net.elsewhere = [&](const Packet& p, Now now) {
    return pong_of_voters(p, seen, {now.mono, now.wall + seconds(-60)});
  };
  Box& box = net.add(asking_voters(), 1);
  Box& well = net.add(speaking_discv5(), 2);
  net.run(seconds(120));
  ASSERT_EQ(box.log.count("Nodes of discv4 disagree with the clock of this machine"), 1U);
  EXPECT_EQ(box.log.count("disagree with the clock of this machine ahead_seconds=40"), 1U);
  EXPECT_EQ(box.counter("node.clock_suspicions"), 1U);
  EXPECT_EQ(well.counter("node.clock_suspicions"), 0U);
  EXPECT_EQ(box.node->snapshot(net.now_of(box)).clock_ahead_seconds, 40);
  EXPECT_EQ(well.node->snapshot(net.now_of(well)).clock_ahead_seconds, 0);
  net.run(seconds(480));
  EXPECT_EQ(box.log.count("Nodes of discv4 disagree with the clock of this machine"), 1U);
}

// Of one family and the other; what is lost is not there in any record that comes later.
TEST(MappedAddress, ThatIsLostLeavesTheOtherFamilysInTheRecord) {
  Net net;
  Box& box = net.add(speaking_discv5(), 1);
  const auto record = [&] { return VerifiedEnr::decode(box.node->enr()).value(); };
  const auto tell = [&](const char* ip, std::uint16_t discovery_port) {
    box.pump->input(net.now_of(box), [&](Node& n) {
      n.set_external(net.now_of(box), {IpAddress::parse(ip).value(), 40'000}, discovery_port);
    });
  };
  tell("60.1.1.1", 40'001);
  net.run(seconds(100));
  tell("2600::1", 40'002);
  ASSERT_EQ(record()->ip(), IpAddress::parse("60.1.1.1").value());
  ASSERT_EQ(record()->ip6(), IpAddress::parse("2600::1").value());
  std::set<std::uint64_t> numbers;
  for (int i = 0; i < 210; ++i) {
    net.run(seconds(1));
    numbers.insert(record()->seq());
  }
  EXPECT_EQ(record()->ip(), std::nullopt) << "nobody came";
  EXPECT_EQ(record()->udp(), std::nullopt);
  EXPECT_EQ(record()->ip6(), IpAddress::parse("2600::1").value());
  EXPECT_EQ(record()->udp6(), 40'002);
  EXPECT_EQ(numbers.size(), 2U) << "before and after";
  EXPECT_EQ(*numbers.rbegin(), *numbers.begin() + 1);
  const auto& host = box.node->udp_discovery()->host();
  EXPECT_EQ(host.local_record()->record().text(), record()->text());
  net.run(seconds(100));
  EXPECT_EQ(record()->ip6(), std::nullopt);
}

// The port of discovery that the record names is the other family's then: the renewals of the
// mapping, minutes apart, are no news all the same.
TEST(MappedAddress, ThatIsLostStaysLostWhereTheOtherFamilysPortIsAnother) {
  Net net;
  NodeConfig config = speaking_discv5();
  config.udp_discovery->external = Endpoint{IpAddress::parse("2600::1").value(), 9'001};
  Box& box = net.add(config, 1);
  const auto record = [&] { return VerifiedEnr::decode(box.node->enr()).value(); };
  const auto tell = [&](std::uint16_t discovery_port) {
    box.pump->input(net.now_of(box), [&](Node& n) {
      n.set_external(net.now_of(box), {IpAddress::parse("60.1.1.1").value(), 40'000},
                     discovery_port);
    });
  };
  tell(40'001);
  ASSERT_EQ(record()->udp(), 40'001);
  ASSERT_EQ(record()->udp6(), 32'303);
  net.run(seconds(310));
  ASSERT_EQ(record()->ip(), std::nullopt) << "nobody came";
  const std::uint64_t lost = record()->seq();
  tell(40'001);
  net.run(seconds(310));
  EXPECT_EQ(record()->ip(), std::nullopt);
  EXPECT_EQ(record()->seq(), lost) << "it was back for a while";
  EXPECT_EQ(record()->udp6(), 32'303);
  tell(40'002);
  EXPECT_EQ(record()->udp(), 40'002) << "another mapping is tried";
}

TEST(MappedAddress, ThatOthersVotesPutOutOfTheRecordIsPutBackWhenItIsToldAgain) {
  Net net;
  const Endpoint wrong = Endpoint::parse("70.1.1.1:32303").value();
  net.elsewhere = [&](const Packet& p, Now now) { return pong_of_voters(p, wrong, now); };
  Box& box = net.add(asking_voters(), 1);
  const IpAddress right = IpAddress::parse("60.1.1.1").value();
  const auto tell = [&] {
    box.pump->input(net.now_of(box),
                    [&](Node& n) { n.set_external(net.now_of(box), {right, 40'000}, 32'303); });
  };
  const auto named = [&] { return Enr::decode(box.node->enr())->ip(); };
  tell();
  EXPECT_EQ(named(), right);
  net.run(seconds(30));
  ASSERT_EQ(named(), wrong.ip) << "they are a quorum";
  tell();
  EXPECT_EQ(named(), right) << "a server asked by the operator is worth more";
  EXPECT_EQ(Enr::decode(box.node->enr())->quic(), 40'000);
}

TEST(MappedAddress, GivenByTheOperatorIsWorthMoreThanOthersVotesWhichAreSaid) {
  Net net;
  const Endpoint seen = Endpoint::parse("70.1.1.1:32399").value();
  net.elsewhere = [&](const Packet& p, Now now) { return pong_of_voters(p, seen, now); };
  NodeConfig config = asking_voters();
  config.udp_discovery->external = Endpoint{IpAddress::parse("60.1.1.1").value(), 9'001};
  Box& box = net.add(config, 1);
  net.run(seconds(30));
  const auto record = VerifiedEnr::decode(box.node->enr()).value();
  EXPECT_EQ(record->ip(), IpAddress::parse("60.1.1.1").value());
  EXPECT_EQ(record->quic(), 9'001);
  EXPECT_EQ(record->udp(), 32'303);
  EXPECT_EQ(box.log.count("Peers see us at another address"), 1U);
  EXPECT_EQ(box.node->udp_discovery()->host().counters().addresses_overruled, 1U);
}

TEST(MappedAddress, GivenByTheOperatorStays) {
  Net net;
  NodeConfig config = speaking_discv5();
  config.udp_discovery->external = Endpoint{IpAddress::parse("60.1.1.1").value(), 9'001};
  Box& box = net.add(config, 1);
  net.run(seconds(400));
  const auto record = VerifiedEnr::decode(box.node->enr()).value();
  EXPECT_EQ(record->ip(), IpAddress::parse("60.1.1.1").value());
  EXPECT_EQ(record->quic(), 9'001);
  EXPECT_EQ(record->udp(), 32'303);
}

TEST(OwnRecord, NamesTheForkThatTheHeadHasPassedAndIsSignedAnewForNoOtherHead) {
  Net net;
  Genesis genesis = chain::dev_genesis();
  genesis.config.set_begin(Fork::arrow_glacier, 3);  // it changes no rule but the old difficulty
  const ForkSchedule schedule = genesis.fork_schedule();
  NodeConfig config = speaking_discv5();
  config.producer = {.enabled = true, .forks = false, .period = seconds(1)};
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

// A node of discv5 that answers as all do, outside of our LAN, and whose record says what it likes.
class Stranger {
 public:
  Stranger(Now now, const EnrBuilder& record)
      : key_{discv4::testing::key_of(77)},
        record_{std::make_shared<const VerifiedEnr>(record.sign(*key_).value())},
        table_{record_->node_id()},
        filter_{rng_, {}},
        engine_{now, key_, record_, table_, filter_, rng_, Prng{3}, {}} {}

  [[nodiscard]] kbucket::RecordPtr record() const {
    return kbucket::NodeRecord::of(record_, kbucket::RecordPort::udp);
  }
  // What goes back of a datagram of ours, which it sees come from elsewhere in the world.
  std::optional<Bytes> answer(const Packet& packet, Now now) {
    const Datagram datagram{packet.to, Endpoint::parse("[2600:99::1]:32303").value(), 0,
                            packet.bytes};
    engine_.handle_datagrams(now, {&datagram, 1});
    Bytes buffer(kTransmitBufferBytes);
    std::optional<Bytes> first;
    while (const auto sent = engine_.poll_transmit(now, buffer)) {
      if (!first) first = to_bytes(ByteView{buffer}.first(sent->size));
    }
    while (engine_.poll_event()) {
    }
    return first;
  }

 private:
  std::shared_ptr<const crypto::SecretKey> key_;
  discovery::EnrPtr record_;
  sim::SeededSecureRng rng_{Prng{5}};
  kbucket::Table table_;
  filter::Filter filter_;
  discv5::Engine engine_;
};

// Where a node dials that has seen this stranger alive.
std::set<Endpoint> dialled_for(EnrBuilder record) {
  Net net;
  net.listens_everywhere = true;
  const Genesis genesis = chain::dev_genesis();
  record.fork_id(genesis.fork_schedule().fork_id(0, genesis.header.timestamp));
  Stranger stranger{{Instant{} + seconds(100), UnixTime::from_seconds(1'800'000'000)}, record};
  NodeConfig config = speaking_discv5();
  config.udp_discovery->boot_records = {stranger.record()};
  std::set<Endpoint> dialled;
  net.elsewhere = [&](const Packet& packet, Now now) -> std::optional<Bytes> {
    if (packet.to == stranger.record()->endpoint()) return stranger.answer(packet, now);
    dialled.insert(packet.to);
    return std::nullopt;
  };
  Box& box = net.add(config, 1);
  net.run(seconds(20));
  EXPECT_GT(box.counter("udp_discovery.nodes_dialable"), 0U) << "it was not even considered";
  return dialled;
}

TEST(DiallingOfDiscv5, atk_38_ARecordDoesNotMakeUsKnockAtOurLanOrAtAVictim) {
  const std::set<Endpoint> itself{Endpoint::parse("[2600::1]:443").value()};
  for (const char* ip : {"192.168.1.1", "127.0.0.1", "224.0.0.251", "60.9.9.9"}) {
    EnrBuilder record{1};
    record.ip(IpAddress::parse(ip).value()).quic(443);
    record.ip(IpAddress::parse("2600::1").value()).udp6(30'303);
    EXPECT_EQ(dialled_for(record), itself) << ip;
  }
}

}  // namespace
}  // namespace ethnet::node
