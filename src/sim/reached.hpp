// Reached: which rare branches a run came to. A swarm that never came there tests nothing of them,
// however green it is; so runs count, swarms add up, and tests assert (ScenarioSpec::sometimes).
// Names are sentences for people: "a session was replaced". One thread, the world's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace ethnet::sim {

class Reached {
 public:
  void note(std::string_view name, std::uint64_t times = 1) {
    if (times > 0) counts_[std::string{name}] += times;
  }
  [[nodiscard]] std::uint64_t count(std::string_view name) const {
    const auto it = counts_.find(name);
    return it == counts_.end() ? 0 : it->second;
  }
  [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& counts() const {
    return counts_;
  }

 private:
  std::map<std::string, std::uint64_t, std::less<>> counts_;
};

}  // namespace ethnet::sim
