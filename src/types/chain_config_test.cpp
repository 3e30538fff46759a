#include "chain_config.hpp"

#include <gtest/gtest.h>

namespace ethnet {
namespace {

// The forks of chain_amsterdam.
ChainConfig amsterdam_config() {
  ChainConfig config;
  for (auto fork = static_cast<std::size_t>(Fork::homestead);
       fork <= static_cast<std::size_t>(Fork::shanghai); ++fork) {
    config.set_begin(static_cast<Fork>(fork), 0);
  }
  config.set_begin(Fork::cancun, 60);
  config.set_begin(Fork::prague, 120);
  config.set_begin(Fork::osaka, 180);
  config.set_begin(Fork::bpo1, 240);
  config.set_begin(Fork::bpo2, 300);
  config.set_begin(Fork::amsterdam, 360);
  config.set_blob_schedule(Fork::bpo1, {10, 15, 8'346'193});
  config.set_blob_schedule(Fork::bpo2, {14, 21, 11'684'671});
  return config;
}

TEST(ChainConfig, ActiveForkByTime) {
  const ChainConfig config = amsterdam_config();
  const auto at = [&](std::uint64_t time) { return config.active_fork(1, time); };
  EXPECT_EQ(at(59), Fork::shanghai);
  EXPECT_EQ(at(60), Fork::cancun);
  EXPECT_EQ(at(119), Fork::cancun);
  EXPECT_EQ(at(120), Fork::prague);
  EXPECT_EQ(at(180), Fork::osaka);
  EXPECT_EQ(at(240), Fork::bpo1);
  EXPECT_EQ(at(359), Fork::bpo2);
  EXPECT_EQ(at(360), Fork::amsterdam);
  EXPECT_EQ(at(UINT64_MAX), Fork::amsterdam);
}

TEST(ChainConfig, ActiveForkByBlock) {
  ChainConfig config;
  EXPECT_EQ(config.active_fork(1'000'000, UINT64_MAX), Fork::frontier);
  config.set_begin(Fork::homestead, 10);
  config.set_begin(Fork::london, 20);
  EXPECT_EQ(config.active_fork(9, 0), Fork::frontier);
  EXPECT_EQ(config.active_fork(10, 0), Fork::homestead);
  EXPECT_EQ(config.active_fork(20, 0), Fork::london);
  EXPECT_FALSE(config.is_active(Fork::paris, 20, 0));
  config.terminal_total_difficulty = Uint256{0};
  EXPECT_EQ(config.active_fork(0, 0), Fork::paris);
}

TEST(ChainConfig, BlobScheduleOfTheForkThatBeganLast) {
  const ChainConfig config = amsterdam_config();
  EXPECT_FALSE(config.blob_schedule_at(59).has_value());
  EXPECT_EQ(config.blob_schedule_at(60), (BlobSchedule{3, 6, 3'338'477}));   // the EIP's
  EXPECT_EQ(config.blob_schedule_at(120), (BlobSchedule{6, 9, 5'007'716}));  // the EIP's
  EXPECT_EQ(config.blob_schedule_at(180), (BlobSchedule{6, 9, 5'007'716}));  // Osaka keeps it
  EXPECT_EQ(config.blob_schedule_at(240), (BlobSchedule{10, 15, 8'346'193}));
  EXPECT_EQ(config.blob_schedule_at(360), (BlobSchedule{14, 21, 11'684'671}));  // Amsterdam too
  ChainConfig later = config;
  later.set_begin(Fork::bpo3, 420);  // after Amsterdam
  later.set_blob_schedule(Fork::amsterdam, {1, 2, 3});
  later.set_blob_schedule(Fork::bpo3, {4, 5, 6});
  EXPECT_EQ(later.blob_schedule_at(419), (BlobSchedule{1, 2, 3}));
  EXPECT_EQ(later.blob_schedule_at(420), (BlobSchedule{4, 5, 6}));
}

TEST(ChainConfig, ForkSchedule) {
  const ForkSchedule forks = amsterdam_config().fork_schedule({}, 0);
  EXPECT_TRUE(forks.fork_blocks().empty());
  EXPECT_EQ(forks.fork_times(), (std::vector<std::uint64_t>{60, 120, 180, 240, 300, 360}));
}

TEST(ChainConfig, EveryForkHasItsName) {
  EXPECT_EQ(to_string(Fork::frontier), "frontier");
  EXPECT_EQ(to_string(Fork::spurious_dragon), "spurious dragon");
  EXPECT_EQ(to_string(Fork::paris), "paris");
  EXPECT_EQ(to_string(Fork::amsterdam), "amsterdam");
}

}  // namespace
}  // namespace ethnet
