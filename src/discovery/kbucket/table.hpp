// The Kademlia table: which nodes we know, by their distance from us, and how well we know them.
//
// Three standings, and who stands higher takes the place of who stands lower:
//   claimed  somebody showed us its record; nobody we trust has seen it there (attack 26, 38)
//   met      it opened a session from the address in its record: it is alive there
//   reached  we opened a session to the address in its record
// A node is relayed when it was met or reached and has not failed since. So strangers can neither
// poison what we tell others nor keep a node that we reached out of the table: records that name a
// victim's network (attack 36) make way for the victim, and nodes that came to us make way for
// those that we went to (attacks 33, 34).
//
// Buckets: kBuckets by log-distance, as geth does: the lowest holds all of 240 and less, where in
// any real network hardly a node is, so that the table has a bound worth the name. Places in a
// bucket are limited, places of one network too, over the bucket and over the table (ip_limits).
// Whatever finds no place waits in the bucket's list of replacements.
//
// One thread. Deterministic: the order of inputs and nothing else decides.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <base/instant.hpp>
#include <types/net_list.hpp>
#include <types/node_id.hpp>

#include "ip_limits.hpp"
#include "record.hpp"

namespace ethnet::kbucket {

inline constexpr std::size_t kBuckets = 17;
inline constexpr unsigned kLowestDistance = 240;       // this log-distance and all below share one
inline constexpr std::size_t kMaxBucketEntries = 16;   // Kademlia's k
inline constexpr std::size_t kMaxReplacements = 10;    // of a bucket; as geth
inline constexpr std::size_t kMaxBucketPerSubnet = 2;  // of one IPv4 /24 or IPv6 /48
inline constexpr std::size_t kMaxTablePerSubnet = 10;  // of one IPv4 /24 or IPv6 /48
// Failures in a row: one that answers again was away, one that failed so often has gone.
inline constexpr std::uint32_t kMaxNodeFailures = 3;

enum class Standing : std::uint8_t { claimed, met, reached };

struct TableEntry {
  RecordPtr record;
  Standing standing = Standing::claimed;
  std::uint32_t failures = 0;  // since it was seen last
  std::uint64_t checks = 0;    // how often it was seen; once, in an earlier run
  Instant added;
  Instant last_seen;        // meaningless before the first check
  UnixTime last_seen_wall;  // the same, for the file

  [[nodiscard]] const NodeId& id() const { return record->id(); }
  [[nodiscard]] bool relayable() const { return standing != Standing::claimed && failures == 0; }
};

enum class AddOutcome : std::uint8_t {
  added,
  updated,      // it was there; its record is newer, or its standing higher, than before
  unchanged,    // it was there
  replacement,  // waits for a place
  stale,        // it was there with a newer record
  ourselves,
  special_address,
  other_net,  // not of the networks that the operator named
  subnet_limit,
  full,  // all places, and all in the list of replacements, are taken by nodes of more standing
};
inline constexpr std::size_t kAddOutcomes = 10;

class Table {
 public:
  explicit Table(const NodeId& self);

  // From now on nodes of these networks alone enter, whatever else is told. Before the first add().
  void restrict_to(NetList nets) { nets_ = std::move(nets); }
  // May a node with this address be known and asked? Counts those that may not.
  [[nodiscard]] bool admits(const IpAddress& ip) {
    const bool may = nets_.allows(ip);
    if (!may) ++of_other_nets_;
    return may;
  }
  [[nodiscard]] std::uint64_t of_other_nets() const { return of_other_nets_; }

  // A record came with this standing. A node that changes its address has to be seen there again.
  AddOutcome add(Now now, const RecordPtr& record, Standing standing);
  // A node that was seen in an earlier run: a claim, but not one that goes at its first failure.
  AddOutcome restore(Now now, const RecordPtr& record);
  // It answered, from or at `endpoint`; this raises its standing where that is its record's.
  // False when it is not there.
  bool seen(Now now, const NodeId& id, const Endpoint& endpoint, Standing standing);
  // It did not answer at the endpoint of its record; `may_remove`: and that is its fault, not ours.
  // False when it is not there any more.
  bool failed(Now now, const NodeId& id, bool may_remove = true);
  // It is of no use to us: it goes, and a replacement comes.
  void remove(Now now, const NodeId& id);

  // In the buckets; then in the lists of replacements too.
  [[nodiscard]] const TableEntry* find(const NodeId& id) const;
  [[nodiscard]] const TableEntry* find_any(const NodeId& id) const;
  // The nearest to target, nearest first; at most `count`. The claimed ones too where asked for.
  [[nodiscard]] std::vector<RecordPtr> closest(const NodeId& target, std::size_t count,
                                               bool with_claimed) const;
  // Nodes to relay of exactly this log-distance from us, in the order of their bucket.
  [[nodiscard]] std::vector<RecordPtr> relayable_at(unsigned distance) const;
  // Calls f(const TableEntry&) for all in the buckets, nearest bucket first.
  template <class F>
  void for_each(F f) const {
    for (const Bucket& bucket : buckets_) {
      for (const TableEntry& entry : bucket.entries) f(entry);
    }
  }

  // Those in the buckets that were seen at least once, in an earlier run or this one: who was seen
  // last comes first. Valid until the next input.
  [[nodiscard]] std::vector<const TableEntry*> seen_last_first() const;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t replacements() const;
  [[nodiscard]] const NodeId& self() const { return self_; }
  // Every limit and every count holds; a name of what does not (for checkers and tests).
  [[nodiscard]] std::string_view broken() const;

 private:
  using Entries = std::vector<TableEntry>;
  struct Bucket {
    Entries entries;       // oldest first
    Entries replacements;  // oldest first
    IpLimits limits{kMaxBucketPerSubnet};
  };

  [[nodiscard]] std::size_t bucket_index(const NodeId& id) const;
  [[nodiscard]] static Entries::iterator position(Entries& list, const NodeId& id);
  [[nodiscard]] AddOutcome insert(Bucket& bucket, TableEntry entry);
  [[nodiscard]] AddOutcome insert_replacement(Bucket& bucket, TableEntry entry);
  [[nodiscard]] AddOutcome update(Now now, Bucket& bucket, Entries::iterator it,
                                  bool is_replacement, const RecordPtr& record, Standing standing);
  // Nothing when no node of less standing can make way.
  [[nodiscard]] std::optional<std::vector<NodeId>> who_makes_way(const Bucket& bucket,
                                                                 const TableEntry& newcomer,
                                                                 AddOutcome& why_not) const;
  void take_out(Bucket& bucket, Entries::iterator it);
  void promote(Bucket& bucket);

  NodeId self_;
  NetList nets_;
  std::uint64_t of_other_nets_ = 0;
  std::array<Bucket, kBuckets> buckets_;
  IpLimits limits_{kMaxTablePerSubnet};
  std::size_t size_ = 0;
};

}  // namespace ethnet::kbucket
