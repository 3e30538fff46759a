// Votes, explanations, and that a rule sees what it declared: with rules that stand here, as one of
// somebody else would.
#include <gmock/gmock.h>

#include "test_support.hpp"

namespace ethnet::chain {
namespace {

using ::testing::ElementsAre;
using testing::TestBench;

// The head with the most votes for itself; of equals the first to arrive.
class MostVotes final : public ForkChoiceRule {
 public:
  [[nodiscard]] std::string_view name() const override { return "most-votes"; }
  [[nodiscard]] RuleNeeds needs() const override { return {.all_heads = true, .votes = true}; }
  [[nodiscard]] Candidate choose(const RuleView& view) const override {
    Candidate best = view.heads().front();
    for (const Candidate& head : view.heads()) {
      if (votes_for(view, head) > votes_for(view, best)) best = head;
    }
    return best;
  }
  [[nodiscard]] Score explain(const RuleView& view, const Candidate& block) const override {
    const std::string votes = std::to_string(votes_for(view, block));
    return {votes, votes + " votes"};
  }

 private:
  static std::uint64_t votes_for(const RuleView& view, const Candidate& head) {
    for (const WeightedBlock& vote : view.votes()) {
      if (vote.block == head) return vote.weight;
    }
    return 0;
  }
};

// Asks for what it has not declared.
class Curious final : public ForkChoiceRule {
 public:
  explicit Curious(int what) : what_{what} {}
  [[nodiscard]] std::string_view name() const override { return "curious"; }
  [[nodiscard]] Candidate choose(const RuleView& view) const override {
    if (what_ == 0) (void)view.total_difficulty(view.present());
    if (what_ == 1) (void)view.facts(view.present());
    if (what_ == 2) (void)view.votes();
    return view.present();
  }
  [[nodiscard]] Score explain(const RuleView&, const Candidate&) const override { return {}; }

 private:
  int what_;
};

std::unique_ptr<TestBench> three_heads() {
  auto bench = std::make_unique<TestBench>(std::make_unique<MostVotes>());
  for (const char* name : {"a1", "b1", "c1"}) (void)bench->import({bench->make(name, "genesis")});
  bench->acknowledge();
  while (bench->manager.poll_event()) {
  }
  return bench;
}

VoteOutcome vote(TestBench& bench, const std::vector<Vote>& votes) {
  return bench.manager.handle_votes(bench.now, votes, {"test", "vote"});
}

TEST(Votes, MoveTheHeadAndAreReportedWithoutABatch) {
  const auto bench = three_heads();
  ASSERT_EQ(bench->head(), "0xa1");
  EXPECT_EQ(vote(*bench, {{1, bench->hash("b1"), 5}}).counted, 1U);
  EXPECT_EQ(bench->head(), "0xb1");
  EXPECT_FALSE(bench->manager.poll_store());
  EXPECT_THAT(bench->lines(), ElementsAre("[FORK] canonical switch 0xa1 → 0xb1 (height=1)",
                                          "[REORG] fork_point=0xgenesis depth=1 removed=[0xa1] "
                                          "added=[0xb1]"));
  EXPECT_THAT(bench->why(), ElementsAre("a1: 0 votes", "b1*: 5 votes", "c1: 0 votes"));
}

TEST(Votes, TheLatestOfAVoterCountsAloneAndZeroTakesItBack) {
  const auto bench = three_heads();
  (void)vote(*bench, {{1, bench->hash("b1"), 5}, {2, bench->hash("c1"), 3}});
  (void)vote(*bench, {{1, bench->hash("c1"), 1}});
  EXPECT_THAT(bench->why(), ElementsAre("a1: 0 votes", "b1: 0 votes", "c1*: 4 votes"));
  (void)vote(*bench, {{2, bench->hash("c1"), 0}, {1, bench->hash("a1"), 1}});
  EXPECT_THAT(bench->why(), ElementsAre("a1*: 1 votes", "b1: 0 votes", "c1: 0 votes"));
}

TEST(Votes, ForABlockThatIsNotKnownYetCountOnceItIs) {
  const auto bench = three_heads();
  const auto late = bench->make("late", "genesis");
  (void)vote(*bench, {{1, bench->hash("late"), 9}});
  EXPECT_EQ(bench->head(), "0xa1");
  (void)bench->import({late});
  bench->acknowledge();
  EXPECT_EQ(bench->head(), "0xlate");
}

// The block that they choose is not stored yet: nobody hears of it before it is.
TEST(Votes, AreToldWithTheBatchThatTheyWaitFor) {
  const auto bench = three_heads();
  (void)bench->import({bench->make("d1", "genesis")});
  (void)vote(*bench, {{1, bench->hash("d1"), 2}});
  EXPECT_EQ(bench->manager.pending_head().hash, bench->hash("d1"));
  EXPECT_EQ(bench->head(), "0xa1");
  EXPECT_FALSE(bench->manager.poll_event());
  EXPECT_EQ(bench->lines().size(), 2U);
  EXPECT_EQ(bench->head(), "0xd1");
}

TEST(Votes, OfARuleThatAsksForNoneAreRefusedAndCounted) {
  TestBench bench;
  (void)bench.import({bench.make("a1", "genesis")});
  EXPECT_EQ(vote(bench, {{1, bench.hash("a1"), 5}}).refused, 1U);
  EXPECT_EQ(bench.manager.counters().votes_refused, 1U);
  EXPECT_EQ(bench.manager.counters().votes, 0U);
}

TEST(Votes, HaveALimitOfVoters) {
  VoteBook book;
  const Hash32 block = dev_genesis().hash;
  for (std::uint64_t voter = 0; voter < kMaxBookVoters; ++voter) {
    ASSERT_TRUE(book.add({voter, block, UINT32_MAX}));
  }
  EXPECT_FALSE(book.add({kMaxBookVoters, block, 1}));
  EXPECT_EQ(book.size(), kMaxBookVoters);
  EXPECT_EQ(book.weights().at(block), std::uint64_t{UINT32_MAX} * kMaxBookVoters);
  EXPECT_TRUE(book.add({0, block, 0}));
  EXPECT_TRUE(book.add({kMaxBookVoters, block, 1})) << "a vote that was taken back makes room";
}

TEST(RuleView, ARuleThatLooksAtWhatItDidNotDeclareIsABug) {
  for (const auto& [what, text] : {std::pair{0, "keeps_totals_"}, std::pair{1, "keeps_facts_"},
                                   std::pair{2, "needs_.votes"}}) {
    TestBench bench{std::make_unique<Curious>(what)};
    const auto batch = bench.branch("genesis", {"a1"});
    EXPECT_DEATH((void)bench.import(batch), text);
  }
}

// What nobody declared is not kept.
TEST(RuleView, TheDefaultRuleKeepsNothingBesideTheTree) {
  const RuleNeeds needs = LongestChain{}.needs();
  EXPECT_EQ(needs, RuleNeeds{});
  EXPECT_EQ(FactTable{needs}.bytes_per_header(), 0U);
  EXPECT_FALSE(FactTable{needs}.is_wanted());
}

}  // namespace
}  // namespace ethnet::chain
