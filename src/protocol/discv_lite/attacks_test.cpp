// What a hostile peer sends, and what it wins by that: the end of its session (docs/THREATS.md).
#include <algorithm>

#include <gtest/gtest.h>

#include "engine.hpp"
#include "testing/net.hpp"
#include "testing/rig.hpp"

namespace ethnet::discv_lite {
namespace {

using namespace testing;

// A record that is no record, so that whoever decodes it says so.
const Bytes kBroken{std::byte{0xc1}, std::byte{0x80}};

TEST(DiscvAttacks, WhatDoesNotDecodeEndsTheSession) {
  const std::vector<Bytes> messages{
      {},
      Bytes{std::byte{4}},
      Bytes{std::byte{0xff}, std::byte{0xc0}},
      Bytes{std::byte{0}, std::byte{0xc0}},
      Bytes{std::byte{1}, std::byte{0xc0}},
      encode(FindNodes{1, {}}),
      encode(FindNodes{1, {257}}),
      Bytes(kMaxQuestionBytes + 1),
      Bytes(kMaxNodesBytes + 1, std::byte{3}),
  };
  for (std::size_t i = 0; i < messages.size(); ++i) {
    Rig rig;
    const SessionHandle session = rig.open(1);
    rig.say(session, messages[i]);
    EXPECT_EQ(rig.blamed(), Misbehaviour::malformed_message) << i;
    EXPECT_EQ(rig.engine.discovery().table().find_any(id_of(1)), nullptr) << i;
    rig.say(session, encode(Ping{1, 1}));
    EXPECT_TRUE(rig.sent(session).empty()) << "a condemned peer is not answered";
  }
}

TEST(DiscvAttacks, atk_49_AnAnswerThatNobodyAskedForEndsTheSessionUndecoded) {
  Rig rig;
  const SessionHandle session = rig.open(1);
  rig.say(session, encode(Nodes{7, {kBroken}}));
  EXPECT_EQ(rig.blamed(), Misbehaviour::unsolicited_response);
  EXPECT_EQ(rig.engine.counters().answers_decoded, 0U);
}

TEST(DiscvAttacks, atk_49_AnAnswerOfAnotherKindOrFromAnotherPeerEndsTheSessionUndecoded) {
  {
    Rig rig;
    const SessionHandle session = rig.open(1);
    const FindNodes asked = rig.find_nodes(session);
    rig.say(session, encode(Pong{asked.request_id, 1, own_subnet(0)}));
    EXPECT_EQ(rig.blamed(), Misbehaviour::unsolicited_response);
    EXPECT_EQ(rig.engine.counters().answers_decoded, 0U);
  }
  Rig rig;
  const SessionHandle session = rig.open(1);
  const SessionHandle other = rig.open(2, true);
  static_cast<void>(rig.engine.start_lookup(rig.now, id_of(77)));
  std::uint64_t id = 0;
  while (auto out = rig.engine.poll_outgoing()) {
    if (out->session == session && peek_code(out->payload) == Code::find_nodes) {
      id = decode_find_nodes(out->payload)->request_id;
    }
  }
  ASSERT_NE(id, 0U);
  rig.say(other, encode(Nodes{id, {kBroken}}));
  EXPECT_EQ(rig.blamed(), Misbehaviour::unsolicited_response);
  rig.say(session, encode(Nodes{id, {}}));
  EXPECT_EQ(rig.blamed(), std::nullopt) << "the one that was asked may still answer";
}

TEST(DiscvAttacks, atk_49_AnAnswerTwiceEndsTheSessionAndIsDecodedOnce) {
  Rig rig;
  const SessionHandle session = rig.open(1);
  const FindNodes asked = rig.find_nodes(session);
  const auto records = Rig::records_for(1, asked.distances, 1);
  rig.say(session, encode(Nodes{asked.request_id, records}));
  rig.say(session, encode(Nodes{asked.request_id, records}));
  EXPECT_EQ(rig.blamed(), Misbehaviour::unsolicited_response);
  EXPECT_EQ(rig.engine.counters().answers_decoded, 1U);
  EXPECT_EQ(rig.engine.judging_records(), 0U) << "what waited for judgement went with it";
}

TEST(DiscvAttacks, atk_49_MoreRecordsThanAnAnswerMayHoldEndTheSessionUndecoded) {
  Rig rig;
  const SessionHandle session = rig.open(1);
  const FindNodes asked = rig.find_nodes(session);
  rig.say(session, encode(Nodes{asked.request_id, std::vector<Bytes>(17, kBroken)}));
  EXPECT_EQ(rig.blamed(), Misbehaviour::oversized_response);
  EXPECT_EQ(rig.engine.counters().answers_decoded, 0U);
}

TEST(DiscvAttacks, ARecordWithAWrongSignatureEndsTheSessionAndNothingOfThatAnswerIsUsed) {
  for (const bool is_record : {true, false}) {
    Rig rig;
    const SessionHandle session = rig.open(1);
    const FindNodes asked = rig.find_nodes(session);
    auto records = Rig::records_for(1, asked.distances, 3);
    is_record ? static_cast<void>(records[1].back() ^= std::byte{1})
              : static_cast<void>(records[1] = kBroken);
    rig.say(session, encode(Nodes{asked.request_id, records}));
    rig.do_jobs();
    EXPECT_EQ(rig.blamed(), Misbehaviour::bad_record) << is_record;
    EXPECT_EQ(rig.engine.discovery().table().size(), 0U) << is_record;
  }
}

TEST(DiscvAttacks, RequestsAboveTheBudgetEndTheSession) {
  Rig rig;
  const SessionHandle session = rig.open(1);
  for (std::int64_t i = 0; i < kMaxRequestBurst; ++i) {
    rig.say(session, encode(FindNodes{1, {256}}));
    rig.sent(session);
    ASSERT_EQ(rig.blamed(), std::nullopt) << i;
  }
  rig.say(session, encode(Ping{1, 1}));
  EXPECT_EQ(rig.blamed(), Misbehaviour::too_many_requests);
  EXPECT_EQ(rig.engine.counters().requests_served, static_cast<std::uint64_t>(kMaxRequestBurst));
}

TEST(DiscvAttacks, WhoAsksAndDoesNotReadIsAnsweredSixteenTimes) {
  Rig rig;
  const SessionHandle session = rig.open(1);
  rig.sent(session);
  for (std::size_t i = 0; i <= kMaxQueuedPerPeer; ++i) rig.say(session, encode(FindNodes{1, {0}}));
  EXPECT_EQ(rig.blamed(), Misbehaviour::too_many_requests);
  EXPECT_EQ(rig.engine.counters().requests_served, kMaxQueuedPerPeer);
}

TEST(DiscvAttacks, WhatWaitsForJudgementIsBoundedAndNobodyIsToBlame) {
  Rig rig;
  for (std::uint64_t i = 1; i <= kMaxJudgingRecords + 8; ++i) {
    rig.engine.handle_session_opened(
        rig.now, {static_cast<std::uint32_t>(1000 + i), 1},
        {.id = id_of(i),
         .remote = own_subnet(i),
         .inbound = true,
         .enr = to_bytes(enr_of(i, own_subnet(i)).record().encoded())});
  }
  EXPECT_EQ(rig.engine.judging_records(), kMaxJudgingRecords);
  EXPECT_EQ(rig.engine.counters().judgements_refused, 8U);
  rig.do_jobs();
  EXPECT_EQ(rig.engine.judging_records(), 0U);
  EXPECT_EQ(rig.blamed(), std::nullopt);
  rig.open(900, true);
  EXPECT_EQ(rig.engine.counters().judgements_refused, 8U) << "there is room again";
}

// Two hosts in two networks with identities without end, honest in all but their number: they
// answer, and name each other.
TEST(DiscvAttacks, atk_33_InANetworkTwoHostsHoldTwentyPlacesOfATableAtMost) {
  Net net{33};
  std::vector<Net::Node*> honest;
  for (std::uint64_t i = 0; i < 12; ++i) {
    honest.push_back(&net.add(i, own_subnet(i)));
    if (i > 0) honest.back()->engine.add_boot_node(honest.front()->enr);
  }
  for (std::uint64_t i = 0; i < 60; ++i) {
    const Endpoint host{
        IpAddress::v4({std::byte{9}, std::byte{i % 2 == 0}, std::byte{9}, std::byte{7}}),
        static_cast<std::uint16_t>(1000 + i)};
    net.add(1000 + i, host).engine.add_boot_node(honest.front()->enr);
  }
  net.run(seconds(240));
  std::size_t most = 0;
  for (const Net::Node* node : honest) {
    const kbucket::Table& table = node->engine.discovery().table();
    EXPECT_EQ(table.broken(), "");
    std::size_t attackers = 0;
    std::size_t others = 0;
    table.for_each([&](const kbucket::TableEntry& entry) {
      const bool is_attacker = entry.record->endpoint().ip.bytes()[0] == std::byte{9};
      is_attacker ? ++attackers : ++others;
    });
    EXPECT_LE(attackers, 20U) << node->number;
    EXPECT_EQ(others, honest.size() - 1) << node->number;
    most = std::max(most, attackers);
  }
  EXPECT_GT(most, 8U) << "the attack was on";
}

}  // namespace
}  // namespace ethnet::discv_lite
