// The iterator: whom it asks, when it ends, what it finds.
#include "lookup.hpp"

#include <algorithm>
#include <deque>
#include <set>

#include <base/prng.hpp>
#include <gtest/gtest.h>

namespace ethnet::kbucket {
namespace {

NodeId draw_id(Prng& prng) {
  NodeId id;
  for (std::byte& b : id.bytes) b = static_cast<std::byte>(prng.next());
  return id;
}

std::vector<NodeId> draw_ids(Prng& prng, std::size_t count) {
  std::vector<NodeId> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(draw_id(prng));
  return out;
}

std::vector<NodeId> nearest(std::vector<NodeId> ids, const NodeId& target, std::size_t count) {
  std::ranges::sort(ids, [&](const NodeId& a, const NodeId& b) { return closer(target, a, b); });
  ids.resize(std::min(ids.size(), count));
  return ids;
}

// Of no subnet that is limited.
std::vector<LookupNode> named(std::span<const NodeId> ids) {
  std::vector<LookupNode> out;
  for (const NodeId& id : ids) out.push_back({id, std::nullopt});
  return out;
}
std::vector<LookupNode> of_subnet(std::span<const NodeId> ids, const IpAddress& subnet) {
  std::vector<LookupNode> out;
  for (const NodeId& id : ids) out.push_back({id, subnet});
  return out;
}

TEST(Lookup, AsksTheNearestFirstAndThreeAtOnce) {
  Prng prng{1};
  const NodeId target = draw_id(prng);
  const auto seeds = draw_ids(prng, 10);
  Lookup lookup{NodeId{}, target};
  lookup.add(named(seeds));
  const auto order = nearest(seeds, target, 10);
  for (std::size_t i = 0; i < kLookupParallel; ++i) EXPECT_EQ(lookup.next(), order[i]);
  EXPECT_EQ(lookup.next(), std::nullopt);
  lookup.on_failure(order[1]);
  EXPECT_EQ(lookup.next(), order[3]);
  EXPECT_EQ(lookup.next(), std::nullopt);
}

TEST(Lookup, NearAreTheFirstSixteenThatHaveNotFailed) {
  Prng prng{7};
  const NodeId target = draw_id(prng);
  const auto ids = draw_ids(prng, 20);
  const auto order = nearest(ids, target, 20);
  Lookup lookup{NodeId{}, target};
  lookup.add(named(ids));
  EXPECT_TRUE(lookup.is_near(order[15]));
  EXPECT_FALSE(lookup.is_near(order[16]));
  EXPECT_TRUE(lookup.knows(order[16]));
  ASSERT_EQ(lookup.next(), order[0]);
  lookup.on_failure(order[0]);
  EXPECT_TRUE(lookup.is_near(order[16]));
  EXPECT_FALSE(lookup.is_near(order[0]));
  EXPECT_FALSE(lookup.knows(order[0]));
  EXPECT_FALSE(lookup.is_near(draw_id(prng)));
}

TEST(Lookup, OneThatFailedIsAskedAgainWhereItMayBeElsewhere) {
  Prng prng{8};
  const NodeId target = draw_id(prng);
  const auto order = nearest(draw_ids(prng, 2), target, 2);
  Lookup lookup{NodeId{}, target};
  lookup.add(named(order));
  ASSERT_EQ(lookup.next(), order[0]);
  EXPECT_FALSE(lookup.retry(order[0], std::nullopt)) << "it is being asked";
  lookup.on_failure(order[0]);
  EXPECT_FALSE(lookup.retry(draw_id(prng), std::nullopt)) << "nobody has told of it";
  EXPECT_TRUE(lookup.retry(order[0], std::nullopt));
  EXPECT_FALSE(lookup.retry(order[0], std::nullopt)) << "it waits already";
  EXPECT_EQ(lookup.next(), order[0]);
  lookup.on_answer(order[0], {});
  EXPECT_EQ(lookup.closest(), std::vector{order[0]});
}

// Or one host would be all of the nearest, by answering for nodes that were told to be anywhere.
TEST(Lookup, OfOneSubnetAreThoseThatAnswerFromThere) {
  Prng prng{9};
  const NodeId target = draw_id(prng);
  const auto order = nearest(draw_ids(prng, 3), target, 3);
  const IpAddress here = IpAddress::parse("20.0.0.0").value();
  Lookup lookup{NodeId{}, target};
  lookup.add(named(order));
  for (const NodeId& id : order) ASSERT_EQ(lookup.next(), id);
  for (const NodeId& id : order) {
    EXPECT_TRUE(lookup.place(id, here));
    lookup.on_answer(id, {});
    EXPECT_FALSE(lookup.place(id, std::nullopt)) << "it has answered";
  }
  EXPECT_EQ(lookup.closest(), (std::vector{order[0], order[1]}));
}

TEST(Lookup, WithoutSeedsItIsOver) {
  Lookup lookup{NodeId{}, NodeId{}};
  EXPECT_TRUE(lookup.finished());
  EXPECT_EQ(lookup.next(), std::nullopt);
  EXPECT_TRUE(lookup.closest().empty());
}

TEST(Lookup, WeAreNotAskedAndNobodyIsAskedTwice) {
  Prng prng{2};
  const auto ids = draw_ids(prng, 3);
  Lookup lookup{ids[0], draw_id(prng)};
  lookup.add(named(ids));
  std::set<NodeId> asked;
  while (auto id = lookup.next()) {
    EXPECT_TRUE(asked.insert(*id).second);
    lookup.on_answer(*id, named(ids));
  }
  EXPECT_EQ(asked, (std::set<NodeId>{ids[1], ids[2]}));
  EXPECT_TRUE(lookup.finished());
}

TEST(Lookup, AnswersOfWhoWasNotAskedOrAnsweredBeforeAreIgnored) {
  Prng prng{3};
  const auto ids = draw_ids(prng, 4);
  Lookup lookup{NodeId{}, draw_id(prng)};
  lookup.add(named(std::span{ids}.first(1)));
  const auto only = lookup.next();
  ASSERT_EQ(only, ids[0]);
  lookup.on_answer(ids[3], named(ids));
  lookup.on_failure(ids[3]);
  EXPECT_EQ(lookup.in_flight(), 1U);
  lookup.on_answer(ids[0], {});
  lookup.on_answer(ids[0], named(ids));
  lookup.on_failure(ids[0]);
  EXPECT_EQ(lookup.in_flight(), 0U);
  EXPECT_TRUE(lookup.finished());
  EXPECT_EQ(lookup.closest(), std::vector<NodeId>{ids[0]});
}

// Every node knows `known` others at random and all of those next to it.
TEST(Lookup, FindsTheNearestOfAThousandNodes) {
  Prng prng{4};
  const auto ids = draw_ids(prng, 1000);
  for (int run = 0; run < 20; ++run) {
    const NodeId target = draw_id(prng);
    Lookup lookup{NodeId{}, target};
    lookup.add(named(std::span{ids}.subspan(prng.below(900), 3)));
    std::deque<NodeId> asked;
    while (!lookup.finished()) {
      while (auto id = lookup.next()) asked.push_back(*id);
      ASSERT_FALSE(asked.empty());
      // Answers come in any order.
      std::swap(asked.front(), asked[prng.below(asked.size())]);
      const NodeId from = asked.front();
      asked.pop_front();
      const unsigned distance = log_distance(from, target);
      std::vector<NodeId> known;
      for (const NodeId& id : ids) {
        if (known.size() < 16 && log_distance(from, id) == distance) known.push_back(id);
      }
      for (const NodeId& id : nearest(ids, from, 16)) known.push_back(id);
      lookup.on_answer(from, named(known));
    }
    EXPECT_EQ(lookup.closest(), nearest(ids, target, kLookupResults)) << run;
    EXPECT_LT(lookup.queries(), kMaxLookupQueries) << run;
  }
}

// Each answer names sixteen nodes that are nearer than all before: without a bound it never ended.
TEST(Lookup, NearerNodesWithoutEndEndItAtItsBound) {
  Prng prng{5};
  const NodeId target = draw_id(prng);
  Lookup lookup{NodeId{}, target};
  lookup.add(named(draw_ids(prng, 3)));
  std::uint64_t step = 0;
  while (!lookup.finished()) {
    const auto id = lookup.next();
    ASSERT_TRUE(id.has_value());
    std::vector<NodeId> lies;
    for (std::uint64_t i = 0; i < 16; ++i) {
      NodeId lie = target;
      const MutByteView part = MutByteView{lie.bytes}.subspan(16, 8);
      store_be<std::uint64_t>(part, load_be<std::uint64_t>(part) ^ (UINT64_MAX - ++step));
      lies.push_back(lie);
    }
    lookup.on_answer(*id, named(lies));
  }
  EXPECT_EQ(lookup.queries(), kMaxLookupQueries);
  EXPECT_EQ(lookup.closest().size(), kLookupResults);
}

TEST(Lookup, WhoeverFailsIsReplacedByTheNextNearest) {
  Prng prng{6};
  const NodeId target = draw_id(prng);
  const auto ids = draw_ids(prng, 40);
  const auto order = nearest(ids, target, 40);
  Lookup lookup{NodeId{}, target};
  lookup.add(named(ids));
  while (auto id = lookup.next()) {
    const auto rank = std::ranges::find(order, *id) - order.begin();
    rank % 2 == 0 ? lookup.on_failure(*id) : lookup.on_answer(*id, {});
  }
  EXPECT_TRUE(lookup.finished());
  const auto found = lookup.closest();
  ASSERT_EQ(found.size(), kLookupResults);
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i], order[2 * i + 1]) << i;
}

const IpAddress kCrowded = IpAddress::v4({std::byte{70}, std::byte{1}, std::byte{7}, std::byte{}});

// A crowd that names nearer ones of itself without end, and one other, farther than all of it.
TEST(Lookup, atk_32_ACrowdOfOneSubnetDoesNotKeepItFromAskingAnother) {
  Prng prng{8};
  const NodeId target = draw_id(prng);
  const auto ids = nearest(draw_ids(prng, 1'000), target, 1'000);
  const NodeId other = ids.back();
  Lookup lookup{NodeId{}, target};
  std::size_t named_so_far = 900;  // from far to near
  const auto lies = [&] {
    named_so_far -= std::min<std::size_t>(named_so_far, 16);
    return of_subnet(std::span{ids}.subspan(named_so_far, 16), kCrowded);
  };
  lookup.add(lies());
  lookup.add(named(std::span{&other, 1}));
  bool is_asked = false;
  std::size_t of_crowd = 0;
  while (const auto id = lookup.next()) {
    is_asked |= *id == other;
    of_crowd += *id == other ? 0U : 1U;
    lookup.on_answer(*id, *id == other ? std::vector<LookupNode>{} : lies());
  }
  EXPECT_TRUE(is_asked);
  EXPECT_GT(of_crowd, kMaxLookupPerSubnet) << "each that is nearer takes the place of one";
  EXPECT_TRUE(lookup.finished());
  const auto found = lookup.closest();
  ASSERT_EQ(found.size(), kMaxLookupPerSubnet + 1);
  EXPECT_EQ(found.back(), other);
}

TEST(Lookup, WhoWaitsBehindTwoOfItsSubnetIsAskedWhenOneFails) {
  Prng prng{9};
  const NodeId target = draw_id(prng);
  const auto order = nearest(draw_ids(prng, 4), target, 4);
  Lookup lookup{NodeId{}, target};
  lookup.add(of_subnet(order, kCrowded));
  EXPECT_EQ(lookup.next(), order[0]);
  EXPECT_EQ(lookup.next(), order[1]);
  EXPECT_EQ(lookup.next(), std::nullopt);
  EXPECT_FALSE(lookup.is_near(order[2]));
  lookup.on_failure(order[0]);
  EXPECT_TRUE(lookup.is_near(order[2]));
  EXPECT_EQ(lookup.next(), order[2]);
  lookup.on_answer(order[1], {});
  lookup.on_answer(order[2], {});
  EXPECT_TRUE(lookup.finished());
  EXPECT_EQ(lookup.closest(), (std::vector<NodeId>{order[1], order[2]}));
}

// An unproven node that has neighbours in its subnet, made up by a liar, is remembered as before.
TEST(Lookup, AFewMadeUpNeighboursDoNotMakeANodeForgotten) {
  Prng prng{11};
  const NodeId target = draw_id(prng);
  const auto ids = nearest(draw_ids(prng, 100), target, 100);
  const auto others = std::span{ids}.last(kMaxLookupWaiting);
  Lookup lookup{NodeId{}, target};
  lookup.add(of_subnet(std::span{ids}.subspan(kMaxLookupCrowd - 1, 1), kCrowded));
  lookup.add(of_subnet(std::span{ids}.first(kMaxLookupCrowd - 1), kCrowded));
  lookup.add(named(others));
  EXPECT_TRUE(lookup.knows(ids[kMaxLookupCrowd - 1]));
  EXPECT_FALSE(lookup.knows(others.back()));
}

// Of a crowd its nearest are remembered, and all others.
TEST(Lookup, ACrowdIsForgottenBeforeAnybodyElse) {
  Prng prng{10};
  const NodeId target = draw_id(prng);
  const auto ids = nearest(draw_ids(prng, 300), target, 300);
  const auto others = std::span{ids}.last(kMaxLookupWaiting - 10);
  Lookup lookup{NodeId{}, target};
  lookup.add(named(others));
  lookup.add(of_subnet(std::span{ids}.first(200), kCrowded));
  for (const NodeId& id : others) EXPECT_TRUE(lookup.knows(id));
  EXPECT_TRUE(lookup.knows(ids[9]));
  EXPECT_FALSE(lookup.knows(ids[10]));
}

}  // namespace
}  // namespace ethnet::kbucket
