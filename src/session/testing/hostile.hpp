// A node and two hosts that say what no honest peer would: `peer`, whose lower id makes it the
// arbiter, so that it may say everything, and `other`, a stranger. Test support.
#pragma once

#include <array>
#include <utility>

#include <gtest/gtest.h>

#include "world.hpp"

namespace ethnet::session::testing {

class HostileSession : public ::testing::Test {
 protected:
  World world;
  std::pair<Key, Key> keys = ordered_keys(1);
  Node& node = world.add_node(keys.second, address(1));
  FakeHost& far = world.add_raw_host(address(2));
  RawPeer peer{world, far, keys.first};
  RawPeer other{world, world.add_raw_host(address(3)), make_key(99)};
};

// How far a connection has come.
enum class Stage : std::uint8_t { open, claimed, proven, ready, active };
inline constexpr std::array kStages{Stage::open, Stage::claimed, Stage::proven, Stage::ready,
                                    Stage::active};

class Staged : public HostileSession {
 protected:
  // Of `peer`, with a Hello of its own or as the node's.
  void reach(Stage stage) {
    peer.connect(node.address());
    advance(Stage::open, stage);
  }
  void advance(Stage from, Stage to) {
    if (from < Stage::claimed && to >= Stage::claimed) peer.exchange_claims();
    if (from < Stage::proven && to >= Stage::proven) peer.exchange_proofs();
    if (from < Stage::ready && to >= Stage::ready) peer.say(encode_frame(peer.hello(node.local)));
    if (from < Stage::active && to == Stage::active) peer.say(encode_frame(Activate{5, 1}));
    world.run_for(milliseconds(50));
  }
};

}  // namespace ethnet::session::testing
