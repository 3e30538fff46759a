#include <algorithm>
#include <deque>
#include <memory>
#include <new>
#include <string>

#include <gtest/gtest.h>

#include "bytes.hpp"
#include "cost_bucket.hpp"
#include "decimal.hpp"
#include "fifo.hpp"
#include "hex.hpp"
#include "instant.hpp"
#include "log.hpp"
#include "out_of_memory.hpp"
#include "prng.hpp"
#include "result.hpp"
#include "ring.hpp"
#include "sip_hash.hpp"
#include "slab.hpp"

namespace ethnet {
namespace {

TEST(Hex, RoundTripsAndNamesTheBadDigit) {
  const auto bytes = from_hex("0x00fFa1");
  ASSERT_TRUE(bytes.has_value());
  EXPECT_EQ(to_hex(*bytes), "00ffa1");
  const auto bad = from_hex("0x00g0");
  ASSERT_FALSE(bad.has_value());
  EXPECT_TRUE(bad.error().is(HexError::bad_digit));
  EXPECT_EQ(bad.error().offset(), 4U);
  EXPECT_EQ(bad.error().message(), "hex: not a hex digit at byte 4");
  EXPECT_TRUE(from_hex("abc").error().is(HexError::odd_length));
}

TEST(Hex, AFailureLeavesTheTargetAlone) {
  for (const std::string_view text : {"0x1g", "1g", "0x", "0x1", "0x1122", "0X12", "", " 1"}) {
    ByteArray<1> out{std::byte{0xaa}};
    EXPECT_FALSE(from_hex_into(text, out).has_value()) << text;
    EXPECT_EQ(out[0], std::byte{0xaa}) << text;
  }
  ByteArray<2> two{};
  EXPECT_EQ(from_hex_into("112g", two).error(), Error(HexError::bad_digit, 3));
  EXPECT_EQ(two, (ByteArray<2>{}));
  EXPECT_TRUE(from_hex("0x").value().empty());
}

// A deadline that was never set may be moved, and a timestamp from a header may be anything.
TEST(Instant, SumsSaturate) {
  EXPECT_TRUE((Instant::never() + seconds(1)).is_never());
  EXPECT_TRUE((Instant::never() - seconds(1)).is_never());
  EXPECT_TRUE((Instant{INT64_MAX - 5} + seconds(1)).is_never());
  EXPECT_TRUE((Instant{INT64_MAX - 5} - seconds(-1)).is_never());
  EXPECT_EQ((Instant{INT64_MIN + 5} - seconds(1)).ns, INT64_MIN);
  EXPECT_EQ((Instant{INT64_MIN + 5} + seconds(-1)).ns, INT64_MIN);
  EXPECT_EQ((Instant{7} + seconds(1)).ns, 1'000'000'007);
  EXPECT_EQ(UnixTime::from_seconds(UINT64_MAX).ns, INT64_MAX);
  EXPECT_EQ(UnixTime::from_seconds(9'223'372'036).whole_seconds(), 9'223'372'036U);
  EXPECT_EQ(UnixTime::from_seconds(9'223'372'037).ns, INT64_MAX);
}

TEST(Bytes, BigEndianLoadsWhatItStored) {
  Bytes out;
  append_be<std::uint32_t>(out, 0x01020304U);
  EXPECT_EQ(to_hex(out), "01020304");
  EXPECT_EQ(load_be<std::uint32_t>(out), 0x01020304U);
}

TEST(BytesDeathTest, CopyIntoRefusesATooSmallTarget) {
  const Bytes src(3);
  ByteArray<2> dst{};
  EXPECT_DEATH(copy_into(dst, src), "CHECK failed");
}

TEST(Slab, AHandleToAReusedSlotFindsNothing) {
  Slab<int> slab;
  const auto first = slab.emplace(1);
  EXPECT_TRUE(slab.erase(first));
  const auto second = slab.emplace(2);
  EXPECT_EQ(second.index, first.index);
  EXPECT_EQ(slab.find(first), nullptr);
  ASSERT_NE(slab.find(second), nullptr);
  EXPECT_EQ(*slab.find(second), 2);
  EXPECT_FALSE(slab.erase(first));
  EXPECT_EQ(slab.size(), 1U);
}

TEST(BoundedQueue, CountsWhatItRefuses) {
  BoundedQueue<int> queue{2};
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));
  EXPECT_FALSE(queue.push(3));
  EXPECT_EQ(queue.refused(), 1U);
  EXPECT_EQ(queue.pop(), 1);
}

TEST(Fifo, DoesAsADequeDoes) {
  Prng prng{11};
  Fifo<std::string> fifo;
  std::deque<std::string> deque;
  for (int i = 0; i < 20'000; ++i) {
    const std::string value = std::to_string(prng.below(50));
    const std::uint64_t what = prng.below(100);
    if (what < 45) {
      fifo.push_back(value);
      deque.push_back(value);
    } else if (what < 50) {
      fifo.push_front(value);
      deque.push_front(value);
    } else if (what < 95 && !deque.empty()) {
      ASSERT_EQ(fifo.front(), deque.front());
      fifo.pop_front();
      deque.pop_front();
    } else if (what == 95 && !deque.empty()) {
      const auto at = static_cast<std::ptrdiff_t>(prng.below(deque.size()));
      fifo.erase(fifo.begin() + at);
      deque.erase(deque.begin() + at);
    } else if (what == 96) {
      ASSERT_EQ(fifo.remove(value), std::erase(deque, value));
    } else if (what == 97 && prng.below(10) == 0) {
      fifo.assign(deque.begin(), deque.end());
    } else if (what == 98 && prng.below(10) == 0) {
      fifo.clear();
      deque.clear();
    }
    ASSERT_EQ(fifo.size(), deque.size());
    ASSERT_EQ(fifo.empty(), deque.empty());
    ASSERT_TRUE(std::ranges::equal(fifo, deque));
    if (!deque.empty()) {
      ASSERT_EQ(fifo.back(), deque.back());
    }
  }
}

TEST(Fifo, FreesWhatWentAndClosesUp) {
  Fifo<std::shared_ptr<int>> fifo;
  const auto watched = std::make_shared<int>(1);
  for (int i = 0; i < 100; ++i) fifo.push_back(watched);
  for (std::size_t left = 100; left > 0; --left) {
    EXPECT_EQ(watched.use_count(), static_cast<long>(left) + 1);
    fifo.pop_front();
  }
  EXPECT_EQ(watched.use_count(), 1);
  for (int i = 0; i < 10'000; ++i) {  // one in, one out: it does not creep through memory
    fifo.push_back(watched);
    if (i > 3) fifo.pop_front();
  }
  EXPECT_EQ(fifo.size(), 4U);
  EXPECT_LE(fifo.capacity(), 16U);
}

TEST(Prng, IsReproducibleAndSplitsAreIndependentOfDraws) {
  Prng a{7};
  Prng b{7};
  EXPECT_EQ(a.next(), b.next());
  Prng left = a.split("links");
  Prng right = a.split("nodes");
  EXPECT_NE(left.next(), right.next());
  for (int i = 0; i < 1000; ++i) EXPECT_LT(a.below(3), 3U);
  EXPECT_EQ(a.between(-5, -5), -5);
}

// The example of the paper, appendix A: the key 00 to 0f, the message 00 to 0e.
TEST(SipHash, ThePapersVector) {
  const SipKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  Bytes message;
  for (unsigned i = 0; i < 15; ++i) message.push_back(static_cast<std::byte>(i));
  EXPECT_EQ(sip_hash(key, message, 2, 4), 0xa129ca6149be45e5U);
  // From the reference implementation's table: no bytes, and one whole block.
  EXPECT_EQ(sip_hash(key, {}, 2, 4), 0x726fdb47dd0e0e31U);
  EXPECT_EQ(sip_hash(key, ByteView{message}.first(8), 2, 4), 0x93f5f5799a932462U);
  EXPECT_NE(sip_hash(key, message), sip_hash(key, message, 2, 4));
  EXPECT_NE(sip_hash(key, message), sip_hash({key.k0, key.k1 + 1}, message));
  EXPECT_NE(sip_hash(key, {}), sip_hash(key, Bytes(1)));
}

TEST(Sanitize, LeavesNoControlByte) {
  EXPECT_EQ(sanitize("a\x1b[31m\n", 64), "a\\x1b[31m\\x0a");
  EXPECT_EQ(sanitize("abcdef", 3), "abc");
}

// What `new` calls when there is no memory left. Nothing here can really use all of it.
TEST(OutOfMemoryDeathTest, IsFatal) {
  const std::new_handler before = std::get_new_handler();
  make_out_of_memory_fatal();
  const std::new_handler handler = std::set_new_handler(before);
  ASSERT_NE(handler, nullptr);
  EXPECT_DEATH(handler(), "out of memory");
}

TEST(CostBucket, GivesItsCapacityAtOnceAndThenItsRate) {
  CostBucket bucket{1'000, 100};
  const auto at = [](std::int64_t s) { return Now{Instant{} + seconds(s), {}}; };
  EXPECT_TRUE(bucket.take(at(0), 600));
  EXPECT_TRUE(bucket.take(at(0), 400));
  EXPECT_FALSE(bucket.take(at(0), 1));
  EXPECT_EQ(bucket.next(300), at(3).mono);
  EXPECT_FALSE(bucket.take(at(2), 300));
  EXPECT_TRUE(bucket.take(at(3), 300));
  EXPECT_TRUE(bucket.take(at(100), 1'000));  // never more than the capacity
  EXPECT_FALSE(bucket.take(at(100), 1));
}

TEST(CostBucket, SaysWhatIsThereAndWhatIsOwed) {
  CostBucket bucket{1'000, 100};
  const auto at = [](std::int64_t ms) { return Instant{} + milliseconds(ms); };
  EXPECT_EQ(bucket.available(at(0)), 1'000);
  bucket.charge(at(0), 1'300);  // though it is not there
  EXPECT_EQ(bucket.available(at(0)), -300);
  EXPECT_EQ(bucket.available(at(2'999)), -1);  // a whole unit that is not whole yet is not there
  EXPECT_EQ(bucket.available(at(3'000)), 0);
  EXPECT_EQ(bucket.next(1), at(3'010));
  EXPECT_EQ(bucket.available(at(1'000'000)), 1'000);
}

TEST(CostBucket, GivesExactlyWhatItPromisedWhen) {
  for (const std::int64_t rate : {1L, 3L, 999L, 65'536L, 1'234'567L, kMaxBucketUnits}) {
    for (const std::int64_t wanted : {1L, 7L, 1'452L, 65'535L}) {
      CostBucket bucket{65'536, rate};
      bucket.charge(Instant{}, 65'536 + 17);
      const Instant when = bucket.next(wanted);
      EXPECT_GE(bucket.available(when), wanted) << rate;
      EXPECT_LT(bucket.available(when - nanoseconds(1)), wanted) << rate;
    }
  }
}

TEST(Decimal, DigitsAloneBelowTwoToThe64) {
  EXPECT_EQ(parse_decimal("0"), 0U);
  EXPECT_EQ(parse_decimal("007"), 7U);
  EXPECT_EQ(parse_decimal("18446744073709551615"), UINT64_MAX);
  for (const char* bad :
       {"", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616", "99999999999999999999", "1e3"}) {
    EXPECT_FALSE(parse_decimal(bad)) << bad;
  }
}

}  // namespace
}  // namespace ethnet
