#include "table.hpp"

#include <fmt/format.h>

namespace ethnet::bench {
namespace {

std::string verdict_of(const Row& row) {
  if (!row.ratio || row.goal <= 0) return {};
  const Verdict verdict = judge(*row.ratio, row.goal);
  if (verdict != Verdict::missed) return text(verdict);
  return fmt::format("missed, by a factor of {:.2f}", row.goal / row.ratio->ratio);
}

}  // namespace

std::string table_head() {
  return "| what | ours | peer | its figure | ratio (95 %) | goal | verdict |\n"
         "|---|---|---|---|---|---|---|\n";
}

std::string markdown(const Row& row) {
  const std::string ratio = row.ratio ? fmt::format("{:.2f}x ({:.2f}–{:.2f})", row.ratio->ratio,
                                                    row.ratio->low, row.ratio->high)
                                      : std::string{};
  const std::string goal = row.goal > 0 ? fmt::format("{:.1f}x", row.goal) : std::string{};
  return fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", row.what, row.ours, row.peer,
                     row.theirs.empty() ? "not run" : row.theirs, ratio, goal, verdict_of(row));
}

std::string text_of_ns(double ns) {
  if (ns < 10e3) return fmt::format("{:.0f} ns", ns);
  if (ns < 1e6) return fmt::format("{:.1f} µs", ns / 1e3);
  return fmt::format("{:.2f} ms", ns / 1e6);
}

std::string text_of_bytes(double bytes) {
  constexpr double kKiB = 1024;
  if (bytes < 2 * kKiB) return fmt::format("{:.0f} bytes", bytes);
  if (bytes < kKiB * kKiB) return fmt::format("{:.1f} KiB", bytes / kKiB);
  return fmt::format("{:.1f} MiB", bytes / kKiB / kKiB);
}

}  // namespace ethnet::bench
