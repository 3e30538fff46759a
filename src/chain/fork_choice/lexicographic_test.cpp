#include "lexicographic.hpp"

#include <gtest/gtest.h>

#include "../test_support.hpp"

namespace ethnet::chain {
namespace {

TEST(LexicographicHead, TheGreatestHashWinsWhateverItsHeight) {
  testing::TestBench bench{testing::rule_named("lexicographic-head")};
  (void)bench.import(bench.branch("genesis", {"a1", "a2", "a3"}));
  for (const char* name : {"b1", "c1", "d1", "e1", "f1"}) {
    (void)bench.import({bench.make(name, "genesis")});
    Hash32 greatest = bench.hash("a3");
    for (const char* other : {"b1", "c1", "d1", "e1", "f1"}) {
      const auto known = bench.manager.pending_header(bench.hash(other));
      if (known) greatest = std::max(greatest, bench.hash(other));
      if (std::string_view{other} == name) break;
    }
    EXPECT_EQ(bench.manager.pending_head().hash, greatest) << name;
  }
  EXPECT_NE(bench.manager.pending_head().hash, bench.hash("a3"));
  for (const RankedHead& head : bench.manager.explain_heads()) {
    EXPECT_EQ(head.score.value, head.block.hash.hex());
  }
}

}  // namespace
}  // namespace ethnet::chain
