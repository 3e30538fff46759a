// A node that has moved, while others still tell where it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../testing/net.hpp"
#include "engine.hpp"

namespace ethnet::discv4 {
namespace {

using namespace testing;

constexpr std::uint64_t kMoved = 50;

struct MovedNode : ::testing::Test {
  // Tells of whom it is to tell, and pings back as nodes do.
  struct Teller {
    Hand hand;
    std::vector<V4Node> tells;
    bool fills_its_answer = true;  // to sixteen, so that nobody waits for more
  };

  void SetUp() override {
    net.on_box = [this](const Sent& sent) {
      for (const auto& teller : tellers) {
        if (sent.to == teller->hand.at) answer(*teller, sent);
      }
    };
  }
  Teller& teller(std::uint64_t number, std::vector<V4Node> tells) {
    return teller(number, place_of(number), std::move(tells));
  }
  Teller& teller(std::uint64_t number, const Endpoint& at, std::vector<V4Node> tells) {
    const Hand hand{net, number, at};
    tellers.push_back(std::make_unique<Teller>(hand, std::move(tells)));
    return *tellers.back();
  }
  void answer(const Teller& teller, const Sent& sent) {
    if (sent.type() == PacketType::ping) {
      teller.hand.send(a, teller.hand.pong_for(sent));
      teller.hand.send(a, teller.hand.ping_to(a));
    } else if (sent.type() == PacketType::findnode) {
      std::vector<V4Node> tells = teller.tells;
      for (std::uint64_t i = 0; teller.fills_its_answer && tells.size() < kMaxAnswerNodes; ++i) {
        tells.push_back(node_of(1000 + i, place_of(1000 + i)));
      }
      Neighbors answer{.nodes = {}, .expiration = teller.hand.soon()};
      for (const V4Node& node : tells) {
        answer.nodes.push_back({node.at, node.key.xy()});
        if (answer.nodes.view().size() < kMaxAnswerNodes / 2) continue;
        teller.hand.send(a, answer);
        answer.nodes = {};
      }
      if (!answer.nodes.view().empty() || tells.empty()) teller.hand.send(a, answer);
    }
  }
  // Of a look-up for it, begun with these.
  std::vector<V4Node> look_up(const std::vector<const Teller*>& first, Duration time) {
    std::vector<V4Node> boot;
    for (const Teller* one : first) boot.push_back(node_of(one->hand.number, one->hand.at));
    net.tell(a, [&](Engine& e) { e.bootstrap(net.now(), boot); });
    const KeyBytes target = key_of(kMoved)->public_key().xy();
    began = net.time();
    net.tell(a, [&](Engine& e) { return e.start_lookup(net.now(), target); });
    net.run(time);
    const auto done = a.told<LookupDone>();
    return done.empty() ? std::vector<V4Node>{} : done.back().nearest;
  }
  // From the look-up's begin to its first question there; never, if there was none.
  [[nodiscard]] Duration asked_after(const Endpoint& at) const {
    for (const Sent& sent : net.log) {
      if (sent.to == at && sent.type() == PacketType::findnode && sent.when >= began) {
        return sent.when - began;
      }
    }
    return seconds(1'000'000);
  }
  [[nodiscard]] std::size_t pings_to(const Endpoint& at) const {
    return static_cast<std::size_t>(std::ranges::count_if(net.log, [&](const Sent& sent) {
      return sent.to == at && sent.type() == PacketType::ping;
    }));
  }
  static ::testing::Matcher<const std::vector<V4Node>&> has(const V4Node& node) {
    return ::testing::Contains(node);
  }

  Net net;
  NetNode& a = net.add(1);
  std::vector<std::unique_ptr<Teller>> tellers;
  Duration began;
  const Endpoint old_place = place_of(kMoved);
  const Endpoint new_place = place_of(kMoved + 1);
  const V4Node before = node_of(kMoved, old_place);
  const V4Node after = node_of(kMoved, new_place);
};

// We know nothing of it ourselves.
TEST_F(MovedNode, IsFoundThoughTheOldPlaceWasToldFirstAndFailed) {
  net.add(kMoved, new_place);
  Teller& right = teller(3, {after});
  right.fills_its_answer = false;
  Teller& late = teller(4, {node_of(3, right.hand.at)});
  late.fills_its_answer = false;
  const Teller& wrong = teller(2, {before});
  EXPECT_THAT(look_up({&wrong, &late}, seconds(20)), has(after));
}

TEST_F(MovedNode, IsLookedForAtBothPlacesAtOnce) {
  net.add(kMoved, new_place);
  const Teller& wrong = teller(2, {before});
  const Teller& right = teller(3, {after});
  EXPECT_THAT(look_up({&wrong, &right}, seconds(20)), has(after));
  EXPECT_LT(asked_after(new_place), kAnswerTimeout) << "the old place did not hold it up";
}

// It has proved to us where it is now, and has no record that could say so.
TEST_F(MovedNode, IsWhereItProvedItselfToBe) {
  Teller& moved = teller(kMoved, new_place, {});
  moved.fills_its_answer = false;
  moved.hand.bond(a);
  const Teller& wrong = teller(2, {before});
  EXPECT_THAT(look_up({&wrong}, seconds(20)), has(after));
  EXPECT_LT(asked_after(new_place), kAnswerTimeout);
}

// Its record is asked for where it is now, though we are busy asking for it where it was.
TEST_F(MovedNode, GetsItsNewRecordReadWhileItIsAskedAtTheOldPlace) {
  NetNode& there = net.add(kMoved, old_place);
  net.tell(a, [&](Engine& e) { return e.ping(net.now(), there.node()); });
  net.run(seconds(2));
  ASSERT_NE(a.table.find(before.id), nullptr);
  net.take_off(old_place);
  NetNode& here = net.add(kMoved, new_place);
  net.tell(here, [&](Engine& e) { e.set_local_record(record_of(kMoved, new_place, 2)); });
  net.tell(a, [&](Engine& e) { return e.start_lookup(net.now(), before.key.xy()); });
  net.tell(here, [&](Engine& e) { return e.ping(net.now(), a.node()); });
  net.run(seconds(1));
  ASSERT_NE(a.table.find(before.id), nullptr);
  EXPECT_EQ(a.table.find(before.id)->record->endpoint(), new_place);
  EXPECT_TRUE(a.table.find(before.id)->relayable());
  const Teller& wrong = teller(2, {before});
  EXPECT_THAT(look_up({&wrong}, seconds(20)), has(after));
  EXPECT_LT(asked_after(new_place), kLatency);
}

// On its machine: the address is proven, and its old port is silent.
TEST_F(MovedNode, ToAnotherPortIsAskedThereForItsRecord) {
  NetNode& there = net.add(kMoved, old_place);
  net.tell(a, [&](Engine& e) { return e.ping(net.now(), there.node()); });
  net.run(seconds(2));
  net.take_off(old_place);
  const Endpoint port{old_place.ip, 4444};
  NetNode& here = net.add(kMoved, port);
  net.tell(here, [&](Engine& e) { e.set_local_record(record_of(kMoved, port, 2)); });
  net.tell(here, [&](Engine& e) { return e.ping(net.now(), a.node()); });
  net.run(seconds(1));
  ASSERT_NE(a.table.find(before.id), nullptr);
  EXPECT_EQ(a.table.find(before.id)->record->endpoint(), port);
  EXPECT_TRUE(a.table.find(before.id)->relayable());
}

TEST_F(MovedNode, IsNotLookedForAtMorePlacesThanFour) {
  net.add(kMoved, new_place);
  std::vector<const Teller*> liars;
  for (std::uint64_t i = 0; i < 10; ++i) {
    const Endpoint lie = place_of(300 + i);
    liars.push_back(&teller(10 + i, {node_of(kMoved, lie)}));
  }
  static_cast<void>(look_up(liars, seconds(20)));
  std::set<Endpoint> knocked;
  for (const Sent& sent : net.log) {
    if (sent.type() == PacketType::ping && sent.to.ip >= place_of(300).ip &&
        sent.to.ip <= place_of(310).ip) {
      knocked.insert(sent.to);
    }
  }
  EXPECT_EQ(knocked.size(), kMaxPlacesPerNode);
}

// It came to us, here and there: nothing that follows from its PING was our choice.
TEST_F(MovedNode, IsMetAndNotReachedWhereItsPingLedUsTo) {
  const auto come = [&](const Endpoint& from, std::uint64_t seq) {
    NetNode& it = net.add(kMoved, from);
    net.tell(it, [&](Engine& e) { e.set_local_record(record_of(kMoved, from, seq)); });
    net.tell(it, [&](Engine& e) { return e.ping(net.now(), a.node()); });
    net.run(seconds(2));
  };
  const auto record = [&] {
    const kbucket::TableEntry* entry = a.table.find(before.id);
    EXPECT_TRUE(entry != nullptr && entry->standing == Standing::met);
    return entry == nullptr ? nullptr : entry->record;
  };
  come(old_place, 1);
  ASSERT_NE(record(), nullptr);
  come(old_place, 2);  // it is proven there: it is asked for its record at once
  ASSERT_NE(record(), nullptr);
  EXPECT_EQ(record()->seq(), 2U);
  net.take_off(old_place);
  const Endpoint port{old_place.ip, 4444};
  net.tell(a, [&](Engine& e) { return e.start_lookup(net.now(), before.key.xy()); });
  come(port, 3);  // and we are asking it elsewhere
  ASSERT_NE(record(), nullptr);
  EXPECT_EQ(record()->endpoint(), port);
  const auto votes = a.told<SeenAs>();
  EXPECT_FALSE(votes.empty());
  for (const SeenAs& vote : votes) EXPECT_FALSE(vote.we_chose) << vote.voter.port;
}

// It is where its record says, and others tell another port of RLPx.
TEST_F(MovedNode, HasThePortOfRlpxThatItsRecordSays) {
  NetNode& there = net.add(kMoved, new_place);
  V4Node told = after;
  told.at.tcp = 666;
  Teller& liar = teller(3, {told});
  Teller& first = teller(4, {node_of(3, liar.hand.at)});
  first.fills_its_answer = false;
  static_cast<void>(look_up({&first}, milliseconds(100)));  // began without it
  net.tell(a, [&](Engine& e) { return e.ping(net.now(), there.node()); });
  net.run(seconds(20));
  ASSERT_NE(a.table.find(after.id), nullptr);
  ASSERT_EQ(a.told<LookupDone>().size(), 1U);
  EXPECT_THAT(a.told<LookupDone>()[0].nearest, has(after));
}

// That it answers elsewhere does not make its record right, whoever looks for it meanwhile.
TEST_F(MovedNode, LosesItsPlaceInTheTableWhenNobodyIsWhereItsRecordSays) {
  NetNode& b = net.add(5, true);
  NetNode& there = net.add(kMoved, old_place);
  net.tell(b, [&](Engine& e) { return e.ping(net.now(), there.node()); });
  net.run(seconds(2));
  ASSERT_NE(b.table.find(before.id), nullptr);
  net.take_off(old_place);
  const Hand moved{net, kMoved, new_place};
  net.on_box = [&](const Sent& sent) {
    if (sent.to != new_place) return;
    if (sent.type() == PacketType::ping) moved.send(b, moved.pong_for(sent));
    if (sent.type() == PacketType::ping) moved.send(b, moved.ping_to(b));
    const Neighbors none{.nodes = {}, .expiration = moved.soon()};
    if (sent.type() == PacketType::findnode) moved.send(b, none);
  };
  moved.bond(b);
  std::size_t seen = net.log.size();
  const auto is_asked_there = [&](const Sent& sent) { return sent.to == old_place; };
  for (int i = 0; i < 30'000 && b.table.find(before.id) != nullptr; ++i) {
    net.run(milliseconds(10));
    const auto news = std::span{net.log}.subspan(std::exchange(seen, net.log.size()));
    if (std::ranges::none_of(news, is_asked_there)) continue;
    net.tell(b, [&](Engine& e) { return e.start_lookup(net.now(), before.key.xy()); });
    seen = net.log.size();
  }
  EXPECT_GT(b.counters().revalidations, 0U);
  EXPECT_EQ(b.table.find(before.id), nullptr);
}

// Told one after the other, each when the one before has failed.
TEST_F(MovedNode, IsLookedForOnceWhereItIsNot) {
  net.add(kMoved, new_place);
  const std::vector<Endpoint> wrong{old_place, place_of(301), place_of(302)};
  Teller* next = &teller(9, {after});
  next->fills_its_answer = false;
  for (std::uint64_t i = wrong.size(); i-- > 0;) {
    const V4Node was = node_of(kMoved, wrong[i]);
    const V4Node knows_more = node_of(next->hand.number, next->hand.at);
    next = &teller(2 + i, {was, knows_more});
    next->fills_its_answer = false;
  }
  EXPECT_THAT(look_up({next}, seconds(20)), has(after));
  for (const Endpoint& at : wrong) EXPECT_EQ(pings_to(at), 1U) << at.port;
}

// It proved itself to be at an address that others share.
TEST_F(MovedNode, IsLookedForAtOtherPortsOfItsAddressNoMoreThanAnywhere) {
  const Hand moved{net, kMoved, new_place};
  moved.bond(a);
  std::vector<const Teller*> liars;
  std::vector<Endpoint> lies;
  for (std::uint64_t i = 0; i < 3; ++i) {
    lies.push_back({new_place.ip, static_cast<std::uint16_t>(1001 + i)});
    liars.push_back(&teller(10 + i, {node_of(kMoved, lies.back())}));
  }
  for (int i = 0; i < 4; ++i) static_cast<void>(look_up(liars, seconds(5)));
  std::size_t pings = 0;
  for (const Endpoint& lie : lies) pings += pings_to(lie);
  EXPECT_LE(pings, kbucket::kMaxProbesPerAddress);
  EXPECT_GE(pings, 1U) << "one may be right";
}

// What a command asks of one place, an answer from another does not answer.
TEST_F(MovedNode, IsNoAnswerToAQuestionOfAnotherPlace) {
  net.add(kMoved, new_place);
  const auto ping = net.tell(a, [&](Engine& e) { return e.ping(net.now(), before); });
  ASSERT_NE(ping, 0U);
  const Teller& right = teller(3, {after});
  static_cast<void>(look_up({&right}, seconds(20)));
  ASSERT_EQ(a.told<PingDone>().size(), 1U);
  EXPECT_FALSE(a.told<PingDone>()[0].answered);
  const auto again = net.tell(a, [&](Engine& e) { return e.ping(net.now(), after); });
  ASSERT_NE(again, 0U);
  net.run(seconds(2));
  EXPECT_TRUE(a.told<PingDone>().back().answered);
}

}  // namespace
}  // namespace ethnet::discv4
