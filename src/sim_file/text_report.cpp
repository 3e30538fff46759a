#include <algorithm>

#include <base/printable.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report.hpp"

namespace ethnet::sim_file {
namespace {

// "12.345s": whoever needs the nanoseconds reads the trace.
std::string time(Instant at) {
  return fmt::format("{}.{:03}s", at.ns / 1'000'000'000, at.ns / 1'000'000 % 1'000);
}

std::string node_text(const sim::ScriptNodeReport& node) {
  if (!node.honest) return fmt::format("role {}{}", node.rule, node.up ? "" : ", down");
  const std::string head =
      node.up ? fmt::format("head {} {}", node.head.number, node.head.hash.short_hex()) : "down";
  std::string text = fmt::format("{:<18} {:<20} {} peers", node.rule, head, node.peers);
  text += fmt::format(", {} reorgs", node.reorgs);
  if (node.reorgs > 0) text += fmt::format(" (deepest {})", node.deepest);
  text += fmt::format(", {} forks", node.forks);
  if (node.banned > 0) text += fmt::format(", {} banned", node.banned);
  return text;
}

}  // namespace

std::string text_report(const sim::ScriptReport& report) {
  std::string out = fmt::format("{}, seed {}\n", report.name, report.seed);
  if (!report.about.empty()) out += printable(report.about) + "\n";
  out += "\n";
  for (const sim::ScriptLine& line : report.lines) {
    out += fmt::format("{:>11}  {}\n", time(line.at), printable(line.what));
  }
  if (report.lines_left_out > 0) {
    out += fmt::format("{:>11}  and {} lines more\n", "", report.lines_left_out);
  }
  out += fmt::format("\nnodes at {}\n", time(report.ended));
  std::size_t width = 4;
  for (const auto& node : report.nodes) width = std::max(width, node.name.size());
  for (const auto& node : report.nodes) {
    out += fmt::format("  {:<{}}  {}\n", node.name, width, node_text(node));
  }
  out += "\n";
  for (const sim::ScriptOutcome& one : report.outcomes) {
    out += fmt::format("  {:<8} line {}, {}: {} (found {})\n", one.met ? "met" : "NOT MET",
                       one.line, time(one.at), printable(one.what), printable(one.found));
  }
  if (report.violation) {
    out += fmt::format("  VIOLATED {}: {}\n", time(report.violation->at),
                       printable(report.violation->what));
  }
  const auto met = std::ranges::count(report.outcomes, true, &sim::ScriptOutcome::met);
  out += fmt::format("{} met, {} not met; after every one of {} events {}: {}\n", met,
                     static_cast<std::ptrdiff_t>(report.outcomes.size()) - met, report.events,
                     report.violation ? "until the last there held" : "there held",
                     fmt::join(report.checkers, ", "));
  out += fmt::format("seed={} trace={} {}\n", report.seed, sim::hash_text(report.trace),
                     report.ok() ? "ok" : "FAILED");
  return out;
}

}  // namespace ethnet::sim_file
