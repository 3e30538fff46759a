#include "chain_manager.hpp"

#include <algorithm>
#include <utility>

#include <codec/rlp_reader.hpp>
#include <codec/rlp_writer.hpp>
#include <crypto/keccak.hpp>
#include <types/hash_of.hpp>

namespace ethnet::chain {
namespace {

constexpr std::size_t kSignatureBytes = 65;

std::string_view describe(std::uint16_t code) {
  switch (static_cast<ChainError>(code)) {
    case ChainError::fork_below_retained:
      return "fork below retained history";
    case ChainError::stopped:
      return "the store has failed";
    case ChainError::bad_record:
      return "stored record does not decode";
    case ChainError::bad_signature_size:
      return "producer signature is not 65 bytes";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"chain", describe};

// Those that nobody has hashed yet, several at once.
std::vector<Hash32> hashes_of(std::span<const HeaderInput> inputs) {
  std::vector<Hash32> hashes(inputs.size());
  std::vector<std::size_t> missing;
  std::vector<ByteView> encoded;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].hash) {
      hashes[i] = *inputs[i].hash;
    } else {
      missing.push_back(i);
      encoded.emplace_back(inputs[i].header);
    }
  }
  std::vector<crypto::Digest32> digests(encoded.size());
  crypto::keccak256_many(encoded, digests);
  for (std::size_t k = 0; k < missing.size(); ++k) hashes[missing[k]] = Hash32{digests[k]};
  return hashes;
}

RuleNeeds needs_of(const std::unique_ptr<ForkChoiceRule>& rule) {
  CHECK(rule != nullptr);
  return rule->needs();
}

// A record of the store: [header, signature].
Bytes encode_record(const HeaderInput& input) {
  rlp::Writer out{input.header.size() + input.signature.size() + 8};
  const auto list = out.begin_list();
  out.write_raw(input.header);
  out.write_bytes(input.signature);
  out.end_list(list);
  return std::move(out).take();
}

Result<HeaderInput> decode_record(ByteView record) {
  rlp::Reader in{record};
  rlp::Reader list = TRY(in.enter_list());
  TRY(in.expect_end());
  const ByteView header = TRY(list.read_raw());
  const ByteView signature = TRY(list.read_bytes(kSignatureBytes));
  TRY(list.expect_end());
  return HeaderInput{to_bytes(header), to_bytes(signature)};
}

}  // namespace

const ErrorDomain& error_domain(ChainError) { return kDomain; }

// One import under way.
struct ChainManager::Batch {
  ImportOutcome outcome;
  std::vector<Arrived> added;  // a later one of the batch may push an earlier one out
  std::vector<Bytes> records;
};

ChainManager::ChainManager(const Genesis& genesis, std::unique_ptr<ForkChoiceRule> rule,
                           ChainLimits limits, std::uint64_t hash_seed)
    : config_{genesis.config},
      rule_{std::move(rule)},
      needs_{needs_of(rule_)},
      limits_{limits},
      facts_{needs_},
      tree_{genesis.hash, genesis.header.number, genesis.header.encode(),
            facts_.tree_share(limits.memory_bytes), hash_seed},
      genesis_{genesis.hash, genesis.header.number},
      canonical_{0} {
  facts_.add(tree_.root(), kNoNode, genesis.header);
}

Result<void> ChainManager::restore(ByteView record) {
  auto input = decode_record(record);
  if (!input) return fail(ChainError::bad_record, input.error().offset());
  const auto header = HeaderView::decode(input->header);
  if (!header) return fail(ChainError::bad_record, header.error().offset());
  // A branch that was released and came again is in the store twice; one whose fork point is
  // released has no parent.
  const Hash32 hash = hash_of(input->header);
  if (tree_.find(hash)) return {};
  const auto node = add(*header, hash, *input, std::nullopt);
  if (node) return {};
  const Error& error = node.error();
  const bool passed_over = error.is(TreeError::memory_limit) ||
                           error.is(ChainError::fork_below_retained) ||
                           (error.is(TreeError::unknown_parent) && counters_.released > 0);
  if (!passed_over) return std::unexpected{error};
  return {};
}

void ChainManager::finish_restore() {
  settle();
  restored_ = true;
  if (limits_.retention) raise_floor(above(*limits_.retention, served_head_));
}

// All that was restored is acknowledged; the head is the one that the rule chooses now.
void ChainManager::settle() {
  served_arrivals_ = tree_.next_arrival();
  head_ = choose_from(all_heads());
  serve(head_);
}

Result<NodeIndex> ChainManager::find_parent(const HeaderView& header) const {
  if (last_ && is_kept(*last_) && tree_.node(last_->index).hash == header.parent()) {
    return last_->index;
  }
  const auto parent = tree_.find(header.parent());
  if (parent) return *parent;
  // Nothing that is kept, or comes, can be the parent of a header that is as low as the root.
  if (header.number <= tree_.root_number()) return fail(ChainError::fork_below_retained);
  return fail(TreeError::unknown_parent);
}

Result<void> ChainManager::judge(const HeaderView& header, NodeIndex parent,
                                 std::optional<UnixTime> wall) const {
  const auto decoded = HeaderView::decode(tree_.header(parent));
  CHECK(decoded.has_value());
  return validate_header(header, *decoded, config_, wall);
}

// Links, judges and inserts one header whose encoding is canonical and that is not known.
Result<NodeIndex> ChainManager::add(const HeaderView& header, const Hash32& hash,
                                    const HeaderInput& input, std::optional<UnixTime> wall) {
  const NodeIndex parent = TRY(find_parent(header));
  if (!input.signature.empty() && input.signature.size() != kSignatureBytes) {
    return fail(ChainError::bad_signature_size);
  }
  const std::uint64_t head_number = tree_.node(head_).number;
  const std::uint64_t parent_number = tree_.node(parent).number;
  if (limits_.retention && parent_number < head_number &&
      head_number - parent_number > *limits_.retention) {
    return fail(ChainError::fork_below_retained);
  }
  TRY(judge(header, parent, wall));
  const std::uint64_t cost = HeaderTree::cost_of(input.header.size() + input.signature.size());
  if (!tree_.has_room(cost)) {
    if (!make_room(cost, header.number, parent)) return fail(TreeError::memory_limit);
    // The floor may have passed it.
    if (!tree_.find(header.parent())) return fail(ChainError::fork_below_retained);
  }
  const NodeIndex added = TRY(tree_.insert_under(parent, hash, input.header, input.signature));
  if (facts_.is_wanted()) facts_.add(added, parent, header);
  last_ = {added, tree_.node(added).arrival};
  return added;
}

void ChainManager::park(Now now, const HeaderInput& input, const HeaderView& header,
                        const Hash32& hash, const Cause& cause, bool early, Batch& batch) {
  WaitingPool& pool = early ? early_ : orphans_;
  ++(early ? counters_.early : counters_.orphans);
  const bool kept =
      pool.add({input, hash, header.parent(), header.timestamp, {cause.peer, cause.source}});
  ++(kept ? batch.outcome.waiting : batch.outcome.refused);
  if (!early) return;
  ++batch.outcome.early;
  // What comes later puts off nothing: a peer that gives one early header after another would keep
  // all others waiting.
  if (early_due_.is_never()) plan_early(now);
}

void ChainManager::import_one(Now now, const HeaderInput& input, const Hash32& hash,
                              std::size_t index, const Cause& cause, Batch& batch) {
  const auto invalid = [&](const Error& error) {
    ++counters_.invalid;
    if (!batch.outcome.invalid) batch.outcome.invalid = {index, error};
  };
  const auto header = HeaderView::decode(input.header);
  if (!header) {
    invalid(header.error());
    return;
  }
  if (tree_.find(hash)) {
    ++batch.outcome.known;
    return;
  }
  const auto node = add(*header, hash, input, now.wall);
  if (node) {
    ++counters_.headers;
    batch.added.push_back({*node, tree_.node(*node).arrival});
    batch.records.push_back(encode_record(input));
  } else if (node.error().is(TreeError::unknown_parent)) {
    park(now, input, *header, hash, cause, false, batch);
  } else if (node.error().is(HeaderRule::future_block)) {
    park(now, input, *header, hash, cause, true, batch);
  } else if (node.error().is(ChainError::fork_below_retained)) {
    ++counters_.below_retained;
    ++batch.outcome.refused;
  } else if (node.error().is(TreeError::memory_limit)) {
    ++counters_.memory_refused;
    ++batch.outcome.refused;
  } else {
    invalid(node.error());
  }
}

ImportOutcome ChainManager::import_headers(Now now, std::span<const HeaderInput> inputs,
                                           const Cause& cause) {
  Batch batch;
  if (stopped_) {
    batch.outcome.refused = inputs.size();
    return batch.outcome;
  }
  if (!restored_) finish_restore();  // there was nothing to restore
  const std::vector<Hash32> hashes = hashes_of(inputs);
  for (std::size_t i = 0; i < inputs.size() && !batch.outcome.invalid; ++i) {
    import_one(now, inputs[i], hashes[i], i, cause, batch);
  }
  // What waited for one of these, and for these in turn. A wrong orphan is not this batch's fault.
  const auto invalid = batch.outcome.invalid;
  for (std::size_t i = 0; i < batch.added.size(); ++i) {
    if (!is_kept(batch.added[i])) continue;
    const Hash32 parent = tree_.node(batch.added[i].index).hash;
    for (const WaitingHeader& child : orphans_.take_children(parent)) {
      const Cause late{child.source.name, cause.announcement, child.source.peer};
      import_one(now, child.input, child.hash, i, late, batch);
    }
  }
  batch.outcome.invalid = invalid;
  finish_batch(cause, batch);
  return batch.outcome;
}

void ChainManager::finish_batch(const Cause& cause, Batch& batch) {
  batch.outcome.added = batch.added.size();
  if (batch.added.empty()) return;
  std::erase_if(batch.added, [&](const Arrived& node) { return !is_kept(node); });
  const NodeIndex before = head_;
  head_ = choose_head(batch.added);
  PendingBatch pending{.id = next_batch_++,
                       .arrivals_after = tree_.next_arrival(),
                       .head_after = head_,
                       .events = {}};
  pending.events.emplace_back(BatchStored{pending.id, batch.outcome.added});
  add_head_change(before, cause, pending.events);
  report_forks(cause, batch, pending.events);
  batch.outcome.batch = pending.id;
  store_ops_.push_back({pending.id, std::move(batch.records)});
  pending_.push_back(std::move(pending));
}

bool ChainManager::is_kept(const Arrived& node) const {
  return tree_.node(node.index).arrival == node.arrival;
}

void ChainManager::add_head_change(NodeIndex before, const Cause& cause,
                                   std::vector<ChainEvent>& events) const {
  if (head_ == before) return;
  if (tree_.descends(head_, before)) {
    events.emplace_back(HeadExtended{ref(before), ref(head_), cause});
  } else {
    CHECK(!tree_.descends(before, head_));  // no rule goes back on the branch that it is on
    events.emplace_back(make_reorg(before, head_, cause));
  }
}

ReorgEvent ChainManager::make_reorg(NodeIndex old_head, NodeIndex new_head,
                                    const Cause& cause) const {
  const NodeIndex fork = tree_.common_ancestor(old_head, new_head);
  const auto path = [&](NodeIndex from) {
    std::vector<Hash32> hashes;
    for (NodeIndex at = from; at != fork; at = tree_.node(at).parent) {
      hashes.push_back(tree_.node(at).hash);
    }
    std::ranges::reverse(hashes);
    return hashes;
  };
  return {ref(old_head), ref(new_head), ref(fork), path(old_head), path(new_head), cause};
}

// The branch heads that this batch made and the rule did not choose.
void ChainManager::report_forks(const Cause& cause, const Batch& batch,
                                std::vector<ChainEvent>& events) const {
  for (const auto& [node, arrival] : batch.added) {
    if (node == head_ || !tree_.is_leaf(node)) continue;
    const NodeIndex fork = tree_.common_ancestor(node, head_);
    events.emplace_back(ForkDetected{ref(fork), ref(node), cause});
  }
}

std::optional<StoreOp> ChainManager::poll_store() {
  if (store_ops_.empty()) return std::nullopt;
  StoreOp op = std::move(store_ops_.front());
  store_ops_.pop_front();
  return op;
}

std::optional<ChainEvent> ChainManager::poll_event() {
  if (events_.empty()) return std::nullopt;
  ChainEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void ChainManager::handle_store_done(Now, const StoreResult& done) noexcept {
  if (pending_.empty() || stopped_) return;
  CHECK(pending_.front().id == done.id);
  PendingBatch batch = std::move(pending_.front());
  pending_.pop_front();
  if (!done.ok) {
    stopped_ = true;
    events_.push_back(StoreFailed{done.id, done.os_error});
    return;
  }
  served_arrivals_ = batch.arrivals_after;
  tell(batch.head_after, std::move(batch.events));
}

// What is acknowledged, to whoever asks and whoever listens.
void ChainManager::tell(NodeIndex head, std::vector<ChainEvent> events) {
  serve(head);
  if (limits_.retention) raise_floor(above(*limits_.retention, served_head_));
  for (ChainEvent& event : events) {
    if (std::holds_alternative<ReorgEvent>(event)) ++counters_.reorgs;
    if (std::holds_alternative<ForkDetected>(event)) ++counters_.forks;
    events_.push_back(std::move(event));
  }
}

void ChainManager::serve(NodeIndex head) {
  const NodeIndex fork = tree_.common_ancestor(served_head_, head);
  canonical_.resize(static_cast<std::size_t>(tree_.node(fork).number - tree_.root_number()) + 1);
  std::vector<NodeIndex> added;
  for (NodeIndex at = head; at != fork; at = tree_.node(at).parent) added.push_back(at);
  canonical_.insert(canonical_.end(), added.rbegin(), added.rend());
  served_head_ = head;
}

// Early headers are tried again when their time has come by our clock, at latest each second, since
// the clock may be set.
void ChainManager::plan_early(Now now) {
  early_due_ = early_.size() == 0 ? Instant::never() : now.mono + seconds(1);
}

void ChainManager::handle_deadline(Now now) noexcept {
  if (early_due_ > now.mono) return;
  const auto due = early_.take_due((now.wall + kMaxFuture).whole_seconds());
  plan_early(now);
  for (const WaitingHeader& header : due) {
    const Cause cause{header.source.name, "early header", header.source.peer};
    (void)import_headers(now, std::span{&header.input, 1}, cause);
  }
}

std::optional<NodeIndex> ChainManager::served(const Hash32& hash) const {
  const auto node = tree_.find(hash);
  if (!node || tree_.node(*node).arrival >= served_arrivals_) return std::nullopt;
  return node;
}

std::optional<BlockInfo> ChainManager::find(const Hash32& hash) const {
  const auto node = served(hash);
  if (!node) return std::nullopt;
  const HeaderTree::Node& at = tree_.node(*node);
  const Hash32 parent = at.parent == kNoNode ? Hash32{} : tree_.node(at.parent).hash;
  return BlockInfo{at.number, parent, canonical_hash(at.number) == hash};
}

std::optional<NodeIndex> ChainManager::canonical_node(std::uint64_t number) const {
  const std::uint64_t root = tree_.root_number();
  if (number < root || number - root >= canonical_.size()) return std::nullopt;
  return canonical_[static_cast<std::size_t>(number - root)];
}

std::optional<Hash32> ChainManager::canonical_hash(std::uint64_t number) const {
  const auto node = canonical_node(number);
  if (!node) return std::nullopt;
  return tree_.node(*node).hash;
}

std::optional<ServedHeader> ChainManager::canonical_header(std::uint64_t number) const {
  const auto node = canonical_node(number);
  if (!node) return std::nullopt;
  return served_header(*node);
}

std::optional<NodeIndex> ChainManager::ancestor_node(const Hash32& hash,
                                                     std::uint64_t number) const {
  const auto node = served(hash);
  if (!node || number > tree_.node(*node).number || number < tree_.root_number()) {
    return std::nullopt;
  }
  return tree_.ancestor(*node, number);
}

std::optional<Hash32> ChainManager::ancestor(const Hash32& hash, std::uint64_t number) const {
  const auto node = ancestor_node(hash, number);
  if (!node) return std::nullopt;
  return tree_.node(*node).hash;
}

std::optional<ServedHeader> ChainManager::ancestor_header(const Hash32& hash,
                                                          std::uint64_t number) const {
  const auto node = ancestor_node(hash, number);
  if (!node) return std::nullopt;
  return served_header(*node);
}

ByteView ChainManager::encoded(const Hash32& hash) const {
  const auto node = served(hash);
  return node ? tree_.header(*node) : ByteView{};
}

ByteView ChainManager::producer_signature(const Hash32& hash) const {
  const auto node = served(hash);
  return node ? tree_.signature(*node) : ByteView{};
}

std::optional<Header> ChainManager::pending_header(const Hash32& hash) const {
  const auto node = tree_.find(hash);
  if (!node) return std::nullopt;
  auto header = Header::decode(tree_.header(*node));
  CHECK(header.has_value());
  return std::move(*header);
}

ByteView Chain::header_at(std::uint64_t number) const {
  const bool inside = number >= tree_->root_number() && number <= height();
  return inside ? tree_->header(tree_->ancestor(head_, number)) : ByteView{};
}

}  // namespace ethnet::chain
