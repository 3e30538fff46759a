#include "serve.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <types/header.hpp>

#include "limits.hpp"
#include "test_chain.hpp"

namespace ethnet::mini_sync {
namespace {

using testing::TestChain;

std::vector<std::uint64_t> numbers_of(const Headers& response) {
  std::vector<std::uint64_t> numbers;
  for (const HeaderItem& item : response.items) {
    numbers.push_back(check_header(item)->block.number);
  }
  return numbers;
}

TEST(Serve, ForwardStartsAboveTheFirstCanonicalLocatorHash) {
  TestChain chain;
  const auto fork = chain.extend(chain.genesis(), 5);
  const auto side = chain.extend(fork, 2, 9);
  chain.extend(fork, 5, 1);
  ASSERT_FALSE(chain.find(side.hash)->canonical);
  const Headers response = serve_headers(
      chain, {.request_id = 7, .locator = {Hash32{}, side.hash, fork.hash}, .amount = 3});
  EXPECT_EQ(response.request_id, 7U);
  EXPECT_EQ(numbers_of(response), (std::vector<std::uint64_t>{6, 7, 8}));
}

TEST(Serve, ReverseWalksAnyBranchOriginFirst) {
  TestChain chain;
  const auto fork = chain.extend(chain.genesis(), 5);
  const auto side = chain.extend(fork, 2, 9);
  chain.extend(fork, 5, 1);
  const Headers response =
      serve_headers(chain, {.locator = {side.hash}, .amount = 100, .reverse = true});
  EXPECT_EQ(numbers_of(response), (std::vector<std::uint64_t>{7, 6, 5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(check_header(response.items.front())->block, side);
}

TEST(Serve, SkipStepsOverHeaders) {
  TestChain chain;
  const auto head = chain.extend(chain.genesis(), 10);
  EXPECT_EQ(
      numbers_of(serve_headers(chain, {.locator = {chain.genesis().hash}, .amount = 9, .skip = 3})),
      (std::vector<std::uint64_t>{4, 8}));
  EXPECT_EQ(numbers_of(serve_headers(
                chain, {.locator = {head.hash}, .amount = 9, .skip = 3, .reverse = true})),
            (std::vector<std::uint64_t>{10, 6, 2}));
}

// Counts the questions, and may answer with headers of another size.
class CountingChain final : public chain::ChainView {
 public:
  explicit CountingChain(const chain::ChainView& chain, std::size_t header_bytes = 0)
      : chain_{chain}, padding_(header_bytes) {}
  [[nodiscard]] chain::BlockRef head() const override { return counted(chain_.head()); }
  [[nodiscard]] chain::BlockRef genesis() const override { return counted(chain_.genesis()); }
  [[nodiscard]] chain::BlockRef earliest() const override { return counted(chain_.earliest()); }
  [[nodiscard]] std::optional<chain::BlockInfo> find(const Hash32& hash) const override {
    return counted(chain_.find(hash));
  }
  [[nodiscard]] std::optional<Hash32> canonical_hash(std::uint64_t number) const override {
    return counted(chain_.canonical_hash(number));
  }
  [[nodiscard]] std::optional<Hash32> ancestor(const Hash32& hash,
                                               std::uint64_t number) const override {
    return counted(chain_.ancestor(hash, number));
  }
  [[nodiscard]] std::optional<chain::ServedHeader> canonical_header(
      std::uint64_t number) const override {
    return padded(counted(chain_.canonical_header(number)));
  }
  [[nodiscard]] std::optional<chain::ServedHeader> ancestor_header(
      const Hash32& hash, std::uint64_t number) const override {
    return padded(counted(chain_.ancestor_header(hash, number)));
  }
  [[nodiscard]] ByteView encoded(const Hash32& hash) const override {
    return counted(chain_.encoded(hash));
  }
  [[nodiscard]] ByteView producer_signature(const Hash32& hash) const override {
    return counted(chain_.producer_signature(hash));
  }
  [[nodiscard]] std::size_t lookups() const { return lookups_; }

 private:
  template <class T>
  T counted(T answer) const {
    ++lookups_;
    return answer;
  }
  [[nodiscard]] std::optional<chain::ServedHeader> padded(
      std::optional<chain::ServedHeader> answer) const {
    if (answer && !padding_.empty()) answer->header = padding_;
    return answer;
  }

  const chain::ChainView& chain_;
  Bytes padding_;
  mutable std::size_t lookups_ = 0;
};

// 1500 blocks, and a branch of 500 that leaves at 900 and does not win.
struct ForkedChain {
  ForkedChain() {
    const auto fork = chain.extend(chain.genesis(), 900);
    side = chain.extend(fork, 500, 9);
    chain.extend(fork, 600, 1);
  }
  TestChain chain;
  chain::BlockRef side;
};
const ForkedChain& forked_chain() {
  static const ForkedChain made;
  return made;
}

TEST(Serve, atk_41_NoAmountGetsMoreThanALimitedAnswerForLimitedWork) {
  const TestChain& chain = forked_chain().chain;
  // The locator is as long as it may be, and only its last hash is of use.
  std::vector<Hash32> locator(kMaxLocatorHashes, Hash32{{std::byte{0xbb}}});
  std::size_t most_headers = 0;
  std::size_t most_bytes = 0;
  for (const std::size_t size : {std::size_t{600}, kMaxHeaderBytes}) {
    for (const std::uint64_t amount :
         {0ULL, 1ULL, 1024ULL, 1025ULL, 1ULL << 32, UINT64_MAX + 0ULL}) {
      for (const std::uint64_t skip :
           {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1023}, UINT64_MAX - 1, UINT64_MAX}) {
        for (const bool reverse : {false, true}) {
          const CountingChain counting{chain, size};
          locator.back() = reverse ? chain.head().hash : chain.genesis().hash;
          const Headers response = serve_headers(counting, {1, locator, amount, skip, reverse});
          ASSERT_LE(response.items.size(), std::min<std::uint64_t>(amount, 1024));
          ASSERT_LE(encode(response).size(), kMaxResponsePayload);
          ASSERT_LE(counting.lookups(), kMaxServeLookups);
          most_headers = std::max(most_headers, response.items.size());
          most_bytes = std::max(most_bytes, encode(response).size());
        }
      }
    }
  }
  EXPECT_EQ(most_headers, kMaxHeadersPerResponse);
  EXPECT_GT(most_bytes, kMaxResponseBytes - 128 * 1024);
  EXPECT_EQ(kMaxServeLookups, 2048U);
}

// The canonical hashes, or those of the side branch, by number; from parents, one by one.
std::vector<Hash32> naive_branch(const TestChain& chain, const chain::BlockRef& tip) {
  std::vector<Hash32> branch(tip.number + 1);
  Hash32 at = tip.hash;
  for (std::uint64_t n = tip.number + 1; n-- > 0; at = chain.find(at)->parent) branch[n] = at;
  return branch;
}

// A model that walks parents one by one, and the extremes of every field.
RC_GTEST_PROP(Serve, atk_42_AnyAmountAndSkipAgreesWithANaiveWalk, ()) {
  static const TestChain& chain = forked_chain().chain;
  static const auto trunk = naive_branch(chain, chain.head());
  static const auto side = naive_branch(chain, forked_chain().side);
  const auto extreme = rc::gen::element<std::uint64_t>(0, 1, 2, 191, 1023, 1024, 1025, 1ULL << 32,
                                                       UINT64_MAX - 1, UINT64_MAX);
  const auto amount = *rc::gen::oneOf(extreme, rc::gen::arbitrary<std::uint64_t>());
  const auto skip = *rc::gen::oneOf(extreme, rc::gen::inRange<std::uint64_t>(0, 64));
  const bool reverse = *rc::gen::arbitrary<bool>();
  const bool on_side = reverse && *rc::gen::arbitrary<bool>();
  const std::vector<Hash32>& branch = on_side ? side : trunk;
  const auto origin = *rc::gen::inRange<std::uint64_t>(0, branch.size());
  const CountingChain counting{chain};
  const Headers response = serve_headers(
      counting, {.locator = {branch[origin]}, .amount = amount, .skip = skip, .reverse = reverse});
  std::vector<Hash32> expected;
  const auto limit = std::min<std::uint64_t>(amount, kMaxHeadersPerResponse);
  for (std::uint64_t n = 0; n < branch.size() && expected.size() < limit; ++n) {
    const std::uint64_t number = reverse ? branch.size() - 1 - n : n;
    const std::uint64_t distance = reverse ? origin - number : number - origin;
    const bool beyond = reverse ? number > origin : number <= origin;
    const bool on_step = skip == UINT64_MAX ? distance == 0 : distance % (skip + 1) == 0;
    if (!beyond && on_step) expected.push_back(branch[number]);
  }
  std::vector<Hash32> served;
  for (const HeaderItem& item : response.items) served.push_back(check_header(item)->block.hash);
  RC_ASSERT(served == expected);
  RC_ASSERT(counting.lookups() <= kMaxServeLookups);
}

TEST(Serve, AnAnswerIsAsShortAsItIsToldAndNeverEmptyForThat) {
  TestChain chain;
  chain.extend(chain.genesis(), 100);
  const GetHeaders request{.locator = {chain.genesis().hash}, .amount = 100};
  const std::size_t all = serve_headers(chain, request).items.size();
  EXPECT_EQ(all, 100U);
  const std::size_t one = serve_headers(chain, request).items.front().header.size();
  const Headers some = serve_headers(chain, request, 10 * (one + kSignatureBytes + 8));
  EXPECT_EQ(some.items.size(), 10U);
  EXPECT_EQ(numbers_of(some).front(), 1U);
  EXPECT_EQ(serve_headers(chain, request, 1).items.size(), 1U);
}

TEST(Serve, NothingBelowTheFloorIsServed) {
  TestChain chain;
  const auto low = chain.extend(chain.genesis(), 10);
  const auto head = chain.extend(low, 20);
  chain.set_floor(20);
  const Headers down =
      serve_headers(chain, {.locator = {head.hash}, .amount = 100, .reverse = true});
  EXPECT_EQ(numbers_of(down),
            (std::vector<std::uint64_t>{30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20}));
  EXPECT_TRUE(
      serve_headers(chain, {.locator = {low.hash}, .amount = 9, .reverse = true}).items.empty());
  EXPECT_TRUE(serve_headers(chain, {.locator = {chain.genesis().hash}, .amount = 9}).items.empty());
  EXPECT_EQ(make_locator(chain).back().number, 20U);
}

TEST(Locator, CoversTheChainWithFewHashes) {
  TestChain chain;
  chain.extend(chain.genesis(), 3000);
  const auto locator = make_locator(chain);
  EXPECT_EQ(locator.front(), chain.head());
  EXPECT_EQ(locator.back(), chain.genesis());
  EXPECT_LT(locator.size(), 32U);
  for (std::size_t i = 1; i < 16; ++i) EXPECT_EQ(locator[i].number + 1, locator[i - 1].number);
}

TEST(Locator, OfAFreshChainIsItsGenesis) {
  const TestChain chain;
  EXPECT_EQ(make_locator(chain), std::vector<chain::BlockRef>{chain.genesis()});
}

}  // namespace
}  // namespace ethnet::mini_sync
