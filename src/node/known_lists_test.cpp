// The numbers of lists in the DNS: as a file, and across restarts in dns_lists_test.cpp.
#include "known_lists.hpp"

#include <string>

#include <discovery/dns/testing/zone.hpp>
#include <gtest/gtest.h>

namespace ethnet::node {
namespace {

using dns::testing::link_of;
using Code = KnownListsError;

TEST(KnownListsFile, GivesWhatWasPutIn) {
  KnownLists lists;
  EXPECT_TRUE(KnownLists::decode(lists.encode())->all().empty());
  lists.learn(link_of("a.example.org"), 7);
  lists.learn(link_of("b.example.org", 3), UINT64_MAX);
  const auto read = KnownLists::decode(lists.encode());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->number_of(link_of("A.Example.org")), 7U) << "names in the DNS have no case";
  EXPECT_EQ(read->number_of(link_of("b.example.org", 3)), UINT64_MAX);
  EXPECT_EQ(read->number_of(link_of("b.example.org")), 0U) << "of another key";
  EXPECT_EQ(read->encode(), lists.encode());
}

TEST(KnownListsFile, ANumberDoesNotFall) {
  KnownLists lists;
  lists.learn(link_of("a.example.org"), 7);
  lists.learn(link_of("a.example.org"), 6);
  EXPECT_EQ(lists.number_of(link_of("a.example.org")), 7U);
  EXPECT_EQ(lists.all().size(), 1U);
}

TEST(KnownListsFile, HasABoundAndWhoWasNotHeardOfForLongestMakesWay) {
  KnownLists lists;
  const auto name = [](std::size_t i) {
    std::string out = std::to_string(i);
    while (out.size() + 13 <= dns::kMaxDomain) out += ".abcdefghijkl";
    return out;
  };
  for (std::size_t i = 0; i < kMaxKnownLists; ++i) lists.learn(link_of(name(i)), UINT64_MAX);
  lists.learn(link_of(name(0)), UINT64_MAX);
  lists.learn(link_of(name(kMaxKnownLists)), UINT64_MAX);
  EXPECT_EQ(lists.all().size(), kMaxKnownLists);
  EXPECT_EQ(lists.number_of(link_of(name(1))), 0U);
  EXPECT_EQ(lists.number_of(link_of(name(0))), UINT64_MAX);
  EXPECT_LE(lists.encode().size(), kMaxKnownListsFile);
  EXPECT_TRUE(KnownLists::decode(lists.encode()).has_value());
}

TEST(KnownListsFile, WhatIsDamagedIsRefused) {
  KnownLists lists;
  lists.learn(link_of("a.example.org"), 7);
  const Bytes good = lists.encode();
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= std::byte{1};
    EXPECT_FALSE(KnownLists::decode(bad).has_value()) << i;
    EXPECT_FALSE(KnownLists::decode(ByteView{good}.first(i)).has_value()) << i;
  }
  EXPECT_TRUE(KnownLists::decode(Bytes(kMaxKnownListsFile + 1)).error().is(Code::too_large));
}

}  // namespace
}  // namespace ethnet::node
