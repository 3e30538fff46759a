// Every rule against its naive twin (naive_rules.hpp), after every step of random and of hostile
// traces.
#include <base/prng.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "../naive_rules.hpp"
#include "../test_support.hpp"

namespace ethnet::chain {
namespace {

using testing::BlockPlan;
using testing::NaiveChains;
using testing::NaiveRule;
using testing::TestBench;

struct RuleCase {
  RuleChoice choice;
  NaiveRule naive;
};

using Batches = std::vector<std::vector<HeaderInput>>;

// Blocks of a trace, made on a bench that imports none of them.
struct Trace {
  TestBench maker{testing::rule_named("longest"), {}, lab_genesis()};
  std::vector<std::string> names{"genesis"};
  Batches batches{{}};

  void block(const std::string& parent, const BlockPlan& plan) {
    const std::string name = std::to_string(names.size());
    batches.back().push_back(maker.make(name, parent, plan));
    names.push_back(name);
  }
  void end_batch() { batches.emplace_back(); }
};

std::string checkpoint_text(const std::vector<Checkpoint>& checkpoints) {
  std::string text;
  for (const Checkpoint& one : checkpoints) {
    text += std::to_string(one.number) + " " + one.hash.hex() + "\n";
  }
  return text;
}

std::vector<RuleCase> rules_for(const std::vector<Checkpoint>& checkpoints) {
  return {{{"longest-chain", ""}, testing::naive_longest()},
          {{"longest-tiebreak", ""}, testing::naive_tiebreak()},
          {{"heaviest", ""}, testing::naive_heaviest()},
          {{"score", ""}, testing::naive_score(lab_genesis().header)},
          {{"lexicographic-head", ""}, testing::naive_lexicographic()},
          {{"random", "11"}, testing::naive_random(11)},
          {{"checkpoint", checkpoint_text(checkpoints)}, testing::naive_checkpoint(checkpoints)}};
}

// What differs between the manager and the model; empty: nothing.
std::string differs(TestBench& bench, const NaiveChains& model,
                    const NaiveChains::Change& expected) {
  if (bench.manager.pending_head().hash != model.head()) return "the head";
  bool reorg = false;
  while (const auto event = bench.manager.poll_event()) {
    const auto* told = std::get_if<ReorgEvent>(&*event);
    if (told == nullptr) continue;
    if (reorg) return "two reorganisations of one batch";
    reorg = true;
    if (told->removed != expected.removed || told->added != expected.added) return "the ledger";
  }
  if (reorg != expected.reorg) return "whether there was a reorganisation";
  std::set<Hash32> leaves;
  std::size_t chosen = 0;
  for (const RankedHead& head : bench.manager.explain_heads()) {
    if (head.chosen && head.block.hash != model.head()) return "who is shown as chosen";
    if (head.chosen) ++chosen;
    if (model.heads().contains(head.block.hash)) leaves.insert(head.block.hash);
  }
  if (chosen != 1) return "how many are shown as chosen";
  if (leaves != model.heads()) return "the branch heads";
  return "";
}

// Plays the batches under one rule; empty, or what went wrong.
std::string play(const RuleCase& rule, const Batches& batches) {
  TestBench bench{testing::rule_named(rule.choice.name, rule.choice.parameter), {}, lab_genesis()};
  NaiveChains model{bench.genesis.hash};
  for (const auto& batch : batches) {
    const auto outcome = bench.import(batch);
    if (outcome.invalid) return "a header is invalid: " + outcome.invalid->error.message();
    for (const HeaderInput& input : batch) model.add(*Header::decode(input.header));
    bench.acknowledge();
    const auto wrong = differs(bench, model, model.end_batch(rule.naive));
    if (!wrong.empty()) return rule.choice.name + ": " + wrong;
    if (bench.manager.head() != bench.manager.pending_head()) return "what is served";
  }
  TestBench again{testing::rule_named(rule.choice.name, rule.choice.parameter), {}, lab_genesis()};
  for (const Bytes& record : bench.store) {
    if (!again.manager.restore(record)) return "restoring";
  }
  again.manager.finish_restore();
  if (again.manager.head() != bench.manager.head()) {
    return rule.choice.name + ": the head after a restart";
  }
  return "";
}

void fill(Trace& trace) {
  const auto batches = *rc::gen::inRange(1, 10);
  for (int b = 0; b < batches; ++b) {
    const auto size = *rc::gen::inRange(1, 5);
    for (int i = 0; i < size; ++i) {
      // Mostly on the newest blocks, so that branches grow.
      const std::size_t known = trace.names.size();
      const auto back = *rc::gen::weightedOneOf<std::size_t>(
          {{3, rc::gen::just<std::size_t>(0)},
           {2, rc::gen::inRange<std::size_t>(0, std::min<std::size_t>(known, 4))},
           {1, rc::gen::inRange<std::size_t>(0, known)}});
      BlockPlan plan;
      plan.seconds = *rc::gen::element<std::uint64_t>(1, 12, 12, 40, 300, 5000);
      plan.producer = static_cast<std::uint8_t>(*rc::gen::inRange(0, 5));
      plan.difficulty = *rc::gen::inRange<std::uint64_t>(1, 5);
      trace.block(trace.names[known - 1 - back], plan);
    }
    trace.end_batch();
  }
}

// Of blocks of the trace, at most three, which need not lie on one branch.
std::vector<Checkpoint> random_checkpoints(const Trace& trace) {
  std::map<std::uint64_t, Hash32> chosen;
  const auto count = *rc::gen::inRange(0, 4);
  for (int i = 0; i < count; ++i) {
    const std::string& name = trace.names[*rc::gen::inRange<std::size_t>(0, trace.names.size())];
    chosen[trace.maker.header(name).number] = trace.maker.hash(name);
  }
  std::vector<Checkpoint> out;
  for (const auto& [number, hash] : chosen) out.push_back({number, hash});
  return out;
}

RC_GTEST_PROP(ForkChoiceOracle, atk_58_TheHeadIsTheNaiveRulesAfterEveryBatchOfARandomTree, ()) {
  Trace trace;
  fill(trace);
  for (const RuleCase& rule : rules_for(random_checkpoints(trace))) {
    const std::string wrong = play(rule, trace.batches);
    RC_LOG() << wrong;
    RC_ASSERT(wrong.empty());
  }
}

enum class Release : std::uint8_t { at_once, one_by_one, tip_first };

// Six public blocks, and a private branch of `length` that leaves after the second.
struct Withheld {
  Trace trace;
  Batches public_blocks;
  std::vector<HeaderInput> branch;

  explicit Withheld(std::size_t length) {
    for (std::size_t i = 0; i < 6; ++i) {
      trace.block(trace.names.back(), {.producer = 1, .difficulty = 2});
      trace.end_batch();
    }
    public_blocks = {trace.batches.begin(), trace.batches.end() - 1};
    std::string below = trace.names[2];
    for (std::size_t i = 0; i < length; ++i) {
      trace.block(below, {.producer = static_cast<std::uint8_t>(i), .difficulty = 3});
      below = trace.names.back();
    }
    branch = trace.batches.back();
  }
  // Tip first, all but the last wait for their parent, and are added in order when it comes.
  [[nodiscard]] Batches release(Release how) const {
    if (how == Release::tip_first) return {{branch.rbegin(), branch.rend()}};
    if (how == Release::at_once) return {branch};
    Batches out;
    for (const HeaderInput& block : branch) out.push_back({block});
    return out;
  }
};

// A branch of one to twelve blocks, let go at once, a block at a time, or from its tip down.
TEST(ForkChoiceOracle, atk_58_AWithheldBranchReleasedLateMovesTheHeadAsTheNaiveRuleSays) {
  std::size_t moved = 0;
  for (std::size_t length = 1; length <= 12; ++length) {
    const Withheld attack{length};
    const Hash32 public_tip = attack.trace.maker.hash("6");
    for (const auto how : {Release::at_once, Release::one_by_one, Release::tip_first}) {
      for (const RuleCase& rule : rules_for({{4, attack.trace.maker.hash("4")}})) {
        TestBench bench{
            testing::rule_named(rule.choice.name, rule.choice.parameter), {}, lab_genesis()};
        NaiveChains model{bench.genesis.hash};
        const auto step = [&](const Batches& batches, bool reversed) {
          for (std::vector<HeaderInput> batch : batches) {
            (void)bench.import(batch);
            bench.acknowledge();
            if (reversed) std::ranges::reverse(batch);
            for (const HeaderInput& input : batch) model.add(*Header::decode(input.header));
            ASSERT_EQ(differs(bench, model, model.end_batch(rule.naive)), "") << rule.choice.name;
          }
        };
        step(attack.public_blocks, false);
        step(attack.release(how), how == Release::tip_first);
        const bool won = bench.manager.head().hash != public_tip;
        if (won) ++moved;
        EXPECT_FALSE(won && rule.choice.name == "checkpoint") << "it left a checkpoint";
      }
    }
  }
  EXPECT_GT(moved, 50U) << "the attack must succeed under most rules, or nothing was tried";
}

// Balancing: two branches are kept level, each step adding to the one that is behind, so that the
// head would flip with every block where a rule let it.
TEST(ForkChoiceOracle, atk_58_BranchesKeptLevelFlipTheHeadOnlyAsTheNaiveRuleSays) {
  std::map<std::string, std::size_t> reorgs;
  Trace trace;
  std::array<std::string, 2> tips{"genesis", "genesis"};
  for (std::size_t i = 0; i < 40; ++i) {
    std::string& tip = tips[i % 2];
    trace.block(tip, {.producer = static_cast<std::uint8_t>(i % 3), .difficulty = 1 + 2 * (i % 2)});
    tip = trace.names.back();
    trace.end_batch();
  }
  for (const RuleCase& rule : rules_for({})) {
    TestBench bench{
        testing::rule_named(rule.choice.name, rule.choice.parameter), {}, lab_genesis()};
    NaiveChains model{bench.genesis.hash};
    for (const auto& batch : trace.batches) {
      (void)bench.import(batch);
      bench.acknowledge();
      for (const HeaderInput& input : batch) model.add(*Header::decode(input.header));
      ASSERT_EQ(differs(bench, model, model.end_batch(rule.naive)), "") << rule.choice.name;
    }
    reorgs[rule.choice.name] = static_cast<std::size_t>(bench.manager.counters().reorgs);
  }
  EXPECT_EQ(reorgs["longest-chain"], 0U) << "a tie keeps the head";
  EXPECT_EQ(reorgs["checkpoint"], 0U);
  EXPECT_EQ(reorgs["heaviest"], 1U) << "the second branch is heavier at each level";
  EXPECT_GT(reorgs["longest-tiebreak"], 3U);
}

// A delayed head: what is served lags behind the store, and is then the rule's choice of that time.
TEST(ForkChoiceOracle, atk_58_AHeadThatTheStoreHoldsUpIsServedLateAndInOrder) {
  for (const RuleCase& rule : rules_for({})) {
    TestBench bench{
        testing::rule_named(rule.choice.name, rule.choice.parameter), {}, lab_genesis()};
    NaiveChains model{bench.genesis.hash};
    std::vector<Hash32> due;
    std::vector<StoreOp> ops;
    std::string a = "genesis";
    std::string b = "genesis";
    for (int i = 0; i < 30; ++i) {
      std::string& tip = i % 5 < 2 ? a : b;
      const std::string name = "d" + std::to_string(i);
      const auto input =
          bench.make(name, tip, {.difficulty = 1 + static_cast<std::uint64_t>(i) % 3});
      tip = name;
      (void)bench.import({input});
      model.add(*Header::decode(input.header));
      (void)model.end_batch(rule.naive);
      ASSERT_EQ(bench.manager.pending_head().hash, model.head()) << rule.choice.name;
      due.push_back(model.head());
      ops.push_back(*bench.manager.poll_store());
      if (i < 4) continue;  // the store is four batches late
      const auto late = static_cast<std::size_t>(i) - 4;
      bench.manager.handle_store_done(bench.now, {ops[late].id, true, 0});
      ASSERT_EQ(bench.manager.head().hash, due[late]) << rule.choice.name;
    }
  }
}

// With a retention depth and slots that are given again.
RC_GTEST_PROP(ForkChoiceOracle, TheHeadIsTheNaiveRulesWhereHistoryIsReleased, ()) {
  const auto retention = *rc::gen::inRange<std::uint64_t>(1, 9);
  const std::uint64_t seed = *rc::gen::arbitrary<std::uint64_t>();
  for (const RuleCase& rule : rules_for({})) {
    Prng prng{seed};
    TestBench bench{testing::rule_named(rule.choice.name, rule.choice.parameter),
                    {.memory_bytes = 1 << 30, .retention = retention},
                    lab_genesis()};
    NaiveChains model{bench.genesis.hash};
    std::vector<std::string> names{"genesis"};
    for (int i = 0; i < 40; ++i) {
      const std::size_t back =
          prng.below(3) == 0 ? prng.below(std::min<std::size_t>(names.size(), 5)) : 0;
      const std::string parent = names[names.size() - 1 - back];
      const std::string name = std::to_string(i);
      const BlockPlan plan{.seconds = 1 + prng.below(60),
                           .producer = static_cast<std::uint8_t>(prng.below(4)),
                           .difficulty = 1 + prng.below(4)};
      const auto input = bench.make(name, parent, plan);
      names.push_back(name);
      const bool taken = model.takes(bench.hash(parent), retention);
      RC_ASSERT(bench.import({input}).added == (taken ? 1U : 0U));
      if (!taken) continue;
      model.add(*Header::decode(input.header));
      bench.acknowledge();
      const auto expected = model.end_batch(rule.naive);
      model.raise_floor(retention);
      const std::string wrong = differs(bench, model, expected);
      RC_LOG() << rule.choice.name << " at " << i << ": " << wrong;
      RC_ASSERT(wrong.empty());
    }
  }
}

std::vector<Checkpoint> counted_from(std::uint64_t root, const std::vector<Checkpoint>& all) {
  std::vector<Checkpoint> out;
  for (const Checkpoint& one : all) {
    if (one.number >= root) out.push_back({one.number - root, one.hash});
  }
  return out;
}

// A tree in which a line of known blocks (for checkpoints) grows among others.
class TangledTree {
 public:
  explicit TangledTree(std::uint64_t seed) : prng_{seed} {
    for (std::uint64_t n = 1; n <= kLine; ++n) (void)maker_.make(line(n), line(n - 1), kPlain);
  }
  [[nodiscard]] std::vector<Checkpoint> checkpoints() const {
    return {{3, maker_.hash(line(3))}, {kLine, maker_.hash(line(kLine))}};
  }
  [[nodiscard]] HeaderInput next(TestBench& bench) {
    if (on_line_ < kLine && prng_.below(3) == 0) {
      ++on_line_;
      return bench.make(line(on_line_), line(on_line_ - 1), kPlain);
    }
    const std::size_t reach = std::min<std::size_t>(names_.size(), 8);
    const std::size_t back = prng_.below(3) == 0 ? prng_.below(reach) : 0;
    const std::string parent = names_[names_.size() - 1 - back];
    names_.push_back(std::to_string(names_.size()));
    return bench.make(names_.back(), parent,
                      {.seconds = 1 + prng_.below(60),
                       .producer = static_cast<std::uint8_t>(prng_.below(4)),
                       .difficulty = 1 + prng_.below(4)});
  }

 private:
  static constexpr std::uint64_t kLine = 9;
  static constexpr BlockPlan kPlain{.difficulty = 2};
  static std::string line(std::uint64_t number) {
    return number == 0 ? "genesis" : "c" + std::to_string(number);
  }

  Prng prng_;
  TestBench maker_{testing::rule_named("longest"), {}, lab_genesis()};
  std::vector<std::string> names_{"genesis"};
  std::uint64_t on_line_ = 0;
};

// The head that the naive rule names of what is kept, where `before` was the head.
Hash32 naive_head(const ChainManager& manager, const RuleCase& rule,
                  const std::vector<Checkpoint>& checkpoints, const Hash32& before) {
  const HeaderTree& tree = manager.tree();
  NaiveChains model = testing::naive_copy(tree);
  (void)model.end_batch([&](const NaiveChains&) { return before; });
  const Header root = *Header::decode(tree.header(tree.root()));
  NaiveRule naive = rule.naive;
  if (rule.choice.name == "score") naive = testing::naive_score(root);
  if (rule.choice.name == "checkpoint") {
    naive = testing::naive_checkpoint(counted_from(root.number, checkpoints));
  }
  (void)model.end_batch(naive);
  return model.head();
}

// At the memory limit branches and history go, and slots are given again.
TEST(ForkChoiceOracle, TheHeadIsTheNaiveRulesOfWhatIsKeptAtTheMemoryLimit) {
  const ChainLimits limits{
      .memory_bytes = 40 * HeaderTree::cost_of(600), .retention = {}, .min_depth = 4};
  std::uint64_t released = 0;
  for (std::uint64_t seed = 0; seed < 21; ++seed) {
    TangledTree blocks{seed};
    const std::vector<Checkpoint> checkpoints = blocks.checkpoints();
    const auto rules = rules_for(checkpoints);
    const RuleCase& rule = rules[seed % rules.size()];
    TestBench bench{testing::rule_named(rule.choice.name, rule.choice.parameter), limits,
                    lab_genesis()};
    for (int i = 0; i < 120; ++i) {
      const Hash32 before = bench.manager.pending_head().hash;
      const bool added = bench.import({blocks.next(bench)}).added > 0;
      bench.acknowledge();
      if (!added) continue;
      ASSERT_EQ(bench.manager.pending_head().hash,
                naive_head(bench.manager, rule, checkpoints, before))
          << rule.choice.name << ", seed " << seed << ", block " << i;
    }
    released += bench.manager.counters().released;
  }
  EXPECT_GT(released, 500U);
}

}  // namespace
}  // namespace ethnet::chain
