#include <gtest/gtest.h>
// rapidcheck wants gtest first.
#include <algorithm>
#include <map>

#include <rapidcheck/gtest.h>

#include "capability.hpp"

namespace ethnet::session {
namespace {

std::vector<Capability> parse_all(const std::vector<std::string>& literals) {
  std::vector<Capability> out;
  for (const std::string& literal : literals) {
    auto parsed = Capability::parse(literal);
    EXPECT_TRUE(parsed) << literal;
    if (parsed) out.push_back(*parsed);
  }
  return out;
}

std::vector<std::string> print_all(const std::vector<Capability>& capabilities) {
  std::vector<std::string> out;
  for (const Capability& capability : capabilities) out.push_back(capability.to_string());
  return out;
}

TEST(Capability, LiteralsSurviveParsingAndPrinting) {
  for (const std::string literal : {"mini-sync/0.1", "eth/69", "snap/1", "a/0", "das-lite/0.1",
                                    "x_1/65535.65535", "abcdefghijklmnopqrst/65535.65535"}) {
    const auto parsed = Capability::parse(literal);
    ASSERT_TRUE(parsed) << literal;
    EXPECT_EQ(parsed->to_string(), literal);
  }
  EXPECT_EQ(Capability::parse("mini-sync/0.1")->name, "mini-sync");
  EXPECT_EQ(Capability::parse("mini-sync/0.1")->version, Capability::version_of(0, 1));
  EXPECT_EQ(Capability::parse("eth/69")->version, Capability::version_of(69, 0));
}

TEST(Capability, WhatIsNotCanonicalIsRefused) {
  for (const std::string literal :
       {"",          "/",         "eth",       "eth/",
        "/1",        "eth/x",     "eth/-1",    "eth/01",
        "eth/1.",    "eth/.1",    "eth/1.0",   "eth/1.01",
        "eth/1.2.3", "eth/65536", "eth/99999", "eth/1.65536",
        "ETH/1",     "1eth/1",    "-eth/1",    "eth 1/1",
        "eth/1 ",    "eth//1",    "eth/1/2",   "abcdefghijklmnopqrstu/65535.65535"}) {
    const auto parsed = Capability::parse(literal);
    ASSERT_FALSE(parsed) << literal;
    EXPECT_TRUE(parsed.error().is(SessionError::bad_capability)) << literal;
  }
  EXPECT_FALSE(Capability::parse(std::string_view{"eth/1\0", 6}));
}

struct Row {
  std::vector<std::string> ours;
  std::vector<std::string> theirs;
  std::vector<std::string> agreed;
};

TEST(Capability, atk_14_NegotiationTable) {
  const std::vector<Row> rows{
      {{}, {}, {}},
      {{"a/1"}, {}, {}},
      {{}, {"a/1"}, {}},
      {{"a/1"}, {"a/1"}, {"a/1"}},
      {{"a/1"}, {"b/1"}, {}},
      {{"a/1"}, {"a/2"}, {}},
      {{"a/2"}, {"a/1"}, {}},
      {{"a/1", "a/2"}, {"a/1"}, {"a/1"}},
      {{"a/1", "a/2"}, {"a/2"}, {"a/2"}},
      {{"a/1", "a/2"}, {"a/1", "a/2"}, {"a/2"}},
      {{"a/2", "a/1"}, {"a/1", "a/2"}, {"a/2"}},
      {{"a/2", "a/1"}, {"a/2", "a/1"}, {"a/2"}},
      {{"a/1", "a/3"}, {"a/1", "a/2"}, {"a/1"}},
      {{"a/1", "a/2", "a/3"}, {"a/2", "a/3", "a/4"}, {"a/3"}},
      {{"a/1", "a/3"}, {"a/2", "a/4"}, {}},
      {{"a/0.1"}, {"a/0.1"}, {"a/0.1"}},
      {{"a/0.1"}, {"a/0.2"}, {}},
      {{"a/0.1", "a/0.2"}, {"a/0.2", "a/0.1"}, {"a/0.2"}},
      {{"a/0.9", "a/0.10"}, {"a/0.9", "a/0.10"}, {"a/0.10"}},
      {{"a/9", "a/10"}, {"a/9", "a/10"}, {"a/10"}},
      {{"a/1", "a/0.9"}, {"a/1", "a/0.9"}, {"a/1"}},
      {{"a/1", "b/1"}, {"b/1", "a/1"}, {"a/1", "b/1"}},
      {{"b/1", "a/1"}, {"b/1", "a/1"}, {"a/1", "b/1"}},
      {{"a/1", "b/1"}, {"b/1", "c/1"}, {"b/1"}},
      {{"a/1", "b/1", "c/1"}, {"c/1", "a/1"}, {"a/1", "c/1"}},
      {{"a/1", "a/1"}, {"a/1"}, {"a/1"}},
      {{"a/1", "a/1"}, {"a/1", "a/1"}, {"a/1"}},
      {{"ab/1"}, {"a/1"}, {}},
      {{"a-b/1"}, {"a_b/1"}, {}},
      {{"mini-sync/0.1", "das-lite/0.1"}, {"mini-sync/0.1"}, {"mini-sync/0.1"}},
      {{"mini-sync/0.1", "mini-sync/0.2", "discv-lite/0.1"},
       {"discv-lite/0.1", "eth/69", "mini-sync/0.2", "mini-sync/0.1", "snap/1"},
       {"discv-lite/0.1", "mini-sync/0.2"}},
      {{"eth/68", "eth/69", "snap/1"}, {"eth/69", "eth/70", "snap/2"}, {"eth/69"}},
      {{"a/0"}, {"a/0"}, {"a/0"}},
      {{"a/0", "a/1"}, {"a/0"}, {"a/0"}},
      {{"a/0", "a/65535"}, {"a/65535", "a/0"}, {"a/65535"}},
      {{"a/65535.65535", "a/65535"}, {"a/65535", "a/65535.65535"}, {"a/65535.65535"}},
      {{"a/89"}, {"a/1", "a/2", "a/3"}, {}},
      {{"z/1", "y/1", "x/1", "w/1"}, {"w/1", "z/1", "y/2"}, {"w/1", "z/1"}},
  };
  for (const Row& row : rows) {
    const auto ours = parse_all(row.ours);
    const auto theirs = parse_all(row.theirs);
    const std::string name = testing::PrintToString(row.ours) + testing::PrintToString(row.theirs);
    EXPECT_EQ(print_all(intersect(ours, theirs)), row.agreed) << name;
    EXPECT_EQ(print_all(intersect(theirs, ours)), row.agreed) << name;
    // And in every order of the other side's list.
    auto orders = theirs;
    std::ranges::sort(orders);
    do {
      EXPECT_EQ(print_all(intersect(ours, orders)), row.agreed) << name;
    } while (std::ranges::next_permutation(orders).found);
  }
}

rc::Gen<std::vector<Capability>> any_list() {
  const auto one = rc::gen::map(
      rc::gen::pair(rc::gen::inRange(0, 4), rc::gen::inRange<std::uint32_t>(0, 5)),
      [](const std::pair<int, std::uint32_t>& pick) {
        return Capability{std::string(1, static_cast<char>('a' + pick.first)), pick.second};
      });
  return rc::gen::container<std::vector<Capability>>(one);
}

RC_GTEST_PROP(Capability, IntersectionIsTheHighestCommonVersionOfEachName, ()) {
  const auto ours = *any_list();
  const auto theirs = *any_list();
  std::map<std::string, std::uint32_t> oracle;
  for (const Capability& a : ours) {
    if (std::ranges::find(theirs, a) == theirs.end()) continue;
    const auto [it, fresh] = oracle.try_emplace(a.name, a.version);
    if (!fresh) it->second = std::max(it->second, a.version);
  }
  std::vector<Capability> expected;
  for (const auto& [name, version] : oracle) expected.push_back({name, version});
  RC_ASSERT(intersect(ours, theirs) == expected);
  RC_ASSERT(intersect(theirs, ours) == expected);
}

}  // namespace
}  // namespace ethnet::session
