#include "validation.hpp"

#include <functional>

#include <codec/testing/vectors.hpp>
#include <gtest/gtest.h>
#include <types/chain_file.hpp>
#include <types/genesis.hpp>

#include "difficulty.hpp"
#include "fees.hpp"
#include "test_support.hpp"

namespace ethnet::chain {
namespace {

// Both chains of geth's own suites, under the rules of their fork schedules, from the genesis that
// their genesis.json gives to the head.
void import_vector_chain(const std::string& folder) {
  const auto genesis = read_genesis(ethnet::testing::read_text(folder + "/genesis.json"));
  ASSERT_TRUE(genesis.has_value()) << genesis.error().message();
  ChainManager manager{*genesis, std::make_unique<LongestChain>(), {}, 1};
  const Bytes file = ethnet::testing::read_bytes(folder + "/chain.rlp");
  ChainFileReader reader{file};
  std::vector<HeaderInput> batch;
  while (!reader.at_end()) {
    const auto block = reader.next();
    ASSERT_TRUE(block.has_value());
    batch.push_back({to_bytes(block->header), {}});
  }
  const Now now{{1}, UnixTime::from_seconds(1'800'000'000)};
  const auto outcome = manager.import_headers(now, batch, {});
  ASSERT_FALSE(outcome.invalid) << outcome.invalid->index << ": "
                                << outcome.invalid->error.message();
  EXPECT_EQ(outcome.added, 600U);
  const auto head = ethnet::testing::read_json(folder + "/headblock.json");
  EXPECT_EQ(manager.pending_head().hash.hex(), head["hash"].get<std::string>());
  ethnet::testing::report_vectors(folder, outcome.added);
}

TEST(HeaderRules, TheChainOfTheSuitesImportsWhole) {
  ETHNET_NEED_VECTORS();
  import_vector_chain("chain");
}
TEST(HeaderRules, TheAmsterdamChainOfTheSuitesImportsWhole) {
  ETHNET_NEED_VECTORS();
  import_vector_chain("chain_amsterdam");
}

// Every rule by name: a valid Amsterdam header with one thing changed.
class RuleTest : public ::testing::Test {
 protected:
  RuleTest() {
    genesis_ = dev_genesis();
    genesis_.config.set_begin(Fork::osaka, 10);
    genesis_.config.set_begin(Fork::amsterdam, 20);
    parent_ = seal_header(genesis_.config, genesis_.header, 30, {}, "parent");
  }
  [[nodiscard]] Header valid() const {
    return seal_header(genesis_.config, parent_, 42, {}, "child");
  }
  void expect(HeaderRule rule, const std::function<void(Header&)>& change) const {
    Header header = valid();
    change(header);
    const auto result = validate_header(header, parent_, genesis_.config, wall_);
    ASSERT_FALSE(result.has_value());
    EXPECT_TRUE(result.error().is(rule)) << result.error().message();
  }

  Genesis genesis_;
  Header parent_;
  UnixTime wall_ = UnixTime::from_seconds(1'800'000'000);
};

TEST_F(RuleTest, ASealedHeaderObeysAll) {
  EXPECT_TRUE(validate_header(valid(), parent_, genesis_.config, wall_).has_value());
}

TEST_F(RuleTest, EveryRuleHasItsOwnError) {
  using R = HeaderRule;
  expect(R::number_not_next, [](Header& h) { h.number += 1; });
  expect(R::timestamp_not_after_parent, [this](Header& h) { h.timestamp = parent_.timestamp; });
  expect(R::future_block, [](Header& h) { h.timestamp = 1'800'000'016; });
  expect(R::extra_data_too_long, [](Header& h) { h.extra_data = Bytes(33); });
  expect(R::gas_limit_step, [](Header& h) { h.gas_limit += h.gas_limit / 1024; });
  expect(R::gas_limit_step, [](Header& h) { h.gas_limit -= h.gas_limit / 1024; });
  expect(R::gas_limit_out_of_range, [](Header& h) { h.gas_limit = 4999; });
  expect(R::gas_limit_out_of_range, [](Header& h) { h.gas_limit = UINT64_MAX; });
  expect(R::gas_used_above_limit, [](Header& h) { h.gas_used = h.gas_limit + 1; });
  expect(R::missing_base_fee, [](Header& h) { h.base_fee_per_gas.reset(); });
  expect(R::wrong_base_fee, [](Header& h) { h.base_fee_per_gas = 1; });
  expect(R::base_fee_too_large,
         [](Header& h) { h.base_fee_per_gas = Uint256::from_bytes(Bytes(9, std::byte{1})); });
  expect(R::difficulty_after_merge, [](Header& h) { h.difficulty = 1; });
  expect(R::nonce_after_merge, [](Header& h) { h.nonce[7] = std::byte{1}; });
  expect(R::ommers_after_merge, [](Header& h) { h.ommers_hash = Hash32{}; });
  expect(R::missing_withdrawals_root, [](Header& h) { h.withdrawals_root.reset(); });
  expect(R::missing_blob_gas_used, [](Header& h) { h.blob_gas_used.reset(); });
  expect(R::missing_excess_blob_gas, [](Header& h) { h.excess_blob_gas.reset(); });
  expect(R::blob_gas_not_whole_blobs, [](Header& h) { h.blob_gas_used = 1; });
  expect(R::blob_gas_above_max, [](Header& h) { h.blob_gas_used = 100 * kGasPerBlob; });
  expect(R::wrong_excess_blob_gas, [](Header& h) { h.excess_blob_gas = 1; });
  expect(R::missing_parent_beacon_root, [](Header& h) { h.parent_beacon_block_root.reset(); });
  expect(R::missing_requests_hash, [](Header& h) { h.requests_hash.reset(); });
  expect(R::missing_block_access_list_hash, [](Header& h) { h.block_access_list_hash.reset(); });
  expect(R::missing_slot_number, [](Header& h) { h.slot_number.reset(); });
  expect(R::slot_not_after_parent, [this](Header& h) { h.slot_number = parent_.slot_number; });
}

TEST_F(RuleTest, FieldsOfForksThatHaveNotBegunAreForbidden) {
  using R = HeaderRule;
  genesis_ = dev_genesis();
  ChainConfig config;
  config.terminal_total_difficulty = Uint256{};
  config.set_begin(Fork::london, 0);
  config.set_begin(Fork::paris, 0);
  genesis_.config = config;
  genesis_.header = Header{};
  genesis_.header.gas_limit = 30'000'000;
  genesis_.header.base_fee_per_gas = kInitialBaseFee;
  parent_ = seal_header(config, genesis_.header, 30, {}, "parent");
  expect(R::forbidden_withdrawals_root, [](Header& h) { h.withdrawals_root = Hash32{}; });
  expect(R::forbidden_blob_gas_used, [](Header& h) { h.blob_gas_used = 0; });
  expect(R::forbidden_excess_blob_gas, [](Header& h) { h.excess_blob_gas = 0; });
  expect(R::forbidden_parent_beacon_root, [](Header& h) { h.parent_beacon_block_root = Hash32{}; });
  expect(R::forbidden_requests_hash, [](Header& h) { h.requests_hash = Hash32{}; });
  expect(R::forbidden_block_access_list_hash,
         [](Header& h) { h.block_access_list_hash = Hash32{}; });
  expect(R::forbidden_slot_number, [](Header& h) { h.slot_number = 1; });
  genesis_.config = ChainConfig{};
  parent_.base_fee_per_gas.reset();
  parent_.difficulty = 1;
  expect(R::no_difficulty_before_merge, [](Header& h) { h.base_fee_per_gas.reset(); });
  expect(R::wrong_difficulty, [](Header& h) { h.difficulty = 1; });
  expect(R::difficulty_too_large,
         [](Header& h) { h.difficulty = Uint256::from_bytes(Bytes(9, std::byte{1})); });
  expect(R::forbidden_base_fee, [](Header& h) {
    h.difficulty = kMinDifficulty;
    h.base_fee_per_gas = 1;
  });
}

// The first London block may hold twice the gas, so that its target is what the limit was.
TEST_F(RuleTest, ASealedHeaderIsValidWhereverAForkBegins) {
  ChainConfig& config = genesis_.config;
  config = ChainConfig{};
  config.terminal_total_difficulty = Uint256{};
  config.set_begin(Fork::paris, 0);
  config.set_begin(Fork::london, 2);
  config.set_begin(Fork::shanghai, 40);
  config.set_begin(Fork::cancun, 50);
  config.set_begin(Fork::prague, 60);
  config.set_begin(Fork::osaka, 70);
  config.set_begin(Fork::amsterdam, 80);
  Header parent;
  parent.gas_limit = 30'000'000;
  for (std::uint64_t time = 10; time <= 100; time += 10) {
    const Header header = seal_header(config, parent, time, {}, "fork");
    const auto result = validate_header(header, parent, config, wall_);
    ASSERT_TRUE(result.has_value()) << time << ": " << result.error().message();
    parent = header;
  }
  EXPECT_EQ(parent.gas_limit, 60'000'000U);
}

// EIP-1559: up by an eighth at a full block, down by an eighth at an empty one, never below the
// step of 1 upwards.
TEST(Fees, BaseFeeFollowsTheParentsGas) {
  Header parent;
  parent.gas_limit = 20'000'000;
  parent.base_fee_per_gas = 800;
  parent.gas_used = 10'000'000;
  EXPECT_EQ(next_base_fee(parent), 800U);
  parent.gas_used = 20'000'000;
  EXPECT_EQ(next_base_fee(parent), 900U);
  parent.gas_used = 0;
  EXPECT_EQ(next_base_fee(parent), 700U);
  parent.base_fee_per_gas = 1;
  parent.gas_used = 10'000'001;
  EXPECT_EQ(next_base_fee(parent), 2U);
  parent.base_fee_per_gas = UINT64_MAX;
  parent.gas_used = 20'000'000;
  EXPECT_EQ(next_base_fee(parent), std::nullopt);
  parent.base_fee_per_gas = Uint256::from_bytes(Bytes(9, std::byte{1}));
  EXPECT_EQ(next_base_fee(parent), std::nullopt);
  parent.base_fee_per_gas = 800;
  parent.gas_limit = 1;  // no target to be above
  EXPECT_EQ(next_base_fee(parent), 800U);
  parent.base_fee_per_gas.reset();
  EXPECT_EQ(next_base_fee(parent), kInitialBaseFee);
}

// EIP-4844's own examples of fake_exponential(1, numerator, denominator).
TEST(Fees, BlobBaseFeeIsTheTaylorSum) {
  EXPECT_EQ(blob_base_fee(0, 3'338'477), 1U);
  EXPECT_EQ(blob_base_fee(2'314'057, 3'338'477), 1U);
  EXPECT_EQ(blob_base_fee(2'314'058, 3'338'477), 2U);
  EXPECT_EQ(blob_base_fee(10 * 1024 * 1024, 3'338'477), 23U);
  EXPECT_EQ(blob_base_fee(UINT64_MAX, 1), UINT64_MAX);
  EXPECT_EQ(blob_base_fee(0, 0), UINT64_MAX);
  // e^44 is below 2^64, e^45 is not.
  EXPECT_LT(blob_base_fee(44'000, 1'000), UINT64_MAX);
  EXPECT_EQ(blob_base_fee(45'000, 1'000), UINT64_MAX);
  EXPECT_EQ(blob_base_fee(UINT64_MAX, 11'684'671), UINT64_MAX);
}

// One fork from time 100 on, with these blobs.
ChainConfig config_with_blobs(Fork fork, const BlobSchedule& schedule) {
  ChainConfig config;
  config.set_begin(fork, 100);
  config.set_blob_schedule(fork, schedule);
  return config;
}

Header parent_with_blobs(std::uint64_t excess, std::uint64_t used, std::uint64_t base_fee) {
  Header parent;
  parent.excess_blob_gas = excess * kGasPerBlob;
  parent.blob_gas_used = used * kGasPerBlob;
  parent.base_fee_per_gas = base_fee;
  return parent;
}

TEST(Fees, ExcessBlobGasIsWhatParentsUsedAboveTheTarget) {
  const ChainConfig config = config_with_blobs(Fork::cancun, {3, 6, 3'338'477});
  const auto next = [&](std::uint64_t excess, std::uint64_t used) {
    return next_excess_blob_gas(config, parent_with_blobs(excess, used, 1'000'000), 1, 100);
  };
  EXPECT_EQ(next(0, 2), 0U);
  EXPECT_EQ(next(0, 3), 0U);
  EXPECT_EQ(next(0, 6), 3 * kGasPerBlob);
  EXPECT_EQ(next(1, 3), 1 * kGasPerBlob);
  EXPECT_EQ(next(4, 0), 1 * kGasPerBlob);
  EXPECT_EQ(next(4, 6), 7 * kGasPerBlob);
  // The parent of the first Cancun block has neither field, and before Cancun there is no excess.
  EXPECT_EQ(next_excess_blob_gas(config, Header{}, 1, 100), 0U);
  EXPECT_EQ(next_excess_blob_gas(config, parent_with_blobs(9, 6, 1), 1, 99), 0U);
  // What leaves 64 bits stays at their end.
  Header parent = parent_with_blobs(0, 6, 1);
  parent.excess_blob_gas = UINT64_MAX - 1;
  EXPECT_EQ(next_excess_blob_gas(config, parent, 1, 100), UINT64_MAX);
}

// EIP-7918: where 2^13 base fees cost more than a blob (at no excess: a base fee above 16), the
// excess grows by a share of what was used and does not fall.
TEST(Fees, FromOsakaOnExcessBlobGasDoesNotFallBelowTheReservePrice) {
  const BlobSchedule schedule{6, 9, 5'007'716};
  const auto next = [&](Fork fork, std::uint64_t excess, std::uint64_t used, std::uint64_t fee) {
    return next_excess_blob_gas(config_with_blobs(fork, schedule),
                                parent_with_blobs(excess, used, fee), 1, 100);
  };
  EXPECT_EQ(next(Fork::osaka, 6, 3, 16), 3 * kGasPerBlob);
  EXPECT_EQ(next(Fork::osaka, 6, 3, 17), 7 * kGasPerBlob);
  EXPECT_EQ(next(Fork::osaka, 6, 0, 17), 6 * kGasPerBlob);
  EXPECT_EQ(next(Fork::osaka, 5, 0, 17), 0U);
  EXPECT_EQ(next(Fork::prague, 6, 3, 17), 3 * kGasPerBlob);
  // No room above the target: nothing to take a share of.
  const ChainConfig full = config_with_blobs(Fork::osaka, {6, 6, 5'007'716});
  EXPECT_EQ(next_excess_blob_gas(full, parent_with_blobs(6, 3, 17), 1, 100), 3 * kGasPerBlob);
  // A parent without a base fee has no reserve price.
  Header parent = parent_with_blobs(6, 3, 17);
  parent.base_fee_per_gas.reset();
  EXPECT_EQ(next_excess_blob_gas(config_with_blobs(Fork::osaka, schedule), parent, 1, 100),
            3 * kGasPerBlob);
}

}  // namespace
}  // namespace ethnet::chain
