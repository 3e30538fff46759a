#include "networks.hpp"

#include <algorithm>
#include <set>

#include <codec/testing/vectors.hpp>
#include <gtest/gtest.h>

#include "enode_url.hpp"
#include "enr.hpp"
#include "network_genesis.hpp"

namespace ethnet {
namespace {

using nlohmann::json;

TEST(Networks, TheForkIdsAreThoseThatOthersAnnounce) {
  ETHNET_NEED_VECTORS();
  const json file = testing::read_json("forkid/creation.json");
  std::size_t cases = 0;
  for (const json& test : file["cases"]) {
    SCOPED_TRACE(test.dump());
    const Network* network = find_network(test["network"].get<std::string>());
    ASSERT_NE(network, nullptr);
    const ForkId id = network->fork_schedule().fork_id(test["head"], test["time"]);
    EXPECT_EQ(to_hex_0x(id.hash), test["hash"].get<std::string>());
    EXPECT_EQ(std::to_string(id.next), test["next"].get<std::string>());
    ++cases;
  }
  for (const auto& [name, known] : file["networks"].items()) {
    const Network* network = find_network(name);
    ASSERT_NE(network, nullptr);
    EXPECT_EQ(network->chain_id, known["chain_id"].get<std::uint64_t>());
    EXPECT_EQ(network->genesis_hash_text, known["genesis_hash"].get<std::string>());
    EXPECT_EQ(network->genesis_time, known["genesis_timestamp"].get<std::uint64_t>());
  }
  testing::report_vectors("networks_forkid", cases);
}

// Computed by go-ethereum v1.17.8 (core/forkid with params.HoodiChainConfig).
TEST(Networks, HoodisForkIds) {
  const Network* hoodi = find_network("hoodi");
  ASSERT_NE(hoodi, nullptr);
  const ForkSchedule forks = hoodi->fork_schedule();
  const std::pair<std::uint64_t, std::string_view> known[] = {
      {1'742'212'800, "0xbef71d30/1742999832"}, {1'742'999'831, "0xbef71d30/1742999832"},
      {1'742'999'832, "0x0929e24e/1761677592"}, {1'761'677'592, "0xe7e0e7ff/1762365720"},
      {1'762'365'720, "0x3893353e/1762955544"}, {1'762'955'544, "0x23aa1351/0"},
      {2'000'000'000, "0x23aa1351/0"}};
  for (const auto& [time, id] : known) EXPECT_EQ(forks.fork_id(1, time).to_string(), id);
}

// The hash covers every field of the header; the forks of the rules are those of the fork ids.
TEST(Networks, TheGenesisHasTheHashAndTheForksOfItsNetwork) {
  for (const Network& network : networks()) {
    SCOPED_TRACE(network.name);
    const Genesis genesis = genesis_of(network);
    EXPECT_EQ(genesis.hash.hex(), network.genesis_hash_text);
    EXPECT_EQ(genesis.header.timestamp, network.genesis_time);
    EXPECT_EQ(genesis.config.chain_id, network.chain_id);
    EXPECT_EQ(genesis.fork_schedule().fork_blocks(), network.fork_schedule().fork_blocks());
    EXPECT_EQ(genesis.fork_schedule().fork_times(), network.fork_schedule().fork_times());
    const auto blobs = genesis.config.blob_schedule_at(1'790'000'000);
    EXPECT_EQ(blobs,
              (BlobSchedule{.target = 14, .max = 21, .base_fee_update_fraction = 11'684'671}));
  }
}

// discv5 has no other way in: it cannot begin with an enode URL.
TEST(Networks, EveryBootNodeWithARecordIsSignedByItAndSaysWhereItIs) {
  for (const Network& network : networks()) {
    SCOPED_TRACE(network.name);
    std::set<NodeId> ids;
    const auto judge = [&](std::string_view text) {
      const auto record = VerifiedEnr::parse(text);
      ASSERT_TRUE(record.has_value()) << text << record.error().message();
      EXPECT_EQ(record->record().text(), text);
      EXPECT_TRUE(record->record().endpoint_v4("udp").has_value()) << text;
      EXPECT_FALSE(record->record().malformed_port().has_value()) << text;
      EXPECT_TRUE(ids.insert(record->node_id()).second) << text;
    };
    std::size_t records = 0;
    for (const std::string_view node : network.boot_nodes) {
      if (!node.starts_with("enr:")) continue;
      judge(node);
      ++records;
    }
    EXPECT_EQ(records, 5U);
    std::ranges::for_each(network.discv5_boot_nodes, judge);
    EXPECT_EQ(network.discv5_boot_nodes.size(), 15U);
  }
}

TEST(Networks, EveryFactHasItsForm) {
  EXPECT_EQ(networks().size(), 3U);
  for (const Network& network : networks()) {
    SCOPED_TRACE(network.name);
    EXPECT_EQ(find_network(network.name), &network);
    EXPECT_EQ(network.genesis_hash().hex(), network.genesis_hash_text);
    EXPECT_EQ(network.fork_schedule().fork_blocks().size(), network.fork_blocks.size());
    EXPECT_EQ(network.fork_schedule().fork_times().size(), network.fork_times.size());
    EXPECT_FALSE(network.boot_nodes.empty());
    for (const std::string_view node : network.boot_nodes) {
      if (node.starts_with("enr:")) continue;
      const auto url = EnodeUrl::parse(node);
      ASSERT_TRUE(url.has_value()) << node;
      EXPECT_EQ(url->to_string(), node);
    }
    EXPECT_NE(network.dns_tree.find(std::string{"@all."} + std::string{network.name}),
              std::string_view::npos);
  }
  EXPECT_EQ(find_network("Mainnet"), nullptr);
  EXPECT_EQ(find_network(""), nullptr);
}

}  // namespace
}  // namespace ethnet
