#include "fetch.hpp"

#include <algorithm>

namespace ethnet::das {

bool Fetch::has_source(SourceId source) const {
  return std::ranges::find(sources_, source, &Source::id) != sources_.end();
}

bool Fetch::add_source(SourceId source) {
  if (has_source(source)) return false;
  sources_.push_back({source, 0});
  return true;
}

bool Fetch::remove_source(SourceId source) {
  for (auto& [index, want] : wants_) {
    if (want.asked == source) want.asked.reset();
  }
  return std::erase_if(sources_, [&](const Source& s) { return s.id == source; }) > 0;
}

bool Fetch::is_asked(std::uint32_t index) const {
  const auto it = wants_.find(index);
  return it != wants_.end() && it->second.asked.has_value();
}

std::vector<std::uint32_t> Fetch::wanted() const {
  std::vector<std::uint32_t> out;
  out.reserve(wants_.size());
  for (const auto& [index, want] : wants_) out.push_back(index);
  return out;
}

std::optional<SourceId> Fetch::drop(std::uint32_t index) {
  const auto it = wants_.find(index);
  if (it == wants_.end()) return std::nullopt;
  const auto asked = it->second.asked;
  wants_.erase(it);
  return asked;
}

void Fetch::failed(std::uint32_t index, SourceId source) {
  const auto it = wants_.find(index);
  if (it != wants_.end() && it->second.asked == source) it->second.asked.reset();
}

bool Fetch::was_tried(const Want& want, SourceId source) {
  return std::ranges::find(want.tried, source) != want.tried.end();
}

bool Fetch::is_hopeless(const Want& want) const {
  if (want.asked) return false;
  if (want.tried.size() >= kMaxTries) return true;
  return std::ranges::all_of(sources_, [&](const Source& s) { return was_tried(want, s.id); });
}

std::vector<std::uint32_t> Fetch::take_hopeless() {
  std::vector<std::uint32_t> out;
  std::erase_if(wants_, [&](const auto& entry) {
    if (!is_hopeless(entry.second)) return false;
    out.push_back(entry.first);
    return true;
  });
  return out;
}

}  // namespace ethnet::das
