// Headers of both test chains (go-ethereum, ethtest) and round trips.
#include "header.hpp"

#include <map>

#include <codec/testing/vectors.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "chain_file.hpp"
#include "fork_id.hpp"
#include "hash_of.hpp"
#include "testing/draw_header.hpp"

namespace ethnet {
namespace {

using nlohmann::json;

// Walks a chain file: every header links to the one before it and is its own canonical encoding.
// Returns how many headers had each number of fields.
std::map<std::size_t, std::size_t> walk_chain(const std::string& folder) {
  const Bytes file = testing::read_bytes(folder + "/chain.rlp");
  std::map<std::size_t, std::size_t> field_counts;
  ChainFileReader blocks{file};
  std::optional<Hash32> previous;
  std::uint64_t number = 0;
  while (!blocks.at_end()) {
    const BlockSlice block = blocks.next().value();
    const Header header = Header::decode(block.header).value();
    EXPECT_EQ(header.number, ++number);
    if (previous) {
      EXPECT_EQ(header.parent_hash, *previous);
    }
    EXPECT_TRUE(equal(header.encode(), block.header));
    EXPECT_EQ(header.hash(), hash_of(block.header));
    EXPECT_TRUE(
        equal(ByteView{file}.subspan(block.header_offset, block.header.size()), block.header));
    previous = hash_of(block.header);
    rlp::Reader fields = rlp::Reader{block.header}.enter_list().value();
    ++field_counts[fields.count_items().value()];
  }
  const json head = testing::read_json(folder + "/headblock.json");
  EXPECT_EQ(previous.value().hex(), head["hash"].get<std::string>());
  testing::report_vectors("headers_" + folder, number);
  return field_counts;
}

TEST(HeaderVectors, ChainLinksUp) {
  ETHNET_NEED_VECTORS();
  const std::map<std::size_t, std::size_t> expected{{17, 5}, {20, 6}, {21, 589}};
  EXPECT_EQ(walk_chain("chain"), expected);
}

TEST(HeaderVectors, AmsterdamChainLinksUp) {
  ETHNET_NEED_VECTORS();
  const std::map<std::size_t, std::size_t> expected{{17, 5}, {20, 6}, {21, 24}, {23, 565}};
  EXPECT_EQ(walk_chain("chain_amsterdam"), expected);
}

TEST(HeaderVectors, FieldsOfTheAmsterdamHead) {
  ETHNET_NEED_VECTORS();
  const json head = testing::read_json("chain_amsterdam/headblock.json");
  const Bytes file = testing::read_bytes("chain_amsterdam/chain.rlp");
  ChainFileReader blocks{file};
  ByteView last;
  while (!blocks.at_end()) last = blocks.next().value().header;
  const Header header = Header::decode(last).value();
  const auto text = [&](const char* key) { return head.at(key).get<std::string>(); };
  EXPECT_EQ(header.state_root.hex(), text("stateRoot"));
  EXPECT_EQ(header.beneficiary.hex(), text("miner"));
  EXPECT_EQ(Uint256{header.gas_limit}.hex(), text("gasLimit"));
  EXPECT_EQ(Uint256{header.timestamp}.hex(), text("timestamp"));
  EXPECT_EQ(header.base_fee_per_gas->hex(), text("baseFeePerGas"));
  EXPECT_EQ(header.withdrawals_root->hex(), text("withdrawalsRoot"));
  EXPECT_EQ(header.requests_hash->hex(), text("requestsHash"));
  EXPECT_EQ(header.parent_beacon_block_root->hex(), text("parentBeaconBlockRoot"));
  EXPECT_EQ(header.block_access_list_hash->hex(),
            "0x0a1284314a8bb83f3c1d5a4d7667dc9c3fa34b8191b590ccf5c4854d2c1a0dc2");
  EXPECT_EQ(header.slot_number, 0x234U);
}

TEST(ForkIdVectors, GenesisTime) {
  ETHNET_NEED_VECTORS();
  const json file = testing::read_json("forkid/creation.json")["genesis_time"];
  const Bytes encoded = testing::hex_bytes(file["genesis_header_rlp"]);
  const Header genesis = Header::decode(encoded).value();
  EXPECT_EQ(genesis.hash(),
            parse_bytes32<Hash32Tag>(file["genesis_hash"].get<std::string>()).value());
  EXPECT_EQ(genesis.timestamp, file["genesis_timestamp"].get<std::uint64_t>());
  for (const json& test : file["cases"]) {
    SCOPED_TRACE(test.dump());
    const ForkSchedule forks{
        genesis.hash(), genesis.timestamp, {0, 0, 0}, {test["shanghai_time"], test["cancun_time"]}};
    ForkId expected;
    copy_into(expected.hash, testing::hex_bytes(test["hash"]));
    expected.next = std::stoull(test["next"].get<std::string>());
    EXPECT_EQ(forks.fork_id(test["head"], test["time"]), expected);
  }
  EXPECT_EQ(file["cases"].size(), 3U);
  testing::report_vectors("forkid_genesis_time", file["cases"].size());
}

TEST(ChainFile, FaultsAreFoundWhereTheyAre) {
  ETHNET_NEED_VECTORS();
  Bytes file = testing::read_bytes("chain/chain.rlp");
  ChainFileReader whole{file};
  const std::uint64_t second = (void(whole.next().value()), whole.offset());
  ChainFileReader cut{ByteView{file}.first(second + 5)};
  EXPECT_TRUE(cut.next().has_value());
  EXPECT_EQ(cut.next().error(), Error(rlp::RlpError::truncated, second));
  EXPECT_EQ(cut.offset(), second);
  file[second] = std::byte{0x80};
  ChainFileReader wrong{file};
  EXPECT_TRUE(wrong.next().has_value());
  EXPECT_EQ(wrong.next().error(), Error(rlp::RlpError::expected_list, second));
}

// --- without vectors ------------------------------------------------------------------------

using testing::draw_header;

TEST(HeaderProperties, RoundTripInEveryFork) {
  // Frontier, London, Shanghai, Cancun, Prague, Amsterdam; and the counts that no fork has.
  for (const std::size_t optionals : {0U, 1U, 2U, 5U, 6U, 8U, 3U, 4U, 7U}) {
    EXPECT_TRUE(rc::check("decode(encode(x)) == x, within kMaxHeaderBytes", [optionals] {
      const Header header = draw_header(optionals);
      const Bytes encoded = header.encode();
      RC_ASSERT(encoded.size() <= kMaxHeaderBytes);
      RC_ASSERT(Header::decode(encoded).value() == header);
      RC_ASSERT(header.hash() == hash_of(encoded));
      rlp::Reader fields = rlp::Reader{encoded}.enter_list().value();
      RC_ASSERT(fields.count_items().value() == kHeaderBaseFields + optionals);
    })) << optionals;
  }
}

TEST(HeaderProperties, NoPartOfAHeaderIsAHeader) {
  EXPECT_TRUE(rc::check("a header cut anywhere, or with anything behind it, is refused", [] {
    Bytes encoded = draw_header().encode();
    const auto size = *rc::gen::inRange<std::size_t>(0, encoded.size());
    RC_ASSERT(!Header::decode(ByteView{encoded}.first(size)).has_value());
    encoded.push_back(std::byte{*rc::gen::arbitrary<std::uint8_t>()});
    RC_ASSERT(!Header::decode(encoded).has_value());
  }));
}

TEST(HeaderProperties, WhatDecodesIsCanonical) {
  EXPECT_TRUE(
      rc::check("a mutated header is refused, or is the encoding of what it decodes to", [] {
        Bytes bytes = draw_header().encode();
        const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
        bytes[at] = std::byte{*rc::gen::arbitrary<std::uint8_t>()};
        const auto header = Header::decode(bytes);
        if (header) RC_ASSERT(equal(header->encode(), bytes));
      }));
}

// A header of `fields` fields, each the smallest that decodes.
Bytes minimal_header(std::size_t fields, std::size_t extra_size = 0) {
  rlp::Writer out;
  const auto list = out.begin_list();
  for (std::size_t i = 0; i < fields; ++i) {
    constexpr std::array<std::size_t, 24> kSizes{32, 32, 20, 32, 32, 32, 256, 0,  0,  0,  0, 0,
                                                 0,  32, 8,  0,  32, 0,  0,   32, 32, 32, 0, 0};
    out.write_bytes(Bytes(i == 12 ? extra_size : kSizes[i]));
  }
  out.end_list(list);
  return std::move(out).take();
}

TEST(Header, FieldCount) {
  EXPECT_EQ(Header::decode(minimal_header(14)).error(), Error(HeaderError::too_few_fields, 0));
  for (std::size_t fields = kHeaderBaseFields; fields <= kHeaderMaxFields; ++fields) {
    EXPECT_TRUE(Header::decode(minimal_header(fields)).has_value()) << fields;
  }
  EXPECT_EQ(Header::decode(minimal_header(24)).error(), Error(HeaderError::too_many_fields, 0));
}

TEST(Header, ExtraDataIsBounded) {
  EXPECT_TRUE(Header::decode(minimal_header(15, kMaxExtraData)).has_value());
  // 3 bytes of list prefix, six hashes less one address, bloom, five empty integers.
  constexpr std::uint64_t kExtraAt = 3 + 5 * 33 + 21 + 259 + 5;
  EXPECT_EQ(Header::decode(minimal_header(15, kMaxExtraData + 1)).error(),
            Error(HeaderError::extra_data_too_long, kExtraAt));
}

TEST(Header, FormFaultsAreLocated) {
  Bytes bytes = minimal_header(15);
  bytes.push_back(std::byte{0});
  EXPECT_EQ(Header::decode(bytes).error(), Error(rlp::RlpError::trailing_bytes, bytes.size() - 1));
  bytes.pop_back();
  bytes[3 + 5 * 33 + 21 + 259 + 1] = std::byte{0};  // the number
  EXPECT_EQ(Header::decode(bytes).error(),
            Error(rlp::RlpError::leading_zero, 3 + 5 * 33 + 21 + 259 + 1));
  EXPECT_EQ(Header::decode(from_hex("80").value()).error(), Error(rlp::RlpError::expected_list, 0));
}

// Too long for any field, too short for a hash and a number with a leading zero, or a list.
TEST(Header, AFieldOfAnotherFormIsRefusedWhereverItStands) {
  for (std::size_t wrong = 0; wrong < kHeaderMaxFields; ++wrong) {
    for (const std::size_t form : {0U, 1U, 2U}) {
      if (wrong == 12 && form == 1) continue;  // extra data may be any two bytes
      const Bytes usual = minimal_header(kHeaderMaxFields);
      rlp::Reader fields = rlp::Reader{usual}.enter_list().value();
      rlp::Writer out;
      const auto begin = out.begin_list();
      for (std::size_t i = 0; i < kHeaderMaxFields; ++i) {
        const Bytes field = to_bytes(fields.read_bytes().value());
        if (i != wrong) {
          out.write_bytes(field);
        } else if (form == 0) {
          out.write_bytes(Bytes(kMaxExtraData + 1, std::byte{1}));
        } else if (form == 1) {
          out.write_bytes(Bytes{std::byte{0}, std::byte{1}});
        } else {
          out.end_list(out.begin_list());
        }
      }
      out.end_list(begin);
      EXPECT_FALSE(Header::decode(std::move(out).take()).has_value())
          << "field " << wrong << ", form " << form;
    }
  }
}

TEST(Header, OptionalFieldsMustBeConsecutive) {
  Header header;
  header.base_fee_per_gas = Uint256{7};
  EXPECT_TRUE(header.optionals_consecutive());
  header.blob_gas_used = 1;
  EXPECT_FALSE(header.optionals_consecutive());
  EXPECT_DEATH((void)header.encode(), "optionals_consecutive");
}

TEST(Uint256, ConvertsOrdersAndPrints) {
  EXPECT_EQ(Uint256{}.hex(), "0x0");
  EXPECT_EQ(Uint256{0x3b9aca00}.hex(), "0x3b9aca00");
  EXPECT_EQ(Uint256{0xabc}.hex(), "0xabc");
  EXPECT_EQ(Uint256{UINT64_MAX}.to_u64(), UINT64_MAX);
  const Uint256 big = Uint256::from_bytes(from_hex("010000000000000000").value());
  EXPECT_FALSE(big.to_u64().has_value());
  EXPECT_GT(big, Uint256{UINT64_MAX});
  EXPECT_TRUE(Uint256{}.is_zero());
  EXPECT_FALSE(big.is_zero());
}

TEST(HashOf, KnownHashes) {
  EXPECT_EQ(hash_of({}), kEmptyCodeHash);
  EXPECT_EQ(hash_of(from_hex("c0").value()), kEmptyListHash);
  EXPECT_EQ(hash_of(from_hex("80").value()), kEmptyTrieRoot);
}

}  // namespace
}  // namespace ethnet
