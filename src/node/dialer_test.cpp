#include "dialer.hpp"

#include <array>

#include <gtest/gtest.h>

namespace ethnet::node {
namespace {

Now at(Instant t) { return {t, UnixTime{}}; }
const Now kStart = at(Instant{} + seconds(1000));

NodeId id_of(unsigned n) {
  NodeId id;
  store_be<std::uint32_t>(MutByteView{id.bytes}.first(4), n);
  return id;
}
Endpoint endpoint(std::uint16_t port) { return {IpAddress::loopback_v4(), port}; }

StaticPeer by_address(std::uint16_t port) {
  StaticPeer peer;
  peer.endpoint = endpoint(port);
  return peer;
}
StaticPeer by_name(std::string host) {
  StaticPeer peer;
  peer.host = std::move(host);
  peer.port = 9001;
  return peer;
}

// What a node does: asks until there is nothing, and dials.
struct Driver {
  Dialer dialer;
  std::set<NodeId> connected;
  std::uint64_t dials = 0;

  explicit Driver(std::vector<StaticPeer> peers, std::uint64_t seed = 1)
      : dialer{std::move(peers), Prng{seed}, kStart.mono} {}

  // The wishes of this moment; each that is no look-up is dialled.
  std::vector<Dialer::Wish> step(Now now) {
    std::vector<Dialer::Wish> wishes;
    while (const auto wish = dialer.next(now, connected)) {
      wishes.push_back(*wish);
      if (!wish->resolve) dialer.on_dialing(wish->target, ++dials);
      EXPECT_LT(wishes.size(), 100U) << "never ends";
      if (wishes.size() >= 100) break;
    }
    return wishes;
  }
  void open(Now now, const NodeId& id, const Endpoint& remote, bool inbound = false) {
    connected.insert(id);
    dialer.on_session_opened(now, id, remote, inbound);
  }
  void close(Now now, const NodeId& id) {
    connected.erase(id);
    dialer.on_session_closed(now, id);
  }
  // Fails the dial under way and gives the time until the next is due.
  Duration fail(Now now, std::optional<NodeId> proven = std::nullopt, bool met_ourselves = false) {
    dialer.on_dial_failed(now, dials, proven, met_ourselves);
    return dialer.next_deadline() - now.mono;
  }
};

TEST(Dialer, DialsEveryPeerOnceAtTheStart) {
  Driver node{{by_address(1), by_address(2), by_address(3)}};
  EXPECT_EQ(node.dialer.next_deadline(), kStart.mono);
  const auto wishes = node.step(kStart);
  ASSERT_EQ(wishes.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(wishes[i].target, i);
    EXPECT_EQ(wishes[i].endpoint.port, i + 1);
    EXPECT_FALSE(wishes[i].resolve);
  }
  EXPECT_TRUE(node.dialer.next_deadline().is_never());
  EXPECT_EQ(node.dialer.counters().dials, 3U);
}

TEST(Dialer, BacksOffFromOneSecondToThirtyWithAQuarterOfJitter) {
  const std::array<std::int64_t, 8> expected{1, 2, 4, 8, 16, 30, 30, 30};
  std::set<std::int64_t> first_waits;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Driver node{{by_address(1)}, seed};
    Now now = kStart;
    for (const std::int64_t base : expected) {
      ASSERT_EQ(node.step(now).size(), 1U);
      const Duration wait = node.fail(now);
      EXPECT_GE(wait, seconds(base) * 3 / 4);
      EXPECT_LE(wait, seconds(base) * 5 / 4);
      if (base == 1) first_waits.insert(wait.ns);
      EXPECT_TRUE(node.step(at(now.mono + wait - nanoseconds(1))).empty());
      now = at(now.mono + wait);
    }
    EXPECT_EQ(node.dialer.counters().failed, expected.size());
  }
  EXPECT_GT(first_waits.size(), 190U) << "no jitter";
  EXPECT_LT(*first_waits.begin(), milliseconds(800).ns);
  EXPECT_GT(*first_waits.rbegin(), milliseconds(1200).ns);
}

TEST(Dialer, ADialThatCouldNotBeStartedBacksOffToo) {
  Driver node{{by_address(1)}};
  ASSERT_EQ(node.step(kStart).size(), 1U);
  node.dialer.on_dial_refused(kStart, 0);
  EXPECT_TRUE(node.step(kStart).empty());
  EXPECT_GE(node.dialer.next_deadline() - kStart.mono, milliseconds(750));
  EXPECT_EQ(node.dialer.counters().not_started, 1U);
}

TEST(Dialer, ASessionThatLastedBeginsTheBackoffAnewAndAShortOneDoesNot) {
  const auto wait_after_session = [](Duration lasts) {
    Driver node{{by_address(1)}};
    Now now = kStart;
    for (int i = 0; i < 4; ++i) {
      (void)node.step(now);
      now = at(now.mono + node.fail(now));
    }
    (void)node.step(now);
    node.open(now, id_of(7), endpoint(1));
    now = at(now.mono + lasts);
    node.close(now, id_of(7));
    return node.dialer.next_deadline() - now.mono;
  };
  EXPECT_LE(wait_after_session(seconds(30)), milliseconds(1250));
  EXPECT_GE(wait_after_session(seconds(29)), seconds(12));
}

TEST(Dialer, IsQuietWhileConnectedAndDialsAgainAfterwards) {
  Driver node{{by_address(1)}};
  (void)node.step(kStart);
  node.open(kStart, id_of(7), endpoint(1));
  EXPECT_TRUE(node.dialer.next_deadline().is_never());
  EXPECT_TRUE(node.step(at(kStart.mono + seconds(3600))).empty());
  const Now later = at(kStart.mono + seconds(3600));
  node.close(later, id_of(7));
  EXPECT_FALSE(node.dialer.next_deadline().is_never());
  EXPECT_EQ(node.step(at(later.mono + seconds(2))).size(), 1U);
}

// The peer's own dial won; ours fails later, and must not make us dial a peer that we have.
TEST(Dialer, ASessionThatThePeerOpenedCounts) {
  StaticPeer peer = by_address(1);
  peer.expected = id_of(7);
  Driver node{{peer}};
  ASSERT_EQ(node.step(kStart).size(), 1U);
  node.open(kStart, id_of(7), endpoint(40'000), true);
  node.dialer.on_dial_failed(kStart, node.dials, id_of(7), false);
  EXPECT_TRUE(node.dialer.next_deadline().is_never());
  node.close(kStart, id_of(7));
  EXPECT_EQ(node.step(at(kStart.mono + seconds(2))).size(), 1U);
}

// HOST:PORT: who is there is known only from the failed dial's proof.
TEST(Dialer, LearnsFromADuplicateWhoIsThereAndStopsDialling) {
  Driver node{{by_address(1)}};
  (void)node.step(kStart);
  node.open(kStart, id_of(7), endpoint(40'000), true);  // opened by the peer, from another port
  const Duration wait = node.fail(kStart, id_of(7));
  EXPECT_TRUE(node.step(at(kStart.mono + wait)).empty());
  EXPECT_TRUE(node.dialer.next_deadline().is_never());
  node.close(at(kStart.mono + wait), id_of(7));
  EXPECT_EQ(node.step(at(kStart.mono + wait + seconds(3))).size(), 1U);
}

TEST(Dialer, AnInboundSessionOfSomebodyElseDoesNotCount) {
  Driver node{{by_address(1)}};
  (void)node.step(kStart);
  node.open(kStart, id_of(9), endpoint(1), true);  // the address alone proves nothing
  const Duration wait = node.fail(kStart);
  EXPECT_EQ(node.step(at(kStart.mono + wait)).size(), 1U);
}

TEST(Dialer, APeerThatIsConnectedAlreadyIsNotDialled) {
  StaticPeer peer = by_address(1);
  peer.expected = id_of(7);
  Driver node{{peer}};
  node.connected.insert(id_of(7));
  EXPECT_TRUE(node.step(kStart).empty());
  node.close(kStart, id_of(7));
  const auto wishes = node.step(at(kStart.mono + seconds(2)));
  ASSERT_EQ(wishes.size(), 1U);
  EXPECT_EQ(wishes[0].expected, id_of(7));
}

TEST(Dialer, WhoeverElseProvesHimselfThereDoesNotChangeWhomWeExpect) {
  StaticPeer peer = by_address(1);
  peer.expected = id_of(7);
  Driver node{{peer}};
  (void)node.step(kStart);
  const Duration wait = node.fail(kStart, id_of(8));
  node.connected.insert(id_of(8));
  const auto wishes = node.step(at(kStart.mono + wait));
  ASSERT_EQ(wishes.size(), 1U);
  EXPECT_EQ(wishes[0].expected, id_of(7));
}

// Our own address among the peers: once is enough, and the others are not kept waiting.
TEST(Dialer, atk_20_WhereWeMetOurselvesWeDoNotDialForAnHour) {
  Driver node{{by_address(1)}};
  ASSERT_EQ(node.step(kStart).size(), 1U);
  EXPECT_EQ(node.fail(kStart, std::nullopt, true), seconds(3'600));
  EXPECT_TRUE(node.step(at(kStart.mono + seconds(3'599))).empty());
  EXPECT_EQ(node.step(at(kStart.mono + seconds(3'600))).size(), 1U);
}

TEST(Dialer, atk_20_OfANameWithSeveralAddressesOurOwnIsLeftOut) {
  Driver node{{by_name("peer.example")}};
  (void)node.step(kStart);
  node.dialer.handle_resolved(kStart, 0, {endpoint(1), endpoint(2), endpoint(3)});
  Now now = kStart;
  std::vector<unsigned> ports;
  for (int i = 0; i < 3; ++i) {
    const auto wishes = node.step(now);
    ASSERT_EQ(wishes.size(), 1U);
    ASSERT_FALSE(wishes[0].resolve);
    ports.push_back(wishes[0].endpoint.port);
    now = at(now.mono + node.fail(now, std::nullopt, ports.back() == 2));
  }
  EXPECT_EQ(ports, (std::vector<unsigned>{1, 2, 3}));
  // Each was tried: the name is asked again.
  const auto wishes = node.step(now);
  ASSERT_EQ(wishes.size(), 1U);
  EXPECT_TRUE(wishes[0].resolve);
}

TEST(Dialer, LooksUpANameAndTriesItsAddressesInTurnThenLooksItUpAgain) {
  Driver node{{by_name("peer.example")}};
  auto wishes = node.step(kStart);
  ASSERT_EQ(wishes.size(), 1U);
  EXPECT_TRUE(wishes[0].resolve);
  node.dialer.handle_resolved(kStart, 0, {endpoint(1), endpoint(2)});
  Now now = kStart;
  for (const unsigned port : {1U, 2U}) {
    wishes = node.step(now);
    ASSERT_EQ(wishes.size(), 1U);
    EXPECT_EQ(wishes[0].endpoint.port, port);
    now = at(now.mono + node.fail(now));
  }
  wishes = node.step(now);
  ASSERT_EQ(wishes.size(), 1U);
  EXPECT_TRUE(wishes[0].resolve);
  EXPECT_EQ(node.dialer.counters().look_ups, 2U);
}

// The simulator found it: first-light, a peer behind a NAT that forgot the port.
TEST(Dialer, LooksANameUpAgainAfterASession) {
  Driver node{{by_name("peer.example")}};
  (void)node.step(kStart);
  node.dialer.handle_resolved(kStart, 0, {endpoint(1)});
  ASSERT_EQ(node.step(kStart).size(), 1U);
  node.open(kStart, id_of(7), endpoint(1));
  const Now later = at(kStart.mono + seconds(60));
  node.close(later, id_of(7));
  const auto wishes = node.step(at(later.mono + seconds(2)));
  ASSERT_EQ(wishes.size(), 1U);
  EXPECT_TRUE(wishes[0].resolve);
}

TEST(Dialer, ANameThatDoesNotResolveBacksOff) {
  Driver node{{by_name("nowhere.example")}};
  (void)node.step(kStart);
  node.dialer.handle_resolved(kStart, 0, {});
  EXPECT_TRUE(node.step(kStart).empty());
  EXPECT_GE(node.dialer.next_deadline() - kStart.mono, milliseconds(750));
  EXPECT_EQ(node.dialer.counters().look_ups_failed, 1U);
}

TEST(Dialer, ALookUpThatIsNeverAnsweredIsAskedAgainAfterTenSeconds) {
  Driver node{{by_name("slow.example")}};
  (void)node.step(kStart);
  EXPECT_TRUE(node.step(at(kStart.mono + seconds(9))).empty());
  EXPECT_EQ(node.dialer.next_deadline(), kStart.mono + seconds(10));
  const auto wishes = node.step(at(kStart.mono + seconds(10)));
  ASSERT_EQ(wishes.size(), 1U);
  EXPECT_TRUE(wishes[0].resolve);
  EXPECT_EQ(node.dialer.counters().look_ups_failed, 1U);
}

TEST(Dialer, AnswersToNothingAreHarmless) {
  Driver node{{by_address(1)}};
  node.dialer.handle_resolved(kStart, 0, {endpoint(5)});
  node.dialer.handle_resolved(kStart, 77, {endpoint(5)});
  node.dialer.on_dial_failed(kStart, 12345, std::nullopt, false);
  node.dialer.on_session_closed(kStart, id_of(1));
  const auto wishes = node.step(kStart);
  ASSERT_EQ(wishes.size(), 1U);
  EXPECT_EQ(wishes[0].endpoint.port, 1);
}

// After a suspend all that was due is due at once, and once.
TEST(Dialer, ALongSuspendMakesOneDialNotMany) {
  Driver node{{by_address(1)}};
  (void)node.step(kStart);
  (void)node.fail(kStart);
  EXPECT_EQ(node.step(at(kStart.mono + seconds(86'400))).size(), 1U);
}

TEST(Dialer, ANumberIsNotGivenAgainSoThatALateLookUpHitsNobodyElse) {
  Driver node{{by_name("one.example")}};
  ASSERT_EQ(node.step(kStart).size(), 1U);
  EXPECT_TRUE(node.dialer.remove(by_name("one.example")).found);
  EXPECT_EQ(node.dialer.add(kStart, by_name("two.example")), Dialer::Added::fresh);
  const auto wishes = node.step(kStart);
  ASSERT_EQ(wishes.size(), 1U);
  EXPECT_EQ(wishes.front().host, "two.example");
  node.dialer.handle_resolved(kStart, 0, {endpoint(1)});  // of the one that is gone
  EXPECT_TRUE(node.step(kStart).empty());
  node.dialer.handle_resolved(kStart, wishes.front().target, {endpoint(2)});
  const auto dials = node.step(kStart);
  ASSERT_EQ(dials.size(), 1U);
  EXPECT_EQ(dials.front().endpoint, endpoint(2));
}

TEST(Dialer, ThePeerOfARemovedDialIsUnwantedOnce) {
  Driver node{{by_address(1)}};
  ASSERT_EQ(node.step(kStart).size(), 1U);
  EXPECT_FALSE(node.dialer.take_unwanted(node.dials));
  EXPECT_TRUE(node.dialer.remove(by_address(1)).found);
  EXPECT_TRUE(node.dialer.take_unwanted(node.dials));
  EXPECT_FALSE(node.dialer.take_unwanted(node.dials));
  EXPECT_FALSE(node.dialer.remove(by_address(1)).found);
}

}  // namespace
}  // namespace ethnet::node
