// What an Engine tells: the answers to commands, the nodes that it sees, and what others see of us.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include <discovery/kbucket/reachability.hpp>
#include <discovery/kbucket/table.hpp>

#include "../error.hpp"
#include "contacts.hpp"

namespace ethnet::discv4 {

using kbucket::RecordPtr;
using kbucket::Standing;
using EnrPtr = std::shared_ptr<const VerifiedEnr>;

// The answers bear the number that the command returned.
struct PingDone {
  std::uint64_t command = 0;
  NodeId node;
  bool answered = false;
};
struct NodesDone {
  std::uint64_t command = 0;
  NodeId node;
  bool answered = false;
  std::vector<V4Node> nodes;
};
struct RecordDone {
  std::uint64_t command = 0;
  NodeId node;
  EnrPtr record;  // null: no answer, or one that does not verify
};
struct LookupDone {
  std::uint64_t command = 0;
  NodeId target;
  std::vector<V4Node> nearest;  // that answered, nearest first
};
// This node is alive at the address of its record; it was not known to be, before.
struct NodeSeen {
  RecordPtr record;
  Standing standing = Standing::met;
};
// A node answered a PING of ours and says where it sees us: a vote for IpVote. `we_chose`: we
// turned to it; others came to us, from as many addresses as they like.
struct SeenAs {
  Endpoint voter;
  Endpoint seen;
  bool we_chose = false;
};
// Answers to our PINGs have expired when they come: our clock is wrong, or everybody's else.
struct ClockSuspect {};
using Event = std::variant<PingDone, NodesDone, RecordDone, LookupDone, NodeSeen, SeenAs,
                           ClockSuspect, kbucket::Arrival>;

struct Counters {
  std::array<std::uint64_t, kPacketTypes> received{};  // that passed all checks, by type
  std::array<std::uint64_t, kPacketTypes> sent{};
  std::array<std::uint64_t, kDiscv4Errors> refusals{};
  std::uint64_t malformed = 0;       // RLP
  std::uint64_t bad_signatures = 0;  // that name no key
  std::uint64_t own_identity = 0;
  std::uint64_t unanswerable = 0;     // from an address of nobody, or of many
  std::uint64_t address_budget = 0;   // filter, stage 1
  std::uint64_t curve_budget = 0;     // filter, before a signature check
  std::uint64_t identity_budget = 0;  // filter, stage 2
  std::uint64_t unsolicited = 0;      // answers to nothing that we asked, or of another
  std::uint64_t replayed = 0;         // NEIGHBORS that came before
  std::uint64_t unproven = 0;         // FINDNODE and ENRRequest without a proof of the address
  std::uint64_t amplification = 0;    // PINGs too small for any answer, from unproven addresses
  std::uint64_t pongs_held = 0;       // until the address was proven
  std::uint64_t wrong_scope = 0;      // neighbors that mean another to whom was told of them
  std::uint64_t bad_neighbors = 0;    // without an address or a key
  std::uint64_t bad_records = 0;      // answers whose record does not verify or is another's
  std::uint64_t contacts = 0;
  // Beyond kMaxDiscv4Contacts or kMaxAsksPerNode, or of a node that is being asked elsewhere by
  // command, or to see whether its record is right.
  std::uint64_t contacts_refused = 0;
  std::uint64_t contacts_failed = 0;
  std::uint64_t probes_refused = 0;  // of one address, beyond kMaxProbesPerAddress
  std::uint64_t lookups = 0;
  std::uint64_t lookups_refused = 0;
  std::uint64_t revalidations = 0;
  std::uint64_t outbox_full = 0;

  [[nodiscard]] std::uint64_t refused(Discv4Error why) const {
    return refusals.at(std::to_underlying(why));
  }
};

}  // namespace ethnet::discv4
