// The file of nodes: what it holds comes back, and nothing else is taken for one.
#include "nodes_file.hpp"

#include <base/hex.hpp>
#include <gtest/gtest.h>

#include "testing/records.hpp"

namespace ethnet::kbucket {
namespace {

using namespace testing;

Bytes record(std::uint64_t number) {
  return to_bytes(enr_of(number, own_subnet(number)).record().encoded());
}

SavedNodes small() {
  return {.nodes = {{record(1), 1'700'000'000}, {record(2), 0}}, .anchors = {record(2)}};
}

TEST(NodesFile, WhatIsSavedComesBack) {
  const auto back = decode_saved_nodes(encode(small()));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, small());
  EXPECT_EQ(to_hex(encode(SavedNodes{})), "c301c0c0");
  EXPECT_EQ(*decode_saved_nodes(encode(SavedNodes{})), SavedNodes{});
}

TEST(NodesFile, AFullOneFitsItsBound) {
  SavedNodes full;
  const Bytes filler(161, std::byte{7});
  const VerifiedEnr big =
      EnrBuilder{UINT64_MAX}.quic(9000).bytes("z", filler).sign(key_of(1)).value();
  ASSERT_EQ(big.record().encoded().size(), kMaxEnrBytes);
  for (std::size_t i = 0; i < kMaxSavedNodes; ++i) {
    full.nodes.push_back({to_bytes(big.record().encoded()), UINT64_MAX});
  }
  for (std::size_t i = 0; i < kMaxAnchors; ++i) {
    full.anchors.push_back(to_bytes(big.record().encoded()));
  }
  EXPECT_TRUE(decode_saved_nodes(encode(full)).has_value());
}

TEST(NodesFile, EveryTruncationAndEveryByteMoreIsRefused) {
  const Bytes file = encode(small());
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_FALSE(decode_saved_nodes(ByteView{file}.first(size)).has_value()) << size;
  }
  Bytes longer = file;
  longer.push_back(std::byte{0x80});
  EXPECT_FALSE(decode_saved_nodes(longer).has_value());
}

TEST(NodesFile, OfAnotherVersionOrTooManyOrTooLargeIsRefused) {
  EXPECT_TRUE(decode_saved_nodes(*from_hex("c302c0c0")).error().is(NodesFileError::version));
  EXPECT_TRUE(decode_saved_nodes(*from_hex("c380c0c0")).error().is(NodesFileError::version));
  EXPECT_FALSE(decode_saved_nodes(*from_hex("c401c0c0c0")).has_value());
  EXPECT_FALSE(decode_saved_nodes(*from_hex("c201c0")).has_value());
  EXPECT_FALSE(decode_saved_nodes(*from_hex("c401c1c0c0")).has_value());
  const Bytes huge(kMaxNodesFileBytes + 1);
  EXPECT_TRUE(decode_saved_nodes(huge).error().is(NodesFileError::too_large));
  // Minimal "records" in too great a number: refused when the limit is met, not after.
  Bytes body;
  for (std::size_t i = 0; i <= kMaxAnchors; ++i) append(body, record(1));
  Bytes file{std::byte{0xf9}, std::byte{0},    std::byte{0}, std::byte{1},
             std::byte{0xc0}, std::byte{0xf9}, std::byte{0}, std::byte{0}};
  store_be<std::uint16_t>(MutByteView{file}.subspan(1, 2),
                          static_cast<std::uint16_t>(body.size() + 5));
  store_be<std::uint16_t>(MutByteView{file}.subspan(6, 2), static_cast<std::uint16_t>(body.size()));
  append(file, body);
  EXPECT_TRUE(decode_saved_nodes(file).error().is(NodesFileError::too_many_nodes));
}

}  // namespace
}  // namespace ethnet::kbucket
