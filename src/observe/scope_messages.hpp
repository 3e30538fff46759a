// Snapshots and events as messages of proto/ethscope.proto. Pure functions.
#pragma once

#include <node/snapshot.hpp>

#include "event_log.hpp"

namespace ethscope {
class DataSet;
class Event;
class ForkTree;
class GetReorgsResponse;
class ListDataSetsResponse;
class ListPeersResponse;
class Peer;
class Reorg;
class Summary;
}  // namespace ethscope

namespace ethnet::observe {

void to_message(const node::NodeSnapshot& from, std::uint64_t cursor, ethscope::Summary& to);
void to_message(const node::PeerView& from, Instant now, ethscope::Peer& to);
void to_message(const node::DataSetView& from, ethscope::DataSet& to);
// Of the newest `depth` heights below the head.
void to_message(const node::NodeSnapshot& from, std::uint64_t depth, ethscope::ForkTree& to);
// CHECK: it is a reorganisation.
void to_message(const LoggedEvent& from, ethscope::Reorg& to);
void to_message(const LoggedEvent& from, ethscope::Event& to);
void to_message(const node::NodeSnapshot& from, ethscope::ListPeersResponse& to);
void to_message(const node::NodeSnapshot& from, ethscope::ListDataSetsResponse& to);
void to_message(const EventLog::Reorgs& from, ethscope::GetReorgsResponse& to);
// What was missed before the event that `from` gives. CHECK: there is one.
void to_gap(const EventLog::Next& from, ethscope::Event& to);

}  // namespace ethnet::observe
