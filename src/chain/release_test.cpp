// What is not kept: the retention depth and the memory limit (docs/adr/0002).
#include <codec/rlp_writer.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "chain_manager.hpp"
#include "naive_rules.hpp"
#include "test_support.hpp"

namespace ethnet::chain {
namespace {

using testing::NaiveChains;
using testing::TestBench;

std::unique_ptr<ForkChoiceRule> rule_of(bool longest) {
  return testing::rule_named(longest ? "longest" : "lexicographic");
}

// A header of the test bench with a short name.
std::size_t bench_header_size() {
  TestBench bench;
  return bench.make("name", "genesis").header.size();
}

std::uint64_t cost_of_kept(const HeaderTree& tree, const std::set<Hash32>& kept) {
  std::uint64_t sum = 0;
  for (const Hash32& hash : kept)
    sum += HeaderTree::cost_of(tree.node(*tree.find(hash)).encoded.size());
  return sum;
}

// Every question that the manager answers, against a copy of each branch.
void compare(const TestBench& bench, const NaiveChains& model) {
  const ChainManager& manager = bench.manager;
  const HeaderTree& tree = manager.tree();
  const std::set<Hash32> kept = model.kept();
  RC_ASSERT(manager.head().hash == model.head());
  RC_ASSERT(manager.earliest().number == model.floor());
  RC_ASSERT(tree.size() == kept.size());
  std::set<Hash32> leaves;
  for (const NodeIndex leaf : tree.leaves()) leaves.insert(tree.node(leaf).hash);
  RC_ASSERT(leaves == model.heads());
  for (const auto& branch : model.branches()) {
    for (std::uint64_t n = 0; n < branch.size(); ++n) {
      const auto found = manager.ancestor(branch.back(), n);
      RC_ASSERT(found.has_value() == (n >= model.floor()));
      RC_ASSERT((!found || *found == branch[n]));
      RC_ASSERT((branch.back() != model.head() || manager.canonical_hash(n) == found));
    }
  }
  for (const auto& a : model.branches()) {
    for (const auto& b : model.branches()) {
      const auto differ = std::ranges::mismatch(a, b).in1;
      const NodeIndex common = tree.common_ancestor(*tree.find(a.back()), *tree.find(b.back()));
      RC_ASSERT(tree.node(common).hash == *std::prev(differ));
    }
  }
  RC_ASSERT(tree.memory_bytes() == cost_of_kept(tree, kept));
}

void run_retention_trace(bool longest) {
  const auto retention = *rc::gen::inRange<std::uint64_t>(0, 12);
  const ChainLimits limits{.memory_bytes = 1 << 30, .retention = retention};
  TestBench bench{rule_of(longest), limits};
  NaiveChains model{bench.genesis.hash};
  std::vector<std::string> names{"genesis"};
  const auto batches = *rc::gen::inRange(1, 25);
  for (int b = 0; b < batches; ++b) {
    std::vector<HeaderInput> batch;
    std::vector<std::pair<std::string, std::string>> taken;
    const auto size = *rc::gen::inRange(1, 9);
    std::set<Hash32> fresh;
    for (int i = 0; i < size; ++i) {
      const auto back = *rc::gen::weightedOneOf<std::size_t>(
          {{6, rc::gen::just<std::size_t>(0)},
           {2, rc::gen::inRange<std::size_t>(0, std::min<std::size_t>(names.size(), 6))},
           {1, rc::gen::inRange<std::size_t>(0, names.size())}});
      const std::string parent = names[names.size() - 1 - back];
      const std::string name = std::to_string(names.size());
      batch.push_back(bench.make(name, parent));
      names.push_back(name);
      const bool on_fresh = fresh.contains(bench.hash(parent));
      if (!on_fresh && !model.takes(bench.hash(parent), retention)) continue;
      model.add(bench.hash(name), bench.hash(parent));
      fresh.insert(bench.hash(name));
    }
    const auto outcome = bench.import(batch);
    RC_ASSERT(outcome.added == fresh.size());
    RC_ASSERT(!outcome.invalid);
    bench.acknowledge();
    (void)model.end_batch(longest ? testing::naive_longest() : testing::naive_lexicographic());
    model.raise_floor(retention);
    compare(bench, model);
  }
  RC_ASSERT(bench.manager.counters().headers + 1 ==
            bench.manager.tree().size() + bench.manager.counters().released);
  if (!longest) return;  // a released branch may win again there
  TestBench again{rule_of(longest), limits};
  for (const Bytes& record : bench.store) RC_ASSERT(again.manager.restore(record).has_value());
  again.manager.finish_restore();
  compare(again, model);
}

RC_GTEST_PROP(Release, RetentionAgreesWithACopyPerBranchUnderLongestChain, ()) {
  run_retention_trace(true);
}
RC_GTEST_PROP(Release, RetentionAgreesWithACopyPerBranchUnderLexicographicHead, ()) {
  run_retention_trace(false);
}

// At any limit: within it, connected, headed as the rule says, and open for the next header.
RC_GTEST_PROP(Release, AtTheMemoryLimitTheTreeStaysWholeAndOpenForTheHead, ()) {
  const std::uint64_t cost = HeaderTree::cost_of(700);
  const std::uint64_t memory = cost * *rc::gen::inRange<std::uint64_t>(48, 120);
  const auto depth = *rc::gen::inRange<std::uint64_t>(1, 9);
  TestBench bench{rule_of(true), {.memory_bytes = memory, .retention = {}, .min_depth = depth}};
  const HeaderTree& tree = bench.manager.tree();
  std::vector<std::string> names{"genesis"};
  std::string head = "genesis";
  const auto rounds = *rc::gen::inRange(1, 60);
  for (int round = 0; round < rounds; ++round) {
    std::vector<HeaderInput> forks;
    const auto size = *rc::gen::inRange(0, 12);
    for (int i = 0; i < size; ++i) {
      const auto back = *rc::gen::inRange<std::size_t>(0, std::min<std::size_t>(names.size(), 30));
      const std::string name = std::to_string(names.size());
      forks.push_back(bench.make(name, names[names.size() - 1 - back]));
      names.push_back(name);
    }
    const bool acknowledged = *rc::gen::arbitrary<bool>();
    RC_ASSERT(!bench.import(forks).invalid);
    if (acknowledged) bench.acknowledge();
    for (const std::string& name : names) {
      if (bench.hash(name) == bench.manager.pending_head().hash) head = name;
    }
    const std::string next = std::to_string(names.size());
    names.push_back(next);
    RC_ASSERT(bench.import({bench.make(next, head)}).added >= 1U);
    RC_ASSERT(tree.memory_bytes() <= memory);
    bench.acknowledge();
    for (const NodeIndex leaf : tree.leaves()) {
      RC_ASSERT(tree.ancestor(leaf, tree.root_number()) == tree.root());
      RC_ASSERT(tree.node(leaf).number <= bench.manager.head().number);
    }
    RC_ASSERT(bench.manager.head().hash == bench.hash(next));
    for (std::uint64_t n = tree.root_number(); n <= bench.manager.head().number; ++n) {
      RC_ASSERT(bench.manager.canonical_hash(n) == bench.manager.ancestor(bench.hash(next), n));
    }
  }
  RC_ASSERT(bench.manager.counters().headers + 1 ==
            tree.size() + bench.manager.counters().released);
}

std::vector<std::string> numbered(const std::string& prefix, int first, int last) {
  std::vector<std::string> names;
  for (int i = first; i <= last; ++i) names.push_back(prefix + std::to_string(i));
  return names;
}

TEST(Release, AtTheMemoryLimitOldHistoryMakesRoom) {
  constexpr std::uint64_t kMemory = 1 << 20;
  TestBench bench{rule_of(true), {.memory_bytes = kMemory, .retention = {}}};
  std::string parent = "genesis";
  for (int i = 0; i < 40; ++i) {
    const auto names = numbered("c", 100 * i, 100 * i + 99);
    EXPECT_EQ(bench.import(bench.branch(parent, names)).added, 100U);
    bench.acknowledge();
    parent = names.back();
    ASSERT_LE(bench.manager.tree().memory_bytes(), kMemory);
  }
  EXPECT_EQ(bench.manager.head().number, 4000U);
  EXPECT_EQ(bench.manager.genesis().hash, bench.genesis.hash);
  EXPECT_GT(bench.manager.earliest().number, 2000U);
  EXPECT_LE(bench.manager.earliest().number, 4000U - kMinRetainedDepth);
  EXPECT_EQ(bench.manager.counters().memory_refused, 0U);
  EXPECT_FALSE(bench.manager.find(bench.genesis.hash));
  // What comes from there is refused by its own name.
  EXPECT_EQ(bench.import({bench.make("late", "c50")}).refused, 1U);
  EXPECT_EQ(bench.manager.counters().below_retained, 1U);
  EXPECT_EQ(bench.manager.waiting_count(), 0U);
}

TEST(Release, ABranchThatLostLongAgoGoesBeforeHistory) {
  const std::uint64_t cost = HeaderTree::cost_of(bench_header_size());
  TestBench bench{rule_of(true), {.memory_bytes = 45 * cost, .retention = {}, .min_depth = 8}};
  (void)bench.import(bench.branch("genesis", numbered("c", 1, 30)));
  (void)bench.import(bench.branch("c2", numbered("old", 3, 8)));
  (void)bench.import(bench.branch("c28", numbered("new", 29, 29)));
  bench.acknowledge();
  ASSERT_EQ(bench.manager.counters().released, 0U);
  (void)bench.import(bench.branch("c30", numbered("c", 31, 42)));
  bench.acknowledge();
  EXPECT_GT(bench.manager.counters().released, 0U);
  EXPECT_FALSE(bench.manager.find(bench.hash("old8")));
  EXPECT_TRUE(bench.manager.find(bench.hash("new29")));
  EXPECT_EQ(bench.manager.earliest(), bench.manager.genesis());
}

// Attack 56: more branches than memory holds.
TEST(Release, AFloodOfBranchesKeepsNoHeaderOfTheHeadOut) {
  constexpr std::uint64_t kMemory = 1 << 20;
  TestBench bench{rule_of(true), {.memory_bytes = kMemory, .retention = {}}};
  (void)bench.import(bench.branch("genesis", numbered("c", 1, 20)));
  bench.acknowledge();
  for (int i = 0; i < 3000; ++i) {
    (void)bench.import({bench.make("f" + std::to_string(i), "c" + std::to_string(10 + i % 10))});
    if (i % 100 == 99) bench.acknowledge();
  }
  bench.acknowledge();
  EXPECT_EQ(bench.head(), "0xc20");
  EXPECT_EQ(bench.import(bench.branch("c20", numbered("c", 21, 40))).added, 20U);
  bench.acknowledge();
  EXPECT_EQ(bench.head(), "0xc40");
  EXPECT_LE(bench.manager.tree().memory_bytes(), kMemory);
  EXPECT_EQ(bench.manager.earliest(), bench.manager.genesis()) << "history was not touched";
}

// The store is slow: what it has not acknowledged may still become the head.
TEST(Release, TheFloorDoesNotPassABatchThatIsPending) {
  TestBench bench{rule_of(true), {.memory_bytes = 1 << 30, .retention = 2}};
  (void)bench.import(bench.branch("genesis", {"a1", "a2", "a3"}));
  bench.acknowledge();
  ASSERT_EQ(bench.manager.earliest().number, 1U);
  (void)bench.import(bench.branch("a3", {"a4"}));
  const auto slow = bench.manager.poll_store();
  (void)bench.import(bench.branch("a2", {"b3", "b4", "b5"}));
  const auto slower = bench.manager.poll_store();
  ASSERT_TRUE(slow && slower);
  bench.manager.handle_store_done(bench.now, {slow->id, true, 0});
  EXPECT_EQ(bench.manager.earliest().number, 2U);
  bench.manager.handle_store_done(bench.now, {slower->id, true, 0});
  EXPECT_EQ(bench.head(), "0xb5");
  EXPECT_EQ(bench.manager.earliest().number, 3U);
  EXPECT_FALSE(bench.manager.find(bench.hash("a4")));
}

TEST(Release, RestoringMoreThanMemoryHoldsEndsAtTheSameHead) {
  TestBench bench{rule_of(true), {}};
  (void)bench.import(bench.branch("genesis", numbered("c", 1, 2500)));
  (void)bench.import(bench.branch("c2400", numbered("b", 1, 50)));
  bench.acknowledge();
  constexpr std::uint64_t kMemory = 1 << 20;
  TestBench small{rule_of(true), {.memory_bytes = kMemory, .retention = {}}};
  for (const Bytes& record : bench.store) ASSERT_TRUE(small.manager.restore(record).has_value());
  small.manager.finish_restore();
  EXPECT_EQ(small.manager.head(), bench.manager.head());
  EXPECT_LE(small.manager.tree().memory_bytes(), kMemory);
  EXPECT_TRUE(small.manager.find(bench.hash("b50")));
  EXPECT_GT(small.manager.counters().released, 0U);
}

// A branch that was pushed out and came again.
TEST(Release, ARecordThatIsInTheStoreTwiceIsRestoredOnce) {
  TestBench bench;
  (void)bench.import(bench.branch("genesis", numbered("c", 1, 5)));
  bench.acknowledge();
  TestBench again;
  for (int i = 0; i < 2; ++i) {
    for (const Bytes& record : bench.store) ASSERT_TRUE(again.manager.restore(record).has_value());
  }
  again.manager.finish_restore();
  EXPECT_EQ(again.manager.tree().size(), 6U);
  EXPECT_EQ(again.manager.head(), bench.manager.head());
}

// A record without a parent is a broken store, unless its parent may have been released.
TEST(Release, ARecordWhoseParentWasNeverThereIsAnError) {
  TestBench bench;
  (void)bench.import(bench.branch("genesis", numbered("c", 1, 2)));
  bench.acknowledge();
  TestBench again;
  const auto restored = again.manager.restore(bench.store.back());
  ASSERT_FALSE(restored.has_value());
  EXPECT_TRUE(restored.error().is(TreeError::unknown_parent));
}

// The whole store does not fit: what a branch left at the very beginning hangs on is gone.
TEST(Release, ABranchWhoseParentDoesNotFitAnyMoreIsPassedOverWhenRestored) {
  TestBench bench{rule_of(true), {}};
  (void)bench.import(bench.branch("genesis", numbered("c", 1, 2500)));
  (void)bench.import(bench.branch("c1", numbered("b", 2, 5)));
  bench.acknowledge();
  TestBench small{rule_of(true), {.memory_bytes = 1 << 20, .retention = {}}};
  for (const Bytes& record : bench.store) ASSERT_TRUE(small.manager.restore(record).has_value());
  small.manager.finish_restore();
  EXPECT_EQ(small.manager.head(), bench.manager.head());
  EXPECT_FALSE(small.manager.find(bench.hash("c1")));
  EXPECT_FALSE(small.manager.find(bench.hash("b2")));
}

// A branch that had lost is pushed out before history is, and then comes what was built on it.
TEST(Release, WhatHangsOnABranchThatWasPushedOutIsPassedOverWhenRestored) {
  TestBench bench{rule_of(true), {}};
  (void)bench.import(bench.branch("genesis", {"c1"}));
  (void)bench.import(bench.branch("c1", numbered("b", 2, 50)));
  (void)bench.import(bench.branch("c1", numbered("c", 2, 2500)));
  bench.acknowledge();
  const std::vector<Bytes> before = std::move(bench.store);
  bench.store.clear();
  (void)bench.import(bench.branch("b50", {"b51"}));
  bench.acknowledge();
  ASSERT_EQ(bench.store.size(), 1U);
  TestBench small{rule_of(true), {.memory_bytes = 1 << 20, .retention = {}}};
  for (const Bytes& record : before) {
    if (small.manager.counters().released > 0) break;
    ASSERT_TRUE(small.manager.restore(record).has_value());
  }
  ASSERT_GT(small.manager.counters().released, 0U);
  ASSERT_FALSE(small.manager.tree().find(bench.hash("b50")));
  EXPECT_TRUE(small.manager.restore(bench.store.front()).has_value());
  EXPECT_FALSE(small.manager.tree().find(bench.hash("b51")));
}

// A store whose checksums are right may still be of another program.
TEST(Release, ARecordThatIsNoneIsAnErrorAndChangesNothing) {
  TestBench bench;
  (void)bench.import(bench.branch("genesis", {"a1"}));
  bench.acknowledge();
  const Bytes record = bench.store.back();
  const auto record_of = [](ByteView header, std::size_t signature) {
    rlp::Writer out;
    const auto list = out.begin_list();
    out.write_raw(header);
    out.write_bytes(Bytes(signature, std::byte{7}));
    out.end_list(list);
    return std::move(out).take();
  };
  TestBench again;
  const auto error_of = [&](const Bytes& bytes) { return again.manager.restore(bytes).error(); };
  for (std::size_t size = 0; size < record.size(); ++size) {
    EXPECT_TRUE(error_of(to_bytes(ByteView{record}.first(size))).is(ChainError::bad_record));
  }
  const Bytes header = bench.header("a1").encode();
  EXPECT_TRUE(error_of(record_of(Bytes{std::byte{0xc0}}, 0)).is(ChainError::bad_record));
  EXPECT_TRUE(error_of(record_of(header, 66)).is(ChainError::bad_record));
  EXPECT_TRUE(error_of(record_of(header, 64)).is(ChainError::bad_signature_size));
  EXPECT_EQ(again.manager.tree().size(), 1U);
  EXPECT_TRUE(again.manager.restore(record_of(header, 65)).has_value());
}

}  // namespace
}  // namespace ethnet::chain
