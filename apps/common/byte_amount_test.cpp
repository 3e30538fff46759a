// Amounts of bytes and limits of bandwidth as a person writes them.
#include "byte_amount.hpp"

#include <apps/common/testing/refusal.hpp>
#include <gtest/gtest.h>

namespace ethnet::app {
namespace {

TEST(Bytes, AreReadWithTheirUnits) {
  EXPECT_EQ(parse_bytes("0"), 0U);
  EXPECT_EQ(parse_bytes("500000"), 500'000U);
  EXPECT_EQ(parse_bytes("500k"), 500'000U);
  EXPECT_EQ(parse_bytes("500kB"), 500'000U);
  EXPECT_EQ(parse_bytes("64KiB"), 65'536U);
  EXPECT_EQ(parse_bytes("64Ki"), 65'536U);
  EXPECT_EQ(parse_bytes("3M"), 3'000'000U);
  EXPECT_EQ(parse_bytes("2GiB"), std::uint64_t{2} << 30U);
  EXPECT_EQ(parse_bytes("1T"), 1'000'000'000'000U);
  EXPECT_EQ(parse_bytes("9223372036854775807"), static_cast<std::uint64_t>(INT64_MAX));
}

TEST(Bytes, ThatAreNoneAreRefused) {
  for (const std::string_view text :
       {"", "k", "-1", "+1", "1.5M", "1 M", "1K", "1m", "1kb", "1Mbit", "1BB", "1MiBB", "0x10",
        "9223372036854775808", "9000000000000000000k", "99999999999999999999"}) {
    EXPECT_FALSE(parse_bytes(text)) << text;
  }
}

TEST(Rate, HasABurstOfHalfASecondOrTheOneThatIsGiven) {
  EXPECT_FALSE(parse_rate("").on());
  EXPECT_FALSE(parse_rate("0").on());
  EXPECT_EQ(parse_rate("1M").per_second, 1'000'000U);
  EXPECT_EQ(parse_rate("1M").burst, 500'000U);
  EXPECT_EQ(parse_rate("16KiB").burst, quic::kMinBurst);
  EXPECT_EQ(parse_rate("1M:64KiB").burst, 65'536U);
}

TEST(Rate, ThatCannotHoldIsRefusedWithTheLeastThatCan) {
  EXPECT_EQ(refusal([] { (void)parse_rate("16383"); }),
            "a rate of 16383 is too small to keep sessions alive; the least is 16384");
  EXPECT_EQ(refusal([] { (void)parse_rate("1M:16383"); }),
            "a burst of 16383 is too small to keep sessions alive; the least is 16384");
  EXPECT_EQ(refusal([] { (void)parse_rate("5G"); }),
            "a rate of 5000000000 is too large; the most is 4000000000");
  EXPECT_EQ(refusal([] { (void)parse_rate("fast"); }),
            "'fast' is no amount of bytes (500000, 500k, 64KiB, 2M)");
  EXPECT_EQ(refusal([] { (void)parse_rate("1M:"); }),
            "'1M:' is no amount of bytes (500000, 500k, 64KiB, 2M)");
  EXPECT_EQ(refusal([] { (void)parse_rate("0:64KiB"); }),
            "a rate of 0 is too small to keep sessions alive; the least is 16384");
}

TEST(Daily, TargetIsAnAmountThatKeepsSessionsAlive) {
  EXPECT_EQ(parse_daily(""), 0U);
  EXPECT_EQ(parse_daily("0"), 0U);
  EXPECT_EQ(parse_daily("5G"), 5'000'000'000U);
  EXPECT_EQ(refusal([] { (void)parse_daily("999999"); }),
            "a target of 999999 is too small to keep sessions alive; the least is 1000000");
}

}  // namespace
}  // namespace ethnet::app
