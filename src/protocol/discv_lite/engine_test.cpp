// What the engine answers, what it sends, and how sessions come and go.
#include "engine.hpp"

#include <gtest/gtest.h>

#include "testing/rig.hpp"

namespace ethnet::discv_lite {
namespace {

using namespace testing;
using kbucket::Standing;

class DiscvEngine : public ::testing::Test {
 protected:
  const kbucket::TableEntry* entry(std::uint64_t number) {
    return rig_.engine.discovery().table().find_any(id_of(number));
  }
  Rig rig_;
  Engine& engine_ = rig_.engine;
};

TEST_F(DiscvEngine, APingIsAnsweredWithOurNumberAndWhereThePeerIs) {
  const SessionHandle session = rig_.open(1);
  rig_.sent(session);
  rig_.say(session, encode(Ping{9, 1}));
  const auto sent = rig_.sent(session);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(*decode_pong(sent[0]), (Pong{9, 5, own_subnet(1)}));
}

TEST_F(DiscvEngine, APingWithAHigherNumberMakesUsAskForTheRecord) {
  const SessionHandle session = rig_.open(1);
  rig_.sent(session);
  rig_.say(session, encode(Ping{9, 2}));
  const auto sent = rig_.sent(session);
  ASSERT_EQ(sent.size(), 2U);
  const auto asked = decode_find_nodes(sent[1]);
  ASSERT_TRUE(asked.has_value());
  EXPECT_EQ(asked->distances, std::vector<std::uint16_t>{0});
  const Bytes record = to_bytes(enr_of(1, own_subnet(1), 2).record().encoded());
  rig_.say(session, encode(Nodes{asked->request_id, {record}}));
  rig_.do_jobs();
  EXPECT_EQ(entry(1)->record->seq(), 2U);
}

TEST_F(DiscvEngine, FindNodesIsAnsweredWithNodesOfTheseDistances) {
  std::vector<std::uint16_t> distances;
  for (std::uint64_t i = 1; i <= 40; ++i) rig_.open(i);
  const SessionHandle session = rig_.open(50);
  rig_.sent(session);
  rig_.say(session, encode(FindNodes{7, {256, 255, 0}}));
  const auto sent = rig_.sent(session);
  ASSERT_EQ(sent.size(), 1U);
  const auto nodes = decode_nodes(sent[0]);
  ASSERT_TRUE(nodes.has_value());
  EXPECT_EQ(nodes->request_id, 7U);
  ASSERT_EQ(nodes->records.size(), lite::kMaxNodesPerAnswer);
  EXPECT_TRUE(equal(nodes->records[0], enr_of(0, own_subnet(0), 5).record().encoded()));
  for (std::size_t i = 1; i < nodes->records.size(); ++i) {
    const auto record = VerifiedEnr::decode(nodes->records[i]);
    ASSERT_TRUE(record.has_value());
    EXPECT_GE(log_distance(id_of(0), record->node_id()), 255U);
    EXPECT_NE(record->node_id(), id_of(50));
  }
  rig_.say(session, encode(FindNodes{8, {3}}));
  const auto none = rig_.sent(session);
  ASSERT_EQ(none.size(), 1U);
  EXPECT_TRUE(decode_nodes(none[0])->records.empty());
}

TEST_F(DiscvEngine, EachScopeGetsItsOwnRecord) {
  const Endpoint lan = endpoint("10.0.0.2:9000");
  const auto told_at = [&](std::uint64_t number, const Endpoint& remote) {
    const SessionHandle session = rig_.open_at(number, remote, true, false);
    rig_.say(session, encode(FindNodes{1, {0}}));
    for (const Bytes& payload : rig_.sent(session)) {
      if (peek_code(payload) == Code::nodes) return decode_nodes(payload)->records;
    }
    return std::vector<Bytes>{};
  };
  EXPECT_EQ(Enr::decode(told_at(1, endpoint("10.0.0.9:1")).at(0))->seq(), 5U)
      << "the WAN's, which everybody may know";
  engine_.set_local_record(Scope::lan, enr_of(0, lan, 6));
  EXPECT_EQ(Enr::decode(told_at(2, endpoint("10.0.0.8:1")).at(0))->seq(), 6U);
  EXPECT_EQ(Enr::decode(told_at(3, own_subnet(3)).at(0))->seq(), 5U);
  Rig bare;
  Engine unaddressed{bare.now, id_of(0), Prng{1}, bare.log};
  unaddressed.set_own_address(own_subnet(0));
  unaddressed.handle_session_opened(bare.now, {9, 1},
                                    {.id = id_of(3), .remote = own_subnet(3), .enr = {}});
  unaddressed.handle_message(bare.now, {9, 1}, encode(FindNodes{1, {0}}));
  EXPECT_TRUE(decode_nodes(unaddressed.poll_outgoing()->payload)->records.empty());
}

TEST_F(DiscvEngine, ALookupGoesOverTheSessionAndItsAnswerIsJudgedFirst) {
  const SessionHandle session = rig_.open(1);
  const FindNodes asked = rig_.find_nodes(session);
  ASSERT_NE(asked.request_id, 0U);
  const auto records = Rig::records_for(1, asked.distances, 3);
  rig_.say(session, encode(Nodes{asked.request_id, records}));
  EXPECT_TRUE(rig_.events<ContactWanted>().empty()) << "not before the signatures are judged";
  EXPECT_EQ(engine_.judging_records(), 3U);
  rig_.do_jobs();
  EXPECT_EQ(rig_.events<ContactWanted>().size(), 3U);
  EXPECT_EQ(engine_.judging_records(), 0U);
}

TEST_F(DiscvEngine, ARecordThatIsKnownByteForByteIsNotJudgedAgain) {
  const SessionHandle first = rig_.open(1);
  const SessionHandle second = rig_.open(2);
  const auto records = Rig::records_for(1, {256}, 2);
  engine_.handle_session_closed(rig_.now, second);
  const FindNodes asked = rig_.find_nodes(first);
  rig_.say(first, encode(Nodes{asked.request_id, records}));
  rig_.do_jobs();
  const std::uint64_t judged = engine_.counters().records_judged;
  const FindNodes again = rig_.find_nodes(first, 78);
  ASSERT_NE(again.request_id, 0U);
  rig_.say(first, encode(Nodes{again.request_id, records}));
  EXPECT_EQ(engine_.poll_job(), std::nullopt);
  EXPECT_EQ(engine_.counters().records_judged, judged);
  EXPECT_EQ(engine_.counters().records_known, 2U);
}

TEST_F(DiscvEngine, ARecordWithoutAnAddressIsLeftOutAndNobodyIsToBlame) {
  const SessionHandle session = rig_.open(1);
  const FindNodes asked = rig_.find_nodes(session);
  const Bytes record =
      to_bytes(EnrBuilder{1}.udp(30303).sign(key_of(500)).value().record().encoded());
  rig_.say(session, encode(Nodes{asked.request_id, {record}}));
  rig_.do_jobs();
  EXPECT_EQ(rig_.blamed(), std::nullopt);
  EXPECT_EQ(engine_.counters().records_without_endpoint, 1U);
}

TEST_F(DiscvEngine, SilenceEndsTheQuestionAndALateAnswerIsNoOffenceOnce) {
  const SessionHandle session = rig_.open(1);
  const FindNodes asked = rig_.find_nodes(session);
  rig_.pass(kQuestionTimeout);
  EXPECT_EQ(rig_.events<LookupDone>().size(), 1U);
  EXPECT_EQ(engine_.counters().timeouts, 1U);
  EXPECT_FALSE(entry(1)->relayable());
  rig_.say(session, encode(Nodes{asked.request_id, {}}));
  EXPECT_EQ(rig_.blamed(), std::nullopt);
  EXPECT_EQ(engine_.counters().late_answers, 1U);
  rig_.say(session, encode(Nodes{asked.request_id, {}}));
  EXPECT_EQ(rig_.blamed(), Misbehaviour::unsolicited_response);
}

TEST_F(DiscvEngine, WhatTheSessionRefusesIsOfferedAgainAndInOrder) {
  const SessionHandle session = rig_.open(1);
  rig_.sent(session);
  rig_.say(session, encode(Ping{1, 1}));
  rig_.say(session, encode(Ping{2, 1}));
  auto refused = engine_.poll_outgoing();
  ASSERT_TRUE(refused.has_value());
  engine_.handle_send_refused(rig_.now, std::move(*refused));
  EXPECT_FALSE(engine_.poll_outgoing().has_value());
  rig_.say(session, encode(Ping{3, 1}));
  EXPECT_FALSE(engine_.poll_outgoing().has_value()) << "blocked";
  engine_.handle_writable(rig_.now, session);
  const auto sent = rig_.sent(session);
  ASSERT_EQ(sent.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(decode_pong(sent[i])->request_id, i + 1);
}

TEST_F(DiscvEngine, PeersAreServedInTurn) {
  const SessionHandle greedy = rig_.open(1);
  const SessionHandle modest = rig_.open(2);
  while (engine_.poll_outgoing()) {
  }
  for (std::uint64_t i = 0; i < 10; ++i) rig_.say(greedy, encode(Ping{i, 1}));
  rig_.say(modest, encode(Ping{0, 1}));
  EXPECT_EQ(engine_.poll_outgoing()->session, greedy);
  EXPECT_EQ(engine_.poll_outgoing()->session, modest);
}

TEST_F(DiscvEngine, ASessionThatReplacesAnotherTakesItsPlace) {
  const SessionHandle before = rig_.open(1);
  const FindNodes lost = rig_.find_nodes(before);
  ASSERT_NE(lost.request_id, 0U);
  const SessionHandle after = rig_.open(1);
  const auto sent = rig_.sent(after);
  ASSERT_EQ(sent.size(), 1U) << "what the old one was asked, the new one is";
  EXPECT_EQ(decode_find_nodes(sent[0])->distances, lost.distances);
  engine_.handle_session_closed(rig_.now, before);
  EXPECT_EQ(engine_.peer_count(), 1U);
  rig_.say(after, encode(Nodes{decode_find_nodes(sent[0])->request_id, {}}));
  EXPECT_EQ(rig_.events<LookupDone>().size(), 1U);
  EXPECT_NE(rig_.find_nodes(after).request_id, 0U);
  engine_.handle_session_closed(rig_.now, after);
  EXPECT_EQ(engine_.peer_count(), 0U);
}

TEST_F(DiscvEngine, ASessionThatWasQuietIsToldIdle) {
  const SessionHandle session = rig_.open(1, true);
  rig_.pass(lite::kPeerIdle - milliseconds(1));
  rig_.events<SessionIdle>();
  rig_.say(session, encode(Ping{1, 1}));
  rig_.pass(milliseconds(1));
  EXPECT_TRUE(rig_.events<SessionIdle>().empty());
  Instant told = Instant::never();
  for (int i = 0; i < 60 && told.is_never(); ++i) {
    rig_.sent(session);
    rig_.pass(seconds(1));
    for (const SessionIdle& idle : rig_.events<SessionIdle>()) {
      EXPECT_EQ(idle.session, session);
      told = rig_.now.mono;
    }
  }
  EXPECT_FALSE(told.is_never());
}

TEST_F(DiscvEngine, WhenAllHaveGoneNothingIsHeld) {
  std::vector<SessionHandle> sessions;
  for (std::uint64_t i = 1; i <= 3; ++i) sessions.push_back(rig_.open(i, i % 2 == 0));
  const FindNodes asked = rig_.find_nodes(sessions[0]);
  const auto records = Rig::records_for(1, asked.distances, 16);
  engine_.handle_message(rig_.now, sessions[0], encode(Nodes{asked.request_id, records}));
  auto job = engine_.poll_job();
  for (const SessionHandle session : sessions) engine_.handle_session_closed(rig_.now, session);
  if (job) engine_.handle_job_done(rig_.now, {job->id, job->work()});
  for (auto wanted = rig_.events<ContactWanted>(); !wanted.empty();
       wanted = rig_.events<ContactWanted>()) {
    for (const ContactWanted& contact : wanted) {
      engine_.handle_contact_failed(rig_.now, contact.contact, ContactFailure::unreachable);
    }
  }
  EXPECT_EQ(engine_.judging_records(), 0U);
  EXPECT_EQ(engine_.held(), 0U);
}

TEST_F(DiscvEngine, AFileThatIsNoneIsRefusedAndOneOfAnEarlierRunIsJudged) {
  EXPECT_FALSE(engine_.restore(rig_.now, Bytes{std::byte{0xc0}}).has_value());
  kbucket::SavedNodes saved;
  Bytes forged = to_bytes(enr_of(3, own_subnet(3)).record().encoded());
  forged.back() ^= std::byte{1};
  saved.nodes = {{to_bytes(enr_of(1, own_subnet(1)).record().encoded()), 1}, {forged, 2}};
  saved.anchors = {to_bytes(enr_of(2, own_subnet(2)).record().encoded())};
  EXPECT_TRUE(engine_.restore(rig_.now, kbucket::encode(saved)).has_value());
  EXPECT_EQ(engine_.discovery().table().size(), 0U) << "not before the signatures are judged";
  rig_.do_jobs();
  EXPECT_EQ(engine_.discovery().table().size(), 2U);
  EXPECT_EQ(entry(3), nullptr);
  const auto wanted = rig_.events<ContactWanted>();
  ASSERT_EQ(wanted.size(), 1U);
  EXPECT_EQ(wanted[0].node, id_of(2));
}

}  // namespace
}  // namespace ethnet::discv_lite
