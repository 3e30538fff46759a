// ChainManager by operations: headers good and bad, in any order and on any branch, a store that is
// slow, a clock that moves. Against what it must be: the head as the rule chooses it from every
// leaf, the canonical chain as the events tell it, memory within its limit.
#include <map>

#include <chain/chain_manager.hpp>
#include <chain/fork_choice/rule_table.hpp>
#include <chain/producer.hpp>

#include "operations.hpp"
#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

using namespace chain;

constexpr std::size_t kMaxOperations = 300;
constexpr std::size_t kMaxMade = 200;  // headers

std::unique_ptr<ForkChoiceRule> rule_of(bool longest) {
  auto rule = make_fork_choice_rule({longest ? "longest" : "lexicographic", ""});
  CHECK(rule.has_value());
  return std::move(*rule);
}

class ChainRun {
 public:
  ChainRun(bool longest, const ChainLimits& limits)
      : longest_{longest},
        limits_{limits},
        manager_{genesis_, rule_of(longest), limits, 7},
        canonical_{genesis_.hash} {
    made_.push_back(genesis_.header);
    parents_[genesis_.hash] = {};
    manager_.finish_restore();
  }

  void step(Operations& in) {
    const std::uint8_t op = in.byte();
    switch (op % 8) {
      case 5:
        import(op);
        break;
      case 6:
        acknowledge();
        break;
      case 7:
        pass(in.byte());
        break;
      default:
        make(in, op);
    }
    check();
  }

  // All that waits is told, stored and acknowledged.
  void finish() {
    import(0);
    while (acknowledge()) {
    }
    check();
    CHECK(manager_.pending_head() == manager_.head());
    CHECK(canonical_.back() == manager_.head().hash);
    if (!limits_.retention && manager_.counters().released == 0) restore();
  }

 private:
  void make(Operations& in, std::uint8_t op) {
    if (made_.size() >= kMaxMade) return;
    const Header& parent =
        made_[made_.size() - 1 - in.below(std::min<std::size_t>(made_.size(), 256))];
    const std::uint64_t wait = (op & 8) != 0 ? 3600 : 12;  // an hour: early by our clock, perhaps
    Header next = seal_header(genesis_.config, parent, parent.timestamp + wait, {},
                              std::to_string(made_.size()));
    if ((op & 0xf0) == 0xf0) next.gas_used = next.gas_limit + 1;
    const Bytes encoded = next.encode();
    parents_[next.hash()] = next.parent_hash;
    batch_.push_back({encoded, {}});
    if ((op & 0xf0) != 0xf0) made_.push_back(next);
  }

  void import(std::uint8_t op) {
    if ((op & 16) != 0) std::ranges::reverse(batch_);
    const auto before = manager_.pending_head();
    (void)manager_.import_headers(now_, batch_, {"fuzz", "batch", NodeId{}});
    batch_.clear();
    check_head(before, manager_.pending_head());
  }

  // The head before and after one batch, against all leaves.
  void check_head(const BlockRef& before, const BlockRef& after) {
    const HeaderTree& tree = manager_.tree();
    std::optional<Candidate> best;
    for (const NodeIndex leaf : tree.leaves()) {
      const Candidate one = candidate_of(tree, leaf);
      const bool better =
          !best || (longest_ ? one.number > best->number ||
                                   (one.number == best->number && one.arrival < best->arrival)
                             : one.hash > best->hash);
      if (better) best = one;
    }
    CHECK(best.has_value());
    const bool stays = longest_ && best->number == before.number;
    CHECK(after.hash == (stays ? before.hash : best->hash));
  }

  bool acknowledge() {
    while (auto op = manager_.poll_store()) stored_.push_back(std::move(*op));
    if (stored_.empty()) return false;
    StoreOp op = std::move(stored_.front());
    stored_.erase(stored_.begin());
    manager_.handle_store_done(now_, {op.id, true, 0});
    for (Bytes& record : op.records) records_.push_back(std::move(record));
    while (const auto event = manager_.poll_event()) replay(*event);
    CHECK(canonical_.back() == manager_.head().hash);
    for (std::uint64_t n = manager_.earliest().number; n < canonical_.size(); ++n) {
      CHECK(manager_.canonical_hash(n) == canonical_[static_cast<std::size_t>(n)]);
    }
    CHECK(!manager_.canonical_hash(canonical_.size()));
    return true;
  }

  // The chain as somebody knows it who hears nothing but the events.
  void replay(const ChainEvent& event) {
    if (const auto* extended = std::get_if<HeadExtended>(&event)) {
      CHECK(canonical_.back() == extended->old_head.hash);
      std::vector<Hash32> path;
      for (Hash32 at = extended->new_head.hash; at != extended->old_head.hash;
           at = parents_.at(at)) {
        path.push_back(at);
      }
      canonical_.insert(canonical_.end(), path.rbegin(), path.rend());
      CHECK(canonical_.size() == extended->new_head.number + 1);
    } else if (const auto* reorg = std::get_if<ReorgEvent>(&event)) {
      CHECK(!reorg->removed.empty() && !reorg->added.empty());
      CHECK(canonical_.size() > reorg->removed.size());
      const auto tail = canonical_.end() - static_cast<std::ptrdiff_t>(reorg->removed.size());
      CHECK(std::ranges::equal(std::vector<Hash32>(tail, canonical_.end()), reorg->removed));
      canonical_.erase(tail, canonical_.end());
      CHECK(canonical_.back() == reorg->fork_point.hash);
      for (const Hash32& hash : reorg->added) {
        CHECK(parents_.at(hash) == canonical_.back());
        canonical_.push_back(hash);
      }
    } else if (const auto* fork = std::get_if<ForkDetected>(&event)) {
      CHECK(parents_.contains(fork->fork_point.hash));
    }
  }

  void pass(std::uint8_t amount) {
    now_.mono = now_.mono + seconds(amount);
    now_.wall = now_.wall + seconds(amount * 60);
    manager_.handle_deadline(now_);
    CHECK(manager_.next_deadline() > now_.mono);
  }

  void check() const {
    const HeaderTree& tree = manager_.tree();
    CHECK(tree.memory_bytes() <= limits_.memory_bytes);
    CHECK(manager_.waiting_count() <= 2 * kMaxWaiting);
    CHECK(tree.size() + manager_.counters().released == manager_.counters().headers + 1);
    for (const NodeIndex leaf : tree.leaves()) {
      CHECK(tree.ancestor(leaf, tree.root_number()) == tree.root());
    }
    CHECK(manager_.earliest().number <= manager_.head().number);
  }

  // What was stored is the same chain to who starts with it.
  void restore() const {
    ChainManager again{genesis_, rule_of(longest_), limits_, 9};
    for (const Bytes& record : records_) CHECK(again.restore(record).has_value());
    again.finish_restore();
    CHECK(again.head() == manager_.head());
    CHECK(again.tree().size() == manager_.tree().size());
  }

  bool longest_;
  ChainLimits limits_;
  Genesis genesis_ = dev_genesis();
  Now now_{{1'000'000'000}, UnixTime::from_seconds(10'000)};
  ChainManager manager_;
  std::vector<Header> made_;
  std::map<Hash32, Hash32> parents_;
  std::vector<HeaderInput> batch_;
  std::vector<StoreOp> stored_;
  std::vector<Bytes> records_;
  std::vector<Hash32> canonical_;
};

}  // namespace

void run_chain_operations(ByteView input) {
  Operations in{input};
  const std::uint8_t options = in.byte();
  ChainLimits limits{.memory_bytes = std::uint64_t{1} << 30, .retention = {}, .min_depth = 4};
  if ((options & 2) != 0) limits.retention = (options >> 4U) & 7U;
  if ((options & 4) != 0) limits.memory_bytes = 40 * HeaderTree::cost_of(600);
  ChainRun run{(options & 1) == 0, limits};
  for (std::size_t i = 0; i < kMaxOperations && !in.at_end(); ++i) run.step(in);
  run.finish();
}

}  // namespace ethnet::fuzz
