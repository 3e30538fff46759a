// Whom a list in the DNS names is dialled, as far as it is of our chain, and no list has all dials.
#include <set>

#include <discovery/dns/testing/zone.hpp>
#include <gtest/gtest.h>

#include "testing/net.hpp"

namespace ethnet::node {
namespace {

using dns::testing::link_of;
using dns::testing::Zone;

// The record of a node of the net that answers.
VerifiedEnr record_of_box(Box& box) { return VerifiedEnr::decode(box.node->enr()).value(); }

// A record of our chain at an address where nobody is.
VerifiedEnr false_record(std::uint64_t number, const IpAddress& ip) {
  const Genesis genesis = chain::dev_genesis();
  return EnrBuilder{1}
      .ip(ip)
      .udp(9'003)
      .quic(9'001)
      .fork_id(genesis.fork_schedule().fork_id(0, genesis.header.timestamp))
      .sign(dns::testing::key_of(number))
      .value();
}

class DnsLists : public ::testing::Test {
 protected:
  static constexpr std::string_view kDomain = "nodes.example.org";

  NodeConfig listed() {
    NodeConfig config;
    config.dns_trees = {link_of(kDomain)};
    return config;
  }
  void publish(std::span<const VerifiedEnr> records,
               std::uint64_t publisher = dns::testing::kPublisher) {
    const auto tree = dns::make_tree(records, {}).value();
    zone_.publish(std::string{kDomain}, tree, 1, publisher);
  }
  // Answers what the node asks for, for so long.
  void run(Box& box, Duration time) {
    for (Duration passed; passed < time; passed = passed + milliseconds(100)) {
      for (const NodeEvent& event : std::exchange(box.events, {})) {
        if (std::holds_alternative<SessionUp>(event)) ++sessions_;
        const auto* const wanted = std::get_if<TextsWanted>(&event);
        if (wanted == nullptr) continue;
        ++questions_;
        const auto* const texts = zone_.find(wanted->name);
        box.pump->input(net_.now_of(box), [&](Node& n) {
          n.handle_texts(net_.now_of(box), wanted->question,
                         texts == nullptr ? TextsOutcome::none : TextsOutcome::found,
                         texts == nullptr ? std::span<const std::string>{} : *texts);
        });
      }
      net_.run(milliseconds(100));
    }
  }

  Net net_;
  Zone zone_;
  std::size_t sessions_ = 0;
  std::size_t questions_ = 0;
};

TEST_F(DnsLists, WhomAListNamesIsDialledAndWhoIsOfAnotherChainIsNot) {
  Box& named = net_.add(listed(), 1);
  Box& other = net_.add(listed(), 2, [] {
    Genesis genesis = chain::dev_genesis();
    genesis.header.gas_limit += 1;
    genesis.hash = genesis.header.hash();
    return genesis;
  }());
  const std::vector<VerifiedEnr> records{record_of_box(named), record_of_box(other)};
  publish(records);
  Box& box = net_.add(listed(), 3);
  run(box, seconds(20));
  EXPECT_EQ(sessions_, 1U);
  EXPECT_EQ(box.counter("peers.dials.dns"), 1U);
  EXPECT_GE(box.counter("dns.nodes_of_other_forks"), 1U);
  EXPECT_EQ(box.counter("dns.roots"), 1U);
}

// Whom others may be told of, as far as this one saw them.
std::vector<NodeId> seen_by(Box& box) {
  std::vector<NodeId> out;
  const auto& table = box.node->udp_discovery()->host().table();
  for (const auto& record : table.closest(NodeId{}, 16, false)) out.push_back(record->id());
  return out;
}

TEST_F(DnsLists, WhoeverSpeaksOneProtocolAloneGetsToKnowItsNetworkByAList) {
  for (const bool v5 : {true, false}) {
    SCOPED_TRACE(v5 ? "discv5" : "discv4");
    const unsigned first = v5 ? 1 : 11;
    const auto speaking = [&](unsigned host, bool reads) {
      NodeConfig config = reads ? listed() : NodeConfig{};
      config.udp_discovery = Net::discovery_of(host, !v5, v5);
      return config;
    };
    // No peer for us, and of use to find others all the same.
    Box& other = net_.add(speaking(first, false), first, [] {
      Genesis genesis = chain::dev_genesis();
      genesis.header.gas_limit += 1;
      genesis.hash = genesis.header.hash();
      return genesis;
    }());
    const std::vector<VerifiedEnr> records{record_of_box(other)};
    publish(records);
    Box& box = net_.add(speaking(first + 1, true), first + 1);
    run(box, seconds(60));
    EXPECT_EQ(seen_by(box), std::vector<NodeId>{record_of_box(other).node_id()});
    EXPECT_EQ(box.counter("peers.dials.dns"), 0U);
  }
}

TEST_F(DnsLists, WhatAListTellsOfIsAClaimAndNobodyIsToldOfIt) {
  NodeConfig config = listed();
  config.udp_discovery = Net::discovery_of(3, true, true);
  const auto records = dns::testing::records_of(8);
  publish(records);
  Box& box = net_.add(config, 3);
  run(box, seconds(10));
  const auto& table = box.node->udp_discovery()->host().table();
  EXPECT_GT(table.closest(NodeId{}, 16, true).size(), 0U);
  EXPECT_TRUE(table.closest(NodeId{}, 16, false).empty());
}

TEST_F(DnsLists, AListOfAnotherKeyNamesNobody) {
  Box& named = net_.add(listed(), 1);
  const std::vector<VerifiedEnr> records{record_of_box(named)};
  publish(records, dns::testing::kPublisher + 1);
  Box& box = net_.add(listed(), 3);
  run(box, seconds(20));
  EXPECT_EQ(sessions_, 0U);
  EXPECT_EQ(box.counter("dns.records"), 0U);
  EXPECT_GE(box.counter("dns.refused"), 1U);
  EXPECT_GE(box.log.count("A list of nodes in the DNS cannot be used"), 1U);
}

TEST_F(DnsLists, AListThatGoesBackIsRefusedAfterARestartToo) {
  Box& named = net_.add(listed(), 1);
  const std::vector<VerifiedEnr> records{record_of_box(named)};
  const auto tree = dns::make_tree(records, {}).value();
  zone_.publish(std::string{kDomain}, tree, 5);
  Box& first = net_.add(listed(), 3);
  run(first, seconds(20));
  ASSERT_EQ(first.counter("dns.roots"), 1U);
  zone_.publish(std::string{kDomain}, tree, 4);
  NodeConfig config = listed();
  config.known_lists = first.node->known_lists();
  Box& second = net_.add(config, 4);
  run(second, seconds(20));
  EXPECT_EQ(second.counter("dns.roots"), 0U);
  EXPECT_GE(second.log.count("A list of nodes in the DNS cannot be used"), 1U);
  EXPECT_EQ(second.node->known_lists(), config.known_lists) << "and in the run after that";
  // What was told last is taken again, and what is newer.
  zone_.publish(std::string{kDomain}, tree, 5);
  Box& third = net_.add(config, 5);
  run(third, seconds(20));
  EXPECT_EQ(third.counter("dns.roots"), 1U);
}

TEST_F(DnsLists, NumbersThatAreDamagedAreSaidAndForgotten) {
  zone_.publish(std::string{kDomain}, dns::make_tree({}, {}).value(), 1);
  NodeConfig config = listed();
  config.known_lists = Bytes(30, std::byte{'7'});
  Box& box = net_.add(config, 3);
  EXPECT_EQ(box.log.count("The numbers of lists in the DNS of the last run were not read"), 1U);
  run(box, seconds(20));
  EXPECT_EQ(box.counter("dns.roots"), 1U);
}

TEST_F(DnsLists, WithoutAnAnswerItIsAskedSeldom) {
  Box& box = net_.add(listed(), 3);
  run(box, seconds(600));
  EXPECT_GE(questions_, 2U);
  EXPECT_LE(questions_, 40U);
}

TEST_F(DnsLists, AddressesOfOtherNetworksThanAreAllowedAreNotDialled) {
  Box& named = net_.add(listed(), 1);
  const std::vector<VerifiedEnr> records{record_of_box(named),
                                         false_record(7, IpAddress::parse("60.1.1.1").value())};
  publish(records);
  NodeConfig config = listed();
  config.netrestrict = NetList::parse("10.0.0.0/8").value();
  Box& box = net_.add(config, 3);
  run(box, seconds(20));
  EXPECT_EQ(sessions_, 1U);
  EXPECT_EQ(box.counter("peers.dials.dns"), 1U);
  EXPECT_GE(box.counter("node.netrestrict_dials"), 1U);
  EXPECT_EQ(box.counter("node.netrestrict_datagrams_out"), 0U);
}

TEST_F(DnsLists, atk_38_AListDoesNotMakeUsKnockAtOurLanOrAtAGroupOfHosts) {
  std::vector<VerifiedEnr> records;
  std::uint64_t number = 7;
  for (const char* ip : {"192.168.1.1", "127.0.0.1", "224.0.0.251", "169.254.3.3", "60.1.1.1"}) {
    records.push_back(false_record(number++, IpAddress::parse(ip).value()));
  }
  publish(records);
  std::set<IpAddress> knocked;
  net_.elsewhere = [&](const Packet& packet, Now) {
    knocked.insert(packet.to.ip);
    return std::optional<Bytes>{};
  };
  const auto ip = [](const char* text) { return IpAddress::parse(text).value(); };
  // Discovery is told of them, too.
  const auto speaking = [&](unsigned host) {
    NodeConfig config = listed();
    config.udp_discovery = Net::discovery_of(host, true, true);
    return config;
  };
  net_.listens_everywhere = true;
  Box& everywhere = net_.add(speaking(3), 3);
  run(everywhere, seconds(40));
  EXPECT_EQ(knocked, (std::set<IpAddress>{ip("60.1.1.1")}));
  EXPECT_GE(everywhere.counter("dns.nodes_elsewhere"), 4U);
  // Where the operator has put us on a LAN alone, a list may name who is there, and no group still.
  knocked.clear();
  net_.listens_everywhere = false;
  Box& inside = net_.add(speaking(4), 4);
  run(inside, seconds(40));
  EXPECT_EQ(knocked, (std::set<IpAddress>{ip("192.168.1.1"), ip("169.254.3.3"), ip("60.1.1.1")}));
}

}  // namespace
}  // namespace ethnet::node
