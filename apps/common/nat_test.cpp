// What --nat, --netrestrict, --network and --discovery.dns say, as far as it needs no socket.
#include <string>
#include <vector>

#include <apps/common/nat.hpp>
#include <apps/common/network_choice.hpp>
#include <apps/common/node_config.hpp>
#include <apps/common/testing/refusal.hpp>
#include <gtest/gtest.h>
#include <types/networks.hpp>

namespace ethnet::app {
namespace {

TEST(Nat, SaysWhoKnowsOurAddress) {
  EXPECT_EQ(std::get<NatAny>(parse_nat("any")).pmp.gateway, std::nullopt);
  EXPECT_EQ(std::get<NatAny>(parse_nat("any:192.168.1.1")).pmp.gateway->to_string(),
            "192.168.1.1:5351");
  EXPECT_TRUE(std::holds_alternative<NatByPeers>(parse_nat(NodeOptions{}.nat)))
      << "nobody is asked unless the operator says so";
  EXPECT_TRUE(std::holds_alternative<NatByPeers>(parse_nat("none")));
  EXPECT_EQ(std::get<IpAddress>(parse_nat("extip:192.0.2.1")).to_string(), "192.0.2.1");
  EXPECT_EQ(std::get<IpAddress>(parse_nat("extip:2001:db8::1")).to_string(), "2001:db8::1");
  const auto by_name = std::get<NatStun>(parse_nat("stun:stun.example.org:3478"));
  EXPECT_EQ(by_name.host + " " + std::to_string(by_name.port), "stun.example.org 3478");
  const auto by_v6 = std::get<NatStun>(parse_nat("stun:[::1]:3478"));
  EXPECT_EQ(by_v6.host + " " + std::to_string(by_v6.port), "::1 3478");
  EXPECT_EQ(std::get<NatPmp>(parse_nat("pmp")).gateway, std::nullopt);
  EXPECT_EQ(std::get<NatPmp>(parse_nat("pmp:192.168.1.1")).gateway->to_string(),
            "192.168.1.1:5351");
  EXPECT_EQ(std::get<NatPmp>(parse_nat("pmp:127.0.0.1:9")).gateway->to_string(), "127.0.0.1:9");
  EXPECT_EQ(std::get<NatUpnp>(parse_nat("upnp")).description, "");
  EXPECT_EQ(std::get<NatUpnp>(parse_nat("upnp:http://192.168.1.1:5000/igd.xml")).description,
            "http://192.168.1.1:5000/igd.xml");
}

TEST(Nat, WhatIsNoneSaysWhy) {
  const auto why = [](const std::string& text) { return refusal([&] { (void)parse_nat(text); }); };
  EXPECT_EQ(why(""),
            "'': expected any[:IP[:PORT]], none, extip:IP, stun:HOST:PORT, pmp[:IP[:PORT]] or "
            "upnp[:URL]");
  for (const std::string text : {"upnp:", "upnp:http://", "upnp:192.168.1.1", "upnp:https://a/"}) {
    EXPECT_EQ(why(text), "'" + text + "': expected upnp or upnp:http://HOST:PORT/PATH");
  }
  EXPECT_EQ(why("extip:0.0.0.0"), "'extip:0.0.0.0' is no address");
  EXPECT_EQ(why("extip:here"), "'extip:here': not an IP address");
  for (const std::string text : {"stun:", "stun:host", "stun:host:", "stun:host:0", "stun::3478",
                                 "stun:host:70000", "stun:host:3478x", "stun:::1:3478"}) {
    EXPECT_EQ(why(text), "'" + text + "': expected stun:HOST:PORT");
  }
  EXPECT_EQ(why("any:host"), "'any:host': expected any, any:IP or any:IP:PORT, IPv4");
  for (const std::string text : {"pmp:", "pmp:host", "pmp:1.2.3.4:0", "pmp:[::1]:5351"}) {
    EXPECT_EQ(why(text), "'" + text + "': expected pmp, pmp:IP or pmp:IP:PORT, IPv4");
  }
}

TEST(Nat, AnotherAddressOfAServerIsTriedBeforeTheOneThatWasAsked) {
  const auto ip = [](std::string_view text) { return IpAddress::parse(text).value(); };
  const std::vector<IpAddress> three{ip("60.1.1.1"), ip("60.1.1.2"), ip("2a00::1")};
  EXPECT_EQ(servers_to_try(three, std::nullopt), three);
  EXPECT_EQ(servers_to_try(three, ip("60.1.1.1")),
            (std::vector{ip("60.1.1.2"), ip("2a00::1"), ip("60.1.1.1")}));
  EXPECT_EQ(servers_to_try(three, ip("2a00::1")), three);
  EXPECT_EQ(servers_to_try(three, ip("60.1.1.9")), three) << "the name has it no more";
  EXPECT_TRUE(servers_to_try({}, ip("60.1.1.9")).empty());
}

TEST(Nat, TheDefaultGatewayIsThatOfTheKernelsTable) {
  const std::string heads = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n";
  EXPECT_EQ(default_gateway(heads + "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n"
                                    "eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\n")
                ->to_string(),
            "192.168.1.1");
  EXPECT_EQ(default_gateway(heads + "tun0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000080\n" +
                            "eth1\t00000000\t0103A8C0\t0003\t0\t0\t600\t00000000\n" +
                            "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\n")
                ->to_string(),
            "192.168.1.1")
      << "neither half of the Internet by a tunnel, nor the dearer way";
  EXPECT_EQ(default_gateway(""), std::nullopt);
  EXPECT_EQ(default_gateway(heads), std::nullopt);
  EXPECT_EQ(default_gateway(heads + "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\n"),
            std::nullopt);
  EXPECT_EQ(default_gateway(heads + "eth0\t00000000\t0101A8\n"), std::nullopt);
  EXPECT_EQ(default_gateway(heads + "eth0\t00000000\t0101A8XX\t3\n"), std::nullopt);
}

TEST(AllowedNetworks, NameTheItemThatIsWrong) {
  EXPECT_EQ(allowed_networks("10.0.0.0/8, fd00::/8").to_string(), "10.0.0.0/8,fd00::/8");
  EXPECT_EQ(refusal([] { (void)allowed_networks("10.0.0.0/8, 10.0.0.1 ,::/0"); }),
            "'10.0.0.1': a network is ADDRESS/BITS");
}

NodeOptions of(const std::string& network) {
  NodeOptions options;
  options.network = network;
  return options;
}

TEST(NetworkChoice, StandsForAChainItsBootNodesAndItsList) {
  for (const Network& network : networks()) {
    NodeOptions options = of(std::string{network.name});
    apply_network(options, {});
    const node::NodeConfig config = make_config(options, choose_genesis(options));
    EXPECT_EQ(config.genesis.hash, network.genesis_hash());
    ASSERT_TRUE(config.udp_discovery);
    EXPECT_TRUE(config.udp_discovery->v4 && config.udp_discovery->v5);
    EXPECT_EQ(config.udp_discovery->boot_nodes.size() + config.udp_discovery->boot_records.size(),
              network.boot_nodes.size() + network.discv5_boot_nodes.size());
    EXPECT_FALSE(config.udp_discovery->boot_nodes.empty());
    ASSERT_EQ(config.dns_trees.size(), 1U);
    EXPECT_EQ(config.dns_trees[0].text(), network.dns_tree);
    EXPECT_TRUE(config.peers.empty()) << "who does not speak QUIC is no peer to keep";
  }
}

TEST(NetworkChoice, EachProtocolAloneHasSomebodyToBeginWith) {
  for (const Network& network : networks()) {
    for (const bool v5 : {true, false}) {
      NodeOptions options = of(std::string{network.name});
      options.discovery_v5 = v5;
      options.discovery_v4 = !v5;
      apply_network(options, {.v4 = true, .v5 = true});
      const node::NodeConfig config = make_config(options, choose_genesis(options));
      ASSERT_TRUE(config.udp_discovery);
      EXPECT_EQ(config.udp_discovery->v5, v5);
      const std::size_t of_discv5 = v5 ? network.discv5_boot_nodes.size() : 0;
      EXPECT_EQ(config.udp_discovery->boot_records.size(), 5 + of_discv5);
      EXPECT_EQ(config.udp_discovery->boot_nodes.size(), network.boot_nodes.size() - 5);
    }
  }
}

TEST(NetworkChoice, GivesWayToWhatIsSaidEvenIfThatIsNothing) {
  NodeOptions options = of("sepolia");
  options.peers = {""};
  options.dns_trees = {""};
  options.discovery_v5 = true;
  apply_network(options, {.boot_nodes = true, .dns = true, .v4 = true, .v5 = true});
  const node::NodeConfig config = make_config(options, choose_genesis(options));
  ASSERT_TRUE(config.udp_discovery);
  EXPECT_FALSE(config.udp_discovery->v4);
  EXPECT_TRUE(config.udp_discovery->v5);
  EXPECT_TRUE(config.udp_discovery->boot_nodes.empty());
  EXPECT_TRUE(config.udp_discovery->boot_records.empty());
  EXPECT_TRUE(config.dns_trees.empty());
  EXPECT_TRUE(config.peers.empty());
}

TEST(NetworkChoice, WithoutDiscoveryOnlyWhatIsAskedForByNameIsDiscovered) {
  NodeOptions silent = of("hoodi");
  silent.no_discovery = true;
  apply_network(silent, {});
  const node::NodeConfig none = make_config(silent, choose_genesis(silent));
  EXPECT_EQ(none.genesis.hash, find_network("hoodi")->genesis_hash());
  EXPECT_FALSE(none.discovery);
  EXPECT_FALSE(none.udp_discovery);
  EXPECT_TRUE(none.dns_trees.empty());
  NodeOptions by_name = of("hoodi");
  by_name.no_discovery = true;
  by_name.discovery_v5 = true;
  by_name.discovery_port = 9'000;
  apply_network(by_name, {.v5 = true, .discovery_port = true});
  const node::NodeConfig v5 = make_config(by_name, choose_genesis(by_name));
  EXPECT_FALSE(v5.discovery);
  ASSERT_TRUE(v5.udp_discovery);
  EXPECT_TRUE(v5.udp_discovery->v5 && !v5.udp_discovery->v4);
  EXPECT_TRUE(v5.dns_trees.empty());
}

TEST(NetworkChoice, HowToDiscoverContradictsNoDiscovery) {
  NodeOptions options;
  options.no_discovery = true;
  EXPECT_EQ(
      refusal([&] { apply_network(options, {.discovery_port = true}); }),
      "--nodiscover: --discovery.port is for --discovery.v5 or --discovery.v4, and neither is "
      "asked for");
}

TEST(NetworkChoice, WithoutANetworkNothingIsFilledIn) {
  NodeOptions options;
  apply_network(options, {});
  const node::NodeConfig config = make_config(options, choose_genesis(options));
  EXPECT_FALSE(config.udp_discovery);
  EXPECT_TRUE(config.dns_trees.empty());
  EXPECT_EQ(config.genesis.config.chain_id, 1'337U);
}

TEST(NetworkChoice, WhatContradictsItIsRefused) {
  NodeOptions with_genesis = of("hoodi");
  with_genesis.genesis = "genesis.json";
  EXPECT_EQ(refusal([&] { apply_network(with_genesis, {}); }),
            "--network hoodi: it has a genesis, and --genesis names another");
  NodeOptions producing = of("hoodi");
  producing.produce = true;
  EXPECT_EQ(refusal([&] { apply_network(producing, {}); }),
            "--network hoodi: its headers are not made by whoever likes: no --produce");
}

TEST(DnsTrees, AreAtMostSixteenAndHaveTheForm) {
  NodeOptions options;
  const std::string url = "enrtree://AKA3AM6LPBYEUDMVNU3BSVQJ5AD45Y7YPOHJLEF6W26QOE4VTUDPE@n";
  for (int i = 0; i < 17; ++i) options.dns_trees.push_back(url + std::to_string(i) + ".example");
  EXPECT_EQ(refusal([&] { (void)make_config(options, choose_genesis(options)); }),
            "more than 16 lists in the DNS");
  EXPECT_NE(refusal([] { (void)check_dns_tree("enrtree://nodes.example"); }), "(not refused)");
  EXPECT_EQ(refusal([] { (void)check_dns_server("127.0.0.1"); }),
            "'127.0.0.1': expected ADDRESS:PORT");
}

}  // namespace
}  // namespace ethnet::app
