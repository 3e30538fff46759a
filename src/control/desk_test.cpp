// Questions from other threads to the node's, and waits that always end.
#include "desk.hpp"

#include <cstdlib>
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "testing/driven_net.hpp"

namespace ethnet::control {
namespace {

class DeskTest : public ::testing::Test {
 protected:
  DeskTest() {
    node::NodeConfig config;
    config.das.emplace();
    driven.serve(driven.net.add(config, 1), desk);
    desk.open(driven.post());
  }
  DrivenNet driven;
  Desk desk{seconds(20)};
};

TEST_F(DeskTest, AQuestionIsAnsweredByTheNodesThread) {
  const auto nodes_thread = std::this_thread::get_id();
  const auto answer = driven.during([&] {
    return desk.ask<std::thread::id>([](node::Node&, Now) { return std::this_thread::get_id(); });
  });
  ASSERT_TRUE(answer);
  EXPECT_EQ(*answer, nodes_thread);
}

TEST_F(DeskTest, ARunIsToldToWhoBeganItAndToNobodyElse) {
  struct Told {
    Outcome<node::NodeEvent> first;
    Outcome<node::NodeEvent> second;
  };
  const auto publish = [](std::size_t size) {
    return [size](node::Node& n, Now now) { return n.publish(now, Bytes(size), 1'024); };
  };
  const Told told = driven.during([&] {
    const auto one = desk.begin(publish(4'096));
    const auto two = desk.begin(publish(8'192));
    if (!one || !two) std::abort();
    auto second = desk.next(**two);
    return Told{desk.next(**one), std::move(second)};
  });
  ASSERT_TRUE(told.first && told.second);
  const auto& first = std::get<node::DataPublished>(*told.first);
  const auto& second = std::get<node::DataPublished>(*told.second);
  EXPECT_TRUE(first.kept && second.kept);
  EXPECT_NE(first.run, second.run);
  EXPECT_NE(first.data_id, second.data_id);
}

TEST_F(DeskTest, ACommandThatTheNodeRefusesIsNotPossible) {
  const auto begun = driven.during([&] {
    return desk.begin([](node::Node& n, Now now) { return n.sample(now, das::DataId{}, 8); });
  });
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().trouble, Trouble::not_possible);
  EXPECT_FALSE(begun.error().what.empty());
}

TEST_F(DeskTest, WhoWaitsIsWokenWhenTheDeskCloses) {
  auto asked = std::async(std::launch::async,
                          [&] { return desk.ask<int>([](node::Node&, Now) { return 1; }); });
  desk.close();  // nobody runs the turn
  const auto answer = asked.get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().trouble, Trouble::ending);
}

TEST(DeskOfASilentNode, AWaitEndsByItself) {
  Desk desk{milliseconds(20)};
  desk.open([](const Desk::Turn&) {});
  const auto answer = desk.ask<int>([](node::Node&, Now) { return 1; });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().trouble, Trouble::silent);
}

}  // namespace
}  // namespace ethnet::control
