// A look-up that is under way: with whom it begins, what it knows of each node, how it ends.
#include "active_lookup.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "testing/records.hpp"

namespace ethnet::kbucket {
namespace {

using namespace testing;

const NodeId kTarget = id_of(500);

class ActiveLookupTest : public ::testing::Test {
 protected:
  RecordPtr add(std::uint64_t number, Standing standing, std::uint64_t seq = 1) {
    RecordPtr record = record_of(number, own_subnet(number), seq);
    (void)table_.add(at({}), record, standing);
    return record;
  }
  // Who is asked next, as far as it may be.
  std::vector<RecordPtr> ask_next(ActiveLookup<RecordPtr>& lookup, bool can_be_asked = true) {
    std::vector<RecordPtr> out;
    lookup.ask_next([&](const NodeId& id, const RecordPtr& record) {
      EXPECT_EQ(id, record->id());
      out.push_back(record);
      return can_be_asked;
    });
    return out;
  }

  Table table_{id_of(0)};
};

TEST_F(ActiveLookupTest, ItBeginsWithTheSeenOnesHoweverNearClaimedOnesAre) {
  for (std::uint64_t i = 1; i <= 60; ++i) add(i, Standing::claimed);
  std::vector<NodeId> seen;
  table_.for_each([&](const TableEntry& entry) { seen.push_back(entry.id()); });
  std::ranges::sort(seen, std::greater{},
                    [](const NodeId& id) { return xor_distance(kTarget, id); });
  seen.resize(3);  // the farthest
  for (std::uint64_t i = 1; i <= 60; ++i) {
    if (std::ranges::find(seen, id_of(i)) != seen.end()) add(i, Standing::reached);
  }
  const auto seeds = lookup_seeds(table_, kTarget);
  std::set<NodeId> ids;
  for (const RecordPtr& record : seeds) ids.insert(record->id());
  for (const NodeId& id : seen) EXPECT_TRUE(ids.contains(id));
  EXPECT_EQ(ids.size(), kLookupResults + seen.size());
}

// A table has places for ten of a subnet, which may all be nearer than anybody else.
TEST_F(ActiveLookupTest, OfOneSubnetItBeginsWithAsManyAsCount) {
  for (std::uint64_t i = 1; i <= 60; ++i) {
    (void)table_.add(at({}), record_of(i, own_subnet(7)), Standing::reached);
  }
  ASSERT_GT(table_.size(), kMaxLookupPerSubnet);
  for (std::uint64_t i = 100; i <= 105; ++i) add(i, Standing::claimed);
  std::set<NodeId> ids;
  std::size_t crowd = 0;
  for (const RecordPtr& record : lookup_seeds(table_, kTarget)) {
    if (!ids.insert(record->id()).second) continue;
    if (limited_subnet(ip_of(record)) == limited_subnet(own_subnet(7).ip)) ++crowd;
  }
  EXPECT_EQ(crowd, kMaxLookupPerSubnet);
  EXPECT_EQ(ids.size(), kMaxLookupPerSubnet + 6);
  auto lookup = begin_lookup(table_, kTarget);
  std::size_t asked = 0;
  lookup.ask_next([&](const NodeId&, const RecordPtr&) {
    ++asked;
    return false;
  });
  EXPECT_EQ(asked, ids.size());
}

TEST_F(ActiveLookupTest, WhoCannotBeAskedHasFailedAndAnotherIsAsked) {
  for (std::uint64_t i = 1; i <= 5; ++i) add(i, Standing::reached);
  auto lookup = begin_lookup(table_, kTarget);
  EXPECT_EQ(ask_next(lookup, false).size(), 5U) << "one after the other, none is under way";
  EXPECT_TRUE(lookup.finished());
  EXPECT_TRUE(lookup.nearest().empty());
}

TEST_F(ActiveLookupTest, ItEndsWithThoseWhoAnsweredNearestFirst) {
  for (std::uint64_t i = 1; i <= 5; ++i) add(i, Standing::reached);
  auto lookup = begin_lookup(table_, kTarget);
  std::vector<RecordPtr> asked = ask_next(lookup);
  EXPECT_EQ(asked.size(), kLookupParallel);
  EXPECT_FALSE(lookup.finished());
  lookup.on_failure(asked.front()->id());
  const NodeId failed = asked.front()->id();
  asked.erase(asked.begin());
  while (!asked.empty()) {
    lookup.on_answer(asked.back()->id());
    asked.pop_back();
    for (const RecordPtr& next : ask_next(lookup)) asked.push_back(next);
  }
  EXPECT_TRUE(lookup.finished());
  const auto nearest = lookup.nearest();
  EXPECT_EQ(nearest.size(), 4U);
  EXPECT_TRUE(std::ranges::is_sorted(
      nearest, {}, [](const RecordPtr& record) { return xor_distance(kTarget, record->id()); }));
  EXPECT_TRUE(std::ranges::none_of(
      nearest, [&](const RecordPtr& record) { return record->id() == failed; }));
}

TEST_F(ActiveLookupTest, OfWhatIsToldOfANodeTheFirstCounts) {
  auto lookup = begin_lookup(table_, kTarget);
  const RecordPtr first = record_of(1, own_subnet(1), 1);
  lookup.know(id_of(1), first);
  lookup.know(id_of(1), record_of(1, own_subnet(2), 2));
  lookup.add(std::vector{id_of(1)});
  EXPECT_EQ(ask_next(lookup), std::vector{first});
  EXPECT_EQ(lookup.node(id_of(1)), first);
}

TEST_F(ActiveLookupTest, AnOldRecordLeadsToWhereTheNodeIsNow) {
  const RecordPtr old = record_of(1, own_subnet(9), 1);
  EXPECT_EQ(newest_of(table_, old), old) << "nothing newer is known";
  const RecordPtr known = add(1, Standing::reached, 2);
  EXPECT_EQ(newest_of(table_, old), known);
  const RecordPtr newer = record_of(1, own_subnet(8), 3);
  EXPECT_EQ(newest_of(table_, newer), newer);
}

TEST_F(ActiveLookupTest, OnlyANearNodeIsAskedForTheRestOfItsFullAnswer) {
  for (std::uint64_t i = 1; i <= 60; ++i) add(i, Standing::reached);
  auto lookup = begin_lookup(table_, kTarget);
  const NodeId near = ask_next(lookup).front()->id();
  const auto distances = lookup_distances(near, kTarget);
  ASSERT_GT(distances.size(), 1U);
  NodeId last = near;  // at the first of these distances
  const unsigned bit = distances.front() - 1U;
  last.bytes[31 - bit / 8] ^= std::byte{1} << static_cast<int>(bit % 8);
  EXPECT_EQ(lookup.rest(near, distances, last), remaining_distances(distances, distances.front()));
  EXPECT_FALSE(lookup.rest(near, distances, last).empty());
  EXPECT_TRUE(lookup.rest(id_of(900), distances, last).empty()) << "it never heard of that one";
}

}  // namespace
}  // namespace ethnet::kbucket
