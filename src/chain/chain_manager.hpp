// ChainManager: the header tree, the fork-choice rule, and what the node may say about them.
//
// import_headers() takes a batch in its order, links and judges each header, and compares the
// canonical chain before and after the *batch*: at most one reorganisation is reported, however
// often the lead changed in between. What it changed is pending until the store has acknowledged
// the batch (handle_store_done): only then are events given out and headers served through
// ChainView. Batches are stored, acknowledged and reported in order.
// Memory (docs/adr/0002): with a retention depth the tree's root follows the served head at that
// distance, and what does not descend from it is released. At the memory limit branches that lost
// long ago go, then the oldest history, then the lowest branch: a header on the head gets in.
// The same batches in the same order give the same tree, events and store bytes.
// Threading: one thread. Limits: ChainLimits, waiting_pool.hpp, kMaxBookVoters.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <base/ring.hpp>
#include <machine/concepts.hpp>
#include <types/genesis.hpp>
#include <types/header_view.hpp>

#include "chain_view.hpp"
#include "events.hpp"
#include "fork_choice/fact_table.hpp"
#include "fork_choice/rule.hpp"
#include "fork_choice/vote_book.hpp"
#include "header_input.hpp"
#include "header_tree.hpp"
#include "validation.hpp"
#include "waiting_pool.hpp"

namespace ethnet::chain {

enum class ChainError : std::uint16_t {
  fork_below_retained = 1,  // its parent is deeper below the head than the retention depth
  stopped,                  // the store has failed
  bad_record,               // a stored record that does not decode
  bad_signature_size,
};
[[nodiscard]] const ErrorDomain& error_domain(ChainError);

// A fork of mainnet's is not deeper; the smallest memory limit, 1 MiB, holds twice as many.
inline constexpr std::uint64_t kMinRetainedDepth = 512;
// Headers of old history that are released at once at the memory limit: it is met less often so.
inline constexpr std::uint64_t kReleaseStep = 64;

struct ChainLimits {
  std::uint64_t memory_bytes = std::uint64_t{2} << 30;
  // Blocks below the head from which a fork is still accepted; nothing: down to genesis.
  std::optional<std::uint64_t> retention;
  // Blocks below the head whose headers the memory limit does not push out.
  std::uint64_t min_depth = kMinRetainedDepth;
};

struct ImportOutcome {
  std::uint64_t batch = 0;  // to be acknowledged; 0: nothing to store
  std::size_t added = 0;    // new headers, those that had waited for these included
  std::size_t known = 0;
  std::size_t waiting = 0;  // orphans and early headers, kept
  std::size_t refused = 0;  // could not be kept: pool, memory, retention
  std::size_t early = 0;    // of waiting and refused: right, but too far ahead of our clock
  struct Invalid {
    std::size_t index = 0;
    Error error;
  };
  std::optional<Invalid> invalid;  // the first that broke a rule; nothing after it was looked at
};

struct ChainCounters {
  std::uint64_t headers = 0;
  std::uint64_t invalid = 0;
  std::uint64_t orphans = 0;
  std::uint64_t early = 0;
  std::uint64_t below_retained = 0;
  std::uint64_t memory_refused = 0;
  std::uint64_t released = 0;  // headers that are not kept any more
  std::uint64_t reorgs = 0;
  std::uint64_t forks = 0;
  std::uint64_t votes = 0;
  std::uint64_t votes_refused = 0;  // of a rule that asks for none, or at kMaxBookVoters
};

struct VoteOutcome {
  std::size_t counted = 0;
  std::size_t refused = 0;
};

// A head, or what the rule took instead of one, and how the rule sees it.
struct RankedHead {
  BlockRef block;
  std::uint64_t arrival = 0;
  Score score;
  bool chosen = false;
};

class ChainManager final : public ChainView {
 public:
  ChainManager(const Genesis& genesis, std::unique_ptr<ForkChoiceRule> rule, ChainLimits limits,
               std::uint64_t hash_seed);

  // Before anything else: what the store held, in its order. Errors: ChainError::bad_record,
  // HeaderRule, TreeError. What was released when it was written, or is by now, is passed over.
  [[nodiscard]] Result<void> restore(ByteView record);
  // After the last restore(): the head is chosen. The first import does it where nobody did.
  void finish_restore();

  [[nodiscard]] ImportOutcome import_headers(Now now, std::span<const HeaderInput> batch,
                                             const Cause& cause);
  // The latest vote of each voter, for a rule that weighs them. What moves the head is reported as
  // an import's is.
  [[nodiscard]] VoteOutcome handle_votes(Now now, std::span<const Vote> votes, const Cause& cause);
  void handle_store_done(Now now, const StoreResult& done) noexcept;
  void handle_deadline(Now now) noexcept;
  [[nodiscard]] std::optional<StoreOp> poll_store();
  [[nodiscard]] std::optional<ChainEvent> poll_event();
  // When the next early header is due.
  [[nodiscard]] Instant next_deadline() const { return early_due_; }

  // ChainView: what is acknowledged.
  [[nodiscard]] BlockRef head() const override { return ref(served_head_); }
  [[nodiscard]] BlockRef genesis() const override { return genesis_; }
  [[nodiscard]] BlockRef earliest() const override { return ref(tree_.root()); }
  [[nodiscard]] std::optional<BlockInfo> find(const Hash32& hash) const override;
  [[nodiscard]] std::optional<Hash32> canonical_hash(std::uint64_t number) const override;
  [[nodiscard]] std::optional<Hash32> ancestor(const Hash32& hash,
                                               std::uint64_t number) const override;
  [[nodiscard]] std::optional<ServedHeader> canonical_header(std::uint64_t number) const override;
  [[nodiscard]] std::optional<ServedHeader> ancestor_header(const Hash32& hash,
                                                            std::uint64_t number) const override;
  [[nodiscard]] ByteView encoded(const Hash32& hash) const override;
  [[nodiscard]] ByteView producer_signature(const Hash32& hash) const override;

  // The head that the rule has chosen, acknowledged or not: what a producer builds on.
  [[nodiscard]] BlockRef pending_head() const { return ref(head_); }
  [[nodiscard]] std::optional<Header> pending_header(const Hash32& hash) const;
  [[nodiscard]] const HeaderTree& tree() const { return tree_; }
  [[nodiscard]] const ChainConfig& config() const { return config_; }
  [[nodiscard]] const ForkChoiceRule& rule() const { return *rule_; }
  // Why the pending head won: the branch heads with their scores, by arrival; before them the head
  // where it has a child. At most the newest `most`, and the head. For people: costs what there is.
  [[nodiscard]] std::vector<RankedHead> explain_heads(std::size_t most = SIZE_MAX) const;
  [[nodiscard]] const ChainCounters& counters() const { return counters_; }
  [[nodiscard]] std::size_t waiting_count() const { return orphans_.size() + early_.size(); }
  // Headers that waited and had to make room, or were beyond their source's share.
  [[nodiscard]] std::uint64_t waiting_dropped() const {
    return orphans_.dropped() + early_.dropped();
  }
  [[nodiscard]] std::size_t pending_batches() const { return pending_.size(); }

 private:
  struct PendingBatch {
    std::uint64_t id = 0;
    std::uint64_t arrivals_after = 0;  // nodes that arrived before this are acknowledged with it
    NodeIndex head_after = 0;
    std::vector<ChainEvent> events;
  };
  struct Batch;
  // A node for longer than until the next release: `arrival` tells whether it is still that one.
  struct Arrived {
    NodeIndex index = kNoNode;
    std::uint64_t arrival = 0;
  };

  [[nodiscard]] BlockRef ref(NodeIndex index) const {
    return {tree_.node(index).hash, tree_.node(index).number};
  }
  [[nodiscard]] std::optional<NodeIndex> served(const Hash32& hash) const;
  [[nodiscard]] std::optional<NodeIndex> canonical_node(std::uint64_t number) const;
  [[nodiscard]] std::optional<NodeIndex> ancestor_node(const Hash32& hash,
                                                       std::uint64_t number) const;
  [[nodiscard]] ServedHeader served_header(NodeIndex index) const {
    return {ref(index), tree_.header(index), tree_.signature(index)};
  }
  void import_one(Now now, const HeaderInput& input, const Hash32& hash, std::size_t index,
                  const Cause& cause, Batch& batch);
  [[nodiscard]] Result<NodeIndex> add(const HeaderView& header, const Hash32& hash,
                                      const HeaderInput& input, std::optional<UnixTime> wall);
  [[nodiscard]] Result<NodeIndex> find_parent(const HeaderView& header) const;
  [[nodiscard]] Result<void> judge(const HeaderView& header, NodeIndex parent,
                                   std::optional<UnixTime> wall) const;
  void park(Now now, const HeaderInput& input, const HeaderView& header, const Hash32& hash,
            const Cause& cause, bool early, Batch& batch);
  void finish_batch(const Cause& cause, Batch& batch);
  [[nodiscard]] bool is_kept(const Arrived& node) const;
  void add_head_change(NodeIndex before, const Cause& cause, std::vector<ChainEvent>& events) const;
  [[nodiscard]] ReorgEvent make_reorg(NodeIndex old_head, NodeIndex new_head,
                                      const Cause& cause) const;
  void report_forks(const Cause& cause, const Batch& batch, std::vector<ChainEvent>& events) const;
  void serve(NodeIndex head);
  void tell(NodeIndex head, std::vector<ChainEvent> events);
  void settle();

  // chain_choice.cpp
  [[nodiscard]] Candidate candidate(NodeIndex index) const;
  [[nodiscard]] std::vector<Candidate> all_heads() const;
  [[nodiscard]] RuleView view_of(std::span<const Candidate> heads) const;
  [[nodiscard]] NodeIndex choose_from(std::span<const Candidate> heads) const;
  [[nodiscard]] NodeIndex choose_head(std::span<const Arrived> added) const;

  // chain_release.cpp
  [[nodiscard]] std::uint64_t above(std::uint64_t depth, NodeIndex head) const;
  [[nodiscard]] bool make_room(std::uint64_t cost, std::uint64_t number, NodeIndex parent);
  [[nodiscard]] bool release_old(NodeIndex parent);
  [[nodiscard]] bool release_lowest_leaf(std::uint64_t below, NodeIndex parent);
  [[nodiscard]] bool is_held(NodeIndex index, NodeIndex parent) const;
  bool raise_floor(std::uint64_t number);
  void plan_early(Now now);

  ChainConfig config_;
  std::unique_ptr<ForkChoiceRule> rule_;
  RuleNeeds needs_;  // the rule's, asked once
  ChainLimits limits_;
  FactTable facts_;
  HeaderTree tree_;
  VoteBook votes_;
  BlockRef genesis_;
  // The header that was added last: nearly always the next one's parent.
  std::optional<Arrived> last_;
  // These, and the heads of pending batches, descend from the root and are never released.
  NodeIndex head_ = 0;
  NodeIndex served_head_ = 0;
  std::uint64_t served_arrivals_ = 1;  // nodes that arrived before this are acknowledged
  std::deque<NodeIndex> canonical_;    // by number from the root's, up to served_head_
  bool restored_ = false;
  WaitingPool orphans_;
  WaitingPool early_;
  Instant early_due_ = Instant::never();
  std::deque<PendingBatch> pending_;
  std::deque<StoreOp> store_ops_;
  std::deque<ChainEvent> events_;
  std::uint64_t next_batch_ = 1;
  bool stopped_ = false;
  ChainCounters counters_;
};

// A read-only view of one branch, from the root to its head. Cheap; valid as long as the manager.
class Chain {
 public:
  Chain(const HeaderTree& tree, NodeIndex head) : tree_{&tree}, head_{head} {}
  [[nodiscard]] std::uint64_t height() const { return tree_->node(head_).number; }
  [[nodiscard]] const Hash32& head_hash() const { return tree_->node(head_).hash; }
  // The encoded header at this height; empty above the head or below the root.
  [[nodiscard]] ByteView header_at(std::uint64_t number) const;

 private:
  const HeaderTree* tree_;
  NodeIndex head_;
};

}  // namespace ethnet::chain
