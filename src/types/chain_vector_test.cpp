// Everything that the folders chain and chain_amsterdam say about their blocks besides the headers:
// bodies, receipts, access lists, state, keys, forks. All of it is go-ethereum's own data, so roots
// and hashes here are checked against another implementation.
#include <map>
#include <set>

#include <codec/testing/gzip_lines.hpp>
#include <codec/testing/vectors.hpp>
#include <crypto/keccak.hpp>
#include <gtest/gtest.h>
#include <trie/merkle_patricia.hpp>

#include "chain_file.hpp"
#include "genesis.hpp"
#include "genesis_json.hpp"
#include "hash_of.hpp"
#include "node_id.hpp"

namespace ethnet {
namespace {

using nlohmann::json;

constexpr std::array<const char*, 2> kChains{"chain", "chain_amsterdam"};

struct Block {
  Header header;
  std::vector<Bytes> transactions;  // as they are hashed: typed ones without their RLP string
  Bytes ommers;                     // the list, encoded
  std::optional<std::vector<Bytes>> withdrawals;
};

Block read_block(ByteView encoded) {
  Block out;
  rlp::Reader parts = rlp::Reader{encoded}.enter_list().value();
  out.header = Header::decode(parts).value();
  rlp::Reader transactions = parts.enter_list().value();
  while (!transactions.at_end()) {
    const bool typed = transactions.peek().value() == rlp::Kind::string;
    out.transactions.push_back(
        to_bytes(typed ? transactions.read_bytes().value() : transactions.read_raw().value()));
  }
  out.ommers = to_bytes(parts.read_raw().value());
  if (parts.at_end()) return out;
  rlp::Reader withdrawals = parts.enter_list().value();
  out.withdrawals.emplace();
  while (!withdrawals.at_end()) {
    out.withdrawals->push_back(to_bytes(withdrawals.read_raw().value()));
  }
  return out;
}

// By number: [0] is not used.
std::vector<Block> read_chain(const std::string& folder) {
  const Bytes file = testing::read_bytes(folder + "/chain.rlp");
  std::vector<Block> out(1);
  for (ChainFileReader blocks{file}; !blocks.at_end();) {
    out.push_back(read_block(blocks.next().value().block));
  }
  EXPECT_EQ(out.size(), 601U);
  return out;
}

Genesis genesis_of(const std::string& folder) {
  return read_genesis(testing::read_text(folder + "/genesis.json")).value();
}

std::uint64_t number_of(const json& text) {
  const auto digits = text.get<std::string>();
  return std::stoull(digits, nullptr, digits.starts_with("0x") ? 16 : 10);
}
Hash32 hash32(const json& text) {
  return parse_bytes32<Hash32Tag>(text.get<std::string>()).value();
}

TEST(ChainVectors, BodiesHaveTheRootsOfTheirHeaders) {
  ETHNET_NEED_VECTORS();
  for (const std::string folder : kChains) {
    std::size_t transactions = 0;
    const std::vector<Block> blocks = read_chain(folder);
    for (std::size_t number = 1; number < blocks.size(); ++number) {
      SCOPED_TRACE(folder + " " + std::to_string(number));
      const Block& block = blocks[number];
      EXPECT_EQ(trie::ordered_root_of(block.transactions), block.header.transactions_root);
      EXPECT_EQ(hash_of(block.ommers), block.header.ommers_hash);
      ASSERT_EQ(block.withdrawals.has_value(), block.header.withdrawals_root.has_value());
      if (block.withdrawals) {
        EXPECT_EQ(trie::ordered_root_of(*block.withdrawals), block.header.withdrawals_root);
      }
      transactions += block.transactions.size();
    }
    EXPECT_EQ(transactions, folder == kChains[0] ? 603U : 612U);
    testing::report_vectors("bodies_" + folder, blocks.size() - 1);
  }
}

TEST(ChainVectors, ReceiptsHaveTheRootsOfTheirHeaders) {
  ETHNET_NEED_VECTORS();
  for (const std::string folder : kChains) {
    const std::vector<Block> blocks = read_chain(folder);
    const json meta = testing::read_json(folder + "/receipts.meta.json");
    std::size_t receipts = 0;
    std::size_t number = 0;
    const std::size_t lines =
        testing::for_each_line(folder + "/receipts.jsonl.gz", [&](const json& line) {
          ASSERT_EQ(line["number"].get<std::size_t>(), ++number);
          std::vector<Bytes> items;
          for (const json& receipt : line["receipts"]) items.push_back(testing::hex_bytes(receipt));
          EXPECT_EQ(trie::ordered_root_of(items), blocks.at(number).header.receipts_root) << number;
          receipts += items.size();
        });
    EXPECT_EQ(lines, meta["blocks"].get<std::size_t>());
    EXPECT_EQ(lines, blocks.size() - 1);
    EXPECT_EQ(receipts, meta["receipts"].get<std::size_t>());
    testing::report_vectors("receipts_" + folder, lines);
  }
}

TEST(ChainVectors, AccessListsHaveTheHashesOfTheirHeaders) {
  ETHNET_NEED_VECTORS();
  const std::vector<Block> blocks = read_chain("chain_amsterdam");
  std::set<std::uint64_t> seen;
  const std::size_t lines =
      testing::for_each_line("chain_amsterdam/access_lists.jsonl.gz", [&](const json& line) {
        const auto number = line["number"].get<std::uint64_t>();
        const Hash32 hash = hash_of(testing::hex_bytes(line["rlp"]));
        EXPECT_TRUE(rlp::validate(testing::hex_bytes(line["rlp"])).has_value());
        EXPECT_EQ(hash, hash32(line["hash"]));
        EXPECT_EQ(blocks.at(number).header.block_access_list_hash, hash) << number;
        EXPECT_TRUE(seen.insert(number).second) << number;
      });
  for (const Block& block : blocks) {
    EXPECT_EQ(block.header.block_access_list_hash.has_value(), seen.contains(block.header.number));
  }
  EXPECT_EQ(lines, 565U);
  testing::report_vectors("access_lists", lines);
}

TEST(ChainVectors, StateNodesAreNamedByTheirHashes) {
  ETHNET_NEED_VECTORS();
  for (const std::string folder : kChains) {
    std::vector<Bytes> values;
    std::vector<Hash32> hashes;
    const std::size_t lines =
        testing::for_each_line(folder + "/state_nodes.jsonl.gz", [&](const json& line) {
          values.push_back(testing::hex_bytes(line["value"]));
          hashes.push_back(hash32(line["hash"]));
        });
    std::vector<crypto::Digest32> digests(values.size());
    crypto::keccak256_many(std::vector<ByteView>{values.begin(), values.end()}, digests);
    for (std::size_t i = 0; i < lines; ++i) ASSERT_EQ(Hash32{digests[i]}, hashes[i]) << i;
    const std::vector<Block> blocks = read_chain(folder);
    for (const std::size_t number : {473U, 599U, 600U}) {
      EXPECT_TRUE(std::ranges::binary_search(hashes, blocks[number].header.state_root)) << number;
    }
    EXPECT_EQ(lines, folder == kChains[0] ? 3712U : 2943U);
    testing::report_vectors("state_nodes_" + folder, lines);
  }
}

Bytes uint_rlp(const Uint256& value) {
  rlp::Writer out;
  out.write_uint_bytes(value.bytes());
  return std::move(out).take();
}

// One account of headstate.json as the state trie holds it; its code and storage are checked.
trie::Entry head_account(const std::string& address, const json& account) {
  std::vector<trie::Entry> slots;
  if (account.contains("storage")) {
    for (const auto& [slot, word] : account["storage"].items()) {
      slots.push_back({testing::hex_bytes(json(slot)),
                       uint_rlp(Uint256::from_bytes(testing::hex_bytes(word)))});
    }
  }
  EXPECT_EQ(trie::secure_root_of(std::move(slots)), hash32(account["root"])) << address;
  if (account.contains("code")) {
    EXPECT_EQ(hash_of(testing::hex_bytes(account["code"])), hash32(account["codeHash"])) << address;
  }
  const Address name = Address::parse(address).value();
  EXPECT_EQ(hash_of(name.view()), hash32(account["key"])) << address;
  rlp::Writer out;
  const auto list = out.begin_list();
  out.write_uint(account["nonce"].get<std::uint64_t>());
  const Uint256 balance = genesis_json::read_uint256(account["balance"], address).value();
  out.write_uint_bytes(balance.bytes());
  out.write_bytes(hash32(account["root"]).view());
  out.write_bytes(hash32(account["codeHash"]).view());
  out.end_list(list);
  return {to_bytes(name.view()), std::move(out).take()};
}

TEST(ChainVectors, TheHeadsStateHasItsRoot) {
  ETHNET_NEED_VECTORS();
  for (const std::string folder : kChains) {
    const json state = testing::read_json(folder + "/headstate.json");
    std::vector<trie::Entry> accounts;
    for (const auto& [address, account] : state["accounts"].items()) {
      accounts.push_back(head_account(address, account));
    }
    const std::size_t count = accounts.size();
    const Hash32 root = trie::secure_root_of(std::move(accounts));
    EXPECT_EQ(root, hash32(state["root"]));
    EXPECT_EQ(root, read_chain(folder).back().header.state_root);
    EXPECT_EQ(count, folder == kChains[0] ? 194U : 48U);
    testing::report_vectors("head_accounts_" + folder, count);
  }
}

TEST(ChainVectors, TheForkChoiceNamesTheHead) {
  ETHNET_NEED_VECTORS();
  for (const std::string folder : kChains) {
    const json call = testing::read_json(folder + "/headfcu.json");
    EXPECT_EQ(hash32(call["params"][0]["headBlockHash"]), read_chain(folder).back().header.hash());
    testing::report_vectors("head_" + folder, 1);
  }
}

TEST(ChainVectors, KeysGiveTheirAddresses) {
  ETHNET_NEED_VECTORS();
  for (const std::string folder : kChains) {
    const json accounts = testing::read_json(folder + "/accounts.json");
    for (const auto& [address, account] : accounts.items()) {
      const auto key = crypto::SecretKey::from_bytes(testing::hex_bytes(account["key"])).value();
      EXPECT_EQ(make_address(key.public_key()).hex(), address);
    }
    EXPECT_EQ(accounts.size(), 20U);
    testing::report_vectors("keys_" + folder, accounts.size());
  }
}

// Transactions by hash: at "indexInBlock" where that is given, else anywhere in the block.
std::size_t find_transactions(const std::vector<Block>& blocks, const json& entries) {
  for (const json& entry : entries) {
    const std::vector<Bytes>& in = blocks.at(number_of(entry["block"])).transactions;
    const auto has_hash = [&](const Bytes& tx) { return hash_of(tx) == hash32(entry["txhash"]); };
    if (entry.contains("indexInBlock")) {
      EXPECT_TRUE(has_hash(in.at(entry["indexInBlock"].get<std::size_t>()))) << entry;
    } else {
      EXPECT_TRUE(std::ranges::any_of(in, has_hash)) << entry;
    }
  }
  return entries.size();
}

// [index, validator, address, amount] of EIP-4895.
std::size_t find_withdrawals(const std::vector<Block>& blocks, const json& by_block) {
  for (const auto& [number, entry] : by_block.items()) {
    std::vector<Bytes> expected;
    for (const json& withdrawal : entry["withdrawals"]) {
      rlp::Writer out;
      const auto list = out.begin_list();
      out.write_uint(number_of(withdrawal["index"]));
      out.write_uint(number_of(withdrawal["validatorIndex"]));
      out.write_bytes(testing::hex_bytes(withdrawal["address"]));
      out.write_uint(number_of(withdrawal["amount"]));
      out.end_list(list);
      expected.push_back(std::move(out).take());
    }
    EXPECT_EQ(blocks.at(number_of(json(number))).withdrawals, expected) << number;
  }
  return by_block.size();
}

TEST(ChainVectors, TransactionsAndWithdrawalsAreWhereTheListSays) {
  ETHNET_NEED_VECTORS();
  for (const std::string folder : kChains) {
    const std::vector<Block> blocks = read_chain(folder);
    const json info = testing::read_json(folder + "/txinfo.json");
    std::size_t found = 0;
    for (const auto& [name, entry] : info.items()) {
      SCOPED_TRACE(folder + " " + name);
      if (name == "withdrawals") {
        found += find_withdrawals(blocks, entry);
      } else if (entry.is_array()) {
        found += find_transactions(blocks, entry);
      } else if (entry.is_object() && entry.contains("txhash")) {
        found += find_transactions(blocks, json::array({entry}));
      }
    }
    testing::report_vectors("transactions_" + folder, found);
  }
}

// The same forks once more, as the suites of other clients are told of them.
TEST(ChainVectors, TheEnvironmentOfForksEqualsTheGenesisFile) {
  ETHNET_NEED_VECTORS();
  const std::map<std::string, Fork> forks{{"FORK_HOMESTEAD", Fork::homestead},
                                          {"FORK_TANGERINE", Fork::tangerine_whistle},
                                          {"FORK_SPURIOUS", Fork::spurious_dragon},
                                          {"FORK_BYZANTIUM", Fork::byzantium},
                                          {"FORK_CONSTANTINOPLE", Fork::constantinople},
                                          {"FORK_PETERSBURG", Fork::petersburg},
                                          {"FORK_ISTANBUL", Fork::istanbul},
                                          {"FORK_MUIR_GLACIER", Fork::muir_glacier},
                                          {"FORK_BERLIN", Fork::berlin},
                                          {"FORK_LONDON", Fork::london},
                                          {"FORK_ARROW_GLACIER", Fork::arrow_glacier},
                                          {"FORK_GRAY_GLACIER", Fork::gray_glacier},
                                          {"MERGE_BLOCK_ID", Fork::paris},
                                          {"SHANGHAI_TIMESTAMP", Fork::shanghai},
                                          {"CANCUN_TIMESTAMP", Fork::cancun},
                                          {"PRAGUE_TIMESTAMP", Fork::prague},
                                          {"OSAKA_TIMESTAMP", Fork::osaka},
                                          {"BPO1_TIMESTAMP", Fork::bpo1},
                                          {"BPO2_TIMESTAMP", Fork::bpo2},
                                          {"AMSTERDAM_TIMESTAMP", Fork::amsterdam}};
  const std::set<std::string> not_ours{"NETWORK_ID", "DEPOSIT_CONTRACT_ADDRESS"};
  for (const std::string folder : kChains) {
    const ChainConfig config = genesis_of(folder).config;
    const json environment = testing::read_json(folder + "/forkenv.json");
    for (const auto& [key, text] : environment.items()) {
      const std::string name = key.substr(5);  // without HIVE_
      SCOPED_TRACE(folder + " " + name);
      if (not_ours.contains(name)) continue;
      const std::uint64_t value = number_of(text);
      const auto blob = name.find("_BLOB_");
      if (blob != std::string::npos) {
        const Fork fork = forks.at(name.substr(0, blob) + "_TIMESTAMP");
        const BlobSchedule blobs = config.blob_schedule_at(*config.begin_of(fork)).value();
        const std::string field = name.substr(blob + 6);
        EXPECT_EQ(field == "TARGET" ? blobs.target
                  : field == "MAX"  ? blobs.max
                                    : blobs.base_fee_update_fraction,
                  value);
      } else if (name == "CHAIN_ID") {
        EXPECT_EQ(config.chain_id, value);
      } else if (name == "TERMINAL_TOTAL_DIFFICULTY") {
        EXPECT_EQ(config.terminal_total_difficulty, Uint256{value});
      } else {
        ASSERT_TRUE(forks.contains(name));
        EXPECT_EQ(config.begin_of(forks.at(name)), value);
      }
    }
    testing::report_vectors("fork_environment_" + folder, environment.size());
  }
}

// --- no file is left out --------------------------------------------------------------------

// Which test reads what. A file that appears without a reader, or disappears, fails here.
const std::map<std::string, std::set<std::string>>& readers() {
  static const std::set<std::string> kChain{
      "accounts.json",
      "chain.rlp",
      "forkenv.json",
      "genesis.json",
      "headblock.json",
      "headfcu.json",
      "headstate.json",
      "receipts.jsonl.gz",
      "receipts.meta.json",
      "state_nodes.jsonl.gz",
      "txinfo.json",
      "state_nodes.meta.json"};  // describes its neighbour; its counts are in the test of that
  static const std::map<std::string, std::set<std::string>> kReaders = [] {
    std::set<std::string> amsterdam = kChain;
    amsterdam.insert({"access_lists.jsonl.gz", "access_lists.meta.json"});
    return std::map<std::string, std::set<std::string>>{
        {"rlp", {"rlptest.json", "invalidRLPTest.json", "example.json"}},  // codec: RlpVectors
        {"enr", {"eip778.json", "enode_urls.json"}},       // EnrVectors, EnodeVectors
        {"forkid", {"creation.json", "validation.json"}},  // ForkIdVectors
        {"wycheproof",                                     // crypto: ...Vectors
         {"aes_gcm_test.json", "ecdh_secp256k1_test.json",
          "ecdsa_secp256k1_sha256_bitcoin_test.json", "hkdf_sha256_test.json",
          "hmac_sha256_test.json"}},
        {"trie",  // trie: TrieVectors
         {"hex_encoded_securetrie_test.json", "trieanyorder.json", "trieanyorder_secureTrie.json",
          "trietest.json", "trietest_secureTrie.json", "trietestnextprev.json"}},
        {"chain", kChain},
        {"chain_amsterdam", amsterdam}};
  }();
  return kReaders;
}

TEST(VectorFolders, HoldWhatTheTestsReadAndNothingElse) {
  ETHNET_NEED_VECTORS();
  for (const auto& [folder, expected] : readers()) {
    std::set<std::string> found;
    ASSERT_TRUE(std::filesystem::is_directory(testing::vectors_root() / folder)) << folder;
    for (const auto& entry :
         std::filesystem::directory_iterator{testing::vectors_root() / folder}) {
      found.insert(entry.path().filename().string());
    }
    EXPECT_EQ(found, expected) << folder;
  }
}

}  // namespace
}  // namespace ethnet
