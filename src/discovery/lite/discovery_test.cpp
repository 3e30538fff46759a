// What discovery asks of whom, and what it makes of the answers.
#include "discovery.hpp"

#include <algorithm>
#include <set>

#include <discovery/kbucket/distances.hpp>
#include <gtest/gtest.h>

#include "testing/discovery_rig.hpp"

namespace ethnet::lite {
namespace {

using namespace testing;

class DiscoveryTest : public ::testing::Test {
 protected:
  ~DiscoveryTest() override { EXPECT_EQ(rig_.discovery.table().broken(), ""); }
  const kbucket::TableEntry* entry(std::uint64_t number) {
    return discovery_.table().find_any(id_of(number));
  }
  DiscoveryRig rig_;
  Discovery& discovery_ = rig_.discovery;
};

TEST_F(DiscoveryTest, WithNobodyKnownItDialsTheBootNodesAndTriesAgain) {
  discovery_.add_boot_node(record_of(1, own_subnet(1)));
  discovery_.add_boot_node(own_subnet(2));
  discovery_.handle_deadline(rig_.now);
  auto wanted = rig_.events<ContactWanted>();
  ASSERT_EQ(wanted.size(), 2U);
  EXPECT_EQ(wanted[0].node, id_of(1));
  EXPECT_EQ(wanted[0].endpoint, own_subnet(1));
  EXPECT_EQ(wanted[1].node, std::nullopt);
  EXPECT_EQ(wanted[1].endpoint, own_subnet(2));
  for (const ContactWanted& contact : wanted) {
    discovery_.handle_contact_failed(rig_.now, contact.contact, ContactFailure::unreachable);
  }
  EXPECT_EQ(discovery_.table().size(), 0U);
  EXPECT_EQ(discovery_.short_sessions(), 0U);
  rig_.run(kbucket::kBootMax);
  EXPECT_GE(rig_.events<ContactWanted>().size(), 2U);
}

TEST_F(DiscoveryTest, ABootNodeOfWhichOnlyTheAddressIsKnownLeadsToALookup) {
  discovery_.add_boot_node(own_subnet(2));
  discovery_.handle_deadline(rig_.now);
  rig_.link(2, own_subnet(2));
  rig_.run(seconds(0));
  const auto questions = rig_.questions();
  ASSERT_FALSE(questions.empty());
  EXPECT_EQ(questions[0].node, id_of(2));
  EXPECT_EQ(std::get<AskNodes>(questions[0].ask).distances,
            kbucket::lookup_distances(id_of(2), id_of(0)))
      << "for our own neighbourhood";
}

TEST_F(DiscoveryTest, WhoWasDialledAtItsRecordsAddressIsReachedWhoDialledFromThereIsMet) {
  rig_.link(1, own_subnet(1), true);
  rig_.link(2, own_subnet(2), false);
  discovery_.handle_link_opened(rig_.now, id_of(3), own_subnet(3), false);
  discovery_.handle_own_record(rig_.now, id_of(3), record_of(3, own_subnet(33)));
  EXPECT_EQ(entry(1)->standing, Standing::reached);
  EXPECT_EQ(entry(2)->standing, Standing::met);
  EXPECT_EQ(entry(3)->standing, Standing::claimed) << "its record names another address";
  EXPECT_EQ(rig_.events<NodeSeen>().size(), 2U);
}

// Its entry moves within the table while its own record is looked at.
TEST_F(DiscoveryTest, AReplacementThatComesFromItsOwnAddressIsToldAsSeen) {
  std::vector<std::uint64_t> far;
  for (std::uint64_t n = 1; far.size() < kbucket::kMaxBucketEntries + 3; ++n) {
    if (log_distance(id_of(0), id_of(n)) == 256) far.push_back(n);
  }
  const std::vector<std::uint64_t> waiting(far.end() - 3, far.end());
  for (std::size_t i = 0; i < kbucket::kMaxBucketEntries; ++i) {
    rig_.link(far[i], own_subnet(far[i]), true);
    discovery_.handle_link_closed(rig_.now, id_of(far[i]));
  }
  for (const std::uint64_t n : waiting) rig_.claim(n, own_subnet(n));
  ASSERT_EQ(discovery_.table().replacements(), 3U);
  rig_.questions();
  rig_.events<NodeSeen>();
  for (const std::uint64_t n : waiting) {
    discovery_.handle_link_opened(rig_.now, id_of(n), own_subnet(n), false);
    const auto seen = rig_.events<NodeSeen>();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].record->id(), id_of(n));
    EXPECT_EQ(seen[0].standing, Standing::met);
  }
}

// Without an address we would be nobody to others.
TEST(DiscoveryAddress, WhoDoesNotKnowItsAddressAsksTheFirstThatComesAndTellsAllOfItsNewRecord) {
  Now now = at(seconds(0));
  Discovery discovery{now, id_of(0), Prng{1}};
  const Endpoint ours{IpAddress::loopback_v4(), 9000};
  const Endpoint theirs{IpAddress::loopback_v4(), 9001};
  discovery.handle_link_opened(now, id_of(1), theirs, false);
  const auto question = discovery.poll_question();
  ASSERT_TRUE(question);
  EXPECT_TRUE(std::holds_alternative<AskPing>(question->ask));
  discovery.handle_pong(now, question->token, 0, ours);
  const auto event = discovery.poll_event();
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<OwnAddress>(*event).endpoint, ours);
  // Known now: the next one is not asked.
  discovery.handle_link_opened(now, id_of(2), {IpAddress::loopback_v4(), 9002}, true);
  EXPECT_FALSE(discovery.poll_question());
  discovery.handle_local_record_changed(now);
  std::set<NodeId> told;
  while (const auto ping = discovery.poll_question()) {
    EXPECT_TRUE(std::holds_alternative<AskPing>(ping->ask));
    told.insert(ping->node);
  }
  EXPECT_EQ(told, (std::set{id_of(1), id_of(2)}));
}

TEST_F(DiscoveryTest, ABootNodeWithWhichThereIsASessionIsNotDialled) {
  discovery_.add_boot_node(own_subnet(2));
  discovery_.handle_link_opened(rig_.now, id_of(2), own_subnet(2), true);  // it has no record
  rig_.run(kbucket::kBootMax * 4);
  EXPECT_TRUE(rig_.events<ContactWanted>().empty());
  discovery_.handle_link_closed(rig_.now, id_of(2));
  rig_.run(kbucket::kBootMax * (1 << kbucket::kBootDoublings));
  EXPECT_FALSE(rig_.events<ContactWanted>().empty());
}

TEST_F(DiscoveryTest, ARecordOfSomebodyElseIsNotTheLinksOwn) {
  discovery_.handle_link_opened(rig_.now, id_of(1), own_subnet(1), true);
  discovery_.handle_own_record(rig_.now, id_of(1), record_of(2, own_subnet(1)));
  EXPECT_EQ(discovery_.table().size(), 0U);
}

TEST_F(DiscoveryTest, ALookupAsksOverTheLinkThatIsThereAndDialsTheOthers) {
  rig_.link(1, own_subnet(1));
  rig_.link(2, own_subnet(2));
  discovery_.handle_link_closed(rig_.now, id_of(2));
  rig_.drain();
  rig_.seen.clear();
  const std::uint64_t lookup = discovery_.start_lookup(rig_.now, id_of(77));
  ASSERT_NE(lookup, 0U);
  const auto questions = rig_.questions();
  ASSERT_EQ(questions.size(), 1U);
  EXPECT_EQ(questions[0].node, id_of(1));
  const auto wanted = rig_.events<ContactWanted>();
  ASSERT_EQ(wanted.size(), 1U);
  EXPECT_EQ(wanted[0].node, id_of(2));
  discovery_.handle_link_opened(rig_.now, id_of(2), own_subnet(2), true);
  const auto more = rig_.questions();
  ASSERT_EQ(more.size(), 1U);
  EXPECT_EQ(more[0].node, id_of(2));
  discovery_.handle_nodes(rig_.now, questions[0].token, {});
  discovery_.handle_nodes(rig_.now, more[0].token, {});
  const auto done = rig_.events<LookupDone>();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].lookup, lookup);
  EXPECT_EQ(done[0].nearest.size(), 2U);
}

TEST_F(DiscoveryTest, ATableFullOfClaimsDoesNotKeepALookupFromThoseThatWeKnow) {
  rig_.link(1, own_subnet(1));
  for (std::uint64_t i = 2; i <= 200; ++i) {
    rig_.claim(i, own_subnet(i));
  }
  for (std::uint64_t target = 300; target < 310; ++target) {
    ASSERT_NE(discovery_.start_lookup(rig_.now, id_of(target)), 0U);
    bool asked = false;
    while (rig_.events<LookupDone>().empty()) {
      for (const Question& question : rig_.questions()) {
        asked = asked || question.node == id_of(1);
        discovery_.handle_nodes(rig_.now, question.token, {});
      }
      for (const ContactWanted& wanted : rig_.events<ContactWanted>()) {
        discovery_.handle_contact_failed(rig_.now, wanted.contact, ContactFailure::not_attempted);
      }
    }
    EXPECT_TRUE(asked) << target;
    rig_.pass(kbucket::kProbeWindow);
  }
}

TEST_F(DiscoveryTest, ALookupGoesOnWithWhatItIsTold) {
  rig_.link(1, own_subnet(1));
  ASSERT_NE(discovery_.start_lookup(rig_.now, id_of(77)), 0U);
  const auto questions = rig_.questions();
  ASSERT_EQ(questions.size(), 1U);
  const auto& distances = std::get<AskNodes>(questions[0].ask).distances;
  std::vector<RecordPtr> told;
  for (std::uint64_t i = 10; told.size() < 3; ++i) {
    const auto distance = static_cast<std::uint16_t>(log_distance(id_of(1), id_of(i)));
    if (std::ranges::find(distances, distance) != distances.end()) {
      told.push_back(record_of(i, own_subnet(i)));
    }
  }
  discovery_.handle_nodes(rig_.now, questions[0].token, told);
  EXPECT_EQ(rig_.events<ContactWanted>().size(), 3U);
  EXPECT_EQ(discovery_.counters().records, 3U);
}

TEST_F(DiscoveryTest, WhatIsNotOfADistanceThatWasAskedForIsDroppedAndCounted) {
  rig_.link(1, own_subnet(1));
  rig_.tell(1, {record_of(2, own_subnet(2)), record_of(3, own_subnet(3))});
  EXPECT_EQ(discovery_.counters().wrong_distance, 2U);
  EXPECT_EQ(entry(2), nullptr);
}

TEST_F(DiscoveryTest, ARecordToldTwiceCountsOnce) {
  rig_.link(1, own_subnet(1));
  ASSERT_NE(discovery_.start_lookup(rig_.now, id_of(5)), 0U);
  const auto questions = rig_.questions();
  const RecordPtr twice = record_of(5, own_subnet(5));
  discovery_.handle_nodes(rig_.now, questions.at(0).token, std::vector{twice, twice});
  EXPECT_EQ(discovery_.counters().repeated, 1U);
  EXPECT_EQ(discovery_.counters().records, 1U);
}

TEST_F(DiscoveryTest, AHigherNumberInAPongMakesUsAskForTheRecordAndASameOneDoesNot) {
  rig_.link(1, own_subnet(1));
  discovery_.handle_seq(rig_.now, id_of(1), 1);
  EXPECT_TRUE(rig_.questions().empty());
  discovery_.handle_seq(rig_.now, id_of(1), 2);
  const auto questions = rig_.questions();
  ASSERT_EQ(questions.size(), 1U);
  EXPECT_EQ(std::get<AskNodes>(questions[0].ask).distances, std::vector<std::uint16_t>{0});
  discovery_.handle_nodes(rig_.now, questions[0].token,
                          std::vector{record_of(1, own_subnet(1), 2)});
  EXPECT_EQ(entry(1)->record->seq(), 2U);
  EXPECT_EQ(entry(1)->standing, Standing::reached);
  for (std::uint64_t seq = 3; seq < 3 + 10; ++seq) {
    discovery_.handle_seq(rig_.now, id_of(1), seq);
    discovery_.handle_seq(rig_.now, id_of(1), seq);  // a number makes us ask once
  }
  EXPECT_EQ(rig_.questions().size(), static_cast<std::size_t>(kMaxRecordAsks) - 1);
  rig_.pass(kRecordInterval);
  discovery_.handle_seq(rig_.now, id_of(1), 100);
  EXPECT_EQ(rig_.questions().size(), 1U);
}

TEST_F(DiscoveryTest, AtMostSixteenShortSessionsAtOnceAndTheIdlestMakesRoom) {
  for (std::uint64_t i = 1; i <= 40; ++i) {
    discovery_.handle_restored(rig_.now, record_of(i, own_subnet(i)), true);
  }
  auto wanted = rig_.events<ContactWanted>();
  EXPECT_EQ(wanted.size(), kMaxShortSessions);
  std::size_t told_idle = 0;
  std::size_t served = 0;
  while (!wanted.empty() && served < 40) {
    for (const ContactWanted& contact : wanted) {
      discovery_.handle_link_opened(rig_.now, *contact.node, contact.endpoint, true);
      EXPECT_LE(discovery_.short_sessions(), kMaxShortSessions);
    }
    for (const Question& question : rig_.questions()) {
      rig_.pass(milliseconds(1));
      discovery_.handle_pong(rig_.now, question.token, 1, own_subnet(0));
      ++served;
    }
    rig_.run(seconds(0));
    told_idle += rig_.events<LinkIdle>().size();
    wanted = rig_.events<ContactWanted>();
    if (wanted.empty() && served < 40) {
      rig_.run(kIdle);
      told_idle += rig_.events<LinkIdle>().size();
      wanted = rig_.events<ContactWanted>();
    }
  }
  EXPECT_GE(served, 40U);
  EXPECT_GE(told_idle, 24U);
}

TEST_F(DiscoveryTest, AnIdleLinkIsToldOnceAndTrafficPutsItOff) {
  discovery_.handle_link_opened(rig_.now, id_of(1), own_subnet(1), true);  // and is never asked
  const auto idle_after = [&](Duration time) {
    rig_.run(time);
    return rig_.events<LinkIdle>().size();
  };
  EXPECT_EQ(idle_after(kIdle - milliseconds(1)), 0U);
  discovery_.handle_traffic(rig_.now, id_of(1));
  EXPECT_EQ(idle_after(kIdle - milliseconds(1)), 0U);
  EXPECT_EQ(idle_after(milliseconds(1)), 1U);
  EXPECT_EQ(idle_after(seconds(60)), 0U);
  discovery_.handle_traffic(rig_.now, id_of(1));
  EXPECT_EQ(idle_after(kIdle), 1U);
}

TEST_F(DiscoveryTest, EachWayInWhichAContactFailsMeansSomethingElse) {
  const auto fail_with = [&](ContactFailure failure, Standing standing) {
    DiscoveryRig rig;
    if (standing == Standing::reached) {
      rig.link(1, own_subnet(1));
      rig.discovery.handle_link_closed(rig.now, id_of(1));
      rig.seen.clear();
      rig.drain();
    } else {
      rig.claim(1, own_subnet(1));
    }
    EXPECT_NE(rig.discovery.start_lookup(rig.now, id_of(9)), 0U);
    const auto wanted = rig.events<ContactWanted>();
    EXPECT_EQ(wanted.size(), 1U);
    rig.discovery.handle_contact_failed(rig.now, wanted.at(0).contact, failure);
    EXPECT_EQ(rig.events<LookupDone>().size(), 1U) << "the look-up does not wait for it";
    const auto* entry = rig.discovery.table().find_any(id_of(1));
    return entry == nullptr      ? std::string{"gone"}
           : entry->relayable()  ? std::string{"alive"}
           : entry->failures > 0 ? std::string{"suspended"}
                                 : std::string{"claimed"};
  };
  EXPECT_EQ(fail_with(ContactFailure::unreachable, Standing::claimed), "gone");
  EXPECT_EQ(fail_with(ContactFailure::unreachable, Standing::reached), "suspended");
  EXPECT_EQ(fail_with(ContactFailure::wrong_node, Standing::reached), "gone");
  EXPECT_EQ(fail_with(ContactFailure::not_offered, Standing::reached), "gone");
  EXPECT_EQ(fail_with(ContactFailure::busy, Standing::claimed), "alive");
  EXPECT_EQ(fail_with(ContactFailure::not_attempted, Standing::claimed), "claimed");
  EXPECT_EQ(fail_with(ContactFailure::not_attempted, Standing::reached), "alive");
}

TEST_F(DiscoveryTest, AWishThatIsNeverAnsweredIsGivenUp) {
  discovery_.handle_restored(rig_.now, record_of(1, own_subnet(1)), true);
  EXPECT_EQ(discovery_.short_sessions(), 1U);
  rig_.pass(kContactTimeout);
  discovery_.handle_deadline(rig_.now);
  EXPECT_EQ(discovery_.counters().contacts_failed, 1U);
}

TEST_F(DiscoveryTest, ThreeSilencesAndALinkIsNotAskedAgainForAWhile) {
  rig_.link(1, own_subnet(1));
  for (std::uint32_t i = 0; i < kMaxSilence; ++i) {
    ASSERT_NE(discovery_.start_lookup(rig_.now, id_of(9)), 0U);
    const auto questions = rig_.questions();
    ASSERT_EQ(questions.size(), 1U) << i;
    discovery_.handle_no_answer(rig_.now, questions[0].token, true);
  }
  EXPECT_EQ(entry(1), nullptr) << "three failures in a row";
  discovery_.handle_own_record(rig_.now, id_of(1), record_of(1, own_subnet(1), 2));
  ASSERT_NE(discovery_.start_lookup(rig_.now, id_of(9)), 0U);
  EXPECT_TRUE(rig_.questions().empty());
  rig_.link(1, own_subnet(1));  // opened anew
  ASSERT_NE(discovery_.start_lookup(rig_.now, id_of(9)), 0U);
  auto questions = rig_.questions();
  ASSERT_EQ(questions.size(), 1U);
  for (std::uint32_t i = 0; i < kMaxSilence; ++i) {
    discovery_.handle_no_answer(rig_.now, questions.at(0).token, true);
    if (i + 1 == kMaxSilence) break;
    discovery_.handle_own_record(rig_.now, id_of(1), record_of(1, own_subnet(1), 3 + i));
    ASSERT_NE(discovery_.start_lookup(rig_.now, id_of(9)), 0U);
    questions = rig_.questions();
    ASSERT_EQ(questions.size(), 1U);
  }
  rig_.pass(kSilencePause);
  discovery_.handle_own_record(rig_.now, id_of(1), record_of(1, own_subnet(1), 9));
  ASSERT_NE(discovery_.start_lookup(rig_.now, id_of(9)), 0U);
  EXPECT_EQ(rig_.questions().size(), 1U);
}

// Both sides of a bad line may have forgotten each other, and the session goes on.
TEST_F(DiscoveryTest, WhoHasGoneFromTheTableIsAskedForItsRecordWhileThereIsALink) {
  rig_.link(1, own_subnet(1));
  for (std::uint32_t i = 0; i < kMaxSilence; ++i) {
    ASSERT_NE(discovery_.start_lookup(rig_.now, id_of(9)), 0U);
    for (const Question& question : rig_.questions()) {
      discovery_.handle_no_answer(rig_.now, question.token, true);
    }
  }
  ASSERT_EQ(entry(1), nullptr);
  rig_.run(kStrangerAfter + kbucket::kRevalidateMax);
  const auto questions = rig_.questions();
  ASSERT_EQ(questions.size(), 1U);
  EXPECT_EQ(std::get<AskNodes>(questions[0].ask).distances, std::vector<std::uint16_t>{0});
  discovery_.handle_nodes(rig_.now, questions[0].token, std::vector{record_of(1, own_subnet(1))});
  EXPECT_EQ(entry(1)->standing, Standing::reached);
}

TEST_F(DiscoveryTest, ALinkThatMovesToTheAddressOfItsRecordIsMetThere) {
  rig_.link(1, own_subnet(1));
  discovery_.handle_own_record(rig_.now, id_of(1), record_of(1, own_subnet(7), 2));
  EXPECT_EQ(entry(1)->standing, Standing::claimed) << "nobody has seen it there";
  discovery_.handle_link_moved(rig_.now, id_of(1), own_subnet(7));
  EXPECT_EQ(entry(1)->standing, Standing::met);
}

TEST_F(DiscoveryTest, WhatALinkThatClosesTakesWithItIsAskedOnceMore) {
  rig_.link(1, own_subnet(1));
  ASSERT_NE(discovery_.start_lookup(rig_.now, id_of(9)), 0U);
  const auto first = rig_.questions();
  ASSERT_EQ(first.size(), 1U);
  discovery_.handle_link_closed(rig_.now, id_of(1));
  EXPECT_EQ(rig_.events<ContactWanted>().size(), 1U);
  discovery_.handle_link_opened(rig_.now, id_of(1), own_subnet(1), true);
  const auto second = rig_.questions();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(std::get<AskNodes>(second[0].ask).distances,
            std::get<AskNodes>(first[0].ask).distances);
  discovery_.handle_link_closed(rig_.now, id_of(1));
  EXPECT_TRUE(rig_.events<ContactWanted>().empty()) << "twice is enough";
  EXPECT_EQ(rig_.events<LookupDone>().size(), 1U);
  rig_.drain();
  EXPECT_EQ(discovery_.held(), 0U);
  EXPECT_TRUE(entry(1)->relayable()) << "a session that ends is no failure";
}

TEST_F(DiscoveryTest, AnAnswerOfTheWrongKindOrToNothingIsIgnored) {
  rig_.link(1, own_subnet(1));
  ASSERT_NE(discovery_.start_lookup(rig_.now, id_of(9)), 0U);
  const auto questions = rig_.questions();
  ASSERT_EQ(questions.size(), 1U);
  discovery_.handle_pong(rig_.now, questions[0].token, 9, own_subnet(0));
  discovery_.handle_pong(rig_.now, 4711, 9, own_subnet(0));
  discovery_.handle_nodes(rig_.now, 4711, {});
  discovery_.handle_no_answer(rig_.now, 4711, true);
  EXPECT_TRUE(rig_.events<LookupDone>().empty());
  discovery_.handle_nodes(rig_.now, questions[0].token, {});
  EXPECT_EQ(rig_.events<LookupDone>().size(), 1U);
}

TEST_F(DiscoveryTest, TwoLookupsAtOnce) {
  rig_.link(1, own_subnet(1));
  EXPECT_NE(discovery_.start_lookup(rig_.now, id_of(7)), 0U);
  EXPECT_NE(discovery_.start_lookup(rig_.now, id_of(8)), 0U);
  EXPECT_EQ(discovery_.start_lookup(rig_.now, id_of(9)), 0U);
  EXPECT_EQ(discovery_.counters().lookups_refused, 1U);
}

TEST_F(DiscoveryTest, EveryNodeOfTheTableIsRevalidated) {
  std::set<NodeId> pinged;
  for (std::uint64_t i = 1; i <= 12; ++i) {
    rig_.link(i, own_subnet(i));
    discovery_.handle_link_closed(rig_.now, id_of(i));
  }
  for (int second = 0; second < 600; ++second) {
    rig_.run(seconds(1));
    for (const ContactWanted& contact : rig_.events<ContactWanted>()) {
      discovery_.handle_link_opened(rig_.now, *contact.node, contact.endpoint, true);
    }
    for (const Question& question : rig_.questions()) {
      if (std::holds_alternative<AskPing>(question.ask)) {
        pinged.insert(question.node);
        discovery_.handle_pong(rig_.now, question.token, 1, own_subnet(0));
      } else {
        discovery_.handle_nodes(rig_.now, question.token, {});
      }
    }
    for (std::uint64_t i = 1; i <= 12; ++i) discovery_.handle_link_closed(rig_.now, id_of(i));
  }
  EXPECT_EQ(pinged.size(), 12U);
}

TEST_F(DiscoveryTest, AnswersLeaveOutTheAskerAndWhatItCannotReach) {
  rig_.link(1, endpoint("127.0.0.1:9001"));
  rig_.link(2, endpoint("10.0.0.2:9000"));
  rig_.link(3, own_subnet(3));
  rig_.link(4, own_subnet(4));
  std::vector<std::uint16_t> all;
  for (std::uint16_t d = 256; d > 240; --d) all.push_back(d);
  const auto told = [&](std::uint64_t asker) {
    std::set<NodeId> out;
    for (const RecordPtr& record : discovery_.answer(id_of(asker), all)) out.insert(record->id());
    return out;
  };
  EXPECT_EQ(told(1), (std::set<NodeId>{id_of(2), id_of(3), id_of(4)}));
  EXPECT_EQ(told(2), (std::set<NodeId>{id_of(3), id_of(4)}));
  EXPECT_EQ(told(3), (std::set<NodeId>{id_of(4)}));
  EXPECT_TRUE(told(99).empty()) << "no link, no answer";
  EXPECT_TRUE(discovery_.answer(id_of(3), {}).empty());
}

TEST_F(DiscoveryTest, WhatWasSavedIsAskedAfterARestartAndNotRelayedBefore) {
  for (std::uint64_t i = 1; i <= 20; ++i) {
    rig_.link(i, own_subnet(i));
    if (i > 3) discovery_.handle_link_closed(rig_.now, id_of(i));
    rig_.pass(seconds(1));
  }
  rig_.claim(99, own_subnet(99));
  const kbucket::SavedNodes saved = discovery_.save();
  EXPECT_EQ(saved.nodes.size(), discovery_.table().size() - 1) << "the claimed one is left out";
  EXPECT_TRUE(
      std::ranges::is_sorted(saved.nodes, std::ranges::greater{}, &kbucket::SavedNode::last_seen));
  ASSERT_EQ(saved.anchors.size(), kbucket::kMaxAnchors);
  EXPECT_EQ(*kbucket::decode_saved_nodes(kbucket::encode(saved)), saved);
  DiscoveryRig restarted;
  std::set<NodeId> anchors;
  for (const Bytes& anchor : saved.anchors) {
    const RecordPtr record = kbucket::NodeRecord::of(VerifiedEnr::decode(anchor).value());
    restarted.discovery.handle_restored(restarted.now, record, true);
    anchors.insert(record->id());
  }
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE(anchors.contains(id_of(i))) << i;
  EXPECT_EQ(restarted.events<ContactWanted>().size(), kbucket::kMaxAnchors);
  EXPECT_TRUE(restarted.discovery.table().closest(id_of(0), 99, false).empty());
}

// Every dial fails for half an hour: that says something about us.
TEST_F(DiscoveryTest, WhoIsCutOffForgetsNobody) {
  for (std::uint64_t i = 1; i <= 12; ++i) {
    rig_.link(i, own_subnet(i));
    discovery_.handle_link_closed(rig_.now, id_of(i));
  }
  const std::size_t before = discovery_.table().size();
  rig_.run(kbucket::kAloneAfter);
  std::size_t dials = 0;
  for (int second = 0; second < 1800; ++second) {
    rig_.run(seconds(1));
    for (const ContactWanted& contact : rig_.events<ContactWanted>()) {
      ++dials;
      discovery_.handle_contact_failed(rig_.now, contact.contact, ContactFailure::unreachable);
    }
  }
  EXPECT_GT(dials, 3 * before);
  EXPECT_EQ(discovery_.table().size(), before);
  EXPECT_EQ(discovery_.save().nodes.size(), before);
  std::vector<std::uint16_t> all;
  for (std::uint16_t d = 256; d > 240; --d) all.push_back(d);
  rig_.link(50, own_subnet(50));
  EXPECT_TRUE(discovery_.answer(id_of(50), all).empty()) << "nor tells of anybody meanwhile";
}

TEST_F(DiscoveryTest, BootNodesAreTriedEverMoreRarely) {
  discovery_.add_boot_node(own_subnet(2));
  std::vector<std::size_t> tries_in_half_an_hour;
  for (int part = 0; part < 2; ++part) {
    std::size_t tries = 0;
    for (int second = 0; second < 1800; ++second) {
      rig_.run(seconds(1));
      for (const ContactWanted& contact : rig_.events<ContactWanted>()) {
        ++tries;
        discovery_.handle_contact_failed(rig_.now, contact.contact, ContactFailure::unreachable);
      }
    }
    tries_in_half_an_hour.push_back(tries);
  }
  EXPECT_LE(tries_in_half_an_hour[0], 30U);
  EXPECT_GE(tries_in_half_an_hour[1], 1800U / 240U - 1);
  EXPECT_LE(tries_in_half_an_hour[1], 1800U / 80U + 1);
}

// A true record of long ago, told by a liar, leads nowhere and costs its node nothing.
TEST_F(DiscoveryTest, AnOldRecordToldAgainDoesNotDiscreditItsNode) {
  rig_.link(1, own_subnet(1));
  const RecordPtr current = record_of(5, own_subnet(5), 9);
  discovery_.handle_link_opened(rig_.now, id_of(5), own_subnet(5), true);
  discovery_.handle_own_record(rig_.now, id_of(5), current);
  discovery_.handle_link_closed(rig_.now, id_of(5));
  rig_.events<ContactWanted>();
  ASSERT_NE(discovery_.start_lookup(rig_.now, id_of(5)), 0U);
  const std::vector<RecordPtr> old{record_of(5, own_subnet(55), 1)};
  for (const Question& question : rig_.questions()) {
    discovery_.handle_nodes(rig_.now, question.token, old);
  }
  for (const ContactWanted& contact : rig_.events<ContactWanted>()) {
    EXPECT_EQ(contact.endpoint, own_subnet(5));
  }
  EXPECT_EQ(entry(5)->record, current);
  EXPECT_TRUE(entry(5)->relayable());
}

TEST_F(DiscoveryTest, OneWhoMisbehavedIsNotToldToOthers) {
  rig_.link(1, own_subnet(1));
  discovery_.handle_misbehaved(rig_.now, id_of(1));
  EXPECT_EQ(entry(1), nullptr);
}

}  // namespace
}  // namespace ethnet::lite
