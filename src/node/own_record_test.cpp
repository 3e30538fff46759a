// Our own record across restarts: the same number for the same content, a higher one for another,
// whatever the clock says; and that a file that is none changes nothing.
#include "own_record.hpp"

#include <gtest/gtest.h>

#include "testing/net.hpp"

namespace ethnet::node {
namespace {

using Code = OwnRecordError;

crypto::SecretKey key_of(std::uint8_t number) {
  return crypto::SecretKey::from_bytes(Bytes(32, std::byte{number})).value();
}
VerifiedEnr record(std::uint64_t seq, std::uint16_t port = 9, std::uint8_t key = 5) {
  return EnrBuilder{seq}.ip(IpAddress::loopback_v4()).quic(port).sign(key_of(key)).value();
}
Bytes bytes_of(std::string_view text) { return to_bytes(text_bytes(text)); }

TEST(OwnRecordFile, GivesWhatWasPutIn) {
  const VerifiedEnr told = record(7);
  const VerifiedEnr newest = record(9, 10);
  const auto one = decode_own_record(encode_own_record(told, told), told.node_id());
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one->told, told);
  EXPECT_EQ(one->newest, told);
  const auto two = decode_own_record(encode_own_record(told, newest), told.node_id());
  ASSERT_TRUE(two.has_value());
  EXPECT_EQ(two->told, told);
  EXPECT_EQ(two->newest, newest);
  EXPECT_LE(encode_own_record(told, newest).size(), kMaxOwnRecordFile);
}

TEST(OwnRecordFile, WhatIsDamagedOrAnothersIsRefused) {
  const VerifiedEnr told = record(7);
  const NodeId self = told.node_id();
  const Bytes good = encode_own_record(told, told);
  const std::string line = told->text() + "\n";
  EXPECT_TRUE(
      decode_own_record(good, make_node_id(key_of(6).public_key())).error().is(Code::foreign));
  EXPECT_TRUE(decode_own_record({}, self).error().is(Code::lines));
  EXPECT_TRUE(decode_own_record(bytes_of(told->text()), self).error().is(Code::lines)) << "cut";
  EXPECT_TRUE(decode_own_record(bytes_of(line + line + line), self).error().is(Code::lines));
  EXPECT_TRUE(decode_own_record(Bytes(kMaxOwnRecordFile + 1), self).error().is(Code::too_large));
  for (const std::uint64_t number : {std::uint64_t{0}, UINT64_MAX}) {
    const VerifiedEnr odd = record(number);
    const auto read = decode_own_record(encode_own_record(odd, odd), self);
    EXPECT_TRUE(read.error().is(Code::number)) << number;
  }
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= std::byte{1};
    EXPECT_FALSE(decode_own_record(bad, self).has_value()) << i;
  }
}

NodeConfig discovering(std::uint16_t port = 32'303) {
  NodeConfig config;
  config.udp_discovery.emplace().v5 = true;
  config.udp_discovery->listen = {{Net::address(1).ip, port}};
  return config;
}
VerifiedEnr told_by(const Box& box) { return VerifiedEnr::decode(box.node->enr()).value(); }

// A life that ends with this file.
Bytes life(NodeConfig config, Bytes before = {}) {
  Net net;
  config.own_record = std::move(before);
  Box& box = net.add(std::move(config), 1);
  net.run(seconds(60));
  return box.node->own_record();
}

TEST(OwnRecordAcrossLives, IsTheSameWhileItSaysTheSame) {
  NodeConfig lite;
  lite.discovery.emplace();
  NodeConfig given = discovering();
  given.discovery.emplace();
  given.udp_discovery->external = Endpoint::parse("60.1.1.1:40000").value();
  NodeConfig in_a_lan;  // which alone is told that address, in a record with a number of its own
  in_a_lan.discovery.emplace().external = Endpoint::parse("10.0.0.9:9001").value();
  for (NodeConfig config : {NodeConfig{}, lite, discovering(), given, in_a_lan}) {
    const Bytes first = life(config);
    const bool has_two = std::ranges::count(first, std::byte{'\n'}) == 2;
    EXPECT_EQ(has_two, config.discovery && config.discovery->external.has_value());
    config.own_record = first;
    Net net;
    Box& box = net.add(config, 1);
    const VerifiedEnr begun = told_by(box);
    // A clock that has gone on is no reason for another number.
    net.run(seconds(500));
    EXPECT_EQ(told_by(box), begun);
    EXPECT_EQ(box.node->own_record(), first);
    EXPECT_EQ(decode_own_record(first, begun.node_id())->told, begun);
    if (!config.udp_discovery) continue;
    const auto& host = box.node->udp_discovery()->host();
    EXPECT_EQ(host.local_record()->record(), begun.record());
  }
}

TEST(OwnRecordAcrossLives, ThatSaysAnotherThingHasTheNextNumberThoughTheClockWasSetBack) {
  Net net;
  Box& box = net.add(discovering(), 1);
  const std::uint64_t first = told_by(box)->seq();
  net.run(seconds(1'000));
  box.pump->input(net.now_of(box), [&](Node& n) {
    n.set_external(net.now_of(box), Endpoint::parse("60.1.1.1:40000").value(), 40'001);
  });
  const std::uint64_t last = told_by(box)->seq();
  ASSERT_GE(last, first + 1'000) << "as the clock has it";
  // A machine whose clock is where it was at the beginning, and whose mapping is gone.
  Net later;
  NodeConfig config = discovering();
  config.own_record = box.node->own_record();
  Box& again = later.add(config, 1);
  EXPECT_EQ(told_by(again)->seq(), last + 1);
  EXPECT_EQ(told_by(again)->udp(), 32'303);
  // And each change in this life is above it as well.
  again.pump->input(later.now_of(again), [&](Node& n) {
    n.set_external(later.now_of(again), Endpoint::parse("60.1.1.1:40000").value(), 40'001);
  });
  EXPECT_EQ(told_by(again)->seq(), last + 2);
  const Bytes moved = life(discovering(32'304), again.node->own_record());
  EXPECT_EQ(decode_own_record(moved, again.node->id())->told->seq(), last + 3);
}

TEST(OwnRecordAcrossLives, WithoutAFileOrWithAForeignOneTheClockGivesTheNumber) {
  const Bytes own = life(discovering());
  const std::uint64_t number = VerifiedEnr::parse(std::string_view{[&] {
                                 std::string text;
                                 for (const std::byte b : own) text.push_back(static_cast<char>(b));
                                 return text.substr(0, text.find('\n'));
                               }()})
                                   .value()
                                   ->seq();
  for (const Bytes& file :
       {encode_own_record(record(1'000'000), record(1'000'000)), Bytes(20, std::byte{'x'})}) {
    Net net;
    NodeConfig config = discovering();
    config.own_record = file;
    Box& box = net.add(config, 1);
    EXPECT_EQ(box.log.count("Our record of the last run was not read"), 1U);
    EXPECT_EQ(told_by(box)->seq(), number);
  }
}

}  // namespace
}  // namespace ethnet::node
