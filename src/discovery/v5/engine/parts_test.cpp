// Answers of many messages, places for TALKREQ, and when our record gets a higher number.
#include <gtest/gtest.h>

#include "../testing/engine_rig.hpp"
#include "local_record.hpp"
#include "nodes_answer.hpp"
#include "talk_slots.hpp"

namespace ethnet::discv5 {
namespace {

using namespace testing;

// An RLP list of so many bytes.
Bytes record_of_size(std::size_t size, std::uint8_t mark) {
  Bytes out(size, static_cast<std::byte>(mark));
  out[0] = std::byte{0xf9};
  store_be<std::uint16_t>(MutByteView{out}.subspan(1, 2), static_cast<std::uint16_t>(size - 3));
  return out;
}
Nodes nodes_message(std::uint64_t total, std::initializer_list<ByteView> records) {
  Nodes out{.request_id = RequestId::of(1), .total = total, .records = {}};
  for (const ByteView record : records) out.records.push_back(record);
  return out;
}

TEST(PackNodes, EachMessageFitsIntoAPacketAndSaysHowManyThereAre) {
  for (const std::size_t size : {120U, 200U, 299U, 300U}) {
    std::vector<Bytes> records;
    for (std::uint8_t i = 0; i < 16; ++i) records.push_back(record_of_size(size, i));
    const std::vector<ByteView> views(records.begin(), records.end());
    const auto messages = pack_nodes(RequestId::of(1), views);
    ASSERT_GE(messages.size(), 1U);
    ASSERT_LE(messages.size(), kMaxNodesTotal);
    std::size_t count = 0;
    for (const Nodes& message : messages) {
      EXPECT_EQ(message.total, messages.size());
      EXPECT_LE(encoded_size(message), kPlainRoom);
      EXPECT_GT(message.records.view().size(), 0U);
      for (const ByteView record : message.records.view()) {
        EXPECT_TRUE(equal(record, records.at(count++)));
      }
    }
    EXPECT_EQ(count, size < 299 ? 16U : 15U) << "five messages of three are the most";
  }
}

TEST(PackNodes, NothingToSayIsOneEmptyMessage) {
  const auto messages = pack_nodes(RequestId::of(1), {});
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].total, 1U);
  EXPECT_TRUE(messages[0].records.view().empty());
}

TEST(NodesAnswer, IsCompleteWhenAllOfItsMessagesCame) {
  const Bytes a = record_of_size(100, 1);
  const Bytes b = record_of_size(100, 2);
  NodesAnswer answer;
  EXPECT_TRUE(answer.empty());
  EXPECT_EQ(answer.add(nodes_message(2, {a})), NodesVerdict::more);
  EXPECT_EQ(answer.add(nodes_message(3, {b})), NodesVerdict::other_total);
  EXPECT_EQ(answer.add(nodes_message(2, {a, b})), NodesVerdict::repeated);
  EXPECT_EQ(answer.add(nodes_message(2, {b})), NodesVerdict::complete);
  EXPECT_EQ(answer.records(), (std::vector{a, b}));
  EXPECT_FALSE(answer.full());
}

// ChainSafe's discv5 puts three records into a message whatever their size: six for sixteen.
TEST(NodesAnswer, OfMoreThanFiveMessagesFiveAreTheAnswer) {
  for (const std::uint64_t total : {std::uint64_t{6}, std::uint64_t{255}, UINT64_MAX}) {
    NodesAnswer answer;
    for (std::uint8_t m = 1; m <= kMaxNodesTotal; ++m) {
      const Bytes record = record_of_size(100, m);
      EXPECT_EQ(answer.add(nodes_message(total, {record})),
                m < kMaxNodesTotal ? NodesVerdict::more : NodesVerdict::complete);
    }
    EXPECT_TRUE(answer.full());
  }
}

TEST(NodesAnswer, KeepsNoMoreThanSixteenRecords) {
  NodesAnswer answer;
  for (std::uint8_t m = 0; m < 5; ++m) {
    Nodes message = nodes_message(5, {});
    std::vector<Bytes> records;
    for (std::uint8_t i = 0; i < 10; ++i) {
      records.push_back(record_of_size(100, static_cast<std::uint8_t>(m * 10 + i)));
    }
    for (const Bytes& record : records) message.records.push_back(record);
    EXPECT_EQ(answer.add(message), m < 4 ? NodesVerdict::more : NodesVerdict::complete);
  }
  EXPECT_EQ(answer.records().size(), kMaxAnswerRecords);
  EXPECT_EQ(answer.left_out(), 34U);
  EXPECT_TRUE(answer.full());
}

TEST(TalkSlots, EveryRequestIsServedDroppedOrLeftUnanswered) {
  TalkSlots slots{3};
  const auto take = [&](std::uint64_t node, Duration when) {
    return slots.take(at(when), {id_of(node), place_of(node)}, {}, RequestId::of(node));
  };
  const auto first = take(1, seconds(0));
  const auto second = take(2, milliseconds(100));
  const auto third = take(3, milliseconds(200));
  ASSERT_TRUE(first && second && third);
  EXPECT_FALSE(take(4, milliseconds(300)).has_value());
  ASSERT_NE(slots.find(*second), nullptr);
  EXPECT_EQ(slots.find(*second)->from.id, id_of(2));
  slots.serve(*second);
  EXPECT_EQ(slots.find(*second), nullptr);
  EXPECT_EQ(slots.next_deadline(), at(kTalkLifetime).mono);
  EXPECT_TRUE(take(4, milliseconds(400)).has_value());
  slots.expire(at(kTalkLifetime));
  EXPECT_EQ(slots.find(*first), nullptr);
  EXPECT_NE(slots.find(*third), nullptr);
  slots.expire(at(seconds(2)));
  const TalkCounters& counters = slots.counters();
  EXPECT_EQ(slots.size(), 0U);
  EXPECT_TRUE(slots.next_deadline().is_never());
  EXPECT_EQ(counters.requests, 5U);
  EXPECT_EQ(counters.served, 1U);
  EXPECT_EQ(counters.dropped, 1U);
  EXPECT_EQ(counters.unanswered, 3U);
}

TEST(TalkSlots, OnePeerDoesNotHaveThemAll) {
  TalkSlots slots{kMaxTalkSlotsPerPeer + 1};
  const auto take = [&](std::uint64_t node) {
    return slots.take(at(seconds(0)), {id_of(node), place_of(node)}, {}, RequestId::of(1));
  };
  for (std::size_t i = 0; i < kMaxTalkSlotsPerPeer; ++i) ASSERT_TRUE(take(1).has_value());
  EXPECT_FALSE(take(1).has_value());
  EXPECT_TRUE(take(2).has_value());
}

TEST(LocalRecord, GetsAHigherNumberWhenItSaysSomethingElse) {
  const EnrPtr current = record_of(1, 7);
  EXPECT_EQ(record_at(*current, *key_of(1), place_of(1)), nullptr);
  const auto moved = record_at(*current, *key_of(1), place_of(2, 9100));
  ASSERT_NE(moved, nullptr);
  EXPECT_EQ(moved->record().seq(), 8U);
  EXPECT_EQ(moved->node_id(), current->node_id());
  EXPECT_EQ(moved->record().endpoint_v4("udp"), place_of(2, 9100));
  EXPECT_FALSE(says_the_same(moved->record(), current->record()));
  EXPECT_TRUE(says_the_same(record_of(1, 9)->record(), current->record()));
  const Endpoint v6 = Endpoint::parse("[2a00::1]:9000").value();
  const auto both = record_at(*current, *key_of(1), v6);
  ASSERT_NE(both, nullptr);
  EXPECT_EQ(both->record().endpoint_v4("udp"), place_of(1)) << "IPv4 stays as it is";
  EXPECT_EQ(both->record().endpoint_v6("udp"), v6);
}

TEST(LocalRecord, NamesAsMuchOfTheWorldAsItsWidestAddressDoes) {
  const auto of = [](std::vector<std::string_view> addresses) {
    EnrBuilder builder{1};
    for (const std::string_view ip : addresses) builder.ip(IpAddress::parse(ip).value());
    return scope_named(builder.sign(*key_of(1))->record());
  };
  EXPECT_EQ(of({}), kbucket::Scope::special);
  EXPECT_EQ(of({"127.0.0.1"}), kbucket::Scope::loopback);
  EXPECT_EQ(of({"10.0.0.1", "::1"}), kbucket::Scope::lan);
  EXPECT_EQ(of({"10.0.0.1", "2a00::1"}), kbucket::Scope::wan);
}

TEST(LocalRecord, LosesAnAddressThatItNames) {
  const EnrPtr current = record_of(1, 7);
  const auto without = record_without(*current, *key_of(1), false);
  ASSERT_NE(without, nullptr);
  EXPECT_EQ(without->record().seq(), 8U);
  EXPECT_EQ(without->record().endpoint_v4("udp"), std::nullopt);
  EXPECT_EQ(record_without(*current, *key_of(1), true), nullptr) << "it names none of IPv6";
}

}  // namespace
}  // namespace ethnet::discv5
