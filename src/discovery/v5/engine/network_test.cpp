// Networks of engines: they find each other from one boot node, look-ups end at the nearest, the
// dead leave, and whoever moves is found again.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "../testing/engine_rig.hpp"
#include "engine.hpp"

namespace ethnet::discv5 {
namespace {

using namespace testing;

class EngineNetwork : public ::testing::Test {
 protected:
  void start(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      add(i);
    }
  }
  EngineNode& add(std::uint64_t number) {
    const Endpoint place = own_subnet(number);
    nodes_.push_back(&net_.add_at(number, place, record_at_place(number, place)));
    if (number > 0) nodes_.back()->engine().add_boot_node(net_.now, boot_);
    return *nodes_.back();
  }
  std::vector<NodeId> look_up(EngineNode& node, const NodeId& target) {
    node.take<LookupDone>();
    const auto lookup =
        net_.command(node, [&](Engine& e) { return e.start_lookup(net_.now, target); });
    EXPECT_NE(lookup, 0U);
    for (int i = 0; i < 200; ++i) {
      for (const LookupDone& done : node.take<LookupDone>()) {
        if (done.lookup != lookup) continue;
        std::vector<NodeId> out;
        for (const RecordPtr& record : done.nearest) out.push_back(record->id());
        return out;
      }
      net_.run(milliseconds(100));
    }
    ADD_FAILURE() << "a look-up that does not end";
    return {};
  }
  // The nearest of those that are there, without the one that looks.
  std::vector<NodeId> nearest(const NodeId& target, const NodeId& without) {
    std::vector<NodeId> out;
    for (EngineNode* node : nodes_) {
      if (node != nullptr && node->engine().self() != without) {
        out.push_back(node->engine().self());
      }
    }
    std::ranges::sort(out, [&](const NodeId& x, const NodeId& y) { return closer(target, x, y); });
    if (out.size() > kbucket::kLookupResults) out.resize(kbucket::kLookupResults);
    return out;
  }
  const RecordPtr boot_ = node_at(0, own_subnet(0));
  EngineNet net_;
  std::vector<EngineNode*> nodes_;
};

TEST_F(EngineNetwork, FiftyNodesFindTheNearestOfAnyTarget) {
  start(50);
  net_.run(seconds(120));
  std::size_t found = 0;
  for (std::uint64_t i = 0; i < nodes_.size(); ++i) {
    EXPECT_EQ(nodes_[i]->table.broken(), "");
    for (const std::uint64_t target : {1000 + i, (i + 7) % nodes_.size()}) {
      const NodeId id = id_of(target);
      EXPECT_TRUE(look_up(*nodes_[i], id) == nearest(id, nodes_[i]->engine().self())) << i;
      ++found;
    }
    EXPECT_EQ(nodes_[i]->engine().exceeded_limit(), std::nullopt);
  }
  EXPECT_EQ(found, 100U);
}

TEST_F(EngineNetwork, WhoHasGoneLeavesTheTablesAndWhoComesEntersThem) {
  start(12);
  net_.run(seconds(60));
  for (std::size_t i = 9; i < 12; ++i) {
    net_.remove(nodes_[i]->place);
    nodes_[i] = nullptr;
  }
  add(30);
  net_.run(seconds(600));
  for (std::size_t i = 0; i < 9; ++i) {
    for (std::uint64_t gone = 9; gone < 12; ++gone) {
      EXPECT_EQ(nodes_[i]->table.find_any(id_of(gone)), nullptr) << i;
    }
    const auto* newcomer = nodes_[i]->table.find(id_of(30));
    ASSERT_NE(newcomer, nullptr) << i;
    EXPECT_TRUE(newcomer->relayable()) << i;
  }
}

TEST_F(EngineNetwork, WhoIsCutOffForgetsNobody) {
  start(6);
  net_.run(seconds(60));
  EngineNode& alone = *nodes_[5];
  const std::size_t before = alone.table.size();
  EXPECT_EQ(before, 5U);
  net_.loses = [&](const UnderWay& d) { return d.from == alone.place || d.to == alone.place; };
  net_.run(seconds(600));
  EXPECT_GE(alone.table.size(), before - 1) << "of the first failure it cannot know";
  net_.loses = nullptr;
  net_.run(seconds(120));
  EXPECT_EQ(alone.table.size(), before);
  for (EngineNode* node : nodes_) {
    if (node == &alone) continue;
    EXPECT_NE(node->table.find(alone.engine().self()), nullptr);
  }
}

// Its identity and keys are the same, its sessions are not, nor is its address.
TEST_F(EngineNetwork, WhoMovesIsFoundAtItsNewAddress) {
  start(6);
  net_.run(seconds(60));
  const Endpoint there = Endpoint{own_subnet(3).ip, 9100};
  net_.remove(nodes_[3]->place);
  nodes_[3] = &net_.add_at(3, there, record_at_place(3, there, 2));
  nodes_[3]->engine().add_boot_node(net_.now, boot_);
  net_.run(seconds(240));
  for (std::size_t i = 0; i < 6; ++i) {
    if (i == 3) continue;
    const auto* entry = nodes_[i]->table.find(id_of(3));
    ASSERT_NE(entry, nullptr) << i;
    EXPECT_EQ(entry->record->endpoint(), there) << i;
    EXPECT_TRUE(entry->relayable()) << i;
  }
}

// One datagram in ten is lost; look-ups end all the same, at most of the nearest.
TEST_F(EngineNetwork, LookupsGoOnWhereDatagramsAreLost) {
  start(20);
  net_.run(seconds(60));
  Prng prng{5};
  net_.loses = [&](const UnderWay&) { return prng.below(100) < 10; };
  std::size_t found = 0;
  std::size_t wanted = 0;
  for (std::uint64_t i = 0; i < 20; ++i) {
    const NodeId target = id_of(2000 + i);
    const auto got = look_up(*nodes_[i], target);
    const auto right = nearest(target, nodes_[i]->engine().self());
    wanted += right.size();
    for (const NodeId& id : right) found += std::ranges::count(got, id) != 0 ? 1U : 0U;
  }
  EXPECT_GE(10 * found, 7 * wanted) << found << " of " << wanted;
}

}  // namespace
}  // namespace ethnet::discv5
