// Both genesis files of the test chains; each fault by its path.
#include "genesis.hpp"

#include <codec/testing/vectors.hpp>
#include <gtest/gtest.h>

#include "chain_file.hpp"

namespace ethnet {
namespace {

using nlohmann::json;

Genesis check_chain(const std::string& folder) {
  const auto genesis = read_genesis(testing::read_text(folder + "/genesis.json"));
  EXPECT_TRUE(genesis.has_value()) << genesis.error().message();
  const Bytes file = testing::read_bytes(folder + "/chain.rlp");
  ChainFileReader blocks{file};
  const Header first = Header::decode(blocks.next().value().header).value();
  EXPECT_EQ(genesis->hash, first.parent_hash);
  EXPECT_EQ(Header::decode(genesis->header.encode()), genesis->header);
  testing::report_vectors("genesis_" + folder, 1);
  return *genesis;
}

TEST(GenesisVectors, ChainBeginsAtItsGenesis) {
  ETHNET_NEED_VECTORS();
  const Genesis genesis = check_chain("chain");
  EXPECT_EQ(genesis.config.chain_id, 3503995874084926U);
  EXPECT_EQ(genesis.accounts, 27U);
  EXPECT_EQ(genesis.config.terminal_total_difficulty, Uint256{131072});
  EXPECT_EQ(genesis.config.active_fork(0, 0), Fork::shanghai);
  EXPECT_EQ(genesis.config.active_fork(600, 6000), Fork::prague);
  EXPECT_EQ(genesis.config.blob_schedule_at(120), (BlobSchedule{6, 9, 5'007'716}));
  EXPECT_EQ(genesis.fork_schedule().fork_times(), (std::vector<std::uint64_t>{60, 120}));
}

TEST(GenesisVectors, AmsterdamChainBeginsAtItsGenesis) {
  ETHNET_NEED_VECTORS();
  const Genesis genesis = check_chain("chain_amsterdam");
  EXPECT_EQ(genesis.config.active_fork(36, 360), Fork::amsterdam);
  EXPECT_EQ(genesis.config.blob_schedule_at(360), (BlobSchedule{14, 21, 11'684'671}));
  EXPECT_EQ(genesis.fork_schedule().fork_times(),
            (std::vector<std::uint64_t>{60, 120, 180, 240, 300, 360}));
}

// Every header of the chain has the fields of the fork that its genesis file gives it.
TEST(GenesisVectors, ForksExplainTheFieldsOfEveryHeader) {
  ETHNET_NEED_VECTORS();
  for (const std::string folder : {"chain", "chain_amsterdam"}) {
    const Genesis genesis = read_genesis(testing::read_text(folder + "/genesis.json")).value();
    const Bytes file = testing::read_bytes(folder + "/chain.rlp");
    for (ChainFileReader blocks{file}; !blocks.at_end();) {
      const Header header = Header::decode(blocks.next().value().header).value();
      const Fork fork = genesis.config.active_fork(header.number, header.timestamp);
      EXPECT_EQ(header.withdrawals_root.has_value(), fork >= Fork::shanghai) << header.number;
      EXPECT_EQ(header.blob_gas_used.has_value(), fork >= Fork::cancun) << header.number;
      EXPECT_EQ(header.requests_hash.has_value(), fork >= Fork::prague) << header.number;
      EXPECT_EQ(header.slot_number.has_value(), fork >= Fork::amsterdam) << header.number;
    }
  }
}

// --- without vectors ------------------------------------------------------------------------

json small_genesis() {
  return json::parse(R"({
    "config": {"chainId": 7, "homesteadBlock": 0},
    "gasLimit": "0x1388", "difficulty": 17,
    "alloc": {"0x00000000000000000000000000000000000000aa": {"balance": "1"}}
  })");
}

std::string fault_of(const json& file) {
  const auto genesis = read_genesis(file.dump());
  return genesis ? "accepted" : genesis.error().message();
}
// The fault after one change: a JSON pointer and what to put there.
std::string fault_with(const std::string& pointer, const json& value) {
  json file = small_genesis();
  file[json::json_pointer(pointer)] = value;
  return fault_of(file);
}

json all_forks_until_london() {
  json config = {{"chainId", 1}};
  for (const char* fork : {"homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople",
                           "petersburg", "istanbul", "berlin", "london"}) {
    config[std::string{fork} + "Block"] = 0;
  }
  return config;
}

TEST(Genesis, EachFaultNamesItsPath) {
  EXPECT_EQ(fault_of(small_genesis()), "accepted");
  EXPECT_EQ(read_genesis("{").error().message(), "genesis: not JSON at byte 2");
  EXPECT_EQ(read_genesis("").error().message(), "genesis: not JSON at byte 1");
  EXPECT_EQ(read_genesis("{} {}").error().message(), "genesis: not JSON at byte 4");
  EXPECT_EQ(read_genesis("{\"a\": \"\xff\"}").error().message(), "genesis: not JSON at byte 8");
  EXPECT_EQ(read_genesis("[]").error().message(), "genesis: expected an object");
  EXPECT_EQ(fault_with("/config", nullptr), "genesis: config: missing");
  EXPECT_EQ(fault_with("/config", 5), "genesis: config: expected an object");
  EXPECT_EQ(fault_with("/config/chainId", -1), "genesis: config.chainId: expected a number");
  EXPECT_EQ(fault_with("/config/chainId", "0x10000000000000000"),
            "genesis: config.chainId: above 64 bits");
  EXPECT_EQ(fault_with("/config/homesteadBlock", "soon"),
            "genesis: config.homesteadBlock: not a number of 256 bits");
  EXPECT_EQ(fault_with("/config/verkleTime", 5),
            "genesis: config.verkleTime: a fork that this program does not know");
  EXPECT_EQ(fault_with("/gasLimit", nullptr), "genesis: gasLimit: missing");
  EXPECT_EQ(fault_with("/difficulty", nullptr), "genesis: difficulty: missing");
  EXPECT_EQ(fault_with("/number", 1), "genesis: number: a genesis block has number 0");
  EXPECT_EQ(fault_with("/mixHash", "0x00"),
            "genesis: mixHash: hex: wrong number of hex digits at byte 4");
  EXPECT_EQ(fault_with("/extraData", "0x0"),
            "genesis: extraData: hex: odd number of hex digits at byte 3");
  EXPECT_EQ(fault_with("/extraData", "0x" + std::string(2050, '0')),
            "genesis: extraData: too long");
  EXPECT_EQ(fault_with("/alloc", nullptr), "genesis: alloc: missing");
  EXPECT_EQ(fault_with("/alloc/xyz", json::object()),
            "genesis: alloc.xyz: not an address: hex: odd number of hex digits at byte 3");
}

TEST(Genesis, FaultsOfAccounts) {
  const std::string address = "00000000000000000000000000000000000000bb";
  const auto with = [&](const json& account) { return fault_with("/alloc/" + address, account); };
  EXPECT_EQ(with({{"balance", "0x0"}}), "accepted");
  EXPECT_EQ(with(json::object()), "genesis: alloc." + address + ".balance: missing");
  EXPECT_EQ(with({{"balance", std::string(79, '9')}}),
            "genesis: alloc." + address + ".balance: not a number of 256 bits");
  EXPECT_EQ(with({{"balance", "1"}, {"code", 5}}),
            "genesis: alloc." + address + ".code: expected hex text");
  EXPECT_EQ(with({{"balance", "1"}, {"storage", {{"0x0", "0x1"}, {"0x00", "0x2"}}}}),
            "genesis: alloc." + address + ".storage.0x00: slot given twice");
  EXPECT_EQ(with({{"balance", "1"}, {"storage", {{"0x0", "zz"}}}}),
            "genesis: alloc." + address + ".storage.0x0: not hex text of at most 32 bytes");
  EXPECT_EQ(fault_with("/alloc/00000000000000000000000000000000000000AA", {{"balance", "1"}}),
            "genesis: alloc.0x00000000000000000000000000000000000000aa: account given twice");
}

TEST(Genesis, ForksBeginInOrder) {
  const auto with = [](const json& more) {
    json file = small_genesis();
    file["config"] = all_forks_until_london();
    file["config"].update(more);
    return fault_of(file);
  };
  EXPECT_EQ(with({{"shanghaiTime", 5}, {"cancunTime", 5}}), "accepted");
  EXPECT_EQ(with({{"cancunTime", 5}}),
            "genesis: config.cancunTime: begins although shanghaiTime is missing");
  EXPECT_EQ(with({{"shanghaiTime", 5}, {"cancunTime", 4}}),
            "genesis: config.cancunTime: begins before shanghaiTime");
  EXPECT_EQ(with({{"berlinBlock", 1}}), "genesis: config.londonBlock: begins before berlinBlock");
  EXPECT_EQ(with({{"bpo1Time", 5}}),
            "genesis: config.bpo1Time: begins although the fork before it is missing");
  const json until_osaka = {
      {"shanghaiTime", 1}, {"cancunTime", 1}, {"pragueTime", 1}, {"osakaTime", 9}};
  json early = until_osaka;
  early["bpo1Time"] = 8;
  EXPECT_EQ(with(early), "genesis: config.bpo1Time: begins before the fork before it");
  json around_amsterdam = until_osaka;
  around_amsterdam.update({{"bpo1Time", 10}, {"amsterdamTime", 11}, {"bpo2Time", 12}});
  EXPECT_EQ(with(around_amsterdam),
            "genesis: config.blobSchedule.bpo1: missing, although the fork begins");
  const json blobs = {{"target", 3}, {"max", 6}, {"baseFeeUpdateFraction", 1}};
  around_amsterdam["blobSchedule"] = {{"bpo1", blobs}};
  EXPECT_EQ(with(around_amsterdam),
            "genesis: config.blobSchedule.bpo2: missing, although the fork begins");
  around_amsterdam["blobSchedule"]["bpo2"] = blobs;
  EXPECT_EQ(with(around_amsterdam), "accepted");
}

TEST(Genesis, FaultsOfTheBlobSchedule) {
  const auto with = [](const json& schedule) {
    return fault_with("/config/blobSchedule/cancun", schedule);
  };
  EXPECT_EQ(with({{"target", 3}, {"max", 6}, {"baseFeeUpdateFraction", 1}}), "accepted");
  EXPECT_EQ(with({{"target", 3}, {"max", 6}}),
            "genesis: config.blobSchedule.cancun.baseFeeUpdateFraction: missing");
  EXPECT_EQ(with({{"target", 3}, {"max", 6}, {"baseFeeUpdateFraction", 0}}),
            "genesis: config.blobSchedule.cancun.baseFeeUpdateFraction: zero");
  EXPECT_EQ(with({{"target", 7}, {"max", 6}, {"baseFeeUpdateFraction", 1}}),
            "genesis: config.blobSchedule.cancun.target: above max");
  EXPECT_EQ(with(4), "genesis: config.blobSchedule.cancun: expected an object");
}

TEST(Genesis, DifficultyOfMoreThan64BitsIsReadExactly) {
  // Mainnet's, as go-ethereum writes it: a bare JSON number that no double holds.
  const auto genesis = read_genesis(R"({
    "config": {"chainId": 1, "terminalTotalDifficulty": 58750000000000000000001},
    "gasLimit": 5000, "difficulty": 17179869184, "alloc": {}})");
  ASSERT_TRUE(genesis.has_value()) << genesis.error().message();
  EXPECT_EQ(genesis->config.terminal_total_difficulty->hex(), "0xc70d808a128d7380001");
  EXPECT_EQ(fault_with("/config/terminalTotalDifficulty", 0.5),
            "genesis: config.terminalTotalDifficulty: not a number of 256 bits");
}

// go-ethereum takes a balance in any of these forms.
TEST(Genesis, NumbersOfEveryForm) {
  const auto hash_with = [](const std::string& balance) {
    return read_genesis(R"({"config": {"chainId": 7}, "gasLimit": 5000, "difficulty": "1", "alloc":
        {"00000000000000000000000000000000000000aa": {"balance": )" +
                        balance + "}}}")
        .value()
        .hash;
  };
  const Hash32 hash = hash_with("340282366920938463463374607431768211456");  // 2^128
  EXPECT_EQ(hash_with("\"340282366920938463463374607431768211456\""), hash);
  EXPECT_EQ(hash_with("\"0x100000000000000000000000000000000\""), hash);
  EXPECT_EQ(hash_with("18446744073709551616"), hash_with("\"0x10000000000000000\""));
  EXPECT_EQ(hash_with("18446744073709551615"), hash_with("\"0xFFFFFFFFFFFFFFFF\""));
  EXPECT_EQ(hash_with("0"), hash_with("\"0x0\""));
  for (const char* wrong :
       {"1.5", "1e3", "-1", "\"\"", "\"0x\"", "\" 1\"", "\"1e3\"", "true", "[]"}) {
    EXPECT_NE(fault_with("/alloc/00000000000000000000000000000000000000cc",
                         {{"balance", json::parse(wrong)}}),
              "accepted")
        << wrong;
  }
}

TEST(Genesis, AKeyGivenTwiceIsAFault) {
  const auto fault = [](const char* text) { return read_genesis(text).error().message(); };
  EXPECT_EQ(fault(R"({"alloc": {}, "alloc": {}})"), "genesis: alloc: given twice");
  EXPECT_EQ(fault(R"({"config": {"chainId": 1, "londonBlock": 1, "chainId": 2}})"),
            "genesis: config.chainId: given twice");
  EXPECT_EQ(fault(R"({"x": [{"a": 1}, [], {"a": 1, "b": 2, "a": 3}]})"),
            "genesis: x.2.a: given twice");
  EXPECT_EQ(fault(R"({"x": {"a": 1}, "y": {"a": 1}, "z": [{"a": 1}, {"a": 1}]})"),
            "genesis: config: missing");
}

TEST(Genesis, NestingIsLimited) {
  const auto nested = [](std::size_t lists) {
    return read_genesis("{\"x\": " + std::string(lists, '[') + std::string(lists, ']') + "}")
        .error()
        .message();
  };
  EXPECT_EQ(nested(63), "genesis: config: missing");
  EXPECT_TRUE(nested(64).ends_with(".0: nested too deep")) << nested(64);
  EXPECT_EQ(nested(1'000'000), nested(64));
}

// go-ethereum puts its own default where a file says 0; the hashes must agree.
TEST(Genesis, AGasLimitOfZeroIsTheDefault) {
  json file = small_genesis();
  file["gasLimit"] = "0x0";
  EXPECT_EQ(read_genesis(file.dump()).value().header.gas_limit, 4'712'388U);
}

TEST(Genesis, FieldsOfEveryForkActiveAtGenesis) {
  json file = small_genesis();
  file["config"] = all_forks_until_london();
  for (const char* fork : {"shanghai", "cancun", "prague", "osaka", "amsterdam"}) {
    file["config"][std::string{fork} + "Time"] = 0;
  }
  file["slotNumber"] = 9;
  const Genesis genesis = read_genesis(file.dump()).value();
  EXPECT_TRUE(genesis.header.optionals_consecutive());
  EXPECT_EQ(genesis.header.base_fee_per_gas, Uint256{1'000'000'000});
  EXPECT_EQ(genesis.header.slot_number, 9U);
  EXPECT_EQ(genesis.header.blob_gas_used, 0U);
  EXPECT_EQ(genesis.header.block_access_list_hash->hex(),
            "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");
}

}  // namespace
}  // namespace ethnet
