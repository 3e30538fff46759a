// Queries on their way to a node, and what comes back, without one.
#include "node_line.hpp"

#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace ethnet::observe {
namespace {

class NodeLineTest : public ::testing::Test {
 protected:
  struct Put {
    std::size_t queries = 0;
    TakeAnswers take;
  };

  void connect() {
    line.connect([this](const std::vector<node::Query>& queries, TakeAnswers take) {
      put.push_back({queries.size(), std::move(take)});
    });
  }
  void ask(std::size_t queries) {
    const std::size_t who = told.size();
    told.emplace_back();
    line.ask(std::vector<node::Query>(queries, node::BlockQuery{}),
             [this, who](const NodeAnswers& answers) {
               EXPECT_FALSE(told[who].has_value()) << "twice";
               told[who] = answers.size();
             });
  }
  // What the node says to the n-th turn.
  void answer(std::size_t nth, std::size_t answers) {
    put.at(nth).take(NodeAnswers(answers, node::NoSuchBlock{}));
    poll();
  }
  void poll() {
    io.restart();
    io.poll();
  }

  boost::asio::io_context io{1};
  NodeLineCounters counters;
  NodeLine line{io, counters, seconds(3600)};
  std::vector<Put> put;
  std::vector<std::optional<std::size_t>> told;  // of each who asked: how many answers
};

TEST_F(NodeLineTest, OneTurnIsAtTheNodeAndTheRestWaits) {
  connect();
  ask(1);
  ask(2);
  ask(3);
  poll();
  ASSERT_EQ(put.size(), 1U);
  EXPECT_EQ(put[0].queries, 1U);
  answer(0, 1);
  EXPECT_EQ(told[0], 1U);
  EXPECT_EQ(told[1], std::nullopt);
  ASSERT_EQ(put.size(), 2U);
  EXPECT_EQ(put[1].queries, 2U);
  answer(1, 2);
  answer(2, 3);
  EXPECT_EQ(told[2], 3U);
  EXPECT_EQ(counters.asked, 3U);
  EXPECT_EQ(counters.silent, 0U);
}

TEST_F(NodeLineTest, WithoutANodeThereIsNoAnswerAndNotBeforeAskHasReturned) {
  ask(1);
  EXPECT_EQ(told[0], std::nullopt);
  poll();
  EXPECT_EQ(told[0], 0U);
  EXPECT_EQ(counters.silent, 1U);
}

TEST_F(NodeLineTest, AFullLineRefuses) {
  connect();
  for (std::size_t i = 0; i < kMaxNodeLine; ++i) ask(1);
  poll();
  EXPECT_EQ(counters.silent, 0U);
  ask(1);
  poll();
  EXPECT_EQ(told.back(), 0U);
  EXPECT_EQ(counters.silent, 1U);
  EXPECT_EQ(put.size(), 1U);
}

TEST_F(NodeLineTest, AClosedLineAnswersEverybodyAndPutsNothingMore) {
  connect();
  ask(1);
  ask(1);
  line.close();
  ask(1);
  poll();
  EXPECT_EQ(told, (std::vector<std::optional<std::size_t>>{0, 0, 0}));
  ASSERT_EQ(put.size(), 1U);
  answer(0, 1);  // nobody is there any more
  EXPECT_EQ(put.size(), 1U);
  EXPECT_EQ(counters.silent, 3U);
}

TEST(NodeLinePatience, ASilentNodeIsWaitedForOnceAndItsLateAnswerIsNobodys) {
  boost::asio::io_context io{1};
  NodeLineCounters counters;
  NodeLine line{io, counters, milliseconds(1)};
  std::vector<TakeAnswers> put;
  line.connect(
      [&](const std::vector<node::Query>&, TakeAnswers take) { put.push_back(std::move(take)); });
  std::vector<std::size_t> told;
  const auto ask = [&] {
    line.ask({node::BlockQuery{}},
             [&](const NodeAnswers& answers) { told.push_back(answers.size()); });
  };
  ask();
  ask();
  io.run();
  EXPECT_EQ(told, (std::vector<std::size_t>{0, 0}));
  EXPECT_EQ(put.size(), 1U) << "a silent node is asked no more until it has answered";
  put[0](NodeAnswers(1, node::NoSuchBlock{}));
  ask();
  io.restart();
  io.poll();
  ASSERT_EQ(put.size(), 2U);
  put[1](NodeAnswers(1, node::NoSuchBlock{}));
  io.restart();
  io.run();
  EXPECT_EQ(told.size(), 3U);
  EXPECT_EQ(counters.silent + told.back(), 3U) << "either in time or given up, and counted so";
}

}  // namespace
}  // namespace ethnet::observe
