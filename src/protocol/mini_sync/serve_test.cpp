#include "serve.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

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

// Attacks 41 and 42: a model that walks parents one by one, and the extremes of every field.
RC_GTEST_PROP(Serve, AnyAmountAndSkipAgreesWithANaiveWalk, ()) {
  static const auto* chain = [] {
    static TestChain made;
    made.extend(made.genesis(), 1500);
    return &made;
  }();
  const auto extreme = rc::gen::element<std::uint64_t>(0, 1, 2, 191, 1023, 1024, 1025, 1ULL << 32,
                                                       UINT64_MAX - 1, UINT64_MAX);
  const auto amount = *rc::gen::oneOf(extreme, rc::gen::arbitrary<std::uint64_t>());
  const auto skip = *rc::gen::oneOf(extreme, rc::gen::inRange<std::uint64_t>(0, 64));
  const auto origin = *rc::gen::inRange<std::uint64_t>(0, 1501);
  const bool reverse = *rc::gen::arbitrary<bool>();
  const Headers response = serve_headers(*chain, {.locator = {*chain->canonical_hash(origin)},
                                                  .amount = amount,
                                                  .skip = skip,
                                                  .reverse = reverse});
  std::vector<std::uint64_t> expected;
  const auto limit = std::min<std::uint64_t>(amount, kMaxHeadersPerResponse);
  for (std::uint64_t n = 0; n <= 1500 && expected.size() < limit; ++n) {
    const std::uint64_t number = reverse ? 1500 - n : n;
    const std::uint64_t distance = reverse ? origin - number : number - origin;
    const bool beyond = reverse ? number > origin : number <= origin;
    const bool on_step = skip == UINT64_MAX ? distance == 0 : distance % (skip + 1) == 0;
    if (!beyond && on_step) expected.push_back(number);
  }
  RC_ASSERT(numbers_of(response) == expected);
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
