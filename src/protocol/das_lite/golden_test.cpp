// The sampling flow from end to end, with indices that are known: what is seen on the wire, and
// what the result says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine.hpp"
#include "testing/net.hpp"

namespace ethnet::das_lite {
namespace {

using namespace testing;
using das::testing::ScriptedSource;
using das::testing::test_data;
using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr std::uint32_t kWithheld = 40;
const std::set<std::uint32_t> kDrawn{3, 11, 27, 40, 52, 7, 19, 61};

struct Golden {
  // `peers` that announce 64 chunks and hold back one, by silence or by saying so.
  Golden(std::size_t peers, bool by_silence) {
    for (std::size_t i = 0; i < peers; ++i) {
      sessions.push_back(net.connect(
          node, answering([this, by_silence](std::uint32_t index) -> std::optional<Bytes> {
            if (index != kWithheld) return chunk_response(data, index);
            if (by_silence) return std::nullopt;
            return not_held(data, index);
          })));
      net.say(sessions.back(), announcement(data));
    }
  }

  das::DataSet data = test_data(64, 1024);
  ScriptedSource source{3, 11, 27, 40, 52, 7, 19, 61};
  Net net;
  Node& node = net.add_node({}, &source);
  std::vector<SessionHandle> sessions;
};

void expect_the_golden_result(const Golden& golden, std::size_t withheld_tries) {
  std::set<std::uint32_t> asked;
  for (const auto& [index, sessions] : golden.net.asked()) {
    asked.insert(index);
    EXPECT_EQ(sessions.size(), index == kWithheld ? withheld_tries : 1U) << index;
    const std::set<SessionHandle> distinct{sessions.begin(), sessions.end()};
    EXPECT_EQ(distinct.size(), sessions.size()) << index;
  }
  EXPECT_EQ(asked, kDrawn);
  ASSERT_THAT(golden.node.verdicts, SizeIs(1));
  const DasVerdict& verdict = golden.node.verdicts.front();
  EXPECT_EQ(to_text(verdict), "received=7 requested=8 confidence=0.875");
  EXPECT_EQ(verdict.confidence, 0.875);
  EXPECT_NEAR(verdict.fooled_probability, 1.0, 1e-9);
  EXPECT_TRUE(verdict.automatic);
  EXPECT_EQ(verdict.key, golden.data.key());
  EXPECT_EQ(golden.node.engine.store().held_chunks(golden.data.key().id), 7U);
  EXPECT_TRUE(golden.node.blamed.empty());
}

TEST(GoldenSampling, AWithheldChunkIsAskedOnceOfEachAnnouncingPeerAndNoOtherIsFetched) {
  Golden golden{3, false};
  golden.net.run();
  expect_the_golden_result(golden, 3);
  EXPECT_THAT(golden.node.scored, SizeIs(3));
}

TEST(GoldenSampling, AChunkWithheldBySilenceIsAskedOnceOfEachTooAndCostsEachATimeout) {
  Golden golden{3, true};
  const Instant begin = golden.net.now().mono;
  golden.net.run(kGatherTime + kChunkTimeout * 3 - milliseconds(1));
  EXPECT_TRUE(golden.node.verdicts.empty());
  golden.net.run(begin + kGatherTime + kChunkTimeout * 3 + milliseconds(50) -
                 golden.net.now().mono);
  expect_the_golden_result(golden, 3);
  EXPECT_THAT(golden.node.scored, SizeIs(3));
}

TEST(GoldenSampling, MorePeersThanTheRetryLimitAreNotAllAsked) {
  Golden golden{das::kMaxTries + 4, false};
  golden.net.run();
  expect_the_golden_result(golden, das::kMaxTries);
}

TEST(GoldenSampling, OnePeerAloneIsAskedOnce) {
  Golden golden{1, false};
  golden.net.run();
  expect_the_golden_result(golden, 1);
  // All eight fit into one message.
  const auto requests = std::ranges::count_if(golden.net.sent(), [](const auto& one) {
    return peek_code(one.second) == Code::request_chunk;
  });
  EXPECT_EQ(requests, 1);
}

TEST(GoldenSampling, TheResultAsItStandsRisesToItsEnd) {
  Golden golden{2, false};
  golden.net.run();
  ASSERT_FALSE(golden.node.moves.empty());
  EXPECT_EQ(to_text(golden.node.moves.front()), "received=0 requested=8 confidence=0.000");
  std::uint32_t before = 0;
  for (const DasVerdict& move : golden.node.moves) {
    EXPECT_EQ(move.requested, 8U);
    EXPECT_GE(move.received, before);
    before = move.received;
  }
  EXPECT_EQ(before, 7U);
}

TEST(GoldenSampling, TheGridShowsWhatCameAndWhatDidNot) {
  Golden golden{2, false};
  golden.net.run();
  const auto grid = golden.node.engine.grid(golden.data.key().id);
  ASSERT_THAT(grid, SizeIs(64));
  for (std::uint32_t i = 0; i < 64; ++i) {
    const ChunkState expected = i == kWithheld       ? ChunkState::missing
                                : kDrawn.contains(i) ? ChunkState::held
                                                     : ChunkState::unknown;
    EXPECT_EQ(grid[i], expected) << i;
  }
  const auto sets = golden.node.engine.data_sets();
  ASSERT_THAT(sets, SizeIs(1));
  EXPECT_EQ(sets.front().held, 7U);
  EXPECT_EQ(sets.front().announcers, 2U);
  EXPECT_EQ(sets.front().verdict, golden.node.verdicts.front());
}

}  // namespace
}  // namespace ethnet::das_lite
