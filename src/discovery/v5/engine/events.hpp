// What the engine of Node Discovery v5.1 says to whoever owns it. Values.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <discovery/kbucket/ip_vote.hpp>
#include <discovery/kbucket/reachability.hpp>
#include <discovery/kbucket/table.hpp>

#include "calls.hpp"

namespace ethnet::discv5 {

using kbucket::OwnAddress;
using kbucket::Standing;

// Of a node, by its own record, whose signature was judged.
struct FoundRecord {
  NodeId id;
  Bytes encoded;
  RecordPtr record;  // null where it names no address: such a node cannot be asked
};

// The ends of what was asked by a command. Each ends in its own event or in CallFailed.
struct PongReceived {
  CallId call = 0;
  NodeId node;
  std::uint64_t enr_seq = 0;
  Endpoint we_are_seen_at;
};
struct NodesReceived {
  CallId call = 0;
  NodeId node;
  std::vector<FoundRecord> records;
};
struct TalkAnswered {
  CallId call = 0;
  NodeId node;
  Bytes response;  // empty: it does not speak this protocol
};
// No answer came in time.
struct CallFailed {
  CallId call = 0;
  NodeId node;
};
struct LookupDone {
  std::uint64_t lookup = 0;
  NodeId target;
  std::vector<RecordPtr> nearest;  // that answered, nearest first
};

// This node is alive at the address of its record; it was not known to be, or has another record.
struct NodeSeen {
  RecordPtr record;
  Standing standing = Standing::met;
};
// For a protocol that was registered: answer_talk() with this number, in kTalkLifetime.
struct TalkRequested {
  std::uint64_t talk = 0;
  NodeId from;
  Endpoint at;
  std::string protocol;
  Bytes request;
};
// OwnAddress: the vote has changed our address. The owner signs a record (local_record.hpp) and
// gives it to set_local_record().
using Event = std::variant<PongReceived, NodesReceived, TalkAnswered, CallFailed, LookupDone,
                           NodeSeen, TalkRequested, OwnAddress, kbucket::Arrival>;

}  // namespace ethnet::discv5
