// Networks of engines: everybody finds everybody, under churn, and look-ups are right.
#include <cstdio>
#include <cstdlib>
#include <set>

#include <gtest/gtest.h>

#include "testing/net.hpp"

namespace ethnet::discv_lite {
namespace {

using namespace testing;

// A share in each run; all of them by ETHNET_DISCV_NODES=200, other runs by ETHNET_DISCV_SEED.
std::size_t nodes_to_run() {
  const char* const wish = std::getenv("ETHNET_DISCV_NODES");
  return wish == nullptr ? 80 : static_cast<std::size_t>(std::atoi(wish));
}

std::uint64_t seed_to_run() {
  const char* const wish = std::getenv("ETHNET_DISCV_SEED");
  return wish == nullptr ? 5 : static_cast<std::uint64_t>(std::atoi(wish));
}

NodeId draw_target(Prng& prng) {
  NodeId id;
  for (std::byte& b : id.bytes) b = static_cast<std::byte>(prng.next());
  return id;
}

std::vector<NodeId> nearest_alive(const Net& net, const NodeId& target, const NodeId& self) {
  std::vector<NodeId> out;
  for (const Net::Node* node : net.alive()) {
    if (node->enr.node_id() != self) out.push_back(node->enr.node_id());
  }
  std::ranges::sort(out, [&](const NodeId& a, const NodeId& b) { return closer(target, a, b); });
  if (out.size() > kbucket::kLookupResults) out.resize(kbucket::kLookupResults);
  return out;
}

struct Tries {
  std::size_t right = 0;
  std::size_t wrong = 0;
};

// Look-ups by nodes and for targets drawn at random, some at a time.
Tries look_up(Net& net, std::size_t count) {
  Tries tries;
  while (tries.right + tries.wrong < count) {
    std::map<Net::Node*, std::uint64_t> under_way;
    for (int i = 0; i < 20; ++i) {
      const auto alive = net.alive();
      Net::Node& node = *alive[net.prng().below(alive.size())];
      if (under_way.contains(&node)) continue;
      const std::uint64_t id = node.engine.start_lookup(net.now(), draw_target(net.prng()));
      if (id != 0) under_way.emplace(&node, id);
      net.drain(node);
    }
    const auto is_done = [](const auto& entry) {
      return entry.first->lookups.contains(entry.second);
    };
    for (int i = 0; i < 60 && !std::ranges::all_of(under_way, is_done); ++i) net.run(seconds(2));
    for (const auto& [node, id] : under_way) {
      const auto done = node->lookups.find(id);
      std::vector<NodeId> found;
      if (done != node->lookups.end()) {
        for (const RecordPtr& record : done->second.nearest) found.push_back(record->id());
      }
      const bool right = done != node->lookups.end() &&
                         found == nearest_alive(net, done->second.target, node->enr.node_id());
      right ? ++tries.right : ++tries.wrong;
    }
  }
  return tries;
}

TEST(DiscvNetwork, ThreeNodesWithOneBootNodeFindEachOther) {
  Net net{1};
  Net::Node& boot = net.add(0, endpoint("127.0.0.1:9001"));
  Net::Node& second = net.add(1, endpoint("127.0.0.1:9002"));
  Net::Node& third = net.add(2, endpoint("127.0.0.1:9003"));
  second.engine.add_boot_node(boot.endpoint);
  third.engine.add_boot_node(boot.endpoint);
  net.run(seconds(30));
  for (const Net::Node* node : {&boot, &second, &third}) {
    EXPECT_EQ(node->engine.discovery().table().size(), 2U) << node->number;
    EXPECT_EQ(node->seen, 2U) << node->number;
    EXPECT_TRUE(node->blamed.empty());
  }
}

// The sessions to the boot node are kept by other protocols: it can never dial back.
TEST(DiscvNetwork, ABootNodeWhosePeersKeepTheirSessionsIntroducesThem) {
  Net net{2};
  Net::Node& boot = net.add(0, own_subnet(0));
  std::vector<Net::Node*> nodes;
  for (std::uint64_t i = 1; i <= 5; ++i) {
    nodes.push_back(&net.add(i, own_subnet(i)));
    net.open(*nodes.back(), boot);
  }
  net.run(seconds(2));
  for (const Net::Node* node : nodes) EXPECT_EQ(node->seen, 5U) << node->number;
}

TEST(DiscvNetwork, ANewRecordSpreadsAndTheOldOneGoes) {
  Net net{3};
  std::vector<Net::Node*> nodes;
  for (std::uint64_t i = 0; i < 8; ++i) {
    nodes.push_back(&net.add(i, own_subnet(i)));
    nodes.back()->engine.add_boot_node(nodes.front()->enr);
  }
  net.run(seconds(60));
  Net::Node& changed = *nodes[3];
  changed.enr = enr_of(3, changed.endpoint, 2);
  changed.engine.set_local_record(kbucket::scope_of(changed.endpoint.ip), changed.enr);
  net.run(seconds(240));
  for (const Net::Node* node : nodes) {
    if (node == &changed) continue;
    const auto* entry = node->engine.discovery().table().find_any(changed.enr.node_id());
    ASSERT_NE(entry, nullptr) << node->number;
    EXPECT_EQ(entry->record->seq(), 2U) << node->number;
  }
}

TEST(DiscvNetwork, ATableSurvivesARestartWithoutItsBootNode) {
  Net net{4};
  std::vector<Net::Node*> nodes;
  for (std::uint64_t i = 0; i < 20; ++i) {
    nodes.push_back(&net.add(i, own_subnet(i)));
    nodes.back()->engine.add_boot_node(nodes.front()->enr);
  }
  net.run(seconds(120));
  const Bytes file = nodes[7]->engine.save();
  net.kill(*nodes[0]);
  net.kill(*nodes[7]);
  Net::Node& restarted = net.add(7, own_subnet(7));
  ASSERT_TRUE(restarted.engine.restore(net.now(), file).has_value());
  net.run(seconds(60));
  EXPECT_GE(restarted.seen, 16U);
  EXPECT_EQ(restarted.engine.discovery().table().broken(), "");
}

// A fifth of the nodes leaves over ten minutes and as many others come.
TEST(DiscvNetwork, LookupsFindTheNearestOfAllLiveNodesAfterTenMinutesOfChurn) {
  const std::size_t count = nodes_to_run();
  Net net{seed_to_run()};
  std::uint64_t next = 0;
  const auto join = [&] {
    Net::Node& node = net.add(next, own_subnet(next));
    ++next;
    if (next > 1) node.engine.add_boot_node(net.alive().front()->enr);
  };
  for (std::size_t i = 0; i < count; ++i) join();
  const std::size_t changes = count / 5;
  for (std::size_t i = 0; i < changes; ++i) {
    const auto alive = net.alive();
    net.kill(*alive[1 + net.prng().below(alive.size() - 1)]);  // never the boot node
    join();
    net.run(seconds(600) / static_cast<std::int64_t>(changes));
  }
  const Tries tries = look_up(net, count);
  EXPECT_GE(tries.right * 100, (tries.right + tries.wrong) * 99);
  std::size_t most = 0;
  for (const Net::Node* node : net.alive()) {
    EXPECT_EQ(node->engine.discovery().table().broken(), "");
    EXPECT_TRUE(node->blamed.empty());
    most = std::max(most, node->most_short_sessions);
  }
  EXPECT_LE(most, lite::kMaxShortSessions);
  std::printf("discv-lite: %zu nodes, %zu of %zu look-ups right, %llu dials, %llu messages\n",
              count, tries.right, tries.right + tries.wrong,
              static_cast<unsigned long long>(net.dials()),
              static_cast<unsigned long long>(net.messages()));
}

TEST(DiscvNetwork, TheSameSeedGivesTheSameNetwork) {
  const auto run = [](std::uint64_t seed) {
    Net net{seed};
    for (std::uint64_t i = 0; i < 20; ++i) {
      Net::Node& node = net.add(i, own_subnet(i));
      if (i > 0) node.engine.add_boot_node(own_subnet(0));
    }
    net.run(seconds(60));
    return std::pair{net.messages(), net.dials()};
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

}  // namespace
}  // namespace ethnet::discv_lite
