// The lines that users grep for:
//   [FORK] canonical switch 0x1a2b… → 0x3c4d… (height=42)
//   [REORG] fork_point=0x… depth=2 removed=[0x…, 0x…] added=[0x…, 0x…, 0x…]
// A list of more than kMaxListed hashes prints its first and last kListedEnds and a count; the
// event itself is never cut.
#pragma once

#include <functional>
#include <string>

#include "events.hpp"

namespace ethnet::chain {

inline constexpr std::size_t kMaxListed = 32;  // hashes in one line of a log
inline constexpr std::size_t kListedEnds = 8;

// How a hash is written: short_label for terminals, full_label for JSON; tests have their own.
using HashLabel = std::function<std::string(const Hash32&)>;
[[nodiscard]] std::string short_label(const Hash32& hash);
[[nodiscard]] std::string full_label(const Hash32& hash);

[[nodiscard]] std::string fork_line(const ReorgEvent& event, const HashLabel& label);
[[nodiscard]] std::string reorg_line(const ReorgEvent& event, const HashLabel& label);

}  // namespace ethnet::chain
