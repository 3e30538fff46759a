#include "difficulty.hpp"

#include <string>

#include <gtest/gtest.h>
#include <types/hash_of.hpp>

#include "validation.hpp"

namespace ethnet::chain {
namespace {

// Mainnet's schedule up to the merge.
ChainConfig mainnet() {
  ChainConfig config;
  config.terminal_total_difficulty = Uint256{1};
  config.set_begin(Fork::frontier, 0);
  config.set_begin(Fork::homestead, 1'150'000);
  config.set_begin(Fork::byzantium, 4'370'000);
  config.set_begin(Fork::constantinople, 7'280'000);
  config.set_begin(Fork::petersburg, 7'280'000);
  config.set_begin(Fork::istanbul, 9'069'000);
  config.set_begin(Fork::muir_glacier, 9'200'000);
  config.set_begin(Fork::berlin, 12'244'000);
  config.set_begin(Fork::london, 12'965'000);
  config.set_begin(Fork::arrow_glacier, 13'773'000);
  config.set_begin(Fork::gray_glacier, 15'050'000);
  return config;
}

std::optional<std::uint64_t> difficulty_at(std::uint64_t number, std::uint64_t before,
                                           std::uint64_t took, bool uncles = false) {
  Header parent;
  parent.number = number - 1;
  parent.timestamp = 1'000'000;
  parent.difficulty = before;
  parent.ommers_hash = uncles ? Hash32{} : kEmptyListHash;
  return next_difficulty(mainnet(), parent, number, parent.timestamp + took);
}

constexpr std::uint64_t kBefore = std::uint64_t{1} << 40;
constexpr std::uint64_t kStep = kBefore / 2048;

// As they stand in the first two blocks of mainnet.
TEST(Difficulty, FrontierMovesOneStepUpOrDown) {
  EXPECT_EQ(difficulty_at(1, 17'179'869'184, 1'437'269'988), 17'171'480'576U);
  EXPECT_EQ(difficulty_at(2, 17'171'480'576, 29), 17'163'096'064U);
  EXPECT_EQ(difficulty_at(3, kBefore, 12), kBefore + kStep);
  EXPECT_EQ(difficulty_at(3, kBefore, 13), kBefore - kStep);
}

TEST(Difficulty, HomesteadCountsEachTenSecondsDownToAFloor) {
  constexpr std::uint64_t kBomb = 1 << 9;  // period 11
  EXPECT_EQ(difficulty_at(1'150'000, kBefore, 9), kBefore + kStep + kBomb);
  EXPECT_EQ(difficulty_at(1'150'000, kBefore, 10), kBefore + kBomb);
  EXPECT_EQ(difficulty_at(1'150'000, kBefore, 20), kBefore - kStep + kBomb);
  EXPECT_EQ(difficulty_at(1'150'000, kBefore, 1'000), kBefore - 99 * kStep + kBomb);
  EXPECT_EQ(difficulty_at(1'150'000, kBefore, 1'000'000), kBefore - 99 * kStep + kBomb);
}

TEST(Difficulty, ByzantiumCountsNineSecondsAndTheParentsUncles) {
  constexpr std::uint64_t kBomb = 1 << 11;  // 1,370,000 after the delay
  EXPECT_EQ(difficulty_at(4'370'000, kBefore, 8), kBefore + kStep + kBomb);
  EXPECT_EQ(difficulty_at(4'370'000, kBefore, 8, true), kBefore + 2 * kStep + kBomb);
  EXPECT_EQ(difficulty_at(4'370'000, kBefore, 9), kBefore + kBomb);
  EXPECT_EQ(difficulty_at(4'370'000, kBefore, 18, true), kBefore + kBomb);
  EXPECT_EQ(difficulty_at(4'370'000, kBefore, 27, true), kBefore - kStep + kBomb);
  EXPECT_EQ(difficulty_at(4'370'000, kBefore, 2'000, true), kBefore - 99 * kStep + kBomb);
}

// Each delay begins with its fork, and not a block earlier.
TEST(Difficulty, EveryDelayOfTheBombHoldsFromItsForkOn) {
  struct Case {
    std::uint64_t number;
    unsigned before;  // the exponent of the bomb one block earlier
    unsigned after;
  };
  for (const Case& c : {
           Case{4'370'000, 41, 11},   // EIP-649: 43 periods become 13
           Case{7'280'000, 40, 20},   // EIP-1234: 42 become 22
           Case{9'200'000, 39, 0},    // EIP-2384: 41 become 2
           Case{12'965'000, 37, 30},  // EIP-3554: 39 become 32
           Case{13'773'000, 38, 28},  // EIP-4345: 40 become 30
           Case{15'050'000, 41, 34},  // EIP-5133: 43 become 36
       }) {
    const auto bomb = [](unsigned exponent) { return std::uint64_t{1} << exponent; };
    EXPECT_EQ(difficulty_at(c.number - 1, kBefore, 12), kBefore + bomb(c.before)) << c.number;
    EXPECT_EQ(difficulty_at(c.number, kBefore, 12), kBefore + bomb(c.after)) << c.number;
  }
}

TEST(Difficulty, ItIsNeverBelowTheLeastAndNeverWraps) {
  EXPECT_EQ(difficulty_at(3, 131'072, 1'000), 131'072U);
  EXPECT_EQ(difficulty_at(3, 1, 1'000), 131'072U);
  EXPECT_EQ(difficulty_at(3, UINT64_MAX, 1), std::nullopt);
  EXPECT_EQ(difficulty_at(UINT64_MAX, kBefore, 1), std::nullopt);
}

TEST(Difficulty, AHeaderBeforeTheMergeMustHaveTheRightOne) {
  const ChainConfig config = mainnet();
  Header parent;
  parent.number = 4'999'999;
  parent.timestamp = 1'000'000;
  parent.gas_limit = 8'000'000;
  parent.ommers_hash = kEmptyListHash;
  parent.difficulty = kBefore;
  Header child = parent;
  child.number = 5'000'000;
  child.timestamp += 12;
  const auto error_with = [&](const Uint256& difficulty) -> std::string {
    child.difficulty = difficulty;
    const auto judged = validate_header(child, parent, config, std::nullopt);
    return judged ? "" : judged.error().message();
  };
  constexpr std::uint64_t kRight = kBefore + (1 << 18);
  EXPECT_EQ(error_with(kRight), "");
  EXPECT_NE(error_with(kRight + 1).find("wrong difficulty"), std::string::npos);
  EXPECT_NE(error_with(kRight - 1).find("wrong difficulty"), std::string::npos);
  EXPECT_NE(error_with(Uint256::from_bytes(Bytes(9, std::byte{1}))).find("2^64"),
            std::string::npos);
}

}  // namespace
}  // namespace ethnet::chain
