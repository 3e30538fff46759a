// What a snapshot says of a node beside its counters: peers, the fork tree, data sets.
#include "snapshot.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <types/enode_url.hpp>

#include "testing/net.hpp"

namespace ethnet::node {
namespace {

NodeSnapshot snapshot_of(Net& net, Box& box) { return box.node->snapshot(net.now_of(box)); }

NodeConfig with_das(NodeConfig config, bool samples = true) {
  config.das.emplace().auto_sample = samples;
  return config;
}

Hash32 publish(Net& net, Box& box, std::size_t bytes, std::uint32_t chunk_size) {
  static std::uint64_t made = 0;
  Bytes data(bytes, std::byte{7});
  store_be(MutByteView{data}.first(8), ++made);
  box.pump->input(net.now_of(box), [&](Node& node) {
    ASSERT_TRUE(node.publish(net.now_of(box), std::move(data), chunk_size));
  });
  net.run(milliseconds(20));
  for (auto it = box.events.rbegin(); it != box.events.rend(); ++it) {
    if (const auto* told = std::get_if<DataPublished>(&*it)) return {told->data_id.bytes};
  }
  ADD_FAILURE() << "not published";
  return {};
}

TEST(Snapshot, SaysWhenItWasMadeAndSinceWhenTheNodeLives) {
  Net net;
  Box& a = net.add({}, 1);
  const Now begin = net.now_of(a);
  net.run(seconds(7));
  const NodeSnapshot s = snapshot_of(net, a);
  EXPECT_EQ(s.started.mono, begin.mono);
  EXPECT_EQ(s.taken.mono, begin.mono + seconds(7));
  EXPECT_EQ(s.taken.wall, begin.wall + seconds(7));
}

// The URL that it prints leads to both: sessions at its port, discv4 at discport.
TEST(Snapshot, TheUrlOfANodeNamesThePortOfItsDiscovery) {
  Net net;
  const auto url_of = [&](Box& box) {
    return EnodeUrl::parse(snapshot_of(net, box).enode).value();
  };
  Box& lite = net.add({}, 1);
  EXPECT_EQ(url_of(lite).tcp, 9'001);
  EXPECT_EQ(url_of(lite).udp, 9'001);
  EXPECT_EQ(snapshot_of(net, lite).discovery_port, 9'001);
  NodeConfig config;
  config.udp_discovery.emplace().v4 = true;
  config.udp_discovery->listen = {{Net::address(2).ip, 32'303}};
  Box& udp = net.add(config, 2);
  EXPECT_EQ(url_of(udp).tcp, 9'001);
  EXPECT_EQ(url_of(udp).udp, 32'303);
  EXPECT_EQ(snapshot_of(net, udp).discovery_port, 32'303);
  // As a gateway has mapped both.
  udp.pump->input(net.now_of(udp), [&](Node& n) {
    n.set_external(net.now_of(udp), Endpoint::parse("60.1.1.1:40000").value(), 40'001);
  });
  EXPECT_EQ(url_of(udp).ip, IpAddress::parse("60.1.1.1").value());
  EXPECT_EQ(url_of(udp).tcp, 40'000);
  EXPECT_EQ(url_of(udp).udp, 40'001);
  EXPECT_EQ(EnodeUrl::parse(udp.node->local_enode())->udp, 32'303);
}

TEST(Snapshot, APeerHasItsTimeItsRoundTripAndTheBytesThatBothSidesCounted) {
  Net net;
  Box& a = net.add({}, 1);
  net.run(seconds(5));
  const Instant before = net.now_of(a).mono;
  Box& b = net.add(dialling({1}), 2);
  net.run(seconds(10));  // nothing is under way
  const NodeSnapshot of_a = snapshot_of(net, a);
  const NodeSnapshot of_b = snapshot_of(net, b);
  ASSERT_EQ(of_a.peers.size(), 1U);
  ASSERT_EQ(of_b.peers.size(), 1U);
  const PeerView& seen_by_a = of_a.peers.front();
  const PeerView& seen_by_b = of_b.peers.front();
  EXPECT_GT(seen_by_a.bytes_in, 1200U);
  EXPECT_GT(seen_by_a.bytes_out, 1200U);
  EXPECT_EQ(seen_by_a.bytes_in, seen_by_b.bytes_out);
  EXPECT_EQ(seen_by_a.bytes_out, seen_by_b.bytes_in);
  for (const PeerView* peer : {&seen_by_a, &seen_by_b}) {
    EXPECT_GT(peer->connected, before);
    EXPECT_LT(peer->connected, before + seconds(1));
    EXPECT_GE(peer->rtt, milliseconds(1));  // Net: up to a millisecond there, up to one back
    EXPECT_LE(peer->rtt, milliseconds(2));
    EXPECT_EQ(peer->score, 0);
  }
}

// A peer announced what it then does not have: that costs it points, which time gives back.
TEST(Snapshot, AScoreIsWhatIsLeftOfItNow) {
  Net net;
  NodeConfig forgets = with_das({});
  forgets.das->store.lifetime = seconds(2);
  Box& a = net.add(forgets, 1);
  Box& b = net.add(with_das(dialling({1}), false), 2);
  net.run(seconds(2));
  const Hash32 id = publish(net, a, 4'096, 1'024);
  net.run(seconds(5));
  b.pump->input(net.now_of(b),
                [&](Node& node) { ASSERT_TRUE(node.fetch(net.now_of(b), das::DataId{id.bytes})); });
  net.run(seconds(1));
  const auto score = [&] {
    const NodeSnapshot s = snapshot_of(net, b);
    return s.peers.size() == 1 ? s.peers.front().score : -1;
  };
  const double at_first = score();
  EXPECT_GE(at_first, 3);
  EXPECT_EQ(at_first, static_cast<double>(b.node->scores().points(net.now_of(b), a.node->id())));
  net.run(peers::kScoreHalfLife);
  EXPECT_LE(score(), at_first / 2 + 1);
  EXPECT_LT(score(), at_first);
}

TEST(Snapshot, TheForkTreeIsSharedUntilItChanges) {
  Net net;
  Box& a = net.add(producing(true), 1);
  Box& b = net.add(dialling({1}), 2);
  net.run(seconds(41));
  const NodeSnapshot first = snapshot_of(net, b);
  EXPECT_GE(first.reorgs, 2U);
  EXPECT_EQ(first.reorgs, b.node->chain().counters().reorgs);
  EXPECT_EQ(first.earliest, 0U);
  EXPECT_FALSE(first.blocks_cut);
  EXPECT_EQ(first.blocks->size(), b.node->chain().tree().size());
  EXPECT_EQ(
      static_cast<std::uint64_t>(std::ranges::count(*first.blocks, true, &BlockView::canonical)),
      first.head_number + 1);
  EXPECT_EQ(snapshot_of(net, b).blocks, first.blocks);
  net.run(seconds(5));
  ASSERT_GT(a.head().number, first.head_number);
  const NodeSnapshot later = snapshot_of(net, b);
  EXPECT_NE(later.blocks, first.blocks);
  EXPECT_GT(later.blocks->size(), first.blocks->size());
}

TEST(Snapshot, ADataSetHasTheStateOfEachChunkAndTheLastVerdict) {
  Net net;
  Box& a = net.add(with_das({}), 1);
  Box& b = net.add(with_das(dialling({1})), 2);
  net.run(seconds(2));
  const Hash32 id = publish(net, a, 64 * 1'024 - 24, 1'024);
  net.run(seconds(5));
  const NodeSnapshot of_a = snapshot_of(net, a);
  ASSERT_EQ(of_a.data_sets.size(), 1U);
  const DataSetView& own = of_a.data_sets.front();
  EXPECT_EQ(own.id, id);
  EXPECT_EQ(own.total_chunks, 64U);
  EXPECT_EQ(own.chunk_size, 1'024U);
  EXPECT_EQ(own.total_bytes, 64U * 1'024 - 24);
  EXPECT_EQ(own.held, 64U);
  EXPECT_TRUE(own.whole && own.pinned && !own.sampling);
  EXPECT_EQ(own.announcers, 0U);
  EXPECT_FALSE(own.confidence);
  const auto count = [](const DataSetView& set, ChunkState state) {
    return std::ranges::count(set.chunks, state);
  };
  EXPECT_EQ(count(own, ChunkState::held), 64);
  const NodeSnapshot of_b = snapshot_of(net, b);
  ASSERT_EQ(of_b.data_sets.size(), 1U);
  const DataSetView& sampled = of_b.data_sets.front();
  EXPECT_EQ(sampled.id, id);
  EXPECT_EQ(sampled.held, 8U);
  EXPECT_FALSE(sampled.whole || sampled.pinned || sampled.sampling);
  EXPECT_EQ(sampled.announcers, 1U);
  EXPECT_EQ(sampled.requested, 8U);
  EXPECT_EQ(sampled.received, 8U);
  EXPECT_EQ(sampled.confidence, 1.0);
  EXPECT_LT(sampled.fooled_probability, 1.0);
  ASSERT_EQ(sampled.chunks.size(), 64U);
  EXPECT_EQ(count(sampled, ChunkState::held), 8);
  EXPECT_EQ(count(sampled, ChunkState::unknown), 56);
  EXPECT_FALSE(of_b.data_sets_cut);
}

// More than are shown: what the node holds itself is there, whatever others announce.
TEST(Snapshot, DataSetsAndTheirChunksAreShownUpToTheirLimits) {
  Net net;
  Box& a = net.add(with_das({}), 1);
  for (std::size_t i = 0; i < 5; ++i) (void)publish(net, a, 4'096 * 16, 16);
  const NodeSnapshot few = snapshot_of(net, a);
  ASSERT_EQ(few.data_sets.size(), 5U);
  EXPECT_FALSE(few.data_sets_cut);
  std::size_t chunks = 0;
  for (const DataSetView& set : few.data_sets) chunks += set.chunks.size();
  EXPECT_EQ(chunks, kMaxViewedChunks);
  EXPECT_EQ(std::ranges::count_if(few.data_sets, [](const auto& s) { return s.chunks.empty(); }),
            1);
  for (std::size_t i = 5; i < kMaxViewedDataSets; ++i) (void)publish(net, a, 16, 16);
  EXPECT_FALSE(snapshot_of(net, a).data_sets_cut);
  (void)publish(net, a, 16, 16);
  const NodeSnapshot many = snapshot_of(net, a);
  EXPECT_EQ(many.data_sets.size(), kMaxViewedDataSets);
  EXPECT_TRUE(many.data_sets_cut);
}

}  // namespace
}  // namespace ethnet::node
