// Fetch: the chunks of one data set that are wanted, who has said that he holds them, and whom each
// was asked of. It decides whom to ask next and when there is nobody left; asking, deadlines and
// verification are its owner's.
//
//   want      -> waiting
//   next()    -> asked: of the source that was asked for least so far, so that a sampling is spread
//                over all who announced and shows no single one of them what was drawn
//   drop      -> settled; failed -> waiting again, for a source that was not asked for it yet
//   hopeless  -> settled: no such source is left, or kMaxTries were asked
//
// A chunk is asked of one source at a time, and of each source once. Used from one thread.
// Limits: kMaxTries a chunk; the owner bounds what is wanted and how many sources there are.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <vector>

namespace ethnet::das {

inline constexpr std::size_t kMaxTries = 8;  // sources that are asked for one chunk, one by one

using SourceId = std::uint64_t;

struct Ask {
  std::uint32_t index = 0;
  SourceId source = 0;
  friend bool operator==(const Ask&, const Ask&) = default;
};

class Fetch {
 public:
  // False when it is one already.
  bool add_source(SourceId source);
  // What was asked of it waits again. False when it is none.
  bool remove_source(SourceId source);
  [[nodiscard]] bool has_source(SourceId source) const;
  [[nodiscard]] std::size_t source_count() const { return sources_.size(); }

  // False when it is wanted already.
  bool want(std::uint32_t index) { return wants_.try_emplace(index).second; }
  [[nodiscard]] bool is_wanted(std::uint32_t index) const { return wants_.contains(index); }
  [[nodiscard]] bool is_asked(std::uint32_t index) const;
  [[nodiscard]] std::vector<std::uint32_t> wanted() const;          // waiting or asked, ascending
  [[nodiscard]] std::size_t open() const { return wants_.size(); }  // waiting or asked

  // What to ask next, among the sources of which `can_ask(source)` says that they can be asked now.
  template <class CanAsk>
  [[nodiscard]] std::optional<Ask> next(CanAsk can_ask);

  // It has come, or nobody needs it any more. Of whom it is still asked, if of anybody.
  std::optional<SourceId> drop(std::uint32_t index);
  // `source` did not give what it was asked for. No effect when it was not asked.
  void failed(std::uint32_t index, SourceId source);
  // Those that nobody is left to be asked for, in ascending order; no longer wanted.
  [[nodiscard]] std::vector<std::uint32_t> take_hopeless();

 private:
  struct Source {
    SourceId id = 0;
    std::uint64_t asked = 0;  // of it, so far
  };
  struct Want {
    std::optional<SourceId> asked;  // under way
    std::vector<SourceId> tried;    // asked ever; at most kMaxTries
  };

  [[nodiscard]] static bool was_tried(const Want& want, SourceId source);
  [[nodiscard]] bool is_hopeless(const Want& want) const;

  std::vector<Source> sources_;  // in the order in which they came
  std::map<std::uint32_t, Want> wants_;
};

template <class CanAsk>
std::optional<Ask> Fetch::next(CanAsk can_ask) {
  std::vector<Source*> able;
  for (Source& source : sources_) {
    if (can_ask(source.id)) able.push_back(&source);
  }
  if (able.empty()) return std::nullopt;
  for (auto& [index, want] : wants_) {
    if (want.asked || want.tried.size() >= kMaxTries) continue;
    Source* best = nullptr;
    for (Source* source : able) {
      if (was_tried(want, source->id)) continue;
      if (best == nullptr || source->asked < best->asked) best = source;
    }
    if (best == nullptr) continue;
    ++best->asked;
    want.asked = best->id;
    want.tried.push_back(best->id);
    return Ask{index, best->id};
  }
  return std::nullopt;
}

}  // namespace ethnet::das
