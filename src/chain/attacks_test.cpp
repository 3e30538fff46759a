// Long branches that lead nowhere, and deep reorganisations that are legal (docs/THREATS.md).
#include <cstdlib>

#include <base/prng.hpp>
#include <codec/rlp_writer.hpp>
#include <gtest/gtest.h>

#include "test_support.hpp"

namespace ethnet::chain {
namespace {

using testing::TestBench;

// 10,000 headers here; 100,000 with ETHNET_FULL_ATTACKS set.
std::uint64_t side_branch_length() {
  return std::getenv("ETHNET_FULL_ATTACKS") != nullptr ? 100'000 : 10'000;
}

// Headers on one another, without names.
class Line {
 public:
  Line(const ChainConfig& config, Header tip, std::string tag)
      : config_{config}, tip_{std::move(tip)}, tag_{std::move(tag)} {}
  std::vector<HeaderInput> next(std::uint64_t count) {
    std::vector<HeaderInput> out;
    for (std::uint64_t i = 0; i < count; ++i) {
      tip_ = seal_header(config_, tip_, tip_.timestamp + 1, {}, tag_);
      out.push_back({tip_.encode(), {}});
    }
    return out;
  }
  [[nodiscard]] const Header& tip() const { return tip_; }

 private:
  const ChainConfig& config_;
  Header tip_;
  std::string tag_;
};

TEST(ChainAttacks, atk_56_ALongBranchBelowTheHeadStaysWithinMemoryAndMovesNothing) {
  const std::uint64_t length = side_branch_length();
  Genesis genesis = dev_genesis();
  Line trunk{genesis.config, genesis.header, "trunk"};
  const std::uint64_t cost = HeaderTree::cost_of(
      Line{genesis.config, genesis.header, "trunk"}.next(1).front().header.size());
  Line side{genesis.config, genesis.header, "side"};
  // Room for the trunk and half of the branch.
  const ChainLimits limits{.memory_bytes = cost * (length + length / 2), .retention = {}};
  TestBench bench{std::make_unique<LongestChain>(), limits};
  constexpr std::uint64_t kBatch = 1000;
  for (std::uint64_t n = 0; n < length + kBatch; n += kBatch) {
    ASSERT_EQ(bench.import(trunk.next(kBatch)).added, kBatch);
    bench.acknowledge();
  }
  const BlockRef head = bench.manager.head();
  ASSERT_EQ(head.hash, trunk.tip().hash());
  while (bench.manager.poll_event()) {
  }
  std::uint64_t added = 0;
  for (std::uint64_t n = 0; n < length; n += kBatch) {
    const auto outcome = bench.import(side.next(kBatch));
    EXPECT_FALSE(outcome.invalid);
    added += outcome.added;
    bench.acknowledge();
    ASSERT_LE(bench.manager.tree().memory_bytes(), limits.memory_bytes);
    ASSERT_EQ(bench.manager.head(), head);
    ASSERT_LE(bench.manager.waiting_count(), kMaxWaiting);
  }
  EXPECT_LT(added, length) << "all of it was kept: no limit was met";
  EXPECT_GE(added, length / 4);
  while (const auto event = bench.manager.poll_event()) {
    EXPECT_FALSE(std::holds_alternative<ReorgEvent>(*event));
    EXPECT_FALSE(std::holds_alternative<HeadExtended>(*event));
  }
  EXPECT_EQ(bench.manager.pending_head(), head);
  EXPECT_LE(bench.manager.earliest().number, head.number - kMinRetainedDepth);
  // The honest chain goes on.
  EXPECT_EQ(bench.import(trunk.next(10)).added, 10U);
  bench.acknowledge();
  EXPECT_EQ(bench.manager.head().hash, trunk.tip().hash());
}

TEST(ChainAttacks, atk_56_ALegalReorgOfEachDepthUpTo63IsToldExactly) {
  TestBench bench;
  std::string base = "genesis";
  for (std::uint64_t depth = 1; depth <= 63; ++depth) {
    std::vector<std::string> lost;
    std::vector<std::string> won;
    const std::string prefix = std::to_string(depth);
    for (std::uint64_t i = 1; i <= depth; ++i) lost.push_back(prefix + "o" + std::to_string(i));
    for (std::uint64_t i = 1; i <= depth + 1; ++i) won.push_back(prefix + "n" + std::to_string(i));
    (void)bench.import(bench.branch(base, lost));
    bench.acknowledge();
    while (bench.manager.poll_event()) {
    }
    (void)bench.import(bench.branch(base, won));
    bench.acknowledge();
    std::vector<ReorgEvent> reorgs;
    while (const auto event = bench.manager.poll_event()) {
      if (const auto* reorg = std::get_if<ReorgEvent>(&*event)) reorgs.push_back(*reorg);
    }
    ASSERT_EQ(reorgs.size(), 1U) << depth;
    ASSERT_EQ(reorgs[0].fork_point.hash, bench.hash(base));
    ASSERT_EQ(reorgs[0].removed.size(), depth);
    ASSERT_EQ(reorgs[0].added.size(), depth + 1);
    for (std::size_t i = 0; i < depth; ++i) ASSERT_EQ(reorgs[0].removed[i], bench.hash(lost[i]));
    for (std::size_t i = 0; i <= depth; ++i) ASSERT_EQ(reorgs[0].added[i], bench.hash(won[i]));
    base = won.back();
  }
  EXPECT_EQ(bench.manager.counters().reorgs, 63U);
}

// A tree of headers that only their numbers tell apart.
Hash32 hash_of_number(std::uint64_t branch, std::uint64_t number) {
  Hash32 hash;
  for (std::size_t i = 0; i < 8; ++i) {
    hash.bytes[i] = static_cast<std::byte>(number >> (8 * i));
    hash.bytes[8 + i] = static_cast<std::byte>((number * 0x9e3779b97f4a7c15ULL) >> (8 * i));
  }
  hash.bytes[16] = static_cast<std::byte>(branch);
  return hash;
}

TEST(ChainAttacks, atk_42_NoAncestorOnALongSideBranchIsMoreThanAHundredNodesAway) {
  constexpr std::uint64_t kFork = 1000;
  constexpr std::uint64_t kTip = 101'000;
  HeaderTree tree{hash_of_number(0, 0), 0, Bytes(1), UINT64_MAX, 7};
  std::vector<NodeIndex> line{tree.root()};
  for (std::uint64_t n = 1; n <= kTip; ++n) {
    const std::uint64_t branch = n > kFork ? 1 : 0;
    line.push_back(*tree.insert_under(line.back(), hash_of_number(branch, n), Bytes(1), {}));
    // What is canonical goes on beside it for a while.
    if (n == kFork) (void)tree.insert_under(line.back(), hash_of_number(2, n + 1), Bytes(1), {});
  }
  std::size_t most = 0;
  const auto walk = [&](std::uint64_t from, std::uint64_t number) {
    std::size_t hops = 0;
    NodeIndex at = line[from];
    for (; tree.node(at).number > number; ++hops) at = tree.hop(at, number);
    ASSERT_EQ(at, line[number]);
    most = std::max(most, hops);
  };
  for (std::uint64_t number = 0; number < kTip; number += 7) walk(kTip, number);
  for (std::uint64_t from = 0; from <= kTip; from += 11) walk(from, from / 3);
  EXPECT_LE(most, 100U);
  EXPECT_GT(most, 10U);
}

// A header with one thing changed: a field, or any bit of its encoding.
Bytes mutated(const Header& original, Prng& prng) {
  Header header = original;
  const std::uint64_t by = 1 + prng.below(3);
  switch (prng.below(14)) {
    case 0:
      header.number += by;
      break;
    case 1:
      header.timestamp -= 12 * by;
      break;
    case 2:
      header.gas_limit += by * (prng.below(2) == 0 ? 1 : 1'000'000);
      break;
    case 3:
      header.gas_used += by;
      break;
    case 4:
      header.base_fee_per_gas = Uint256{by};
      break;
    case 5:
      header.state_root.bytes.front() ^= std::byte{1};
      break;
    case 6:
      header.extra_data.resize(30 + by, std::byte{1});
      break;
    case 7:
      header.difficulty = Uint256{by};
      break;
    case 8:
      header.mix_hash.bytes.front() ^= std::byte{1};
      break;
    case 9:
      header.nonce.front() ^= std::byte{1};
      break;
    case 10:
      header.ommers_hash.bytes.front() ^= std::byte{1};
      break;
    case 11:
      header.requests_hash.reset();
      break;
    case 12:
      header.excess_blob_gas = by;
      break;
    default: {
      Bytes encoded = header.encode();
      encoded[prng.below(encoded.size())] ^= static_cast<std::byte>(1U << prng.below(8));
      return encoded;
    }
  }
  return header.encode();
}

// A verdict is of the bytes that came, never of another header that was judged: what it is among
// headers that it resembles is what it is alone.
TEST(ChainAttacks, atk_57_AMutatedHeaderIsJudgedAsIfTheOtherHadNeverBeenSeen) {
  const std::vector<std::string> names{"a1", "a2", "a3", "a4", "a5", "a6"};
  TestBench whole;
  const std::vector<HeaderInput> chain = whole.branch("genesis", names);
  ASSERT_EQ(whole.import(chain).added, names.size());
  Prng prng{57};
  std::size_t valid = 0;
  std::size_t invalid = 0;
  for (int i = 0; i < 400; ++i) {
    const std::size_t at = prng.below(names.size());
    const Header& original = whole.header(names[at]);
    const HeaderInput input{mutated(original, prng), {}};
    const auto decoded = Header::decode(input.header);
    if (input.header == chain[at].header) continue;  // of what changed nothing
    if (decoded && decoded->parent_hash != original.parent_hash) continue;  // another place
    TestBench among;
    ASSERT_EQ(among.import(chain).added, names.size());
    TestBench alone;
    (void)alone.import({chain.begin(), chain.begin() + static_cast<std::ptrdiff_t>(at)});
    const ImportOutcome said = among.import({input});
    const ImportOutcome recomputed = alone.import({input});
    ASSERT_EQ(said.added, recomputed.added) << i;
    ASSERT_EQ(said.known, 0U) << i;
    ASSERT_EQ(said.invalid.has_value(), recomputed.invalid.has_value()) << i;
    if (said.invalid) {
      EXPECT_EQ(said.invalid->error.message(), recomputed.invalid->error.message()) << i;
      EXPECT_TRUE(among.import({input}).invalid) << "nor is it remembered as anything else";
    }
    ++(said.invalid ? invalid : valid);
  }
  EXPECT_GT(valid, 40U);
  EXPECT_GT(invalid, 150U);
}

// The trick that split a test network: a block that gives its own hash for its parent's, or another
// known one, is not taken for what has that hash.
TEST(ChainAttacks, atk_57_AParentHashThatIsKnownMakesNoHeaderValid) {
  TestBench bench;
  const std::vector<HeaderInput> chain = bench.branch("genesis", {"a1", "a2", "a3"});
  ASSERT_EQ(bench.import(chain).added, 3U);
  for (const std::string parent : {"a2", "a3"}) {
    Header header = bench.header("a2");
    header.parent_hash = bench.hash(parent);
    const ImportOutcome outcome = bench.import({{header.encode(), {}}});
    EXPECT_EQ(outcome.added + outcome.known, 0U) << parent;
    EXPECT_TRUE(outcome.invalid) << parent;
  }
}

}  // namespace
}  // namespace ethnet::chain
