// The state of a node at one instant, as plain data: a name and a number for each counter, limit
// and refusal, and what an observer asks of the chain and of the peers. Immutable once made.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <base/instant.hpp>
#include <types/endpoint.hpp>
#include <types/hash.hpp>

namespace ethnet::node {

// Whether a number only grows while the process lives, or may fall: observers draw the two apart.
enum class CounterKind : std::uint8_t { counter, gauge };

struct Counter {
  std::string name;  // "session.refused.already_connected.inbound"
  std::uint64_t value = 0;
  CounterKind kind = CounterKind::counter;
};

// One active session. At most max_peers of them, and the visits.
struct PeerView {
  NodeId id;
  Endpoint remote;
  bool inbound = false;
  bool visit = false;
  std::string client;                     // sanitised
  std::vector<std::string> capabilities;  // agreed: "mini-sync/0.1"
  Hash32 head;                            // as its hello said
  std::uint64_t head_number = 0;
  Instant connected;            // when the session became active
  Duration rtt{};               // smoothed by the transport; 0: not measured
  std::uint64_t bytes_in = 0;   // UDP payload of its connection
  std::uint64_t bytes_out = 0;  // likewise
  double score = 0;             // points against it as they stand now (peers/score.hpp)
};

// One header of the fork tree.
struct BlockView {
  Hash32 hash;
  Hash32 parent;  // zero where it is not kept
  std::uint64_t number = 0;
  bool canonical = false;
  friend bool operator==(const BlockView&, const BlockView&) = default;
};
// How far below the head a snapshot shows the fork tree; above it, what there is.
inline constexpr std::uint64_t kViewedHeights = 64;
// Headers shown: a branch of its own at each of these heights, 15 long.
inline constexpr std::size_t kMaxViewedBlocks = 1024;

// What is known of a chunk. das-lite's own (das_lite::ChunkState), as numbers that do not change.
enum class ChunkState : std::uint8_t {
  unknown = 0,  // not looked for
  wanted = 1,   // waits for somebody to be asked
  asked = 2,
  held = 3,     // verified and in the store
  missing = 4,  // looked for and given up
};

// A data set that das-lite knows: held, sampled or announced by a peer.
struct DataSetView {
  Hash32 id;
  std::uint32_t total_chunks = 0;
  std::uint32_t chunk_size = 0;
  std::uint64_t total_bytes = 0;
  std::uint32_t held = 0;  // chunks
  bool whole = false;
  bool pinned = false;    // published or fetched here
  bool sampling = false;  // or fetching: something is under way
  std::uint32_t announcers = 0;
  // Of the last sampling that ended; 0 where there was none.
  std::uint32_t requested = 0;
  std::uint32_t received = 0;
  std::optional<double> confidence;  // none: unknown
  double fooled_probability = 1;     // das/confidence.hpp
  // One each; empty where the data sets before it took kMaxViewedChunks.
  std::vector<ChunkState> chunks;
};
// Data sets shown. Every peer may announce das_lite::kMaxAnnouncedPerPeer, true or not.
inline constexpr std::size_t kMaxViewedDataSets = 256;
// Chunks shown, over all data sets: four of the largest.
inline constexpr std::size_t kMaxViewedChunks = 16 * 1024;

// Why sessions were refused in one direction: by us or by the other side, before they were active.
struct RefusalView {
  std::string reason;  // "too many peers"
  bool inbound = false;
  std::uint64_t total = 0;   // since the start
  std::uint64_t recent = 0;  // in the last kRecentRefusals (node/refusal_window.hpp)
};

// A long download that is under way: block numbers.
struct SyncView {
  std::uint64_t start = 0;  // of our head when it began
  std::uint64_t target = 0;
};

struct NodeSnapshot {
  Now taken;    // when it was made
  Now started;  // when the node was made
  NodeId id;
  std::string client;  // "MiniEthNet/v0.1.0/..."
  // How others dial it, where its address is known; else what works on this machine. With
  // ?discport=, where discv5 or discv4 are spoken.
  std::string enode;
  std::string enr;  // "enr:..."
  Endpoint listen;
  // Of its sockets: that of discv5 and discv4; where neither is spoken that of sessions, over which
  // discv-lite is.
  std::uint16_t discovery_port = 0;
  std::optional<Endpoint>
      observed;  // where peers see it, of the widest scope that has enough votes
  std::uint64_t chain_id = 0;
  Hash32 genesis;
  Hash32 head;
  std::uint64_t head_number = 0;
  std::uint64_t earliest = 0;  // number of the lowest kept header
  std::uint64_t reorgs = 0;    // canonical switches since the start
  // By how much our clock is ahead, or behind where it is below 0, as headers or nodes of discv4
  // said lately (kClockDoubtHolds); 0: nobody did.
  std::int64_t clock_ahead_seconds = 0;
  std::optional<SyncView> syncing;
  std::size_t sessions = 0;
  std::size_t max_peers = 0;
  std::uint64_t discovered = 0;  // nodes in the table of discovery
  std::vector<PeerView> peers;
  std::vector<RefusalView> refusals;  // the most frequent of late first
  // The newest part of the fork tree: lowest height first, parents before children. Never null; the
  // same object as in the snapshot before when nothing in it has changed.
  std::shared_ptr<const std::vector<BlockView>> blocks =
      std::make_shared<const std::vector<BlockView>>();
  bool blocks_cut = false;             // more than that, or more branches than were looked at
  std::vector<DataSetView> data_sets;  // those that are held or looked for come first
  bool data_sets_cut = false;          // there are more than kMaxViewedDataSets
  std::vector<Counter> counters;       // in a fixed order
};

}  // namespace ethnet::node
