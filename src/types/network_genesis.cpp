// Sources: forks, blob schedules and header fields as go-ethereum v1.17.10 has them
// (params/chainspecs/*.json, core/genesis.go); the state roots follow from its allocations, and are
// proven by the hash.
#include "network_genesis.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <base/check.hpp>

namespace ethnet {
namespace {

struct Text {
  std::string_view network;
  std::string_view json;  // as a genesis file, without accounts
  std::string_view state_root;
};

constexpr std::string_view kMainnet = R"({
  "config": {
    "chainId": 1, "homesteadBlock": 1150000, "daoForkBlock": 1920000, "daoForkSupport": true,
    "eip150Block": 2463000, "eip155Block": 2675000, "eip158Block": 2675000,
    "byzantiumBlock": 4370000, "constantinopleBlock": 7280000, "petersburgBlock": 7280000,
    "istanbulBlock": 9069000, "muirGlacierBlock": 9200000, "berlinBlock": 12244000,
    "londonBlock": 12965000, "arrowGlacierBlock": 13773000, "grayGlacierBlock": 15050000,
    "terminalTotalDifficulty": "58750000000000000000000",
    "shanghaiTime": 1681338455, "cancunTime": 1710338135, "pragueTime": 1746612311,
    "osakaTime": 1764798551, "bpo1Time": 1765290071, "bpo2Time": 1767747671,
    "blobSchedule": {
      "cancun": {"target": 3, "max": 6, "baseFeeUpdateFraction": 3338477},
      "prague": {"target": 6, "max": 9, "baseFeeUpdateFraction": 5007716},
      "bpo1": {"target": 10, "max": 15, "baseFeeUpdateFraction": 8346193},
      "bpo2": {"target": 14, "max": 21, "baseFeeUpdateFraction": 11684671}}},
  "nonce": 66, "gasLimit": 5000, "difficulty": 17179869184, "alloc": {},
  "extraData": "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa"})";

constexpr std::string_view kSepolia = R"({
  "config": {
    "chainId": 11155111, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0,
    "eip158Block": 0, "byzantiumBlock": 0, "constantinopleBlock": 0, "petersburgBlock": 0,
    "istanbulBlock": 0, "muirGlacierBlock": 0, "berlinBlock": 0, "londonBlock": 0,
    "mergeNetsplitBlock": 1735371, "terminalTotalDifficulty": "17000000000000000",
    "shanghaiTime": 1677557088, "cancunTime": 1706655072, "pragueTime": 1741159776,
    "osakaTime": 1760427360, "bpo1Time": 1761017184, "bpo2Time": 1761607008,
    "amsterdamTime": 1791294816,
    "blobSchedule": {
      "cancun": {"target": 3, "max": 6, "baseFeeUpdateFraction": 3338477},
      "prague": {"target": 6, "max": 9, "baseFeeUpdateFraction": 5007716},
      "bpo1": {"target": 10, "max": 15, "baseFeeUpdateFraction": 8346193},
      "bpo2": {"target": 14, "max": 21, "baseFeeUpdateFraction": 11684671}}},
  "nonce": 0, "gasLimit": 30000000, "difficulty": 131072, "timestamp": 1633267481, "alloc": {},
  "extraData": "0x5365706f6c69612c20417468656e732c204174746963612c2047726565636521"})";

constexpr std::string_view kHoodi = R"({
  "config": {
    "chainId": 560048, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0,
    "eip158Block": 0, "byzantiumBlock": 0, "constantinopleBlock": 0, "petersburgBlock": 0,
    "istanbulBlock": 0, "muirGlacierBlock": 0, "berlinBlock": 0, "londonBlock": 0,
    "mergeNetsplitBlock": 0, "terminalTotalDifficulty": 0,
    "shanghaiTime": 0, "cancunTime": 0, "pragueTime": 1742999832,
    "osakaTime": 1761677592, "bpo1Time": 1762365720, "bpo2Time": 1762955544,
    "blobSchedule": {
      "cancun": {"target": 3, "max": 6, "baseFeeUpdateFraction": 3338477},
      "prague": {"target": 6, "max": 9, "baseFeeUpdateFraction": 5007716},
      "bpo1": {"target": 10, "max": 15, "baseFeeUpdateFraction": 8346193},
      "bpo2": {"target": 14, "max": 21, "baseFeeUpdateFraction": 11684671}}},
  "nonce": 4660, "gasLimit": 36000000, "difficulty": 1, "timestamp": 1742212800, "alloc": {}})";

constexpr std::array<Text, 3> kTexts{{
    {"mainnet", kMainnet, "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544"},
    {"sepolia", kSepolia, "0x5eb6e371a698b8d68f665192350ffcecbbbf322916f4b51bd79bb6887da3f494"},
    {"hoodi", kHoodi, "0xda87d7f5f91c51508791bbcbd4aa5baf04917830b86985eeb9ad3d5bfb657576"},
}};

}  // namespace

Genesis genesis_of(const Network& network) {
  const auto text = std::ranges::find(kTexts, network.name, &Text::network);
  CHECK(text != kTexts.end());
  auto genesis = read_genesis(text->json);
  CHECK(genesis.has_value());
  genesis->header.state_root = parse_bytes32<Hash32Tag>(text->state_root).value();
  genesis->hash = genesis->header.hash();
  CHECK(genesis->hash == network.genesis_hash());
  return *std::move(genesis);
}

}  // namespace ethnet
