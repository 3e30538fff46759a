// How answers are shared out: by networks, whatever the number of sessions.
#include "serve_queue.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ethnet::session {
namespace {

constexpr std::uint64_t kLarge = 900'000;  // bytes
constexpr std::int64_t kServePerSecond = 64 * 1024 * 1024;
constexpr std::int64_t kServeBurst = 8 * 1024 * 1024;
constexpr std::int64_t kServeReserve = 64 * 1024;
constexpr std::int64_t kServeReservePerSecond = 64 * 1024;

Endpoint at(std::string_view ip, std::uint16_t port = 9001) {
  return {IpAddress::parse(ip).value(), port};
}

struct ServeShares : ::testing::Test {
  ServeQueue::Session join(const Endpoint& where) {
    const ServeQueue::Session session{next_++, 1};
    queue.join(session, where);
    return session;
  }
  // Everybody in `asking` asks without end, for so long; what each has got.
  void run(Duration time, const std::vector<ServeQueue::Session>& asking,
           std::uint64_t cost = kLarge) {
    const Instant until = now + time;
    for (const auto session : asking) queue.wait(session);
    while (now < until) {
      while (const auto session = queue.next(now)) {
        got[*session] += cost;
        queue.charge(now, *session, cost);
        queue.wait(*session);
      }
      ASSERT_GT(queue.next_deadline(), now);
      now = std::min(until, queue.next_deadline());
    }
  }

  ServeQueue queue{{.burst = kServeBurst,
                    .per_second = kServePerSecond,
                    .reserve = kServeReserve,
                    .reserve_per_second = kServeReservePerSecond,
                    .debt = 4 * 1024 * 1024}};
  Instant now{seconds(1'000).ns};
  std::map<ServeQueue::Session, std::uint64_t> got;

 private:
  std::uint32_t next_ = 0;
};

TEST_F(ServeShares, OneWhoAsksAloneHasAllOfIt) {
  const auto alone = join(at("60.1.1.1"));
  run(seconds(10), {alone});
  const auto all = static_cast<std::uint64_t>(kServeBurst + 10 * kServePerSecond);
  EXPECT_GE(got[alone], all - kLarge);
  EXPECT_LE(got[alone], all + 2 * kLarge);
}

TEST_F(ServeShares, atk_62_AThousandIdentitiesOnOneNetworkHaveTheShareOfOne) {
  std::vector<ServeQueue::Session> asking{join(at("60.1.1.1"))};
  for (std::uint16_t i = 0; i < 1'000; ++i) {
    asking.push_back(join(at("60.2.2." + std::to_string(i % 250), i)));
  }
  run(seconds(20), asking);
  const std::uint64_t honest = got[asking.front()];
  std::uint64_t crowd = 0;
  for (std::size_t i = 1; i < asking.size(); ++i) crowd += got[asking[i]];
  EXPECT_LE(crowd, honest + 2 * kLarge);
  EXPECT_GE(honest, static_cast<std::uint64_t>(20 * kServePerSecond / 2));
  EXPECT_EQ(queue.networks(), 2U);
}

// New ones each second in place of the old.
TEST_F(ServeShares, atk_62_ComingBackUnderAnotherNamePaysNoDebt) {
  const auto honest = join(at("60.1.1.1"));
  std::uint64_t crowd = 0;
  for (int round = 0; round < 20; ++round) {
    const auto newcomer = join(at("60.2.2.2", static_cast<std::uint16_t>(round)));
    run(seconds(1), {honest, newcomer});
    crowd += got[newcomer];
    queue.leave(now, newcomer);
  }
  EXPECT_LE(crowd, got[honest] + 4 * kLarge);
}

TEST_F(ServeShares, atk_43_WhoAsksLittleIsAnsweredAtOnceWhileFiftyAskForEverything) {
  std::vector<ServeQueue::Session> greedy;
  for (int i = 0; i < 50; ++i) greedy.push_back(join(at("61.0." + std::to_string(i) + ".1")));
  const auto modest = join(at("60.1.1.1"));
  run(seconds(5), greedy);
  for (int i = 0; i < 20; ++i) {
    queue.wait(modest);
    EXPECT_EQ(queue.next(now), modest) << i;
    queue.charge(now, modest, 10'000);
    run(milliseconds(200), greedy);
  }
}

// Each look at the queue refills everybody, be it by less than a byte.
TEST_F(ServeShares, TheReserveComesBackHoweverOftenTheQueueIsLookedAt) {
  std::vector<ServeQueue::Session> greedy;
  for (int i = 0; i < 200; ++i) greedy.push_back(join(at("61.0." + std::to_string(i) + ".1")));
  const auto modest = join(at("60.1.1.1"));
  run(seconds(2), greedy);
  queue.wait(modest);
  ASSERT_EQ(queue.next(now), modest);
  queue.charge(now, modest, kServeReserve + 500);  // back in 8 ms; in turn, after 200
  queue.wait(modest);
  for (int i = 0; i < 4'000; ++i) {
    now = now + microseconds(5);
    const auto next = queue.next(now);
    if (next == modest) return;
    if (!next) continue;
    queue.charge(now, *next, kLarge);
    queue.wait(*next);
  }
  FAIL() << "it has waited for 20 ms";
}

TEST_F(ServeShares, OnALanEveryHostHasAShareOfItsOwn) {
  const auto one = join(at("192.168.1.1"));
  const auto two = join(at("192.168.1.2"));
  const auto three = join(at("192.168.1.2", 9002));
  run(seconds(5), {one, two, three});
  EXPECT_LE(std::max({got[one], got[two], got[three]}),
            std::min({got[one], got[two], got[three]}) + 2 * kLarge);
  EXPECT_EQ(queue.networks(), 3U);
}

TEST_F(ServeShares, WhatGoesLeavesNothingThatGrows) {
  for (std::uint32_t i = 0; i < 2'000; ++i) {
    const auto session =
        join(at("70." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".1"));
    run(milliseconds(20), {session});
    queue.leave(now, session);
    queue.leave(now, session);  // as if it had never been
    EXPECT_FALSE(queue.is_waiting(session));
  }
  EXPECT_LE(queue.networks(), kMaxServedBefore);
  EXPECT_TRUE(queue.next_deadline().is_never());
}

}  // namespace
}  // namespace ethnet::session
