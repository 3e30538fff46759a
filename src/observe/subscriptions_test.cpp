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
  Json heads_json() {
    heads.update();
    return Json::parse(heads.json());
  }

  EventLog log;
  HeadFeed heads{log};
  SubscriptionCounters counters;
  Subscriptions all{log, heads, counters};
};

TEST_F(SubscriptionsTest, AHeadHasTheParentThatTheEventsTellOf) {
  EXPECT_EQ(heads.json(), "");
  head(7, 7);
  EXPECT_EQ(heads_json(), Json({{"number", "0x7"}, {"hash", hex_of(7)}})) << "the first of all";
  head(8, 8);
  EXPECT_EQ(heads_json()["parentHash"], hex_of(7));
  reorg(7, {hash_of(18)}, 8);
  EXPECT_EQ(heads_json()["parentHash"], hex_of(7)) << "the fork point";
  EXPECT_EQ(heads_json()["hash"], hex_of(18));
  reorg(7, {hash_of(28), hash_of(29), hash_of(30)}, 10);
  EXPECT_EQ(heads_json()["parentHash"], hex_of(29));
  head(11, 31);
  EXPECT_EQ(heads_json()["parentHash"], hex_of(30));
  head(20, 40);
  EXPECT_FALSE(heads_json().contains("parentHash")) << "nine blocks at once";
}

TEST_F(SubscriptionsTest, AHeadAfterALargeReorganisationHasItsParentToo) {
  std::vector<Hash32> added(kMaxBlocksInEvent, hash_of(2));  // with the removed one: two parts
  added.back() = hash_of(9);
  reorg(7, added, 99);
  EXPECT_EQ(heads_json()["parentHash"], hex_of(2));
}

TEST_F(SubscriptionsTest, AHeadAfterLostEventsHasNoParent) {
  head(1, 1);
  heads.update();
  for (std::size_t i = 0; i < kMaxUnreadEvents; ++i) log.append({}, node::SessionUp{});
  log.append({}, node::SessionUp{});  // is lost
  (void)log.newest();
  head(2, 2);
  EXPECT_EQ(heads_json(), Json({{"number", "0x2"}, {"hash", hex_of(2)}}));
}

TEST_F(SubscriptionsTest, NewHeadsAreThoseFromNowOnAndWhoIsSlowGetsTheNewest) {
  head(1, 1);
  heads.update();
  EXPECT_EQ(all.add(Topic::heads, {}), "0x1");
  EXPECT_EQ(next("0x1"), nullptr);
  head(2, 2);
  heads.update();
  EXPECT_EQ(next("0x1"), Json({{"number", "0x2"}, {"hash", hex_of(2)}, {"parentHash", hex_of(1)}}));
  for (std::uint8_t i = 3; i <= 9; ++i) head(i, i);
  heads.update();
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
  heads.update();  // one head, as it were
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
