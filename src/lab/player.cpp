#include "player.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ethnet::lab {
namespace {

constexpr std::uint64_t kHashSeed = 1;  // nobody floods this table

// A rule's chain, on its way through the scenario.
class Player {
 public:
  Player(const BlockBook& blocks, std::string rule, std::unique_ptr<chain::ForkChoiceRule> made)
      : blocks_{blocks}, manager_{blocks.genesis(), std::move(made), {}, kHashSeed} {
    out_.rule = std::move(rule);
    manager_.finish_restore();
  }

  void play(const Step& step) {
    out_.steps.emplace_back();
    // The clock of the chain: its genesis is at second 0.
    now_ = {Instant{} + seconds(static_cast<std::int64_t>(step.at)),
            UnixTime::from_seconds(step.at)};
    at_ = step.at;
    manager_.handle_deadline(now_);
    acknowledge();
    switch (step.action) {
      case Action::blocks:
        import_blocks(step, given_of(step), step.blocks.size() > 1 ? "blocks" : "block");
        break;
      case Action::release:
        import_blocks(step, step.release, "release");
        break;
      case Action::votes:
        vote(step);
        break;
      case Action::wait:
        break;
    }
    acknowledge();
    look();
  }

  [[nodiscard]] const chain::ChainManager& manager() const { return manager_; }
  [[nodiscard]] Playback take() {
    for (std::uint64_t n = 0; const auto hash = manager_.canonical_hash(n); ++n) {
      out_.canonical.push_back(blocks_.name_of(*hash));
    }
    return std::move(out_);
  }

 private:
  static std::vector<std::string> given_of(const Step& step) {
    std::vector<std::string> names;
    for (const BlockSpec& block : step.blocks) {
      if (!block.withheld) names.push_back(block.name);
    }
    return names;
  }

  static std::string source_of(const Step& step) {
    return step.from.empty() ? "scenario" : step.from;
  }

  void import_blocks(const Step& step, const std::vector<std::string>& names,
                     const std::string& what) {
    if (names.empty()) {
      note("withheld: nobody hears of it");
      return;
    }
    std::vector<chain::HeaderInput> batch;
    for (const std::string& name : names) batch.push_back(blocks_.block(name).input);
    const auto outcome = manager_.import_headers(now_, batch, {source_of(step), what, NodeId{}});
    if (outcome.invalid) {
      note(fmt::format("{} is invalid: {}",
                       names[std::min(outcome.invalid->index, names.size() - 1)],
                       outcome.invalid->error.message()));
    }
    const std::size_t early = std::min(outcome.early, outcome.waiting);
    if (early > 0) note(fmt::format("{} too early by the clock, kept", early));
    if (outcome.waiting > early) {
      note(fmt::format("{} without a known parent, kept", outcome.waiting - early));
    }
    if (outcome.refused > 0) note(fmt::format("{} refused", outcome.refused));
  }

  void vote(const Step& step) {
    std::vector<chain::Vote> votes;
    for (const VoteSpec& vote : step.votes) {
      const auto voter = voters_.try_emplace(vote.voter, voters_.size()).first->second;
      votes.push_back({voter, blocks_.block(vote.block).hash, vote.weight});
    }
    const auto outcome = manager_.handle_votes(now_, votes, {source_of(step), "votes", NodeId{}});
    if (outcome.counted == 0 && outcome.refused > 0) {
      note(manager_.rule().needs().votes ? "votes refused" : "this rule takes no votes");
    } else if (outcome.refused > 0) {
      note(fmt::format("{} votes refused", outcome.refused));
    }
  }

  // The laboratory's disk is fast and never fails.
  void acknowledge() {
    while (const auto op = manager_.poll_store()) {
      manager_.handle_store_done(now_, {op->id, true, 0});
    }
    while (const auto event = manager_.poll_event()) {
      const auto* told = std::get_if<chain::ReorgEvent>(&*event);
      if (told != nullptr) add(*told);
    }
  }

  void add(const chain::ReorgEvent& told) {
    const auto names = [&](const std::vector<Hash32>& hashes) {
      std::vector<std::string> out;
      for (const Hash32& hash : hashes) out.push_back(blocks_.name_of(hash));
      return out;
    };
    out_.steps.back().reorgs.push_back(out_.reorgs.size());
    out_.reorgs.push_back({out_.steps.size() - 1, at_, blocks_.name_of(told.old_head.hash),
                           blocks_.name_of(told.new_head.hash),
                           blocks_.name_of(told.fork_point.hash), names(told.removed),
                           names(told.added),
                           fmt::format("{} from {}", told.cause.announcement, told.cause.source)});
  }

  // Where the chain stands, and why.
  void look() {
    StepResult& result = out_.steps.back();
    const chain::BlockRef head = manager_.head();
    result.head = blocks_.name_of(head.hash);
    result.number = head.number;
    const std::vector<chain::RankedHead> ranked = manager_.explain_heads(kMaxListedHeads);
    for (const chain::RankedHead& one : ranked) {
      result.heads.push_back({blocks_.name_of(one.block.hash), one.block.number, one.score.value,
                              one.score.why, one.chosen});
    }
    result.heads_left_out =
        manager_.tree().leaves().size() - std::min(manager_.tree().leaves().size(), ranked.size());
  }

  void note(std::string text) { out_.steps.back().notices.push_back(std::move(text)); }

  const BlockBook& blocks_;
  chain::ChainManager manager_;
  std::map<std::string, std::uint64_t> voters_;
  Now now_;
  std::uint64_t at_ = 0;
  Playback out_;
};

std::vector<chain::Checkpoint> checkpoints_of(const Scenario& scenario, const BlockBook& blocks) {
  std::vector<chain::Checkpoint> out;
  for (const std::string& name : scenario.checkpoints) {
    out.push_back({blocks.block(name).number, blocks.block(name).hash});
  }
  std::ranges::sort(out, {}, &chain::Checkpoint::number);
  return out;
}

void compare(LabReport& report) {
  for (std::size_t step = 0; step < report.scenario.steps.size(); ++step) {
    Disagreement one{.step = step, .rules_of_head = {}};
    for (const Playback& playback : report.playbacks) {
      one.rules_of_head[playback.steps[step].head].push_back(playback.rule);
    }
    if (one.rules_of_head.size() > 1) report.disagreements.push_back(std::move(one));
  }
}

std::uint64_t deepest(const Playback& playback, std::size_t step) {
  std::uint64_t depth = 0;
  for (const std::size_t reorg : playback.steps[step].reorgs) {
    depth = std::max<std::uint64_t>(depth, playback.reorgs[reorg].depth());
  }
  return depth;
}

void judge(LabReport& report, const Expectation& expected, std::size_t step) {
  bool played = false;
  for (const Playback& playback : report.playbacks) {
    if (expected.rule && *expected.rule != playback.rule) continue;
    played = true;
    const bool of_head = expected.what == Expectation::What::head;
    const std::string& head = playback.steps[step].head;
    const std::uint64_t depth = deepest(playback, step);
    if (of_head ? head == expected.head : depth == expected.depth) {
      ++report.met;
    } else {
      report.unmet.push_back(
          {step, playback.rule,
           of_head ? "head " + expected.head : fmt::format("a reorg of depth {}", expected.depth),
           of_head ? head : std::to_string(depth), expected.place});
    }
  }
  if (!played) ++report.not_played;
}

}  // namespace

std::string describe(const Step& step) {
  std::vector<std::string> names;
  switch (step.action) {
    case Action::blocks:
      for (const BlockSpec& block : step.blocks) {
        std::string text = block.name;
        if (!block.producer.empty()) text += " by " + block.producer;
        if (block.withheld) text += " (withheld)";
        names.push_back(std::move(text));
      }
      return fmt::format("{} {}", names.size() == 1 ? "block" : "blocks", fmt::join(names, ", "));
    case Action::release:
      return fmt::format("release {}", fmt::join(step.release, ", "));
    case Action::votes:
      for (const VoteSpec& vote : step.votes) {
        names.push_back(fmt::format("{} for {} ({})", vote.voter, vote.block, vote.weight));
      }
      return fmt::format("votes {}", fmt::join(names, ", "));
    case Action::wait:
      break;
  }
  return "wait";
}

Result<LabReport> play(const Scenario& scenario, std::span<const LabRule> rules,
                       const StepObserver& observer, const chain::RuleBook& known) {
  LabReport report{scenario, BlockBook{scenario}, {}, {}, 0, {}, 0};
  const auto checkpoints = checkpoints_of(scenario, report.blocks);
  for (const LabRule& rule : rules) {
    auto made = TRY(make_lab_rule(rule, checkpoints, known));
    Player player{report.blocks, rule.label, std::move(made)};
    for (std::size_t i = 0; i < scenario.steps.size(); ++i) {
      player.play(scenario.steps[i]);
      if (observer) observer(rule, i, player.manager());
    }
    report.playbacks.push_back(player.take());
  }
  compare(report);
  for (std::size_t i = 0; i < scenario.steps.size(); ++i) {
    for (const Expectation& expected : scenario.steps[i].expectations) judge(report, expected, i);
  }
  return report;
}

}  // namespace ethnet::lab
