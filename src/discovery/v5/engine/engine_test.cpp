// What an engine asks, serves and learns: two engines, or one and a peer that says anything.
#include "engine.hpp"

#include <gtest/gtest.h>

#include "../testing/engine_rig.hpp"
#include "local_record.hpp"

namespace ethnet::discv5 {
namespace {

using namespace testing;

class EngineTest : public ::testing::Test {
 protected:
  ~EngineTest() override {
    EXPECT_EQ(a_.table.broken(), "");
    EXPECT_EQ(b_.table.broken(), "");
  }
  CallId ping(EngineNode& from, std::uint64_t to) {
    return net_.command(from, [&](Engine& e) { return e.ping(net_.now, node_of(to)); });
  }
  CallId find(EngineNode& from, std::uint64_t to, std::vector<std::uint16_t> distances) {
    return net_.command(from,
                        [&](Engine& e) { return e.find_node(net_.now, node_of(to), distances); });
  }
  CallId talk(EngineNode& from, std::uint64_t to, std::string_view protocol, ByteView request) {
    return net_.command(from, [&](Engine& e) {
      return e.talk_request(net_.now, node_of(to), text_bytes(protocol), request);
    });
  }
  const kbucket::TableEntry* entry(EngineNode& node, std::uint64_t number) {
    return node.table.find_any(id_of(number));
  }
  // A node that `node` reached, somewhere.
  void put(EngineNode& node, const RecordPtr& record) {
    node.table.add(net_.now, record, Standing::reached);
  }

  EngineNet net_;
  RawPeers peers_{net_};
  EngineNode& a_ = net_.add(1);
  EngineNode& b_ = net_.add(2);
};

TEST_F(EngineTest, APingWithoutASessionMakesOneAndIsAnswered) {
  const CallId call = ping(a_, 2);
  ASSERT_NE(call, 0U);
  const auto pongs = a_.take<PongReceived>();
  ASSERT_EQ(pongs.size(), 1U);
  EXPECT_EQ(pongs[0].call, call);
  EXPECT_EQ(pongs[0].node, id_of(2));
  EXPECT_EQ(pongs[0].enr_seq, 1U);
  EXPECT_EQ(pongs[0].we_are_seen_at, place_of(1));
  EXPECT_EQ(net_.delivered, 4U) << "a random packet, a challenge, a handshake, a PONG";
  EXPECT_EQ(entry(a_, 2)->standing, Standing::reached);
  EXPECT_EQ(entry(b_, 1)->standing, Standing::met) << "it came from where its record says";
  EXPECT_EQ(a_.engine().counters().calls_answered, 1U);
}

TEST_F(EngineTest, WithASessionAQuestionCostsTwoPackets) {
  ping(a_, 2);
  const std::uint64_t before = net_.delivered;
  ping(a_, 2);
  ping(b_, 1);
  EXPECT_EQ(net_.delivered - before, 4U);
  EXPECT_EQ(a_.take<PongReceived>().size(), 2U);
  EXPECT_EQ(b_.take<PongReceived>().size(), 1U);
}

TEST_F(EngineTest, SeveralQuestionsAtOnceShareOneHandshake) {
  a_.checked.begin_input(net_.now);
  for (std::size_t i = 0; i < kMaxCallsPerPeer; ++i) {
    EXPECT_NE(a_.engine().ping(net_.now, node_of(2)), 0U);
  }
  EXPECT_EQ(a_.engine().ping(net_.now, node_of(2)), 0U) << "no more of one peer";
  EXPECT_EQ(a_.engine().counters().calls_refused, 1U);
  net_.command(a_, [](Engine&) { return 0; });
  EXPECT_EQ(a_.take<PongReceived>().size(), kMaxCallsPerPeer);
  EXPECT_EQ(b_.engine().session_counters().handshakes_accepted, 1U);
  EXPECT_EQ(b_.engine().session_counters().challenges_made, 1U);
}

TEST_F(EngineTest, ANodeThatIsNotThereIsGivenUpAfterTwoTries) {
  const CallId call = ping(a_, 7);
  ASSERT_NE(call, 0U);
  net_.run(kCallTimeout * 2 - nanoseconds(1));
  EXPECT_TRUE(a_.take<CallFailed>().empty());
  net_.run(nanoseconds(1));
  const auto failed = a_.take<CallFailed>();
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].call, call);
  EXPECT_EQ(peers_.lost, 2U);
}

TEST_F(EngineTest, APacketThatIsLostIsSentOnceMore) {
  int lost = 0;
  net_.loses = [&](const UnderWay&) { return lost++ == 0; };
  ping(a_, 2);
  EXPECT_TRUE(a_.take<PongReceived>().empty());
  net_.run(kCallTimeout);
  EXPECT_EQ(a_.take<PongReceived>().size(), 1U);
  EXPECT_EQ(a_.engine().counters().calls_repeated, 1U);
}

// A restart over there: its keys are gone, ours are not.
TEST_F(EngineTest, APeerThatLostItsKeysIsAskedAgainByAHandshake) {
  net_.add(9);
  ping(a_, 9);
  net_.add(9);  // in the place of the old one
  const std::uint64_t before = net_.delivered;
  a_.checked.begin_input(net_.now);
  a_.engine().ping(net_.now, node_of(9));
  a_.engine().ping(net_.now, node_of(9));
  net_.command(a_, [](Engine&) { return 0; });
  EXPECT_EQ(a_.take<PongReceived>().size(), 3U);
  EXPECT_LE(net_.delivered - before, 8U);
  EXPECT_EQ(a_.engine().counters().calls_repeated, 0U) << "nothing had to wait for a deadline";
}

TEST_F(EngineTest, OurOwnRecordIsNotAskedNorIsWhereNobodyCanBe) {
  EXPECT_EQ(ping(a_, 1), 0U);
  const RecordPtr nowhere = node_at(9, Endpoint::parse("224.0.0.1:9000").value());
  EXPECT_EQ(net_.command(a_, [&](Engine& e) { return e.ping(net_.now, nowhere); }), 0U);
  EXPECT_EQ(a_.engine().counters().calls_refused, 2U);
}

// --- what it serves ---

TEST_F(EngineTest, DistanceZeroIsItsOwnRecord) {
  const CallId call =
      net_.command(a_, [&](Engine& e) { return e.request_record(net_.now, node_of(2)); });
  const auto found = a_.take<NodesReceived>();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].call, call);
  ASSERT_EQ(found[0].records.size(), 1U);
  EXPECT_EQ(found[0].records[0].id, id_of(2));
  EXPECT_TRUE(equal(found[0].records[0].encoded, record_of(2)->record().encoded()));
}

TEST_F(EngineTest, SixteenNodesAreToldInUpToFiveMessages) {
  std::vector<std::uint16_t> distances;
  for (std::uint16_t d = 256; d > 250; --d) distances.push_back(d);
  std::size_t known = 0;
  for (std::uint64_t i = 100; known < 40; ++i) {
    put(b_, node_at(i, own_subnet(i)));
    known = b_.table.size();
  }
  find(a_, 2, distances);
  const auto found = a_.take<NodesReceived>();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].records.size(), kMaxAnswerRecords);
  EXPECT_GT(net_.delivered, 4U) << "more than one message";
  for (const FoundRecord& record : found[0].records) {
    EXPECT_GE(log_distance(id_of(2), record.id), 251U);
  }
}

TEST_F(EngineTest, NobodyIsToldOfItself) {
  ping(a_, 2);  // they know each other
  const auto distance = static_cast<std::uint16_t>(log_distance(id_of(1), id_of(2)));
  find(a_, 2, {distance});
  const auto found = a_.take<NodesReceived>();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].records.empty());
}

TEST_F(EngineTest, AMessageThatIsNoneIsCountedAndNotAnswered) {
  RawPeer& raw = peers_.add(5);
  raw.say_plain(a_, from_hex("01ca890102030405060708093c").value());  // an id of 9 bytes
  net_.settle();
  EXPECT_TRUE(raw.messages.empty());
  EXPECT_EQ(a_.engine().counters().bad_messages, 1U);
  raw.say(a_, Ping{RequestId::of(1), 1});
  net_.settle();
  EXPECT_EQ(raw.heard<Pong>().size(), 1U) << "the session is as good as before";
}

TEST_F(EngineTest, AnAnswerMirrorsTheRequestIdAsItIs) {
  RawPeer& raw = peers_.add(5);
  for (const std::string_view id : {"", "00", "0001", "ffffffffffffffff"}) {
    const auto request_id = RequestId::from_bytes(from_hex(id).value()).value();
    raw.say(a_, Ping{request_id, 1});
    net_.settle();
    const auto pongs = raw.heard<Pong>();
    ASSERT_EQ(pongs.size(), 1U);
    EXPECT_EQ(pongs[0].request_id, request_id);
    EXPECT_EQ(pongs[0].recipient, raw.place());
  }
}

// --- TALKREQ ---

TEST_F(EngineTest, ATalkRequestIsAnsweredByWhoeverRegistered) {
  ASSERT_TRUE(b_.engine().register_talk("wave"));
  const CallId call = talk(a_, 2, "wave", text_bytes("hello"));
  const auto requested = b_.take<TalkRequested>();
  ASSERT_EQ(requested.size(), 1U);
  EXPECT_EQ(requested[0].protocol, "wave");
  EXPECT_EQ(requested[0].from, id_of(1));
  EXPECT_TRUE(equal(requested[0].request, text_bytes("hello")));
  EXPECT_TRUE(net_.command(b_, [&](Engine& e) {
    return e.answer_talk(net_.now, requested[0].talk, text_bytes("yes"));
  }));
  const auto answered = a_.take<TalkAnswered>();
  ASSERT_EQ(answered.size(), 1U);
  EXPECT_EQ(answered[0].call, call);
  EXPECT_TRUE(equal(answered[0].response, text_bytes("yes")));
  EXPECT_FALSE(b_.engine().answer_talk(net_.now, requested[0].talk, {})) << "once";
}

TEST_F(EngineTest, AProtocolThatNobodySpeaksIsAnsweredByNothing) {
  talk(a_, 2, "unheard of", text_bytes("hello"));
  const auto answered = a_.take<TalkAnswered>();
  ASSERT_EQ(answered.size(), 1U);
  EXPECT_TRUE(answered[0].response.empty());
  EXPECT_TRUE(b_.take<TalkRequested>().empty());
}

TEST_F(EngineTest, ATalkRequestIsNotRepeated) {
  ASSERT_TRUE(b_.engine().register_talk("wave"));
  talk(a_, 2, "wave", {});
  net_.run(kCallTimeout);
  EXPECT_EQ(a_.take<CallFailed>().size(), 1U);
  EXPECT_EQ(b_.take<TalkRequested>().size(), 1U);
  EXPECT_EQ(b_.engine().talk_counters().unanswered, 1U);
}

TEST_F(EngineTest, AQuestionTooLongForAHandshakeFollowsAPing) {
  ASSERT_TRUE(b_.engine().register_talk("wave"));
  const Bytes request(1150, std::byte{7});
  ASSERT_NE(talk(a_, 2, "wave", request), 0U);
  const auto requested = b_.take<TalkRequested>();
  ASSERT_EQ(requested.size(), 1U);
  EXPECT_EQ(requested[0].request, request);
  EXPECT_EQ(talk(a_, 2, "wave", Bytes(1193)), 0U) << "none of this size fits into a packet";
  EXPECT_FALSE(net_.command(
      b_, [&](Engine& e) { return e.answer_talk(net_.now, requested[0].talk, Bytes(1193)); }));
  EXPECT_TRUE(net_.command(
      b_, [&](Engine& e) { return e.answer_talk(net_.now, requested[0].talk, request); }));
  EXPECT_EQ(a_.take<TalkAnswered>().size(), 1U);
}

// --- records ---

TEST_F(EngineTest, AHigherNumberInAPongLeadsToTheNewRecord) {
  ping(a_, 2);
  ASSERT_EQ(entry(a_, 2)->record->seq(), 1U);
  EXPECT_TRUE(b_.engine().set_local_record(std::make_shared<const VerifiedEnr>(
      EnrBuilder{2, record_of(2)->record()}.uint("x", 1).sign(*key_of(2)).value())));
  ping(a_, 2);
  EXPECT_EQ(entry(a_, 2)->record->seq(), 2U);
  EXPECT_EQ(a_.take<NodeSeen>().size(), 2U) << "when it was reached, and when it had changed";
  ping(b_, 1);
  EXPECT_EQ(b_.engine().counters().findnodes, 1U) << "once";
}

TEST_F(EngineTest, OneQuestionForARecordAtATimeAndFewInAll) {
  RawPeer& raw = peers_.add(5);
  raw.say(a_, Ping{RequestId::of(1), 1});
  net_.settle();
  for (std::uint64_t seq = 10; seq < 30; ++seq) raw.say(a_, Ping{RequestId::of(seq), seq});
  net_.settle();
  EXPECT_EQ(raw.heard<FindNode>().size(), 1U);
  for (std::uint64_t seq = 30; seq < 50; ++seq) {
    net_.run(kCallTimeout * 2);
    raw.say(a_, Ping{RequestId::of(seq), seq});
    net_.settle();
  }
  // Each is sent twice, as nobody answers: 28 s have three at once and a few later, not twenty.
  EXPECT_LE(raw.heard<FindNode>().size(), 2 * (kMaxOwnRecordAsks + 4));
}

TEST_F(EngineTest, ARecordOfNumberZeroIsGood) {
  EngineNode& zero = net_.add_at(6, place_of(6), record_of(6, 0));
  ping(zero, 1);
  EXPECT_EQ(zero.take<PongReceived>().size(), 1U);
  ASSERT_NE(entry(a_, 6), nullptr);
  EXPECT_EQ(entry(a_, 6)->record->seq(), 0U);
  const RecordPtr its = node_of(6, 0);
  net_.command(b_, [&](Engine& e) { return e.ping(net_.now, its); });
  EXPECT_EQ(b_.take<PongReceived>().size(), 1U);
}

TEST_F(EngineTest, WhoseRecordNamesNoAddressIsServedAndNeverInTheTable) {
  const auto nameless =
      std::make_shared<const VerifiedEnr>(EnrBuilder{1}.udp(9000).sign(*key_of(6)).value());
  EngineNode& node = net_.add_at(6, place_of(6), nameless);
  find(node, 1, {0, 256, 255});
  ping(node, 1);
  EXPECT_EQ(node.take<NodesReceived>().size(), 1U);
  EXPECT_EQ(node.take<PongReceived>().size(), 1U);
  EXPECT_EQ(entry(a_, 6), nullptr);
  EXPECT_EQ(a_.engine().counters().without_address, 1U);
  net_.run(seconds(60));
  EXPECT_EQ(node.engine().counters().pings, 0U) << "nobody dialled it";
}

TEST_F(EngineTest, ARecordThatNamesAnAddressNoMoreTakesItsNodeOutOfTheTable) {
  ping(a_, 2);
  ASSERT_NE(entry(a_, 2), nullptr);
  b_.engine().set_local_record(
      std::make_shared<const VerifiedEnr>(EnrBuilder{2}.udp(9000).sign(*key_of(2)).value()));
  ping(a_, 2);
  EXPECT_EQ(entry(a_, 2), nullptr);
}

TEST_F(EngineTest, WhatWeAreToldIsJudgedAndThenAClaim) {
  RawPeer& raw = peers_.add(5);
  const auto distance = static_cast<std::uint16_t>(log_distance(id_of(5), id_of(40)));
  raw.on_message = [&](const Bytes& plain) {
    const auto message = decode_message(plain);
    const auto* asked = std::get_if<FindNode>(&*message);
    if (asked == nullptr) return;
    Bytes forged = to_bytes(record_of(41)->record().encoded());
    forged.back() ^= std::byte{1};
    Nodes nodes{.request_id = asked->request_id, .total = 1, .records = {}};
    const EnrPtr right = record_of(40);
    nodes.records.push_back(right->record().encoded());
    nodes.records.push_back(forged);
    nodes.records.push_back(right->record().encoded());
    raw.say(a_, nodes);
  };
  find(a_, 5, {distance});
  const auto found = a_.take<NodesReceived>();
  ASSERT_EQ(found.size(), 1U);
  ASSERT_EQ(found[0].records.size(), 1U);
  EXPECT_EQ(found[0].records[0].id, id_of(40));
  ASSERT_NE(entry(a_, 40), nullptr);
  EXPECT_EQ(entry(a_, 40)->standing, Standing::claimed);
  EXPECT_EQ(a_.engine().counters().bad_records, 1U);
  EXPECT_EQ(a_.engine().counters().repeated, 1U);
}

// --- our own record and address ---

TEST_F(EngineTest, ItsRecordIsReplacedOnlyByOneThatSaysSomethingElse) {
  EXPECT_FALSE(a_.engine().set_local_record(record_of(1, 5)));
  EXPECT_EQ(a_.engine().local_record().record().seq(), 1U);
  const auto moved = record_at(*record_of(1), *key_of(1), place_of(1, 9100));
  EXPECT_TRUE(a_.engine().set_local_record(moved));
  EXPECT_EQ(a_.engine().local_record().record().seq(), 2U);
}

TEST_F(EngineTest, OnLoopbackTheFirstThatAnswersTellsUsWhereWeAre) {
  const Endpoint here = Endpoint::parse("127.0.0.1:9010").value();
  const Endpoint there = Endpoint::parse("127.0.0.1:9011").value();
  EngineNode& c = net_.add_at(10, here, record_at_place(10, here));
  net_.add_at(11, there, record_at_place(11, there));
  net_.command(c, [&](Engine& e) { return e.ping(net_.now, node_at(11, there)); });
  const auto own = c.take<OwnAddress>();
  ASSERT_EQ(own.size(), 1U);
  EXPECT_EQ(own[0].endpoint, here);
}

TEST_F(EngineTest, NothingIsHeldWhenNothingIsUnderWay) {
  ping(a_, 2);
  find(b_, 1, {0, 256});
  net_.run(seconds(2));
  a_.events.clear();
  b_.events.clear();
  while (a_.engine().held() + b_.engine().held() > 0) {
    ASSERT_LT(net_.now.mono, at(seconds(300)).mono);
    net_.run(milliseconds(100));
  }
}

}  // namespace
}  // namespace ethnet::discv5
