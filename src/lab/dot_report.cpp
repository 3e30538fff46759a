#include <base/printable.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report.hpp"

namespace ethnet::lab {
namespace {

std::string quoted(const std::string& text) {
  std::string out{'"'};
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + '"';
}

// Rules by the block that is their head at the end, and those on whose chain a block is.
struct Standing {
  std::map<std::string, std::vector<std::string>> heads;
  std::map<std::string, std::vector<std::string>> canonical;

  explicit Standing(const LabReport& report) {
    for (const Playback& playback : report.playbacks) {
      heads[playback.canonical.back()].push_back(playback.rule);
      for (const std::string& block : playback.canonical) canonical[block].push_back(playback.rule);
    }
  }
};

}  // namespace

std::string dot_report(const LabReport& report) {
  const Standing standing{report};
  std::string out = fmt::format("digraph {} {{\n", quoted(report.scenario.name));
  out += "  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fontname=\"monospace\"];\n";
  for (const LabBlock& block : report.blocks.blocks()) {
    const std::string& name = block.spec.name;
    const auto rules = standing.canonical.find(name);
    const auto heads = standing.heads.find(name);
    const std::string label =
        heads == standing.heads.end()
            ? name
            : fmt::format("{} = head of {}", name, fmt::join(heads->second, ", "));
    const std::string tooltip = fmt::format(
        "height {}, {} s, difficulty {}; canonical under: {}", block.number, block.spec.time,
        block.spec.difficulty,
        rules == standing.canonical.end() ? "none"
                                          : fmt::format("{}", fmt::join(rules->second, ", ")));
    out += fmt::format("  {} [label={}, tooltip={}, fillcolor={}, penwidth={}];\n", quoted(name),
                       quoted(label), quoted(tooltip),
                       rules == standing.canonical.end() ? "\"#eef1f5\"" : "\"#bfdbfe\"",
                       heads == standing.heads.end() ? 1 : 3);
    if (!block.spec.parent.empty()) {
      out += fmt::format("  {} -> {};\n", quoted(block.spec.parent), quoted(name));
    }
  }
  for (const Playback& playback : report.playbacks) {
    for (const LabReorg& one : playback.reorgs) {
      const std::string label = fmt::format("{}, step {}: depth {} from {}", playback.rule,
                                            one.step + 1, one.depth(), one.fork_point);
      out += fmt::format(
          "  {} -> {} [style=dashed, color=\"#dc2626\", fontcolor=\"#dc2626\", "
          "constraint=false, label={}];\n",
          quoted(one.old_head), quoted(one.new_head), quoted(label));
    }
  }
  return out + "}\n";
}

}  // namespace ethnet::lab
