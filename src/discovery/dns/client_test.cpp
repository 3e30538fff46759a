#include "client.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "testing/zone.hpp"

namespace ethnet::dns {
namespace {

using testing::ids_of;
using testing::key_of;
using testing::link_of;
using testing::record_of;
using testing::records_of;
using testing::Rig;
using testing::Zone;

constexpr ClientOptions kWhole{.walk = Walk::whole};
constexpr ClientOptions kRandom{.walk = Walk::random};

TEST(DnsClient, AWholeWalkFindsEveryRecordOnceAndSaysWhenItIsDone) {
  Rig rig{kWhole};
  const auto records = records_of(40);
  const Tree tree = make_tree(records, {}).value();
  rig.zone.publish("nodes.org", tree, 5);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.run();
  EXPECT_EQ(rig.told<NodeFound>().size(), records.size());
  EXPECT_EQ(rig.found(), ids_of(records));
  EXPECT_EQ(rig.asked.size(), tree.entries.size() + 1);
  const auto done = rig.told<TreeDone>();
  ASSERT_EQ(done.size(), 1U);
  ASSERT_TRUE(done[0].root.has_value());
  EXPECT_EQ(done[0].root->seq, 5U);
  EXPECT_EQ(done[0].records, records.size());
  EXPECT_EQ(done[0].skipped, 0U);
  EXPECT_TRUE(rig.client.is_idle());
}

TEST(DnsClient, AsksThreeTimesASecond) {
  Rig rig{kWhole};
  rig.zone.publish("nodes.org", make_tree(records_of(60), {}).value(), 1);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.run();
  ASSERT_GT(rig.asked.size(), 60U);
  for (std::size_t i = 0; i < rig.asked.size(); ++i) {
    // Three at once are allowed, then one each third of a second.
    const auto least = seconds(1) / 3 * static_cast<std::int64_t>(i < 3 ? 0 : i - 2);
    EXPECT_GE(rig.asked[i].first.ns, least.ns - 3 * static_cast<std::int64_t>(i)) << i;
  }
  EXPECT_LT(rig.time, seconds(30));
}

TEST(DnsClient, ARandomWalkAsksForAsMuchAsIsWanted) {
  Rig rig{kRandom};
  rig.zone.publish("nodes.org", make_tree(records_of(100), {}).value(), 1);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.run();
  EXPECT_TRUE(rig.asked.empty());  // nothing is wanted
  rig.client.want(rig.now(), 7);
  rig.run(rig.time + seconds(60));
  EXPECT_EQ(rig.told<NodeFound>().size(), 7U);
  EXPECT_EQ(rig.found().size(), 7U);
  EXPECT_EQ(rig.client.wanted(), 0U);
  EXPECT_TRUE(rig.client.is_idle());
}

TEST(DnsClient, TheOrderOfARandomWalkIsAnotherWithEachSeed) {
  std::set<std::vector<NodeId>> orders;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Rig rig{kRandom, seed};
    rig.zone.publish("nodes.org", make_tree(records_of(30), {}).value(), 1);
    ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
    rig.client.want(rig.now(), 10);
    rig.run(seconds(60));
    std::vector<NodeId> order;
    for (const NodeFound& one : rig.told<NodeFound>()) order.push_back(one.record.node_id());
    EXPECT_EQ(order.size(), 10U);
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 5U);
}

TEST(DnsClient, AfterTheLastRecordComesTheFirstOutOfTheCache) {
  Rig rig{kRandom};
  const auto records = records_of(20);
  const Tree tree = make_tree(records, {}).value();
  rig.zone.publish("nodes.org", tree, 1);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.client.want(rig.now(), 50);
  rig.run(seconds(1700));
  EXPECT_EQ(rig.told<NodeFound>().size(), 50U);
  EXPECT_EQ(rig.found(), ids_of(records));
  EXPECT_EQ(rig.asked.size(), tree.entries.size() + 1);
  EXPECT_GT(rig.client.counters().from_cache, 20U);
}

TEST(DnsClient, TheRootIsAskedForAgainAfterThirtyMinutesAndOnlyWhatIsNewIsAskedFor) {
  Rig rig{kRandom};
  auto records = records_of(13);
  rig.zone.publish("nodes.org", make_tree(records, {}).value(), 1);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.client.want(rig.now(), 13);
  rig.run(seconds(60));
  records.back() = record_of(99);
  rig.zone.publish("nodes.org", make_tree(records, {}).value(), 2);
  rig.asked.clear();
  rig.client.want(rig.now(), 13);
  rig.run(seconds(1790));
  EXPECT_EQ(rig.times_asked("nodes.org"), 0U);  // the old ones, out of the cache
  rig.time = seconds(1801);
  rig.client.want(rig.now(), 13);
  rig.run(seconds(2000));
  EXPECT_EQ(rig.times_asked("nodes.org"), 1U);
  EXPECT_EQ(rig.asked.size(), 3U);  // root, branch, and the record that is new
  ASSERT_EQ(rig.told<RootChanged>().size(), 2U);
  EXPECT_EQ(rig.told<RootChanged>()[1].seq, 2U);
  EXPECT_TRUE(rig.told<RootChanged>()[1].records_anew);
  EXPECT_FALSE(rig.told<RootChanged>()[1].links_anew);
  EXPECT_TRUE(rig.found().contains(record_of(99).node_id()));
}

TEST(DnsClient, LinksAreFollowedAndTheirTreesWalked) {
  Rig rig{kWhole};
  const auto ours = records_of(3);
  const auto theirs = records_of(3, 100);
  const std::vector<Link> links{link_of("other.org", 7)};
  rig.zone.publish("nodes.org", make_tree(ours, links).value(), 1);
  rig.zone.publish("other.org", make_tree(theirs, {}).value(), 4, 7);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.run();
  auto all = ids_of(ours);
  all.merge(ids_of(theirs));
  EXPECT_EQ(rig.found(), all);
  EXPECT_EQ(rig.told<TreeDone>().size(), 2U);
  for (const NodeFound& one : rig.told<NodeFound>()) {
    EXPECT_EQ(one.tree == link_of("nodes.org"), ids_of(ours).contains(one.record.node_id()));
  }
}

TEST(DnsClient, WithoutFollowingALinkIsToldAndNotWalked) {
  Rig rig{{.walk = Walk::whole, .follow_links = false}};
  const std::vector<Link> links{link_of("other.org", 7)};
  rig.zone.publish("nodes.org", make_tree({}, links).value(), 1);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.run();
  ASSERT_EQ(rig.told<LinkFound>().size(), 1U);
  EXPECT_EQ(rig.told<LinkFound>()[0].to, links[0]);
  EXPECT_EQ(rig.times_asked("other.org"), 0U);
  EXPECT_EQ(rig.client.trees(), 1U);
}

TEST(DnsClient, LinksSayInWhichOrderTheTreeHasThem) {
  Rig rig{{.walk = Walk::whole, .follow_links = false}};
  std::vector<Link> links;
  for (int i = 0; i < 30; ++i) links.push_back(link_of(std::to_string(i * 7 % 30) + ".org"));
  rig.zone.publish("nodes.org", make_tree({}, links).value(), 1);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.run();
  auto told = rig.told<LinkFound>();
  std::ranges::sort(told, {}, &LinkFound::path);
  std::vector<Link> in_order;
  for (const LinkFound& one : told) in_order.push_back(one.to);
  EXPECT_EQ(in_order, links);
}

TEST(DnsClient, ATreeThatNobodyLinksToAnyMoreIsDroppedAndItsNumberRemembered) {
  Rig rig{kRandom};
  const std::vector<Link> links{link_of("other.org", 7)};
  rig.zone.publish("nodes.org", make_tree(records_of(2), links).value(), 1);
  rig.zone.publish("other.org", make_tree(records_of(2, 100), {}).value(), 9, 7);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.client.want(rig.now(), 20);
  rig.run(seconds(1700));
  ASSERT_EQ(rig.client.trees(), 2U);
  rig.zone.publish("nodes.org", make_tree(records_of(2), {}).value(), 2);
  rig.time = seconds(1900);
  rig.client.want(rig.now(), 20);
  rig.run(seconds(3500));
  EXPECT_EQ(rig.client.trees(), 1U);
  // Linked to again, with an older root than it had.
  rig.zone.publish("nodes.org", make_tree(records_of(2), links).value(), 3);
  rig.zone.publish("other.org", make_tree(records_of(2, 200), {}).value(), 8, 7);
  rig.time = seconds(3900);
  rig.client.want(rig.now(), 20);
  rig.run(seconds(5000));
  EXPECT_EQ(rig.client.trees(), 2U);
  EXPECT_GT(rig.refused(DnsError::sequence_decreased), 0U);
  EXPECT_FALSE(rig.found().contains(record_of(200).node_id()));
}

TEST(DnsClient, ATreeThatIsLinkedToMayNotGoBackBehindWhatIsRememberedOfIt) {
  for (const std::uint64_t known : {9U, 10U}) {
    Rig rig{kWhole};
    const std::vector<Link> links{link_of("other.org", 7)};
    rig.zone.publish("nodes.org", make_tree(records_of(2), links).value(), 1);
    rig.zone.publish("other.org", make_tree(records_of(2, 100), {}).value(), 9, 7);
    rig.client.remember(link_of("other.org", 7), known);
    rig.client.remember(link_of("other.org", 7), 3);  // it does not fall
    ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
    rig.run();
    EXPECT_EQ(rig.found().contains(record_of(100).node_id()), known == 9);
    EXPECT_EQ(rig.refused(DnsError::sequence_decreased), known == 9 ? 0U : 1U);
  }
}

// A branch whose children are nowhere: a walk of it takes a while.
HashLabel put_barren(Zone& zone, std::uint32_t number, std::string children) {
  for (std::uint32_t i = 0; i < 12; ++i) {
    std::string branch = "enrtree-branch:";
    for (std::uint32_t k = 0; k < 36; ++k) {
      branch += k == 0 ? "" : ",";
      branch += HashLabel::of(fmt::format("missing {} {} {}", number, i, k)).text();
    }
    children += children.empty() ? "" : ",";
    children += zone.put("a.org", branch).text();
  }
  return zone.put("a.org", "enrtree-branch:" + children);
}

// It goes with the answer to a question of its own, while that answer is still looked at.
TEST(DnsClient, ATreeThatLosesItsLinkWhileItIsWalkedEndsWithItsOwnAnswer) {
  Rig rig{{.walk = Walk::random}};
  Zone& zone = rig.zone;
  const HashLabel nothing = zone.put("a.org", "enrtree-branch:");
  const HashLabel link = zone.put("a.org", link_of("x.org").text());
  zone.put_root("a.org", nothing, put_barren(zone, 1, link.text()), 1);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("a.org")).has_value());
  rig.client.want(rig.now(), 1'000);
  for (int s = 1; s < 200 && rig.client.trees() < 2; ++s) rig.run(seconds(s));
  ASSERT_EQ(rig.client.trees(), 2U);
  // Entries that are missing have the root asked for again, which has other links by now.
  zone.put_root("a.org", nothing, put_barren(zone, 2, ""), 2);
  rig.run(rig.time + seconds(30));
  ASSERT_EQ(rig.client.trees(), 2U);
  zone.put_root("x.org", zone.put("x.org", "enrtree-branch:"), HashLabel::of("nowhere"), 1);
  rig.run(rig.time + seconds(170));
  EXPECT_EQ(rig.client.trees(), 1U);
}

TEST(DnsClient, WhatIsNotAnsweredIsAskedThreeTimesAndThenSkipped) {
  Rig rig{kWhole};
  rig.zone.publish("nodes.org", make_tree(records_of(2), {}).value(), 1);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.silent = true;
  rig.answer();
  ASSERT_EQ(rig.asked.size(), 1U);
  EXPECT_EQ(rig.client.next_deadline(), rig.now().mono + kQuestionTimeout);
  rig.run();
  EXPECT_EQ(rig.client.counters().timeouts, 1U);
  ASSERT_EQ(rig.told<TreeDone>().size(), 1U);  // a whole walk ends with its root
  EXPECT_FALSE(rig.told<TreeDone>()[0].root.has_value());
  EXPECT_TRUE(rig.told<RootFailed>()[0].why.is(DnsError::unanswered));

  Rig other{kWhole};
  other.zone.publish("nodes.org", make_tree(records_of(1), {}).value(), 1);
  const std::string root_text = other.zone.at("nodes.org")[0];
  ASSERT_TRUE(other.client.add_tree(other.now(), link_of("nodes.org")));
  const auto question = other.client.poll_question();
  ASSERT_TRUE(question.has_value());
  other.client.handle_answer(other.now(), question->id, std::vector<std::string>{root_text});
  other.broken = true;
  other.run();
  const Root root = Root::decode(root_text).value();
  EXPECT_EQ(other.times_asked(root.records.name_under("nodes.org")), 3U);
  EXPECT_EQ(other.told<EntrySkipped>().size(), 2U);
  EXPECT_EQ(other.told<TreeDone>()[0].skipped, 2U);
}

TEST(DnsClient, AnAnswerToNothingOrAfterItsTimeChangesNothing) {
  Rig rig{kWhole};
  rig.zone.publish("nodes.org", make_tree(records_of(1), {}).value(), 1);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  const auto question = rig.client.poll_question();
  ASSERT_TRUE(question.has_value());
  rig.client.handle_answer(rig.now(), question->id + 1, rig.zone.at("nodes.org"));
  EXPECT_EQ(rig.client.counters().unasked_answers, 1U);
  rig.time = rig.time + kQuestionTimeout;
  rig.client.handle_deadline(rig.now());
  rig.client.handle_answer(rig.now(), question->id, rig.zone.at("nodes.org"));
  rig.client.handle_failure(rig.now(), question->id, DnsError::not_found);
  EXPECT_EQ(rig.client.counters().unasked_answers, 3U);
  rig.run();
  EXPECT_TRUE(rig.told<NodeFound>().empty());
}

TEST(DnsClient, ARootThatCannotBeHadIsAskedForLessAndLessOften) {
  Rig rig{kRandom};
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.client.want(rig.now(), 1);
  rig.run(seconds(10'000));
  // After 10 s, 20 s, … 1280 s, then each 30 minutes.
  ASSERT_EQ(rig.times_asked("nodes.org"), rig.asked.size());
  ASSERT_GE(rig.asked.size(), 11U);
  for (std::size_t i = 1; i < rig.asked.size(); ++i) {
    const Duration pause = rig.asked[i].first - rig.asked[i - 1].first;
    EXPECT_EQ(pause, std::min(kRootRetry * (std::int64_t{1} << (i - 1)), kRootRecheck)) << i;
  }
  EXPECT_EQ(rig.told<RootFailed>().size(), rig.asked.size());
}

TEST(DnsClient, WhenEntriesAreGoneTheRootIsAskedForAgain) {
  Rig rig{kRandom};
  const auto old_records = records_of(10);
  const Tree old_tree = make_tree(old_records, {}).value();
  rig.zone.publish("nodes.org", old_tree, 1);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.client.want(rig.now(), 4);
  rig.run(seconds(60));
  ASSERT_EQ(rig.told<NodeFound>().size(), 4U);
  for (const auto& [label, text] : old_tree.entries) rig.zone.erase(label + ".nodes.org");
  rig.zone.publish("nodes.org", make_tree(records_of(10, 50), {}).value(), 2);
  rig.client.want(rig.now(), 100);
  rig.run(seconds(120));  // long before its half hour is over
  EXPECT_EQ(rig.times_asked("nodes.org"), 2U);
  EXPECT_TRUE(rig.found().contains(record_of(50).node_id()));
}

TEST(DnsClient, AWholeWalkBeginsAnewWhenTheTreeChangesUnderIt) {
  Rig rig{kWhole};
  const Tree old_tree = make_tree(records_of(30), {}).value();
  rig.zone.publish("nodes.org", old_tree, 1);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.run(seconds(3));
  ASSERT_TRUE(rig.told<TreeDone>().empty());
  for (const auto& [label, text] : old_tree.entries) rig.zone.erase(label + ".nodes.org");
  const auto records = records_of(10, 100);
  rig.zone.publish("nodes.org", make_tree(records, {}).value(), 2);
  rig.events.clear();
  rig.run();
  ASSERT_EQ(rig.told<TreeDone>().size(), 1U);
  EXPECT_EQ(rig.told<TreeDone>()[0].root->seq, 2U);
  EXPECT_EQ(rig.told<TreeDone>()[0].records, records.size());
  EXPECT_EQ(rig.found(), ids_of(records));
}

TEST(DnsClient, NothingIsAskedForWhileItsEventsAreNotTaken) {
  Rig rig{{.walk = Walk::whole, .follow_links = true, .questions_per_second = 1'000'000}};
  rig.zone.publish("nodes.org", make_tree(records_of(300), {}).value(), 1);
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  std::size_t asked = 0;
  for (int i = 0; i < 1'000; ++i) {
    rig.time = rig.time + seconds(1);
    rig.client.handle_deadline(rig.now());
    while (const auto question = rig.client.poll_question()) {
      ++asked;
      rig.client.handle_answer(rig.now(), question->id, rig.zone.at(question->name));
    }
  }
  EXPECT_LT(asked, 120U);
  rig.run();
  EXPECT_LE(rig.told<NodeFound>().size(), 300U);
  EXPECT_EQ(rig.found().size(), 300U);
}

TEST(DnsClient, OtherTextsBesideARootOrAnEntryDoNoHarm) {
  Rig rig{kWhole};
  const auto records = records_of(1);
  const Tree tree = make_tree(records, {}).value();
  rig.zone.publish("nodes.org", tree, 1);
  auto& root = rig.zone.at("nodes.org");
  root.insert(root.begin(), {"v=spf1 -all", "enrtree-root:v1 e=broken"});
  auto& entry = rig.zone.at(tree.records.name_under("nodes.org"));
  entry.insert(entry.begin(), {"some text", "enr:-another"});
  ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of("nodes.org")));
  rig.run();
  EXPECT_EQ(rig.found(), ids_of(records));
  EXPECT_EQ(rig.told<TreeDone>()[0].skipped, 0U);
}

TEST(DnsClient, ATreeIsTakenOnceAndOnlySoManyAre) {
  Rig rig{kRandom};
  for (std::size_t i = 0; i < kMaxTrees; ++i) {
    ASSERT_TRUE(rig.client.add_tree(rig.now(), link_of(std::to_string(i) + ".org")));
  }
  EXPECT_TRUE(
      rig.client.add_tree(rig.now(), link_of("more.org")).error().is(DnsError::too_many_trees));
  Rig other{kRandom};
  ASSERT_TRUE(other.client.add_tree(other.now(), link_of("a.org")));
  EXPECT_TRUE(
      other.client.add_tree(other.now(), link_of("A.org")).error().is(DnsError::link_twice));
}

}  // namespace
}  // namespace ethnet::dns
