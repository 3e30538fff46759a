#include "table.hpp"

#include <gtest/gtest.h>

namespace ethnet::bench {
namespace {

TEST(Table, ARowSaysTheRatioAndTheVerdict) {
  const Row row{.what = "decode",
                .ours = "500 ns",
                .peer = "geth",
                .theirs = "2250 ns",
                .ratio = Comparison{500, 2250, 4.5, 4.25, 4.75},
                .goal = 4};
  EXPECT_EQ(markdown(row),
            "| decode | 500 ns | geth | 2250 ns | 4.50x (4.25–4.75) | 4.0x | met |\n");
}

TEST(Table, AMissedGoalSaysByHowMuchAndAnIntervalAroundItSaysNothing) {
  Row row{.what = "w", .ours = "o", .peer = "p", .theirs = "t", .ratio = {}, .goal = 2};
  row.ratio = Comparison{0, 0, 1.6, 1.5, 1.7};
  EXPECT_TRUE(markdown(row).ends_with("| 2.0x | missed, by a factor of 1.25 |\n"));
  row.ratio = Comparison{0, 0, 1.99, 1.9, 2.1};
  EXPECT_TRUE(markdown(row).ends_with("| 2.0x | no verdict |\n"));
}

TEST(Table, WhatWasNotRunSaysSo) {
  EXPECT_EQ(markdown({.what = "w", .ours = "o", .peer = "p", .goal = 2}),
            "| w | o | p | not run |  | 2.0x |  |\n");
}

TEST(Table, FiguresHaveTheUnitThatFits) {
  EXPECT_EQ(text_of_ns(266.4), "266 ns");
  EXPECT_EQ(text_of_ns(42'381), "42.4 µs");
  EXPECT_EQ(text_of_ns(1'300'000), "1.30 ms");
  EXPECT_EQ(text_of_bytes(312), "312 bytes");
  EXPECT_EQ(text_of_bytes(8'500), "8.3 KiB");
  EXPECT_EQ(text_of_bytes(17 * 1024 * 1024), "17.0 MiB");
}

}  // namespace
}  // namespace ethnet::bench
