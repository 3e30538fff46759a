#include "scope_messages.hpp"

#include <algorithm>
#include <string>
#include <variant>

#include <base/check.hpp>
#include <ethscope.pb.h>

namespace ethnet::observe {
namespace {

template <class Tag>
std::string bytes_of(const Bytes32<Tag>& value) {
  std::string out(value.bytes.size(), '\0');
  std::ranges::transform(value.bytes, out.begin(),
                         [](std::byte b) { return static_cast<char>(b); });
  return out;
}

void to_block(const Hash32& hash, std::uint64_t number, ethscope::Block& to) {
  to.set_hash(bytes_of(hash));
  to.set_number(number);
}

ethscope::Peer::Direction direction(bool inbound) {
  return inbound ? ethscope::Peer::INBOUND : ethscope::Peer::OUTBOUND;
}

void to_verdict(const Hash32& id, std::uint32_t requested, std::uint32_t received,
                std::optional<double> confidence, double fooled, ethscope::DasVerdict& to) {
  to.set_data_id(bytes_of(id));
  to.set_requested(requested);
  to.set_received(received);
  if (confidence) to.set_confidence(*confidence);
  to.set_fooled_probability(fooled);
}

ethscope::DataSet::ChunkState state_of(node::ChunkState state) {
  switch (state) {
    case node::ChunkState::unknown:
      return ethscope::DataSet::UNKNOWN;
    case node::ChunkState::wanted:
      return ethscope::DataSet::WANTED;
    case node::ChunkState::asked:
      return ethscope::DataSet::ASKED;
    case node::ChunkState::held:
      return ethscope::DataSet::HELD;
    case node::ChunkState::missing:
      return ethscope::DataSet::MISSING;
  }
  return ethscope::DataSet::UNKNOWN;
}

// Fills the part of an event that is of its kind.
class EventMaker {
 public:
  EventMaker(const LoggedEvent& from, ethscope::Event& to) : from_{from}, to_{to} {}

  void operator()(const node::SessionUp& e) const {
    ethscope::PeerJoined& out = *to_.mutable_peer_joined();
    out.set_id(bytes_of(e.peer));
    out.set_address(e.remote.to_string());
    out.set_direction(direction(e.inbound));
    out.set_client(e.client);
  }
  void operator()(const node::SessionDown& e) const {
    ethscope::PeerLeft& out = *to_.mutable_peer_left();
    out.set_id(bytes_of(e.peer));
    out.set_reason(e.reason);
    out.set_by_peer(e.by_peer);
  }
  void operator()(const node::HeadMoved& e) const {
    to_block(e.hash, e.number, *to_.mutable_canonical_head()->mutable_head());
  }
  void operator()(const node::ForkSeen& e) const {
    ethscope::ForkDetected& out = *to_.mutable_fork_detected();
    out.set_fork_point(bytes_of(e.fork_point));
    to_block(e.branch_head, e.height, *out.mutable_branch_head());
    out.set_cause(e.cause);
  }
  void operator()(const node::Reorganised&) const { to_message(from_, *to_.mutable_reorg()); }
  void operator()(const node::DataSampled& e) const {
    ethscope::DasVerdict& out = *to_.mutable_das_verdict();
    to_verdict(e.data_id, e.requested, e.received, e.confidence, e.fooled_probability, out);
    out.set_automatic(e.automatic);
  }
  // The log has no others.
  template <class Other>
  void operator()(const Other&) const {
    CHECK(false);
  }

 private:
  const LoggedEvent& from_;
  ethscope::Event& to_;
};

}  // namespace

void to_message(const node::NodeSnapshot& from, std::uint64_t cursor, ethscope::Summary& to) {
  to.set_node_id(bytes_of(from.id));
  to.set_client(from.client);
  to.set_enr(from.enr);
  to.set_enode(from.enode);
  to.set_chain_id(from.chain_id);
  to.set_genesis(bytes_of(from.genesis));
  to_block(from.head, from.head_number, *to.mutable_canonical_head());
  to.set_earliest_block(from.earliest);
  to.set_active_peers(static_cast<std::uint32_t>(from.sessions));
  to.set_discovered_peers(from.discovered);
  to.set_syncing(from.syncing.has_value());
  to.set_sync_height(from.syncing ? std::max(from.syncing->target, from.head_number)
                                  : from.head_number);
  to.set_canonical_switches(from.reorgs);
  to.set_data_sets(from.data_sets.size());
  to.set_cursor(cursor);
  to.set_taken_unix_ns(from.taken.wall.ns);
  to.set_listen(from.listen.to_string());
  if (from.observed) to.set_observed(from.observed->to_string());
  to.set_max_peers(static_cast<std::uint32_t>(from.max_peers));
  to.set_clock_ahead_seconds(from.clock_ahead_seconds);
  to.set_started_unix_ns(from.started.wall.ns);
}

void to_message(const node::PeerView& from, Instant now, ethscope::Peer& to) {
  to.set_id(bytes_of(from.id));
  for (const std::string& capability : from.capabilities) to.add_capabilities(capability);
  to.set_direction(direction(from.inbound));
  to.set_address(from.remote.to_string());
  to.set_rtt_ns(static_cast<std::uint64_t>(from.rtt.ns));
  to.set_bytes_in(from.bytes_in);
  to.set_bytes_out(from.bytes_out);
  to.set_score(from.score);
  to.set_client(from.client);
  to.set_age_ns(static_cast<std::uint64_t>((now - from.connected).ns));
  to.set_visit(from.visit);
  to_block(from.head, from.head_number, *to.mutable_head());
}

void to_message(const node::DataSetView& from, ethscope::DataSet& to) {
  to.set_data_id(bytes_of(from.id));
  to.set_total_chunks(from.total_chunks);
  to.set_chunk_size(from.chunk_size);
  to.set_total_bytes(from.total_bytes);
  to.set_held(from.held);
  to.set_whole(from.whole);
  to.set_pinned(from.pinned);
  to.set_sampling(from.sampling);
  to.set_announcers(from.announcers);
  if (from.requested > 0) {
    to_verdict(from.id, from.requested, from.received, from.confidence, from.fooled_probability,
               *to.mutable_verdict());
  }
  for (const node::ChunkState state : from.chunks) to.add_chunks(state_of(state));
}

void to_message(const node::NodeSnapshot& from, std::uint64_t depth, ethscope::ForkTree& to) {
  to_block(from.head, from.head_number, *to.mutable_head());
  to.set_cut(from.blocks_cut);
  const std::uint64_t lowest = from.head_number - std::min(depth, from.head_number);
  for (const node::BlockView& block : *from.blocks) {
    if (block.number < lowest) continue;
    ethscope::ForkTree::Node& out = *to.add_nodes();
    out.set_hash(bytes_of(block.hash));
    out.set_parent(bytes_of(block.parent));
    out.set_number(block.number);
    out.set_canonical(block.canonical);
  }
}

void to_message(const LoggedEvent& from, ethscope::Reorg& to) {
  const auto* reorg = std::get_if<node::Reorganised>(&from.event);
  CHECK(reorg != nullptr);
  to_block(reorg->new_head, reorg->height, *to.mutable_new_head());
  to.set_old_head(bytes_of(reorg->old_head));
  to.set_fork_point(bytes_of(reorg->fork_point));
  to.set_depth(from.removed);
  for (const Hash32& hash : reorg->removed) to.add_removed(bytes_of(hash));
  for (const Hash32& hash : reorg->added) to.add_added(bytes_of(hash));
  to.set_removed_count(from.removed);
  to.set_added_count(from.added);
  to.set_cause(reorg->cause);
  to.set_reorg(from.reorg);
  to.set_part(from.part);
  to.set_parts(from.parts);
}

void to_message(const LoggedEvent& from, ethscope::Event& to) {
  to.set_cursor(from.cursor);
  to.set_time_unix_ns(from.time.ns);
  std::visit(EventMaker{from, to}, from.event);
}

void to_message(const node::NodeSnapshot& from, ethscope::ListPeersResponse& to) {
  for (const node::PeerView& peer : from.peers) to_message(peer, from.taken.mono, *to.add_peers());
}

void to_message(const node::NodeSnapshot& from, ethscope::ListRefusalsResponse& to) {
  for (const node::RefusalView& refusal : from.refusals) {
    ethscope::ListRefusalsResponse::Refusal& out = *to.add_refusals();
    out.set_reason(refusal.reason);
    out.set_direction(direction(refusal.inbound));
    out.set_total(refusal.total);
    out.set_recent(refusal.recent);
  }
}

void to_message(const node::NodeSnapshot& from, ethscope::ListDataSetsResponse& to) {
  for (const node::DataSetView& set : from.data_sets) to_message(set, *to.add_data_sets());
}

void to_message(const EventLog::Reorgs& from, ethscope::GetReorgsResponse& to) {
  to.set_total(from.total);
  for (const LoggedEventPtr& event : from.newest_first) {
    ethscope::GetReorgsResponse::Entry& entry = *to.add_reorgs();
    entry.set_time_unix_ns(event->time.ns);
    entry.set_cursor(event->cursor);
    to_message(*event, *entry.mutable_reorg());
  }
}

void to_gap(const EventLog::Next& from, ethscope::Event& to) {
  CHECK(from.event != nullptr);
  to.Clear();
  to.set_cursor(from.event->cursor - 1);
  to.set_time_unix_ns(from.event->time.ns);
  to.mutable_gap()->set_missed(from.missed);
}

}  // namespace ethnet::observe
