// A row of the tables in docs/PERFORMANCE.md: what was measured, ours and the peer's figure, their
// ratio with its interval, and whether that reaches the goal.
// Threading: values.
#pragma once

#include <optional>
#include <string>

#include "paired.hpp"

namespace ethnet::bench {

struct Row {
  std::string what;
  std::string ours;
  std::string peer;
  std::string theirs{};               // empty: it was not run
  std::optional<Comparison> ratio{};  // above 1 ours is better
  double goal = 0;                    // of the ratio; 0: none was set
};

[[nodiscard]] std::string table_head();
// One line of Markdown. A goal that was missed says by how much.
[[nodiscard]] std::string markdown(const Row& row);

// "266 ns", "42.4 µs", "1.30 ms".
[[nodiscard]] std::string text_of_ns(double ns);
// "312 bytes", "8.3 KiB", "17.0 MiB".
[[nodiscard]] std::string text_of_bytes(double bytes);

}  // namespace ethnet::bench
