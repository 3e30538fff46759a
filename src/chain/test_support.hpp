// For tests of the chain: a manager on the development genesis, named blocks, and the store
// acknowledged at once.
#pragma once

#include <map>
#include <memory>
#include <string>

#include <types/hash_of.hpp>

#include "chain_manager.hpp"
#include "event_text.hpp"
#include "fork_choice/longest.hpp"
#include "fork_choice/rule_table.hpp"
#include "producer.hpp"

namespace ethnet::chain::testing {

[[nodiscard]] inline std::unique_ptr<ForkChoiceRule> rule_named(const std::string& name,
                                                                const std::string& parameter = {}) {
  auto rule = make_fork_choice_rule({name, parameter});
  CHECK(rule.has_value());
  return std::move(*rule);
}

// What tells one block from another to a rule.
struct BlockPlan {
  std::uint64_t seconds = 12;  // after its parent
  std::uint8_t producer = 0;
  std::uint64_t difficulty = 0;  // above 0 on lab_genesis() alone
};

class TestBench {
 public:
  explicit TestBench(std::unique_ptr<ForkChoiceRule> rule = std::make_unique<LongestChain>(),
                     ChainLimits limits = {}, Genesis on = dev_genesis())
      : genesis{std::move(on)}, manager{genesis, std::move(rule), limits, 7} {
    names_[genesis.hash] = "0xgenesis";
    headers_["genesis"] = genesis.header;
  }

  // A block named `name` on the block named `parent`; not imported.
  HeaderInput make(const std::string& name, const std::string& parent, const BlockPlan& plan = {}) {
    const Header& below = headers_.at(parent);
    Address producer;
    producer.bytes.back() = std::byte{plan.producer};
    Header header =
        seal_header(genesis.config, below, below.timestamp + plan.seconds, producer, name);
    header.difficulty = plan.difficulty;
    headers_[name] = header;
    names_[header.hash()] = "0x" + name;
    return {header.encode(), {}};
  }
  // A branch: the first on `parent`, each next on the one before.
  std::vector<HeaderInput> branch(const std::string& parent,
                                  const std::vector<std::string>& names) {
    std::vector<HeaderInput> out;
    std::string below = parent;
    for (const std::string& name : names) {
      out.push_back(make(name, below));
      below = name;
    }
    return out;
  }

  ImportOutcome import(const std::vector<HeaderInput>& batch) {
    return manager.import_headers(now, batch, {"test", "batch"});
  }
  // Acknowledges all that was stored; returns the lines that a terminal would show.
  std::vector<std::string> lines() {
    acknowledge();
    std::vector<std::string> out;
    while (const auto event = manager.poll_event()) {
      if (const auto* reorg = std::get_if<ReorgEvent>(&*event)) {
        out.push_back(fork_line(*reorg, label()));
        out.push_back(reorg_line(*reorg, label()));
      }
    }
    return out;
  }
  void acknowledge() {
    while (auto op = manager.poll_store()) {
      for (Bytes& record : op->records) store.push_back(std::move(record));
      manager.handle_store_done(now, {op->id, true, 0});
    }
  }
  std::vector<std::string> import_lines(const std::vector<HeaderInput>& batch) {
    (void)import(batch);
    return lines();
  }
  [[nodiscard]] std::string head() const { return names_.at(manager.head().hash); }
  [[nodiscard]] Hash32 hash(const std::string& name) const { return headers_.at(name).hash(); }
  [[nodiscard]] const Header& header(const std::string& name) const { return headers_.at(name); }
  // The branch heads and their scores, "a2: height 2, arrival 2", by arrival; the chosen one
  // with an asterisk.
  [[nodiscard]] std::vector<std::string> why() const {
    std::vector<std::string> out;
    for (const RankedHead& head : manager.explain_heads()) {
      out.push_back(names_.at(head.block.hash).substr(2) + (head.chosen ? "*: " : ": ") +
                    head.score.why);
    }
    return out;
  }
  [[nodiscard]] HashLabel label() const {
    return [this](const Hash32& hash) { return names_.at(hash); };
  }

  Genesis genesis;
  Now now{{1'000'000'000}, UnixTime::from_seconds(1'800'000'000)};
  ChainManager manager;
  std::vector<Bytes> store;

 private:
  std::map<Hash32, std::string> names_;
  std::map<std::string, Header> headers_;
};

}  // namespace ethnet::chain::testing
