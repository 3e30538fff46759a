// Attacks under the address of another node: to have it flooded by our answers, or to keep it from
// us (docs/THREATS.md, rows 21 and 28).
#include <vector>

#include <base/prng.hpp>
#include <gtest/gtest.h>

#include "../testing/engine_rig.hpp"
#include "engine.hpp"

namespace ethnet::discv5 {
namespace {

using namespace testing;

class ForgedAddresses : public ::testing::Test {
 protected:
  EngineNode& start() { return net_.add(1); }
  void ping(EngineNode& from, std::uint64_t to) {
    net_.command(from, [&](Engine& e) { return e.ping(net_.now, node_of(to)); });
  }
  // A node that knows so many others, all alive, and what it sends to `asker`.
  EngineNode& informed() {
    EngineNode& node = start();
    for (std::uint64_t i = 0; i < 40; ++i) {
      node.table.add(net_.now, node_at(1'000 + i, own_subnet(1'000 + i)), Standing::reached);
    }
    return node;
  }
  void count_bytes_to(const RawPeer& asker) {
    net_.loses = [this, at = asker.place()](const UnderWay& sent) {
      if (sent.to == at) bytes_ += sent.bytes.size();
      return false;
    };
  }
  static FindNode question() {
    FindNode out{.request_id = RequestId::of(7), .distances = {}};
    for (std::uint16_t distance = 256; distance > 253; --distance) {
      out.distances.push_back(distance);
    }
    return out;
  }
  EngineNet net_;
  RawPeers peers_{net_};
  std::size_t bytes_ = 0;
};

// Who had an address two days ago asks in the name of who has it now.
TEST_F(ForgedAddresses, atk_21_Discv5AnOldSessionHasNoMoreSentThanItSends) {
  EngineNode& node = informed();
  RawPeer& asker = peers_.add(5);
  asker.say(node, question());
  net_.settle();
  ASSERT_GT(asker.heard<Nodes>().size(), 1U) << "its handshake has just proven it";
  count_bytes_to(asker);
  net_.pass(kSessionProofLifetime - seconds(1));
  asker.say(node, question());
  net_.settle();
  EXPECT_GT(asker.heard<Nodes>().size(), 1U);
  for (int i = 0; i < 3; ++i) {
    net_.pass(seconds(24 * 3600));
    bytes_ = 0;
    asker.say(node, question());
    net_.settle();
    EXPECT_EQ(bytes_, kWhoareyouBytes) << "less than the question has";
    EXPECT_TRUE(asker.heard<Nodes>().empty());
  }
  EXPECT_EQ(node.engine().counters().proofs_aged, 3U);
}

TEST_F(ForgedAddresses, Discv5WhoIsThereProvesItAgainAndIsAnswered) {
  EngineNode& node = informed();
  EngineNode& asker = net_.add(2);
  const auto ask = [&] {
    const std::vector<std::uint16_t> distances{256, 255, 254};
    net_.command(asker, [&](Engine& e) { return e.find_node(net_.now, node_of(1), distances); });
    const auto told = asker.take<NodesReceived>();
    return told.size() == 1 && told[0].records.size() > 10;
  };
  EXPECT_TRUE(ask());
  net_.pass(seconds(48 * 3600));
  EXPECT_TRUE(ask()) << "after a handshake more";
  EXPECT_EQ(node.engine().session_counters().handshakes_accepted, 2U);
  // An answer to a question of ours proves it as well.
  net_.pass(seconds(20 * 3600));
  ping(node, 2);
  net_.pass(seconds(20 * 3600));
  EXPECT_TRUE(ask());
  EXPECT_EQ(node.engine().session_counters().handshakes_accepted, 2U);
}

TEST_F(ForgedAddresses, atk_21_Discv5AllAnswersTogetherHaveABudgetOfBytes) {
  constexpr std::int64_t kBurst = 20'000;
  constexpr std::int64_t kPerSecond = 2'000;
  net_.filter_limits.answers = {.burst = kBurst, .per_second = kPerSecond};
  EngineNode& node = informed();
  std::vector<RawPeer*> askers;
  for (std::uint64_t i = 5; i < 15; ++i) askers.push_back(&peers_.add(i));
  std::size_t bytes_in = 0;
  std::size_t bytes_out = 0;
  net_.loses = [&](const UnderWay& sent) {
    if (sent.from == node.place) bytes_out += sent.bytes.size();
    return false;
  };
  for (RawPeer* asker : askers) asker->say(node, Ping{RequestId::of(1), 1});
  net_.settle();
  bytes_out = 0;
  std::size_t answered = 0;
  std::size_t empty = 0;
  for (int second = 0; second < 10; ++second) {
    for (RawPeer* asker : askers) {
      asker->say(node, question());
      bytes_in += encoded_size(question()) + kOrdinaryOverhead;
      net_.settle();
      const auto heard = asker->heard<Nodes>();
      ++(heard.size() == 1 && heard[0].records.view().empty() ? empty : answered);
    }
    net_.pass(seconds(1));
  }
  EXPECT_GT(answered, 5U);
  EXPECT_GT(empty, 80U) << "they do not wait in vain";
  EXPECT_EQ(node.filter.counters().refused_answers, empty);
  EXPECT_LE(bytes_out, static_cast<std::size_t>(kBurst + 10 * kPerSecond) + bytes_in);
}

// "From" whoever is about to ask, so that the challenge is of a packet that it never sent.
TEST_F(ForgedAddresses, atk_28_Discv5ForgedPacketsKeepNobodyFromAHandshake) {
  EngineNode& node = start();
  Prng prng{5};
  std::uint64_t number = 100;
  for (const std::int64_t per_second : {1, 2, 10}) {
    for (int round = 0; round < 20; ++round) {
      ++number;
      EngineNode& asks =
          net_.add_at(number, own_subnet(number), record_at_place(number, own_subnet(number)));
      Node forger{number, {}, 77};
      const auto asks_at = static_cast<std::int64_t>(prng.below(1'500));
      for (std::int64_t ms = 0; ms < 2'500; ++ms) {
        if (ms % (1'000 / per_second) == 0) {
          const auto forged =
              forger.sessions.make_random({node.engine().self(), node.place}, forger.out);
          net_.inject(asks.place, node.place, forger.sent(forged.size));
        }
        if (ms == asks_at) ping(asks, 1);
        net_.run(milliseconds(1));
      }
      EXPECT_EQ(asks.take<PongReceived>().size(), 1U)
          << per_second << " a second, asked after " << asks_at << " ms";
    }
  }
  EXPECT_LE(node.engine().session_counters().challenges_made, 60U * 25U);
}

}  // namespace
}  // namespace ethnet::discv5
