// One session for each identity, whatever comes at once: crowds of connections and crossed dials.
#include <cstdio>

#include <gtest/gtest.h>

#include "testing/amount.hpp"
#include "testing/world.hpp"

namespace ethnet::session {
namespace {

using namespace ethnet::session::testing;

constexpr std::size_t kCrowd = 100;

Endpoint crowd_address(std::size_t i) { return address(static_cast<std::uint8_t>(i + 10)); }

// We are the arbiter: the first that is ready stays, and answers for itself.
TEST(OneSession, AHundredConnectionsOfOneIdentityLeaveOneAndNinetyNineRefusals) {
  const auto [low_key, high_key] = ordered_keys(1);
  WorldOptions options;
  options.net.max_delay = milliseconds(60);
  World world{7, options};
  Node& arbiter = world.add_node(low_key, address(1));
  std::vector<Node*> crowd;
  for (std::size_t i = 0; i < kCrowd; ++i) {
    crowd.push_back(&world.add_node(high_key, crowd_address(i)));
  }
  for (Node* node : crowd) ASSERT_TRUE(node->dial(arbiter.address()));
  world.run_for(seconds(5));
  EXPECT_EQ(arbiter.manager().session_count(), 1U);
  EXPECT_EQ(arbiter.events<SessionOpened>().size(), 1U);
  EXPECT_TRUE(arbiter.events<SessionClosed>().empty());
  EXPECT_EQ(arbiter.refused_with(DisconnectReason::already_connected), kCrowd - 1);
  EXPECT_EQ(arbiter.log.count("duplicate session rejected"), kCrowd - 1);
  std::size_t active = 0;
  for (Node* node : crowd) active += node->manager().session_count();
  EXPECT_EQ(active, 1U);
}

// The peer is the arbiter and activates every one of its connections, which it should not.
class CrowdOfArbiters : public ::testing::Test {
 protected:
  CrowdOfArbiters() {
    for (std::size_t i = 0; i < kCrowd; ++i) {
      peers.emplace_back(world, world.add_raw_host(crowd_address(i)), keys.first);
    }
  }

  // All of them at once, step by step, so that all are ready within the deadline.
  void make_ready() {
    for (RawPeer& peer : peers) ASSERT_NO_FATAL_FAILURE(peer.start(node.address()));
    world.run_for(milliseconds(100));
    for (RawPeer& peer : peers) {
      ASSERT_NO_FATAL_FAILURE(peer.accept());
      (void)peer.open(transport::StreamKind::bidirectional);
      peer.say(encode_frame(Claim{kProtocolVersion, peer.id(), std::nullopt}));
    }
    world.run_for(milliseconds(100));
    for (RawPeer& peer : peers) {
      ASSERT_EQ(peer.hear()->type, FrameType::claim);
      ASSERT_EQ(peer.hear()->type, FrameType::proof);
      peer.say(encode_frame(peer.proof(transport::Side::dialler, node.id())));
    }
    world.run_for(milliseconds(100));
    for (RawPeer& peer : peers) {
      ASSERT_EQ(peer.hear()->type, FrameType::hello);
      peer.say(encode_frame(peer.hello(node.local)));
    }
    world.run_for(milliseconds(100));
    ASSERT_EQ(node.manager().snapshot().proven, kCrowd);
  }

  World world;
  std::pair<Key, Key> keys = ordered_keys(1);
  Node& node = world.add_node(keys.second, address(1));
  std::vector<RawPeer> peers;
};

TEST_F(CrowdOfArbiters, ActivatingAllOneByOneLeavesTheNewestAndNeverTwo) {
  ASSERT_NO_FATAL_FAILURE(make_ready());
  for (std::size_t i = 0; i < kCrowd; ++i) {
    peers[i].say(encode_frame(Activate{77, i + 1}));
    world.run_for(milliseconds(20));
    ASSERT_EQ(node.manager().find(node.only_session())->remote, crowd_address(i));
  }
  EXPECT_EQ(node.closed_with(DisconnectReason::replaced), kCrowd - 1);
  EXPECT_EQ(node.events<SessionOpened>().size(), kCrowd);
  EXPECT_EQ(node.host.connections(), 1U);
}

// In one instant, and the newest word first: what is older than the session that we have is
// refused.
TEST_F(CrowdOfArbiters, TheNewestWordCountsInWhateverOrderTheyArrive) {
  ASSERT_NO_FATAL_FAILURE(make_ready());
  for (std::size_t i = 0; i < kCrowd; ++i) {
    const std::size_t at = (i + kCrowd / 2) % kCrowd;  // 50 .. 99, then 0 .. 49
    peers[at].say(encode_frame(Activate{77, at + 1}));
  }
  world.run_for(milliseconds(100));
  EXPECT_EQ(node.manager().find(node.only_session())->remote, crowd_address(kCrowd - 1));
  EXPECT_EQ(node.closed_with(DisconnectReason::replaced), kCrowd / 2 - 1);
  EXPECT_EQ(node.refused_with(DisconnectReason::already_connected), kCrowd / 2);
  EXPECT_EQ(node.host.connections(), 1U);
}

// Two nodes dial each other about the same time, by address or by identity.
void dial_across(std::uint64_t seed) {
  Prng dice = Prng{seed}.split("crossed dials");
  const auto [low_key, high_key] = ordered_keys(seed);
  WorldOptions options;
  options.net.min_delay = milliseconds(1);
  options.net.max_delay = milliseconds(dice.between(1, 200));
  options.max_job_time = milliseconds(dice.between(1, 50));
  World world{seed, options};
  Node& low = world.add_node(low_key, address(1));
  Node& high = world.add_node(high_key, address(2));
  const auto dial = [&](Node& from, Node& to) {
    const bool by_id = dice.below(3) == 0;
    const auto done = from.dial(to.address(), by_id ? std::optional{to.id()} : std::nullopt);
    // The other one may have been quicker.
    if (!done) {
      EXPECT_TRUE(done.error().is(SessionError::already_connected));
    }
  };
  const bool low_first = dice.below(2) == 0;
  const Duration pause = milliseconds(dice.between(0, 600));
  dial(low_first ? low : high, low_first ? high : low);
  world.run_for(pause);
  dial(low_first ? high : low, low_first ? low : high);
  world.run_for(seconds(15));
  ASSERT_EQ(low.manager().session_count(), 1U);
  ASSERT_EQ(high.manager().session_count(), 1U);
  EXPECT_EQ(low.host.connections(), 1U);
  EXPECT_EQ(high.host.connections(), 1U);
  // Whoever lost was told why: the other connection is the one, or a newer one is.
  for (const Node* node : {&low, &high}) {
    for (const DialFailed& lost : node->events<DialFailed>()) {
      EXPECT_EQ(lost.reason, DisconnectReason::already_connected);
    }
    for (const SessionClosed& lost : node->events<SessionClosed>()) {
      EXPECT_EQ(lost.reason, DisconnectReason::replaced);
    }
  }
  ASSERT_TRUE(low.send(low.only_session(), "echo/1", "to the same session"));
  world.run_for(seconds(1));
  EXPECT_EQ(high.events<MessageReceived>().size(), 1U);

  // One of them loses its memory and dials again: still one, and it works.
  Node& forgetful = dice.below(2) == 0 ? low : high;
  Node& other = &forgetful == &low ? high : low;
  forgetful.restart();
  ASSERT_TRUE(forgetful.dial(other.address()));
  world.run_for(seconds(15));
  ASSERT_EQ(low.manager().session_count(), 1U);
  ASSERT_EQ(high.manager().session_count(), 1U);
  EXPECT_EQ(low.host.connections(), 1U);
  EXPECT_EQ(high.host.connections(), 1U);
}

TEST(OneSession, atk_19_AThousandSeedsOfCrossedDialsEndInExactlyOneSession) {
  const std::uint64_t seeds = ethnet::testing::amount("ETHNET_CROSSED_DIALS", 1'000);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ASSERT_NO_FATAL_FAILURE(dial_across(seed));
    if (::testing::Test::HasFailure()) return;
  }
  std::printf("seeds: %llu crossed dials\n", static_cast<unsigned long long>(seeds));
}

}  // namespace
}  // namespace ethnet::session
