// Attacks on discv4 (docs/THREATS.md), at a scale that ASan affords; at that of the attack with
// ETHNET_FULL_ATTACKS=1 in a release build.
#include <cstdlib>

#include <discovery/kbucket/ip_vote.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/support/counting_allocator/counting_allocator.hpp>

#include "../testing/net.hpp"

namespace ethnet::discv4 {
namespace {

using namespace testing;
using ethnet::testing::AllocationMeter;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::uint64_t count(std::uint64_t share, std::uint64_t full) {
  return std::getenv("ETHNET_FULL_ATTACKS") != nullptr ? full : share;
}

struct Discv4Attacks : ::testing::Test {
  Net net;
  NetNode& node = net.add(1);

  // Bytes that went there.
  [[nodiscard]] std::size_t bytes_to(const IpAddress& ip) const {
    std::size_t sum = 0;
    for (const Sent& sent : net.log) {
      if (sent.to.ip == ip) sum += sent.bytes.size();
    }
    return sum;
  }
  // Bytes that go there because of this datagram.
  std::size_t bytes_caused(const Endpoint& from, ByteView packet) {
    const std::size_t before = bytes_to(from.ip);
    net.deliver(from, node, packet);
    return bytes_to(from.ip) - before;
  }
};

TEST_F(Discv4Attacks, atk_21_AllAnswersTogetherHaveABudgetOfBytes) {
  constexpr std::size_t kBurst = 5'000;
  constexpr std::size_t kPerSecond = 500;
  net.filter_limits.answers = {.burst = kBurst, .per_second = kPerSecond};
  NetNode& known_to_many = net.add(2);
  for (std::uint64_t i = 100; i < 120; ++i) {
    NetNode& other = net.add(i);
    net.tell(known_to_many, [&](Engine& e) { return e.ping(net.now(), other.node()); });
  }
  net.run(seconds(3));
  const Hand asker{net, 9, place_of(9)};
  asker.bond(known_to_many);
  const std::size_t before = bytes_to(asker.at.ip);
  std::size_t bytes_in = 0;
  std::size_t empty = 0;
  for (int i = 0; i < 40; ++i) {
    const FindNode question{KeyBytes{}, asker.soon()};
    asker.send(known_to_many, question);
    bytes_in += encoded_size(question);
    const auto answers = asker.answers();
    ASSERT_FALSE(answers.empty()) << "nobody waits in vain";
    const Message message = answers[0].message();
    const auto& first = std::get<Neighbors>(message);
    if (i == 0) {
      EXPECT_FALSE(first.nodes.view().empty());
    }
    if (!first.nodes.view().empty()) continue;
    ++empty;
    EXPECT_LE(answers[0].bytes.size(), encoded_size(question));
    net.run(milliseconds(200));
  }
  EXPECT_GT(empty, 25U);
  EXPECT_EQ(known_to_many.filter.counters().refused_answers, empty);
  const std::size_t of_seconds = kPerSecond * 20;
  EXPECT_LE(bytes_to(asker.at.ip) - before, kBurst + of_seconds + bytes_in);
}

// --- 38: an address that somebody else names ---

// A node answers from one address, and is to be asked at another, where a victim is.
TEST_F(Discv4Attacks, atk_38_AnAnswerFromOneAddressIsNoneFromAnother) {
  NetNode& other = net.add(2);
  const V4Node at_victim = node_of(2, place_of(77));
  const auto ask = [&](const V4Node& whom) {
    return net.tell(node, [&](Engine& e) { return e.request_record(net.now(), whom); });
  };
  const std::uint64_t here = ask(other.node());
  ASSERT_NE(here, 0U);
  EXPECT_EQ(ask(at_victim), 0U) << "not now: it is asked elsewhere";
  EXPECT_NE(ask(other.node()), 0U);
  net.run(seconds(3));
  for (const RecordDone& done : node.told<RecordDone>()) EXPECT_NE(done.record, nullptr);
  const std::uint64_t there = ask(at_victim);
  ASSERT_NE(there, 0U);
  net.run(seconds(3));
  const auto done = node.told<RecordDone>();
  ASSERT_EQ(done.size(), 3U);
  EXPECT_EQ(done[2].command, there);
  EXPECT_EQ(done[2].record, nullptr) << "nobody is there";
  EXPECT_EQ(node.counters().contacts_refused, 1U);
}

// --- 22: contacts ---

// Whoever comes to us and says that it has a record is asked for it. These come from 32 addresses,
// answer our PING and nothing else, and come again under another name.
TEST_F(Discv4Attacks, atk_22_StrangersWhoDoNotAnswerLeaveRoomForWhomWeTurnTo) {
  constexpr std::uint64_t kHonest = 12;
  constexpr std::uint64_t kAddresses = 32;
  std::vector<V4Node> boot;
  for (std::uint64_t i = 100; i < 100 + kHonest; ++i) boot.push_back(net.add(i).node());
  net.tell(node, [&](Engine& e) { e.bootstrap(net.now(), boot); });
  std::map<Endpoint, std::uint64_t> names;  // of whom is at each place now
  std::uint64_t names_so_far = 10'000;
  net.on_box = [&](const Sent& sent) {
    const auto name = names.find(sent.to);
    if (name == names.end() || sent.type() != PacketType::ping) return;
    const Hand hand{net, name->second, sent.to};
    Pong pong = hand.pong_for(sent);
    pong.enr_seq = 1;
    hand.send(node, pong);
  };
  std::size_t refused = 0;
  std::size_t asked = 0;
  for (int round = 0; round < 60; ++round) {  // of 130 ms: 8 packets a second of each
    for (std::uint64_t i = 0; i < kAddresses; ++i) {
      const Endpoint from = place_of(300 + i, static_cast<std::uint16_t>(2'000 + round));
      names[from] = ++names_so_far;
      const Hand hand{net, names_so_far, from};
      hand.send(node, hand.ping_to(node));
    }
    net.run(milliseconds(130));
    if (round < 20) continue;
    ++asked;
    const V4Node& whom = boot.at(static_cast<std::size_t>(round) % kHonest);
    refused += net.tell(node, [&](Engine& e) { return e.ping(net.now(), whom); }) == 0 ? 1U : 0U;
    if (round % 10 != 0) continue;
    EXPECT_NE(net.tell(node, [&](Engine& e) { return e.start_random_lookup(net.now()); }), 0U);
  }
  net.run(seconds(4));
  EXPECT_EQ(refused, 0U) << "of " << asked;
  const auto lookups = node.told<LookupDone>();
  EXPECT_EQ(lookups.size(), 4U);
  for (const LookupDone& done : lookups) EXPECT_GE(done.nearest.size(), kHonest - 1);
  EXPECT_GT(node.counters().contacts_refused, 100U) << "the attack was on";
}

// --- 21: reflection ---

// Every kind of packet, of every size that it can have, from addresses that answer nothing.
TEST_F(Discv4Attacks, atk_21_ToAnUnprovenAddressNothingLargerGoesThanCameFromThere) {
  const Place long_place{Endpoint::parse("[2001:db8::1]:1").value().ip, 0xffff, 0xffff};
  std::uint64_t number = 1000;
  const auto send = [&](const Message& message, std::size_t padding) {
    const Endpoint victim = place_of(++number);
    Bytes list = packet_of(message, *key_of(2));
    list.erase(list.begin(), list.begin() + kHeaderBytes);
    append(list, Bytes(padding));
    const auto type = static_cast<std::uint8_t>(type_of(message));
    const Bytes packet = raw_packet(type, list, *key_of(2));
    net.deliver(victim, node, packet);
    EXPECT_LE(bytes_to(victim.ip), packet.size()) << int{type} << " " << padding;
    return bytes_to(victim.ip);
  };
  const std::uint64_t soon = expiration_at(net.now().wall);
  std::size_t answered = 0;
  for (const std::size_t padding : {0U, 1U, 10U, 20U, 30U, 100U, 500U, 1000U}) {
    for (const Place& from : {Place{}, long_place, wire_place(place_of(3), 30303)}) {
      for (const auto seq : {std::optional<std::uint64_t>{}, std::optional{~std::uint64_t{0}}}) {
        const Ping ping{.from = from, .to = from, .expiration = soon, .enr_seq = seq};
        answered += send(ping, padding) > 0 ? 1U : 0U;
      }
    }
    EXPECT_EQ(send(FindNode{KeyBytes{}, soon}, padding), 0U);
    EXPECT_EQ(send(EnrRequest{soon}, padding), 0U);
    EXPECT_EQ(send(Pong{.to = long_place, .ping_hash = {}, .expiration = soon}, padding), 0U);
    EXPECT_EQ(send(Neighbors{.nodes = {}, .expiration = soon}, padding), 0U);
  }
  EXPECT_GE(answered, 40U);
}

// The same address again and again, as who has a reflector would use it.
TEST_F(Discv4Attacks, atk_21_AFloodUnderAVictimsAddressSendsItLessThanItCosts) {
  const Endpoint victim = place_of(77);
  for (std::uint64_t i = 0; i < 200; ++i) {
    const Hand hand{net, 500 + i % 20, victim};
    const Bytes packet = packet_of(hand.ping_to(node), *key_of(hand.number));
    EXPECT_LE(bytes_caused(victim, packet), packet.size()) << i;
    const std::size_t before = bytes_to(victim.ip);
    net.run(milliseconds(100));
    EXPECT_EQ(bytes_to(victim.ip), before) << "and nothing later";
  }
  EXPECT_GT(bytes_to(victim.ip), 0U);
}

// Who turns to a node waits for its PING, and answers that at once, or two that do as we do would
// wait for each other: by a PONG that is no larger.
TEST_F(Discv4Attacks, atk_21_WhereWeKnockedOurselvesNoMoreGoesThanCameEither) {
  std::uint64_t number = 500;
  std::size_t pongs = 0;
  for (const std::size_t padding : {0U, 10U, 20U, 30U, 40U, 100U, 1'000U}) {
    ++number;
    const Hand hand{net, number, place_of(number)};
    net.tell(node, [&](Engine& e) { return e.ping(net.now(), node_of(number, hand.at)); });
    Bytes list = packet_of(hand.ping_to(node), *key_of(number));
    list.erase(list.begin(), list.begin() + kHeaderBytes);
    append(list, Bytes(padding));
    const Bytes packet = raw_packet(1, list, *key_of(number));
    for (int i = 0; i < 3; ++i) {
      EXPECT_LE(bytes_caused(hand.at, packet), packet.size()) << padding << " " << i;
    }
    for (const Sent& sent : hand.answers()) pongs += sent.type() == PacketType::pong ? 1U : 0U;
  }
  EXPECT_GE(pongs, 2U) << "where there is room for it";
}

// A reflector harms who is on a LAN as it harms others: loopback alone is nobody else's.
TEST_F(Discv4Attacks, atk_21_ALanIsNoExceptionAndLoopbackIs) {
  std::uint64_t number = 500;
  const auto caused = [&](const char* ip) {
    const Hand hand{net, ++number, {IpAddress::parse(ip).value(), 30'303}};
    const Bytes packet = packet_of(hand.ping_to(node), *key_of(number));
    const std::size_t bytes = bytes_caused(hand.at, packet);
    EXPECT_GT(bytes, 0U) << ip;
    return std::pair{bytes, packet.size()};
  };
  for (const char* ip :
       {"10.0.0.7", "172.16.1.7", "192.168.1.7", "169.254.1.7", "fd00::7", "fe80::7"}) {
    const auto [out, in] = caused(ip);
    EXPECT_LE(out, in) << ip;
  }
  for (const char* ip : {"127.0.0.1", "127.1.2.3", "::1"}) {
    const auto [out, in] = caused(ip);
    EXPECT_GT(out, in) << "PING and PONG at once, as geth's suite wants it: " << ip;
  }
}

// A proof that is guessed, of another address or of another's key is none.
TEST_F(Discv4Attacks, atk_21_OnlyThePongOfThatPingFromThatAddressProvesIt) {
  const Hand victim{net, 9, place_of(9)};
  const Hand attacker{net, 9, place_of(10)};
  const Hand other_key{net, 11, victim.at};
  victim.send(node, victim.ping_to(node));
  const auto pings = victim.answers();
  ASSERT_THAT(types_of(pings), ElementsAre(PacketType::ping));
  Pong guessed = victim.pong_for(pings[0]);
  guessed.ping_hash.bytes[0] ^= std::byte{1};
  victim.send(node, guessed);
  attacker.send(node, attacker.pong_for(pings[0]));
  other_key.send(node, other_key.pong_for(pings[0]));
  net.run(seconds(1));
  EXPECT_EQ(node.counters().unsolicited, 3U);
  for (const Hand* hand : {&victim, &attacker, &other_key}) {
    hand->send(node, FindNode{KeyBytes{}, hand->soon()});
    EXPECT_THAT(hand->answers(), IsEmpty());
  }
  EXPECT_EQ(node.counters().unproven, 3U);
}

// Who asks us under its own address learns the hash of a PING, and who is pinged elsewhere does
// not.
TEST_F(Discv4Attacks, atk_21_TheHashOfAPingThatWentElsewhereProvesNothing) {
  const Hand attacker{net, 12, place_of(10)};
  const Hand forged{net, 9, place_of(9)};
  const auto learn = [&] {
    attacker.send(node, attacker.ping_to(node));
    const auto pings = attacker.answers();
    CHECK(!pings.empty() && pings[0].type() == PacketType::ping);
    Pong pong = forged.pong_for(pings[0]);
    return pong;
  };
  const auto expect_unproven = [&] {
    forged.send(node, FindNode{KeyBytes{}, forged.soon()});
    net.run(milliseconds(50));
    EXPECT_FALSE(node.engine.machine().is_proven(net.now(), id_of(9), forged.at.ip));
  };
  // To a PING of ours that answers one.
  const Pong first = learn();
  forged.send(node, forged.ping_to(node));
  net.run(milliseconds(30));
  forged.send(node, first);
  expect_unproven();
  // To one by which we turn to it.
  net.run(seconds(10));
  const Pong second = learn();
  net.tell(node, [&](Engine& e) { return e.ping(net.now(), node_of(9, forged.at)); });
  forged.send(node, second);
  expect_unproven();
  EXPECT_EQ(node.counters().unsolicited, 2U);
  EXPECT_EQ(node.counters().unproven, 2U);
}

// --- 22: floods ---

// 200,000 PINGs a second, signed, from one address, while others ping: what they cost is bounded.
TEST_F(Discv4Attacks, atk_22_AFloodOfPingsCostsFewSignatureChecksAndOthersAreServed) {
  const std::uint64_t packets = count(40'000, 2'000'000);
  const Endpoint flooder = place_of(66);
  const Hand flood{net, 66, flooder};
  const Bytes signed_ping = packet_of(flood.ping_to(node), *key_of(66));
  Bytes random = Bytes(200, std::byte{0x5a});
  std::vector<Hand> honest;
  for (std::uint64_t i = 0; i < 20; ++i) {
    honest.emplace_back(net, 100 + i, place_of(100 + i));
    honest.back().bond(node);  // else it is asked for a proof, and that twice a second at most
  }
  const std::uint64_t checked_before = node.counters().received[1];
  std::size_t asked = 0;
  for (std::uint64_t i = 0; i < packets; ++i) {
    net.deliver(flooder, node, i % 2 == 0 ? ByteView{signed_ping} : ByteView{random});
    if (i % 200 == 199) net.run(milliseconds(1));
    if (i % 2'000 != 1'000) continue;
    const Hand& hand = honest[asked++ % honest.size()];
    hand.send(node, hand.ping_to(node));
  }
  net.run(milliseconds(100));
  std::size_t served = 0;
  for (const Hand& hand : honest) {
    for (const Sent& sent : net.box(hand.at)) served += sent.type() == PacketType::pong ? 1U : 0U;
  }
  EXPECT_LE(served, asked);
  EXPECT_GE(served * 100, asked * 95);
  EXPECT_GT(asked, 10U);
  const auto& counters = node.counters();
  const std::uint64_t checked = counters.received[1] - checked_before;
  const auto budget =
      static_cast<std::uint64_t>(filter::kAddressRate.burst) + asked + packets / 200'000 * 16 + 16;
  EXPECT_LE(checked, budget);
  EXPECT_GE(counters.address_budget, packets - budget);
}

// Under one identity no more than its share, though its address has more.
TEST_F(Discv4Attacks, atk_22_OneIdentityIsServedNoOftenerThanItsShareAndItsNeighbourIs) {
  const Hand flood{net, 66, place_of(66)};
  const Hand neighbour{net, 67, flood.at};
  flood.bond(node);
  neighbour.bond(node);
  net.run(seconds(10));
  constexpr auto kShare = static_cast<std::uint64_t>(filter::kIdentityRate.burst);
  constexpr std::uint64_t kPackets = kShare + 20;
  static_assert(kPackets < static_cast<std::uint64_t>(filter::kAddressRate.burst));
  const Bytes ping = packet_of(flood.ping_to(node), *key_of(flood.number));
  const std::size_t before = net.log.size();
  for (std::uint64_t i = 0; i < kPackets; ++i) net.deliver(flood.at, node, ping);
  EXPECT_EQ(node.counters().address_budget, 0U);
  EXPECT_EQ(node.counters().identity_budget, kPackets - kShare);
  EXPECT_EQ(net.log.size() - before, kShare) << "a PONG each";
  net.deliver(flood.at, node, packet_of(neighbour.ping_to(node), *key_of(neighbour.number)));
  EXPECT_EQ(net.log.size() - before, kShare + 1);
}

// Answers that nobody asked for cost no signature check.
TEST_F(Discv4Attacks, atk_22_UnsolicitedAnswersCostNoSignatureCheck) {
  const Hand hand{net, 9, place_of(9)};
  hand.send(node, Pong{.to = {}, .ping_hash = {}, .expiration = hand.soon()});
  hand.send(node, Neighbors{.nodes = {}, .expiration = hand.soon()});
  hand.send(node, EnrResponse{{}, record_of(9, hand.at)->record().encoded()});
  net.run(seconds(1));
  EXPECT_EQ(node.counters().unsolicited, 3U);
  EXPECT_EQ(node.counters().received[2] + node.counters().received[4] + node.counters().received[6],
            0U);
}

// --- 23: replays, expiration, clocks ---

TEST_F(Discv4Attacks, atk_23_AnswersThatComeAgainAreIgnored) {
  const Hand hand{net, 9, place_of(9)};
  const V4Node peer = node_of(9, hand.at);
  hand.bond(node);
  std::vector<Bytes> answers;
  net.on_box = [&](const Sent& sent) {
    if (sent.to != hand.at) return;
    Message answer = hand.pong_for(sent);
    const EnrPtr record = record_of(9, hand.at);
    Neighbors neighbors{.nodes = {}, .expiration = hand.soon()};
    const V4Node named = node_of(60, place_of(60));
    neighbors.nodes.push_back({named.at, named.key.xy()});
    if (sent.type() == PacketType::findnode) answer = neighbors;
    if (sent.type() == PacketType::enr_request) {
      answer = EnrResponse{sent.hash(), record->record().encoded()};
    }
    if (sent.type() == PacketType::pong) return;
    answers.push_back(packet_of(answer, *key_of(9)));
    net.send(hand.at, node.at, answers.back());
  };
  net.tell(node, [&](Engine& e) { return e.ping(net.now(), peer); });
  net.run(seconds(1));
  net.tell(node, [&](Engine& e) { return e.request_record(net.now(), peer); });
  net.run(seconds(1));
  net.tell(node, [&](Engine& e) { return e.find_node(net.now(), peer, KeyBytes{}); });
  net.run(seconds(1));
  ASSERT_EQ(answers.size(), 3U);
  ASSERT_EQ(node.told<NodesDone>().size(), 1U);
  const std::size_t events = node.events.size();
  const std::size_t sent = net.log.size();
  net.on_box = nullptr;
  for (const Bytes& answer : answers) net.deliver(hand.at, node, answer);
  EXPECT_EQ(node.counters().unsolicited, 3U);
  EXPECT_EQ(node.events.size(), events);
  EXPECT_EQ(net.log.size(), sent);
  // Also while another answer of the kind is awaited.
  net.tell(node, [&](Engine& e) { return e.find_node(net.now(), peer, KeyBytes{}); });
  net.deliver(hand.at, node, answers.back());
  EXPECT_EQ(node.counters().replayed, 1U);
  net.run(seconds(1));
  EXPECT_FALSE(node.told<NodesDone>().at(1).answered);
}

TEST_F(Discv4Attacks, atk_23_WhatHasExpiredIsIgnoredWhateverItIs) {
  const Hand hand{net, 9, place_of(9)};
  hand.bond(node);
  const std::size_t sent = net.log.size();
  const std::uint64_t past = net.now().wall.whole_seconds() - 11;
  hand.send(node, Ping{.from = {}, .to = {}, .expiration = past});
  hand.send(node, FindNode{KeyBytes{}, past});
  hand.send(node, EnrRequest{past});
  hand.send(node, Pong{.to = {}, .ping_hash = {}, .expiration = past});
  hand.send(node, Neighbors{.nodes = {}, .expiration = past});
  net.run(seconds(1));
  EXPECT_EQ(node.counters().refused(Discv4Error::expired), 5U);
  EXPECT_EQ(net.log.size(), sent);
}

// Peers whose clocks are ten seconds before or behind ours, and write what geth writes.
TEST_F(Discv4Attacks, atk_23_AClockThatIsTenSecondsOffIsNoObstacle) {
  for (const int skew : {-10, 10, -29}) {
    const Hand hand{net, 100 + static_cast<std::uint64_t>(skew + 50), place_of(90)};
    const auto their = [&] {
      return static_cast<std::uint64_t>(static_cast<std::int64_t>(hand.soon()) + skew);
    };
    Ping ping = hand.ping_to(node);
    ping.expiration = their();
    hand.send(node, ping);
    for (const Sent& sent : hand.answers()) {
      // Would the peer, by its clock, take ours?
      const UnixTime clock = net.now().wall + seconds(skew);
      EXPECT_FALSE(is_expired(expiration_of(sent.message()).value(), clock));
      Pong pong = hand.pong_for(sent);
      pong.expiration = their();
      hand.send(node, pong);
    }
    static_cast<void>(hand.answers());
    EXPECT_TRUE(node.engine.machine().is_proven(net.now(), id_of(hand.number), hand.at.ip));
  }
}

// --- 24: records ---

TEST_F(Discv4Attacks, atk_24_RecordsThatAreTooLargeForgedOldOrAnothersAreNotTaken) {
  const Hand hand{net, 9, place_of(9)};
  const V4Node peer = node_of(9, hand.at);
  Bytes record;
  net.on_box = [&](const Sent& sent) {
    if (sent.to != hand.at) return;
    if (sent.type() == PacketType::ping) hand.send(node, hand.pong_for(sent));
    if (sent.type() != PacketType::enr_request) return;
    net.send(hand.at, node.at,
             raw_packet(6, list_of([&](rlp::Writer& out) {
                          out.write_bytes(sent.hash().view());
                          out.write_raw(record);
                        }),
                        *key_of(9)));
  };
  const auto answer = [&](const Bytes& bytes) {
    record = bytes;
    net.tell(node, [&](Engine& e) { return e.request_record(net.now(), peer); });
    net.run(seconds(3));
    return node.told<RecordDone>().back().record;
  };
  const auto of_size = [&](std::size_t size, std::uint64_t seq) {
    for (std::size_t text = 1;; ++text) {
      EnrBuilder builder{seq};
      builder.ip(hand.at.ip).udp(hand.at.port).bytes("x", Bytes(text));
      const auto made = builder.sign(*key_of(9));
      if (made && made->record().encoded().size() == size)
        return to_bytes(made->record().encoded());
      CHECK(text < size);
    }
  };
  EXPECT_NE(answer(of_size(299, 1)), nullptr);
  EXPECT_NE(answer(of_size(300, 2)), nullptr);
  ASSERT_NE(node.table.find(peer.id), nullptr);
  EXPECT_EQ(node.table.find(peer.id)->record->seq(), 2U);
  EXPECT_NE(answer(of_size(200, 1)), nullptr);  // told to who asked, but not believed
  EXPECT_EQ(node.table.find(peer.id)->record->seq(), 2U);
  Bytes large = of_size(300, 3);
  large[1] = std::byte{1};
  large[2] = std::byte{0x2a};
  large.push_back(std::byte{0x80});
  EXPECT_EQ(large.size(), 301U);
  EXPECT_EQ(answer(large), nullptr);
  EXPECT_EQ(node.counters().refused(Discv4Error::record_too_large), 1U);
  Bytes forged = of_size(200, 4);
  forged.back() ^= std::byte{1};
  EXPECT_EQ(answer(forged), nullptr);
  EXPECT_EQ(answer(to_bytes(record_of(8, hand.at)->record().encoded())), nullptr);
  EXPECT_EQ(node.counters().bad_records, 2U);
  EXPECT_EQ(node.table.find(peer.id)->record->seq(), 2U);
}

// --- 26, 36, 38: what others name ---

// A peer that answers every FINDNODE with sixteen nodes that `name` makes up.
struct Liar {
  Liar(Net& net, NetNode& node_, std::function<Neighbor(std::uint64_t)> name_)
      : hand{net, 9, place_of(9)}, node{node_}, name{std::move(name_)} {
    hand.bond(node);
    net.on_box = [this](const Sent& sent) { on_packet(sent); };
  }
  void on_packet(const Sent& sent) {
    if (sent.to != hand.at) return;
    if (sent.type() == PacketType::ping) hand.send(node, hand.pong_for(sent));
    if (sent.type() != PacketType::findnode) return;
    for (int half = 0; half < 2; ++half) {
      Neighbors answer{.nodes = {}, .expiration = hand.soon()};
      for (int i = 0; i < 8; ++i) answer.nodes.push_back(name(named++));
      hand.send(node, answer);
    }
  }
  void ask() {
    hand.net.tell(node, [&](Engine& e) {
      return e.find_node(hand.net.now(), node_of(9, hand.at), KeyBytes{});
    });
    hand.net.run(seconds(1));
  }

  Hand hand;
  NetNode& node;
  std::function<Neighbor(std::uint64_t)> name;
  std::uint64_t named = 0;
};

Neighbor neighbor(std::uint64_t number, const Endpoint& at) {
  return {wire_place(at, at.port), key_of(number)->public_key().xy()};
}

TEST_F(Discv4Attacks, atk_26_NodesThatNobodySawAreNotRelayed) {
  Liar liar{net, node, [](std::uint64_t i) { return neighbor(1000 + i, place_of(1000 + i)); }};
  const V4Node boot = node_of(9, liar.hand.at);
  net.tell(node, [&](Engine& e) { e.bootstrap(net.now(), std::span{&boot, 1}); });
  for (std::uint64_t i = 0; i < count(10, 60); ++i) {
    net.tell(node, [&](Engine& e) { return e.start_random_lookup(net.now()); });
    net.run(seconds(30));
  }
  EXPECT_GE(liar.named, 160U);
  // Claims by record, too, as discv5 may bring them.
  for (std::uint64_t i = 0; i < count(100, 1000); ++i) {
    const Endpoint at = place_of(5000 + i);
    node.table.add(net.now(),
                   kbucket::NodeRecord::of(record_of(5000 + i, at), kbucket::RecordPort::udp),
                   Standing::claimed);
  }
  net.on_box = nullptr;
  static_cast<void>(liar.hand.answers());
  for (std::uint64_t target = 0; target < 20; ++target) {
    liar.hand.send(node, FindNode{key_of(target)->public_key().xy(), liar.hand.soon()});
    const auto answers = liar.hand.answers();
    ASSERT_THAT(types_of(answers), ElementsAre(PacketType::neighbors));
    EXPECT_THAT(std::get<Neighbors>(answers[0].message()).nodes.view(), IsEmpty());
    net.run(seconds(1));
  }
}

TEST_F(Discv4Attacks, atk_36_WhoseAddressOthersClaimStillEntersTheTable) {
  NetNode& victim = net.add(2);
  Liar liar{net, node, [&](std::uint64_t i) {
              return neighbor(1000 + i, {victim.at.ip, static_cast<std::uint16_t>(2000 + i)});
            }};
  for (int i = 0; i < 5; ++i) liar.ask();
  const V4Node boot = node_of(9, liar.hand.at);
  net.tell(node, [&](Engine& e) { e.bootstrap(net.now(), std::span{&boot, 1}); });
  net.tell(node, [&](Engine& e) { return e.start_random_lookup(net.now()); });
  net.run(seconds(20));
  net.tell(victim, [&](Engine& e) { return e.ping(net.now(), node.node()); });
  net.run(seconds(3));
  ASSERT_NE(node.table.find(victim.node().id), nullptr);
  EXPECT_TRUE(node.table.find(victim.node().id)->relayable());
}

TEST_F(Discv4Attacks, atk_36_FiftyNodesOnOneLoopbackAddressKnowEachOther) {
  const IpAddress loopback = IpAddress::loopback_v4();
  std::vector<NetNode*> nodes;
  for (std::uint16_t i = 0; i < 50; ++i) {
    nodes.push_back(&net.add(300 + i, {loopback, static_cast<std::uint16_t>(20'000 + i)}, true));
  }
  const V4Node boot = nodes[0]->node();
  for (NetNode* each : nodes) {
    net.tell(*each, [&](Engine& e) { e.bootstrap(net.now(), std::span{&boot, 1}); });
  }
  net.run(seconds(90));
  for (const NetNode* each : nodes) {
    EXPECT_GE(each->table.size(), 25U);
    EXPECT_EQ(each->table.broken(), "");
    EXPECT_EQ(each->counters().probes_refused, 0U);
    EXPECT_EQ(each->counters().address_budget, 0U);
  }
}

TEST_F(Discv4Attacks, atk_38_NodesNamedAtOneAddressAreKnockedForTwiceAMinute) {
  const Endpoint victim = place_of(77);
  Liar liar{net, node, [&](std::uint64_t i) {
              return neighbor(1000 + i, {victim.ip, static_cast<std::uint16_t>(2000 + i)});
            }};
  const V4Node boot = node_of(9, liar.hand.at);
  net.tell(node, [&](Engine& e) { e.bootstrap(net.now(), std::span{&boot, 1}); });
  constexpr int kMinutes = 5;
  for (int i = 0; i < kMinutes * 12; ++i) {
    net.tell(node, [&](Engine& e) { return e.start_random_lookup(net.now()); });
    net.run(seconds(5));
  }
  std::vector<Duration> knocks;
  for (const Sent& sent : net.log) {
    if (sent.to.ip == victim.ip) knocks.push_back(sent.when);
  }
  EXPECT_GE(knocks.size(), 4U);
  for (std::size_t i = 0; i + kbucket::kMaxProbesPerAddress < knocks.size(); ++i) {
    EXPECT_GE(knocks[i + kbucket::kMaxProbesPerAddress] - knocks[i], seconds(60));
  }
  EXPECT_GT(node.counters().probes_refused, 100U);
}

TEST_F(Discv4Attacks, atk_38_FromOutsideNobodyNamesOurLanOrLoopback) {
  const std::vector<Endpoint> inside{
      Endpoint::parse("127.0.0.1:2").value(), Endpoint::parse("192.168.1.1:2").value(),
      Endpoint::parse("224.0.0.1:2").value(), Endpoint::parse("[fe80::1]:2").value()};
  Liar liar{net, node,
            [&](std::uint64_t i) { return neighbor(1000 + i, inside[i % inside.size()]); }};
  liar.ask();
  EXPECT_EQ(node.counters().wrong_scope, 16U);
  EXPECT_THAT(node.told<NodesDone>().at(0).nodes, IsEmpty());
}

// --- 27: anything at all ---

TEST_F(Discv4Attacks, atk_27_RandomDatagramsGetNoAnswerAndAllocateNothing) {
  TestRng rng{2};
  Prng prng{3};
  Bytes datagram(1501);
  rng.fill(datagram);
  net.deliver(place_of(5), node, datagram);
  Engine& engine = node.engine.machine();
  const std::uint64_t datagrams = count(50'000, 10'000'000);
  const AllocationMeter meter;
  for (std::uint64_t i = 0; i < datagrams; ++i) {
    store_be<std::uint64_t>(MutByteView{datagram}.subspan(prng.below(60), 8), prng.next());
    const Datagram one{.local = node.at,
                       .remote = {IpAddress::loopback_v4(), 5},
                       .ecn = 0,
                       .bytes = ByteView{datagram}.first(prng.below(1501))};
    engine.handle_datagrams(net.now(), std::span{&one, 1});
  }
  EXPECT_EQ(meter.allocations(), 0U);
  EXPECT_THAT(net.log, IsEmpty());
  EXPECT_EQ(engine.held(), 0U);
  const Counters& counters = engine.counters();
  EXPECT_EQ(counters.refused(Discv4Error::packet_too_small) +
                counters.refused(Discv4Error::packet_too_large) +
                counters.refused(Discv4Error::bad_hash),
            datagrams + 1);
}

// Under a right hash and signature, any list: of any bytes, or that of a PING of which some are
// others. Each from an address and of an identity that nobody knows.
TEST_F(Discv4Attacks, atk_27_AnyListUnderARightSignatureIsAnsweredByAPingAtMost) {
  Prng prng{3};
  std::uint64_t pings = 0;
  for (std::uint64_t i = 0; i < count(3'000, 1'000'000); ++i) {
    const Endpoint from = place_of(1'000 + i);
    auto type = static_cast<std::uint8_t>(prng.below(9));
    Bytes list(prng.below(200));
    for (std::byte& b : list) b = static_cast<std::byte>(prng.next());
    if (!list.empty()) list[0] = static_cast<std::byte>(0xc0 + prng.below(64));
    if (i % 2 == 0) {
      const Hand hand{net, 2, from};
      list = packet_of(hand.ping_to(node), *key_of(2));
      list.erase(list.begin(), list.begin() + kHeaderBytes);
      for (std::uint64_t spoilt = prng.below(3); spoilt > 0; --spoilt) {
        list[prng.below(list.size())] = static_cast<std::byte>(prng.next());
      }
      append(list, Bytes(prng.below(60)));
      type = i % 16 == 0 ? type : 1;
    }
    const Bytes packet = raw_packet(type, list, *key_of(i % 40 + 2));
    net.log.clear();
    EXPECT_LE(bytes_caused(from, packet), packet.size()) << i;
    ASSERT_LE(net.log.size(), 1U) << i;
    for (const Sent& sent : net.log) {
      EXPECT_EQ(sent.type(), PacketType::ping) << i;
      EXPECT_EQ(sent.to, from) << i;
      ++pings;
    }
    net.run(milliseconds(1));
  }
  EXPECT_GT(pings, 500U) << "the attack was on";
}

// --- 37: where we are ---

TEST_F(Discv4Attacks, atk_37_NineLiarsOfThirtyAndAnyNumberOfStrangersDoNotMoveUs) {
  const Endpoint real = node.at;
  const Endpoint lie = place_of(200);
  net.on_box = [&](const Sent& sent) {
    if (sent.type() != PacketType::ping) return;
    const auto number = std::to_integer<std::uint64_t>(sent.to.ip.bytes()[2]);
    const Hand hand{net, number, sent.to};
    Pong pong = hand.pong_for(sent);
    pong.to = wire_place(number < 21 ? real : lie);
    hand.send(node, pong);
  };
  kbucket::IpVote vote;
  std::size_t voted = 0;
  std::size_t changes = 0;
  const auto count_votes = [&] {
    for (const SeenAs& seen : node.told<SeenAs>()) {
      if (!seen.we_chose) continue;  // whoever comes to us could come from anywhere
      ++voted;
      const auto changed = vote.on_vote(net.now(), seen.voter.ip, seen.seen);
      if (!changed) continue;
      ++changes;
      EXPECT_EQ(changed->endpoint, real);
    }
    node.events.clear();
  };
  for (std::uint64_t i = 0; i < 30; ++i) {
    net.tell(node, [&](Engine& e) { return e.ping(net.now(), node_of(i, place_of(i))); });
    net.run(milliseconds(700));
    count_votes();
  }
  for (std::uint64_t i = 31; i < 60; ++i) {
    const Hand stranger{net, i, place_of(i)};
    stranger.send(node, stranger.ping_to(node));
    net.run(milliseconds(700));
    count_votes();
  }
  EXPECT_GE(voted, 28U);
  EXPECT_EQ(changes, 1U);
  EXPECT_EQ(vote.current(kbucket::Scope::wan, false), real);
}

}  // namespace
}  // namespace ethnet::discv4
