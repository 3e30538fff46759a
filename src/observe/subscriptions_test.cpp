// What a connection is told of which subscription, without sockets.
#include "subscriptions.hpp"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace ethnet::observe {
namespace {

using Json = nlohmann::json;

Hash32 hash_of(std::uint8_t byte) {
  Hash32 out;
  out.bytes.fill(static_cast<std::byte>(byte));
  return out;
}
std::string hex_of(std::uint8_t byte) { return hash_of(byte).hex(); }

class SubscriptionsTest : public ::testing::Test {
 protected:
  void head(std::uint64_t number, std::uint8_t hash) {
    log.append({}, node::HeadMoved{.hash = hash_of(hash), .number = number});
  }
  void reorg(std::uint8_t fork_point, std::vector<Hash32> added, std::uint64_t height) {
    log.append({}, node::Reorganised{.old_head = hash_of(1),
                                     .new_head = added.back(),
                                     .fork_point = hash_of(fork_point),
                                     .height = height,
                                     .removed = {hash_of(1)},
                                     .added = added,
                                     .cause = "longer"});
    log.append({}, node::HeadMoved{.hash = added.back(), .number = height});
  }
  // Result of the next notification, and of which subscription.
  Json next(const std::string& name) {
    const std::string text = all.next();
    if (text.empty()) return nullptr;
    const Json got = Json::parse(text);
    EXPECT_EQ(got["jsonrpc"], "2.0");
    EXPECT_EQ(got["method"], "eth_subscription");
    EXPECT_EQ(got["params"]["subscription"], name);
    return got["params"]["result"];
  }
  // As the listener does it, with a node that is silent.
  void tell_heads() {
    heads.update();
    if (heads.ask()) heads.tell("");
  }

  EventLog log;
  HeadFeed heads{log};
  SubscriptionCounters counters;
  Subscriptions all{log, heads, counters};
};

TEST_F(SubscriptionsTest, AHeadIsToldWhenItsHeaderIsThere) {
  EXPECT_EQ(heads.ask(), std::nullopt);
  head(7, 7);
  heads.update();
  EXPECT_EQ(heads.ask(), hash_of(7));
  EXPECT_EQ(heads.version(), 0U);
  heads.tell(R"({"number":"0x7"})");
  EXPECT_EQ(heads.version(), 1U);
  EXPECT_EQ(heads.json(), R"({"number":"0x7"})");
  EXPECT_EQ(heads.ask(), std::nullopt);
}

TEST_F(SubscriptionsTest, WhileAHeaderIsAskedForTheNewestHeadWaits) {
  head(7, 7);
  heads.update();
  EXPECT_EQ(heads.ask(), hash_of(7));
  head(8, 8);
  reorg(7, {hash_of(18)}, 8);
  heads.update();
  EXPECT_EQ(heads.ask(), std::nullopt) << "one at a time";
  heads.tell("");
  EXPECT_EQ(Json::parse(heads.json()), Json({{"number", "0x7"}, {"hash", hex_of(7)}}))
      << "what the log says, where the node is silent";
  EXPECT_EQ(heads.ask(), hash_of(18));
}

TEST_F(SubscriptionsTest, AHeadThatNobodyWantedIsNotToldLater) {
  head(7, 7);
  heads.update();
  heads.skip();
  EXPECT_EQ(heads.ask(), std::nullopt);
}

TEST_F(SubscriptionsTest, NewHeadsAreThoseFromNowOnAndWhoIsSlowGetsTheNewest) {
  head(1, 1);
  tell_heads();
  EXPECT_EQ(all.add(Topic::heads, {}), "0x1");
  EXPECT_EQ(next("0x1"), nullptr);
  head(2, 2);
  tell_heads();
  EXPECT_EQ(next("0x1"), Json({{"number", "0x2"}, {"hash", hex_of(2)}}));
  for (std::uint8_t i = 3; i <= 9; ++i) head(i, i);
  tell_heads();
  EXPECT_EQ(next("0x1")["number"], "0x9");
  EXPECT_EQ(next("0x1"), nullptr);
  EXPECT_EQ(counters.notifications, 2U);
}

TEST_F(SubscriptionsTest, EventsAreThoseFromNowOnOrAfterACursor) {
  head(1, 1);
  head(2, 2);
  EXPECT_EQ(all.add(Topic::events, {}), "0x1");
  EXPECT_EQ(next("0x1"), nullptr);
  EXPECT_TRUE(all.remove("0x1"));
  EXPECT_EQ(all.add(Topic::events, 0), "0x2");
  EXPECT_EQ(next("0x2")["cursor"], 1);
  EXPECT_TRUE(all.remove("0x2"));
  EXPECT_EQ(all.add(Topic::events, 1), "0x3");
  EXPECT_EQ(next("0x3"),
            Json::parse(R"({"cursor":2,"time_unix_ns":0,"canonical_head":{"head":{"hash":")" +
                        hex_of(2) + R"(","number":2}}})"));
  EXPECT_EQ(next("0x3"), nullptr);
}

TEST_F(SubscriptionsTest, ReorganisationsAreToldAndNothingElse) {
  reorg(7, {hash_of(8)}, 8);
  EXPECT_EQ(all.add(Topic::reorgs, {}), "0x1");
  head(9, 9);
  reorg(7, {hash_of(18), hash_of(19)}, 9);
  head(10, 20);
  const Json told = next("0x1");
  EXPECT_EQ(told["reorg"]["reorg"], 2);
  EXPECT_EQ(told["reorg"]["fork_point"], hex_of(7));
  EXPECT_EQ(told["reorg"]["added"], Json({hex_of(18), hex_of(19)}));
  EXPECT_EQ(told["reorg"]["removed"], Json({hex_of(1)}));
  EXPECT_EQ(next("0x1"), nullptr);
}

TEST_F(SubscriptionsTest, WhoFellBehindIsToldOfAGapOnce) {
  for (const Topic topic : {Topic::events, Topic::reorgs}) {
    const std::string name = *all.add(topic, {});
    const std::uint64_t before = log.newest();
    const std::uint64_t gaps = counters.gaps;
    for (std::size_t i = 0; i < kMaxLoggedEvents + 5; ++i) {
      log.append({}, node::SessionUp{});
      ASSERT_EQ(log.newest(), before + i + 1);
    }
    const Json gap = next(name);
    EXPECT_EQ(gap["gap"]["missed"], 5);
    EXPECT_EQ(gap["cursor"], before + 5);
    EXPECT_EQ(counters.gaps, gaps + 1);
    if (topic == Topic::events) {
      EXPECT_EQ(next(name)["cursor"], before + 6);
    } else {
      EXPECT_EQ(next(name), nullptr) << "nobody's reorganisation is left";
    }
    EXPECT_TRUE(all.remove(name));
  }
  EXPECT_EQ(counters.missed, 10U);
}

TEST_F(SubscriptionsTest, EachHasItsTurn) {
  for (std::uint8_t i = 1; i <= 3; ++i) head(i, i);
  EXPECT_EQ(all.add(Topic::events, 0), "0x1");
  EXPECT_EQ(all.add(Topic::events, 0), "0x2");
  EXPECT_EQ(all.add(Topic::heads, {}), "0x3");
  tell_heads();  // one head, as it were
  EXPECT_EQ(next("0x1")["cursor"], 1);
  EXPECT_EQ(next("0x2")["cursor"], 1);
  EXPECT_EQ(next("0x3")["number"], "0x3");
  EXPECT_EQ(next("0x1")["cursor"], 2);
}

TEST_F(SubscriptionsTest, atk_A6_AConnectionHasSixteenAtMost) {
  {
    Subscriptions many{log, heads, counters};
    for (std::size_t i = 0; i < kMaxSubscriptions; ++i) EXPECT_TRUE(many.add(Topic::heads, {}));
    EXPECT_EQ(many.add(Topic::events, 0), std::nullopt);
    EXPECT_EQ(counters.refused, 1U);
    EXPECT_EQ(counters.open, kMaxSubscriptions);
    EXPECT_FALSE(many.remove("0x11"));
    EXPECT_TRUE(many.remove("0x10"));
    EXPECT_FALSE(many.remove("0x10"));
    EXPECT_EQ(many.add(Topic::events, 0), "0x11") << "a name is never given twice";
  }
  EXPECT_EQ(counters.open, 0U);
}

}  // namespace
}  // namespace ethnet::observe
