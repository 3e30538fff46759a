// Data sets through whole nodes: published on one, sampled and fetched by the others, unseen by who
// does not speak das-lite.
#include <gtest/gtest.h>

#include "node.hpp"
#include "testing/net.hpp"

namespace ethnet::node {
namespace {

constexpr std::uint32_t kChunk = 1'024;

NodeConfig with_das(NodeConfig config) {
  config.das.emplace();
  return config;
}
NodeConfig without_sampling(NodeConfig config) {
  config.das.emplace().auto_sample = false;
  return config;
}

class Data : public ::testing::Test {
 protected:
  std::uint64_t command(Box& box, auto&& what) {
    std::uint64_t run = 0;
    box.pump->input(net.now_of(box), [&](Node& node) {
      const auto begun = what(node, net.now_of(box));
      ASSERT_TRUE(begun) << begun.error().message();
      run = *begun;
    });
    return run;
  }
  // Publishes 64 chunks and tells their name.
  das::DataId publish(Box& box) {
    command(box, [&](Node& node, Now now) { return node.publish(now, data, kChunk); });
    net.run(milliseconds(100));
    const auto* told = last<DataPublished>(box);
    EXPECT_TRUE(told != nullptr && told->kept);
    return told == nullptr ? das::DataId{} : das::DataId{told->data_id.bytes};
  }
  template <class E>
  static const E* last(const Box& box) {
    const E* found = nullptr;
    for (const NodeEvent& event : box.events) {
      if (const auto* one = std::get_if<E>(&event)) found = one;
    }
    return found;
  }

  Net net;
  Bytes data = [] {
    Bytes out(64 * kChunk);
    Prng prng{3};
    for (std::byte& b : out) b = static_cast<std::byte>(prng.below(256));
    return out;
  }();
};

TEST_F(Data, IsSampledByWhoeverHearsOfItAndItsConfidenceIsTold) {
  Box& a = net.add(with_das({}), 1);
  Box& b = net.add(with_das(dialling({1})), 2);
  net.run(seconds(2));
  const das::DataId id = publish(a);
  net.run(seconds(5));
  const auto* sampled = last<DataSampled>(b);
  ASSERT_NE(sampled, nullptr);
  EXPECT_TRUE(sampled->done && sampled->automatic);
  EXPECT_EQ(das::DataId{sampled->data_id.bytes}, id);
  EXPECT_EQ(sampled->requested, 8U);
  EXPECT_EQ(sampled->received, 8U);
  EXPECT_EQ(sampled->confidence, 1.0);
  EXPECT_EQ(b.counter("das.chunks_received"), 8U);
  EXPECT_EQ(a.counter("das.chunks_served"), 8U);
  EXPECT_EQ(b.log.count("received=8 requested=8 confidence=1"), 1U);
}

TEST_F(Data, IsFetchedWholeOnCommandAndOnlyThen) {
  Box& a = net.add(with_das({}), 1);
  Box& b = net.add(without_sampling(dialling({1})), 2);
  net.run(seconds(2));
  const das::DataId id = publish(a);
  net.run(seconds(5));
  EXPECT_EQ(b.count<DataSampled>(), 0U);
  EXPECT_EQ(b.counter("das.chunks_asked"), 0U);
  const std::uint64_t run = command(b, [&](Node& node, Now now) { return node.fetch(now, id); });
  net.run(seconds(5));
  const auto* fetched = last<DataFetched>(b);
  ASSERT_NE(fetched, nullptr);
  EXPECT_TRUE(fetched->done);
  EXPECT_EQ(fetched->run, run);
  EXPECT_EQ(fetched->received, 64U);
  Bytes got;
  for (std::uint32_t i = 0; i < 64; ++i) {
    const auto chunk = b.node->das()->chunk(id, i);
    ASSERT_TRUE(chunk);
    append(got, chunk->bytes);
  }
  EXPECT_EQ(got, data);
}

TEST_F(Data, WhoDoesNotSpeakDasLiteNeverSeesAMessageOfItAndSyncsAllTheSame) {
  Box& a = net.add(with_das(producing()), 1);
  Box& plain = net.add(dialling({1}), 2);
  Box& b = net.add(with_das(dialling({1})), 3);
  std::size_t foreign = 0;
  std::size_t messages = 0;
  plain.node->set_session_tap([&](const session::SessionEvent& event) {
    const auto* message = std::get_if<session::MessageReceived>(&event);
    if (message == nullptr) return;
    ++messages;
    if (message->capability.name != "mini-sync") ++foreign;
  });
  net.run(seconds(2));
  publish(a);
  net.run(seconds(9));
  EXPECT_EQ(last<DataSampled>(b)->received, 8U);
  EXPECT_GT(messages, 0U);
  EXPECT_EQ(foreign, 0U);
  EXPECT_GE(plain.head().number, 3U);
  EXPECT_EQ(plain.head(), b.head());
}

// Nobody has any more what was announced: the verdict says so, and that is all that comes of it.
TEST_F(Data, ASamplingThatGetsNothingTouchesNeitherHeadersNorSessions) {
  NodeConfig forgetful = with_das(producing());
  forgetful.das->store.lifetime = seconds(5);
  Box& a = net.add(forgetful, 1);
  Box& b = net.add(without_sampling(dialling({1})), 2);
  net.run(seconds(2));
  const das::DataId id = publish(a);
  net.run(seconds(10));
  const std::uint64_t height = b.head().number;
  const std::uint64_t run =
      command(b, [&](Node& node, Now now) { return node.sample(now, id, 8); });
  net.run(seconds(60));
  const auto* verdict = last<DataSampled>(b);
  ASSERT_NE(verdict, nullptr);
  EXPECT_EQ(verdict->run, run);
  EXPECT_TRUE(verdict->done);
  EXPECT_EQ(verdict->requested, 8U);
  EXPECT_EQ(verdict->received, 0U);
  EXPECT_EQ(b.count<SessionDown>(), 0U);
  EXPECT_GE(b.head().number, height + 10);
  EXPECT_EQ(a.head(), b.head());
}

// Headers go on while a data set is moved, and what das-lite holds is gone with the sessions.
TEST_F(Data, LeavesNothingBehindWhenTheSessionsHaveGone) {
  Box& a = net.add(with_das(producing()), 1);
  Box& b = net.add(with_das(dialling({1})), 2);
  net.run(seconds(2));
  const das::DataId id = publish(a);
  net.run(seconds(5));
  command(b, [&](Node& node, Now now) { return node.fetch(now, id); });
  net.run(milliseconds(20));
  a.pump->input(net.now_of(a), [&](Node& node) { node.shut_down(net.now_of(a)); });
  net.run(seconds(10));
  EXPECT_EQ(b.counter("das.held"), 0U);
  const auto* fetched = last<DataFetched>(b);
  ASSERT_NE(fetched, nullptr);
  EXPECT_TRUE(fetched->done);
}

TEST_F(Data, ACommandToANodeThatDoesNotSpeakItSaysSo) {
  Box& a = net.add({}, 1);
  a.pump->input(net.now_of(a), [&](Node& node) {
    const auto refused = node.publish(net.now_of(a), data, kChunk);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().is(NodeError::no_das));
  });
}

}  // namespace
}  // namespace ethnet::node
