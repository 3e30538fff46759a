#include "engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../testing/net.hpp"

namespace ethnet::discv4 {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr PacketType kPing = PacketType::ping;
constexpr PacketType kPong = PacketType::pong;

struct EngineTest : ::testing::Test {
  Net net;
  NetNode& a = net.add(1);
};

TEST_F(EngineTest, TwoNodesThatMeetProveTheirAddressesToEachOther) {
  NetNode& b = net.add(2);
  const auto command = net.tell(a, [&](Engine& e) { return e.ping(net.now(), b.node()); });
  net.run(seconds(1));
  const auto done = a.told<PingDone>();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].command, command);
  EXPECT_TRUE(done[0].answered);
  EXPECT_TRUE(a.engine.machine().is_proven(net.now(), b.node().id, b.at.ip));
  EXPECT_TRUE(b.engine.machine().is_proven(net.now(), a.node().id, a.at.ip));
  // The one that was turned to asks for a proof before it says more.
  EXPECT_THAT(types_of(net.log), ElementsAre(kPing, kPing, kPong, kPong, PacketType::enr_request,
                                             PacketType::enr_request, PacketType::enr_response,
                                             PacketType::enr_response));
}

// Wherever they are, and however long the numbers of their records: both hold the other's PONG
// until it is proven, unless its PING has room for one.
TEST_F(EngineTest, TwoNodesThatMeetDoNotWaitForEachOther) {
  std::uint64_t number = 10;
  for (const char* place : {"60.1.1.%", "10.0.0.%", "127.0.0.%", "[2a00:1::%]", "[fd00::%]"}) {
    for (const std::uint64_t seq : {std::uint64_t{1}, ~std::uint64_t{0}}) {
      const auto add = [&]() -> NetNode& {
        std::string text = place;
        text.replace(text.find('%'), 1, std::to_string(++number));
        const Endpoint at = Endpoint::parse(text + ":30303").value();
        NetNode& node = net.add(number, at);
        net.tell(node, [&](Engine& e) { e.set_local_record(record_of(number, at, seq)); });
        return node;
      };
      NetNode& one = add();
      NetNode& two = add();
      const Duration begun = net.time();
      net.tell(one, [&](Engine& e) { return e.request_record(net.now(), two.node()); });
      while (one.told<RecordDone>().empty()) net.run(milliseconds(1));
      EXPECT_NE(one.told<RecordDone>()[0].record, nullptr) << place << " " << seq;
      EXPECT_LE(net.time() - begun, kLatency * 6 + milliseconds(1)) << place << " " << seq;
    }
  }
}

// As geth does: it answers our PING, and the PING that it sends before is as long as it likes.
TEST_F(EngineTest, ThePongForAShortPingComesOnceThePingThatIsUnderWayIsAnswered) {
  const Hand hand{net, 9, place_of(9)};
  net.tell(a, [&](Engine& e) { return e.ping(net.now(), node_of(9, hand.at)); });
  const auto asked = hand.answers();
  ASSERT_THAT(types_of(asked), ElementsAre(kPing));
  EXPECT_GE(asked[0].bytes.size(), kLongestPong);
  EXPECT_LE(asked[0].bytes.size(), kRoomyPing);
  const Hash32 hash = hand.send(a, hand.ping_to(a));
  EXPECT_THAT(hand.answers(), IsEmpty());
  hand.send(a, hand.pong_for(asked[0]));
  const auto answers = hand.answers();
  ASSERT_THAT(types_of(answers), ElementsAre(kPong));
  EXPECT_EQ(std::get<Pong>(answers[0].message()).ping_hash, hash);
  EXPECT_TRUE(a.told<PingDone>().at(0).answered);
}

TEST_F(EngineTest, WhoAnswersAndHasARecordEntersTheTable) {
  NetNode& b = net.add(2);
  net.tell(a, [&](Engine& e) { return e.ping(net.now(), b.node()); });
  net.run(seconds(2));
  const auto* there = a.table.find(b.node().id);
  const auto* here = b.table.find(a.node().id);
  ASSERT_TRUE(there != nullptr && here != nullptr);
  EXPECT_EQ(there->standing, Standing::reached);
  EXPECT_EQ(here->standing, Standing::met);
  EXPECT_EQ(a.told<NodeSeen>().size(), 1U);
  EXPECT_EQ(a.engine.machine().members(), 1U);
  EXPECT_EQ(a.engine.machine().held(), 0U);
  EXPECT_EQ(b.engine.machine().held(), 0U);
}

// Its record cannot be asked for: look-ups may use it, nobody is told of it.
TEST_F(EngineTest, ANodeThatNamesNoRecordIsProvenAndDoesNotEnterTheTable) {
  const Hand hand{net, 9, place_of(9)};
  hand.bond(a);
  EXPECT_TRUE(a.engine.machine().is_proven(net.now(), id_of(9), hand.at.ip));
  EXPECT_EQ(a.table.size(), 0U);
  EXPECT_EQ(a.counters().sent[std::to_underlying(PacketType::enr_request)], 0U);
}

TEST_F(EngineTest, AStrangersPongIsHeldUntilItHasProvenItsAddress) {
  const Hand hand{net, 9, place_of(9)};
  const Hash32 hash = hand.send(a, hand.ping_to(a));
  const auto first = hand.answers();
  ASSERT_THAT(types_of(first), ElementsAre(kPing));
  hand.send(a, hand.pong_for(first[0]));
  const auto second = hand.answers();
  ASSERT_THAT(types_of(second), ElementsAre(kPong));
  const auto pong = std::get<Pong>(second[0].message());
  EXPECT_EQ(pong.ping_hash, hash);
  EXPECT_EQ(pong.to, wire_place(hand.at, 7));
  EXPECT_EQ(pong.enr_seq, 1U);
  EXPECT_FALSE(is_expired(pong.expiration, net.now().wall));
  // From now on at once.
  hand.send(a, hand.ping_to(a));
  EXPECT_THAT(types_of(hand.answers()), ElementsAre(kPong));
}

// Whether others can come to us shows who does, not who comes where we have just been.
TEST_F(EngineTest, WhoComesByItselfHasArrivedOnceItIsProven) {
  const auto arrivals = [&] { return a.told<kbucket::Arrival>().size(); };
  const Hand stranger{net, 9, place_of(9)};
  stranger.send(a, stranger.ping_to(a));
  const auto asked = stranger.answers();
  EXPECT_EQ(arrivals(), 0U) << "anybody can write its address";
  stranger.send(a, stranger.pong_for(asked.at(0)));
  net.run(seconds(1));
  ASSERT_EQ(arrivals(), 1U);
  EXPECT_EQ(a.told<kbucket::Arrival>()[0].from, stranger.at);
  const Hand neighbour{net, 10, Endpoint::parse("10.0.0.7:30303").value()};
  neighbour.bond(a);
  EXPECT_EQ(arrivals(), 1U) << "of our LAN";
}

TEST_F(EngineTest, WhoComesThroughAWayThatWeOpenedHasNotArrived) {
  const auto arrivals = [&] { return a.told<kbucket::Arrival>().size(); };
  const Hand early{net, 9, place_of(9)};
  net.tell(a, [&](Engine& e) { return e.ping(net.now(), node_of(9, early.at)); });
  early.bond(a);
  EXPECT_EQ(arrivals(), 0U);
  // It answered nothing in time; its PING comes later, by the way back.
  const Hand late{net, 10, place_of(10)};
  net.tell(a, [&](Engine& e) { return e.ping(net.now(), node_of(10, late.at)); });
  net.run(seconds(20));
  EXPECT_EQ(a.engine.machine().held(), 0U);
  late.bond(a);
  EXPECT_EQ(arrivals(), 0U);
  const Hand much_later{net, 11, late.at};
  net.run(kWayStaysOpen);
  much_later.bond(a);
  EXPECT_EQ(arrivals(), 1U);
}

TEST_F(EngineTest, AProofIsOfOneAddressAndOneNode) {
  const Hand hand{net, 9, place_of(9)};
  hand.bond(a);
  const Hand elsewhere{net, 9, place_of(10)};
  const Hand other{net, 11, hand.at};
  const FindNode question{KeyBytes{}, hand.soon()};
  elsewhere.send(a, question);
  EXPECT_THAT(elsewhere.answers(), IsEmpty());
  other.send(a, question);
  EXPECT_THAT(other.answers(), IsEmpty());
  EXPECT_EQ(a.counters().unproven, 2U);
  // The port may be another: a NAT changes it.
  const Hand moved{net, 9, {hand.at.ip, 1234}};
  moved.send(a, question);
  EXPECT_THAT(types_of(moved.answers()), ElementsAre(PacketType::neighbors));
}

TEST_F(EngineTest, AProofIsRenewedAfterTwelveHoursAndOverAfterADay) {
  const Hand hand{net, 9, place_of(9)};
  hand.bond(a);
  net.run(kBondRenewal + seconds(1));
  hand.send(a, hand.ping_to(a));
  EXPECT_THAT(types_of(hand.answers()), ElementsAre(kPong, kPing));
  hand.send(a, FindNode{KeyBytes{}, hand.soon()});
  EXPECT_THAT(types_of(hand.answers()), ElementsAre(PacketType::neighbors));
  net.run(kBondRenewal);
  hand.send(a, FindNode{KeyBytes{}, hand.soon()});
  EXPECT_THAT(hand.answers(), IsEmpty());
}

// Sixteen of the nearest in as many packets as they need, of live nodes that speak discv4.
TEST_F(EngineTest, AnAnswerNamesTheSixteenNearestInPacketsThatFit) {
  std::vector<NodeId> known;
  for (std::uint64_t i = 0; i < 24; ++i) {
    const NetNode& other = net.add(100 + i);
    net.tell(a, [&](Engine& e) { return e.ping(net.now(), other.node()); });
    known.push_back(other.node().id);
  }
  net.run(seconds(3));
  ASSERT_EQ(a.engine.machine().members(), a.table.size());
  ASSERT_GT(a.table.size(), 16U);
  const Hand hand{net, 9, place_of(9)};
  hand.bond(a);
  hand.send(a, FindNode{key_of(77)->public_key().xy(), hand.soon()});
  const auto packets = hand.answers();
  ASSERT_EQ(packets.size(), 2U);
  std::vector<NodeId> told;
  for (const Sent& packet : packets) {
    EXPECT_LE(packet.bytes.size(), kMaxDiscv4Packet);
    for (const Neighbor& n : std::get<Neighbors>(packet.message()).nodes.view()) {
      told.push_back(make_node_id(crypto::PublicKey::parse(n.key).value()));
      EXPECT_EQ(n.at.tcp, n.at.udp);
    }
  }
  std::erase_if(known, [&](const NodeId& id) { return a.table.find(id) == nullptr; });
  const NodeId target = id_of(77);
  std::ranges::sort(known, [&](const NodeId& x, const NodeId& y) { return closer(target, x, y); });
  known.resize(16);
  EXPECT_EQ(told, known);
}

TEST_F(EngineTest, ALookUpFindsTheNearestOfTheNetwork) {
  constexpr std::uint64_t kCount = 40;
  std::vector<NodeId> all;
  std::vector<NetNode*> nodes;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    nodes.push_back(&net.add(100 + i, true));
    all.push_back(nodes.back()->node().id);
  }
  const V4Node boot = nodes[0]->node();
  for (NetNode* node : nodes) {
    net.tell(*node, [&](Engine& e) { e.bootstrap(net.now(), std::span{&boot, 1}); });
    net.run(milliseconds(200));
  }
  net.run(seconds(60));
  const KeyBytes target = key_of(7)->public_key().xy();
  net.tell(a, [&](Engine& e) { e.bootstrap(net.now(), std::span{&boot, 1}); });
  const auto command = net.tell(a, [&](Engine& e) { return e.start_lookup(net.now(), target); });
  net.run(seconds(30));
  const auto done = a.told<LookupDone>();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].command, command);
  EXPECT_EQ(done[0].target, id_of(7));
  std::ranges::sort(all, [&](const auto& x, const auto& y) { return closer(id_of(7), x, y); });
  std::vector<NodeId> found;
  for (const V4Node& node : done[0].nearest) found.push_back(node.id);
  all.resize(kbucket::kLookupResults);
  EXPECT_EQ(found, all);
}

TEST_F(EngineTest, ANodeGivesItsRecordToWhoIsProven) {
  const Hand hand{net, 9, place_of(9)};
  hand.send(a, EnrRequest{hand.soon()});
  EXPECT_THAT(hand.answers(), IsEmpty());
  hand.bond(a);
  const Hash32 hash = hand.send(a, EnrRequest{hand.soon()});
  const auto answers = hand.answers();
  ASSERT_THAT(types_of(answers), ElementsAre(PacketType::enr_response));
  const auto response = std::get<EnrResponse>(answers[0].message());
  EXPECT_EQ(response.request_hash, hash);
  EXPECT_EQ(VerifiedEnr::decode(response.record), *record_of(1, a.at));
}

TEST_F(EngineTest, ARecordThatIsAskedForComes) {
  NetNode& b = net.add(2);
  const auto command =
      net.tell(a, [&](Engine& e) { return e.request_record(net.now(), b.node()); });
  net.run(seconds(3));
  const auto done = a.told<RecordDone>();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].command, command);
  ASSERT_NE(done[0].record, nullptr);
  EXPECT_EQ(*done[0].record, *record_of(2, b.at));
}

TEST_F(EngineTest, ANewerRecordIsFetchedWhenAPingNamesIt) {
  NetNode& b = net.add(2);
  net.tell(a, [&](Engine& e) { return e.ping(net.now(), b.node()); });
  net.run(seconds(2));
  net.tell(b, [&](Engine& e) { e.set_local_record(record_of(2, b.at, 5)); });
  net.tell(b, [&](Engine& e) { return e.ping(net.now(), a.node()); });
  net.run(seconds(2));
  ASSERT_NE(a.table.find(b.node().id), nullptr);
  EXPECT_EQ(a.table.find(b.node().id)->record->seq(), 5U);
}

TEST_F(EngineTest, WhatIsNotAnsweredEndsInTime) {
  const V4Node nobody = node_of(50, place_of(50));
  net.tell(a, [&](Engine& e) { return e.ping(net.now(), nobody); });
  net.tell(a, [&](Engine& e) { return e.find_node(net.now(), nobody, KeyBytes{}); });
  net.tell(a, [&](Engine& e) { return e.request_record(net.now(), nobody); });
  net.run(kAnswerTimeout - milliseconds(1));
  EXPECT_THAT(a.events, IsEmpty());
  net.run(milliseconds(1));
  ASSERT_EQ(a.events.size(), 3U);
  EXPECT_FALSE(a.told<PingDone>().at(0).answered);
  EXPECT_FALSE(a.told<NodesDone>().at(0).answered);
  EXPECT_EQ(a.told<RecordDone>().at(0).record, nullptr);
  EXPECT_EQ(a.engine.machine().held(), 0U);
}

// Geth, too, names fewer than sixteen where it knows fewer; who asks cannot tell that from a loss.
TEST_F(EngineTest, FewerNeighborsThanSixteenCountWhenNoMoreCome) {
  const Hand hand{net, 9, place_of(9)};
  hand.bond(a);
  net.tell(a, [&](Engine& e) { return e.find_node(net.now(), node_of(9, hand.at), KeyBytes{}); });
  Neighbors answer{.nodes = {}, .expiration = hand.soon()};
  for (std::uint64_t i = 0; i < 3; ++i) {
    const V4Node node = node_of(60 + i, place_of(60 + i));
    answer.nodes.push_back({node.at, node.key.xy()});
  }
  EXPECT_THAT(types_of(hand.answers()), ElementsAre(PacketType::findnode));
  hand.send(a, answer);
  net.run(kAnswerTimeout);
  ASSERT_EQ(a.told<NodesDone>().size(), 1U);
  EXPECT_TRUE(a.told<NodesDone>()[0].answered);
  EXPECT_EQ(a.told<NodesDone>()[0].nodes.size(), 3U);
}

TEST_F(EngineTest, WhoHasGoneLeavesTheTable) {
  NetNode& keeper = net.add(3, true);
  const NetNode& gone = net.add(2);
  const NetNode& stays = net.add(4);
  for (const NetNode* node : {&gone, &stays}) {
    net.tell(keeper, [&](Engine& e) { return e.ping(net.now(), node->node()); });
  }
  net.run(seconds(3));
  ASSERT_EQ(keeper.table.size(), 2U);
  const NodeId id = gone.node().id;
  net.take_off(gone.at);
  net.run(seconds(120));
  EXPECT_EQ(keeper.table.find(id), nullptr);
  EXPECT_NE(keeper.table.find(stays.node().id), nullptr);
  EXPECT_EQ(keeper.engine.machine().members(), 1U);
}

// It is we who are cut off, then: nobody is to blame.
TEST_F(EngineTest, WhenNobodyAnswersNobodyLeaves) {
  NetNode& keeper = net.add(3, true);
  for (std::uint64_t i = 10; i < 18; ++i) {
    const NetNode& other = net.add(i);
    net.tell(keeper, [&](Engine& e) { return e.ping(net.now(), other.node()); });
  }
  net.run(seconds(3));
  const std::size_t before = keeper.table.size();
  ASSERT_GE(before, 6U);
  net.is_lost = [](const Sent&) { return true; };
  net.run(seconds(300));
  EXPECT_EQ(keeper.table.size(), before);
  EXPECT_GE(keeper.counters().contacts_failed, 20U);
}

TEST_F(EngineTest, SoManyContactsAndQuestionsAndNoMore) {
  std::size_t started = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const V4Node node = node_of(200 + i, place_of(200 + i));
    started += net.tell(a, [&](Engine& e) { return e.ping(net.now(), node); }) != 0 ? 1U : 0U;
  }
  EXPECT_EQ(started, kMaxDiscv4Contacts);
  std::size_t questions = 0;
  const V4Node first = node_of(200, place_of(200));
  for (int i = 0; i < 10; ++i) {
    questions += net.tell(a, [&](Engine& e) { return e.ping(net.now(), first); }) != 0 ? 1U : 0U;
  }
  EXPECT_EQ(questions, kMaxAsksPerNode - 1);
  EXPECT_EQ(a.counters().contacts_refused, 100 - kMaxDiscv4Contacts + 10 - questions);
  EXPECT_EQ(net.tell(a, [&](Engine& e) { return e.ping(net.now(), a.node()); }), 0U);
}

TEST_F(EngineTest, AnswersThatHaveExpiredSayThatAClockIsWrong) {
  const Hand hand{net, 9, place_of(9)};
  for (std::uint32_t i = 0; i < kExpiredAnswersToWarn; ++i) {
    EXPECT_THAT(a.told<ClockSuspect>(), IsEmpty());
    net.tell(a, [&](Engine& e) { return e.ping(net.now(), node_of(9, hand.at)); });
    for (const Sent& sent : hand.answers()) {
      Pong pong = hand.pong_for(sent);
      pong.expiration -= 60;
      hand.send(a, pong);
    }
    net.run(seconds(1));
  }
  EXPECT_EQ(a.told<ClockSuspect>().size(), 1U);
  EXPECT_EQ(a.counters().refused(Discv4Error::expired), kExpiredAnswersToWarn);
}

// Or anybody whom we pinged once could make us doubt our clock, by old packets.
TEST_F(EngineTest, AnswersToPingsOfLongAgoSayNothingOfAClock) {
  const Hand hand{net, 9, place_of(9)};
  std::vector<Bytes> pongs;
  for (std::uint32_t i = 0; i < kExpiredAnswersToWarn; ++i) {
    net.tell(a, [&](Engine& e) { return e.ping(net.now(), node_of(9, hand.at)); });
    for (const Sent& sent : hand.answers()) {
      pongs.push_back(packet_of(hand.pong_for(sent), *key_of(9)));
    }
    net.run(seconds(1));
  }
  net.run(seconds(60));
  ASSERT_EQ(pongs.size(), kExpiredAnswersToWarn);
  for (const Bytes& pong : pongs) net.deliver(hand.at, a, pong);
  EXPECT_EQ(a.counters().refused(Discv4Error::expired), kExpiredAnswersToWarn);
  EXPECT_THAT(a.told<ClockSuspect>(), IsEmpty());
}

// Its new address is a claim until it has answered there; that it does not answer at the old one is
// no failure of the new.
TEST_F(EngineTest, ANodeThatMovesIsToldOfNoMoreUntilItAnswersAtItsNewAddress) {
  NetNode& keeper = net.add(3, true);
  NetNode& b = net.add(2);
  net.tell(keeper, [&](Engine& e) { return e.ping(net.now(), b.node()); });
  net.run(seconds(2));
  const NodeId id = b.node().id;
  const Endpoint home = place_of(20);
  net.tell(b, [&](Engine& e) { e.set_local_record(record_of(2, home, 2)); });
  net.tell(b, [&](Engine& e) { return e.ping(net.now(), keeper.node()); });
  net.run(seconds(2));
  net.take_off(place_of(2));
  net.run(seconds(60));
  const auto* entry = keeper.table.find(id);
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->record->endpoint(), home);
  const Hand hand{net, 9, place_of(9)};
  hand.bond(keeper);
  hand.send(keeper, FindNode{KeyBytes{}, hand.soon()});
  const auto answers = hand.answers();
  ASSERT_THAT(types_of(answers), ElementsAre(PacketType::neighbors));
  EXPECT_THAT(std::get<Neighbors>(answers[0].message()).nodes.view(), IsEmpty());
  NetNode& moved = net.add(2, home);
  net.tell(moved, [&](Engine& e) { e.set_local_record(record_of(2, home, 2)); });
  net.tell(moved, [&](Engine& e) { return e.ping(net.now(), keeper.node()); });
  net.run(seconds(2));
  ASSERT_NE(keeper.table.find(id), nullptr);
  EXPECT_TRUE(keeper.table.find(id)->relayable());
}

TEST_F(EngineTest, NothingIsAnsweredToAnAddressOfNobodyOrOfMany) {
  std::uint64_t refused = 0;
  for (const char* from :
       {"0.0.0.0:5", "8.8.8.8:0", "224.0.0.1:5", "255.255.255.255:5", "[::]:5", "[ff02::1]:5"}) {
    const Hand hand{net, 9, Endpoint::parse(from).value()};
    net.deliver(hand.at, a, packet_of(hand.ping_to(a), *key_of(9)));
    EXPECT_EQ(a.counters().unanswerable, ++refused) << from;
  }
  EXPECT_THAT(net.log, IsEmpty());
}

TEST_F(EngineTest, OurOwnPacketsComingBackAreRefused) {
  net.deliver(place_of(5), a,
              packet_of(Ping{.from = {}, .to = {}, .expiration = expiration_at(net.now().wall)},
                        *key_of(1)));
  EXPECT_EQ(a.counters().own_identity, 1U);
  EXPECT_THAT(net.log, IsEmpty());
}

}  // namespace
}  // namespace ethnet::discv4
