#include "svg.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <base/printable.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tree_layout.hpp"

namespace ethnet::lab {
namespace {

std::string_view describe_error(std::uint16_t) { return "too many blocks for a picture"; }
constexpr ErrorDomain kDomain{"picture", describe_error};

// Pixels.
constexpr int kMargin = 28;
constexpr int kColumn = 98;  // from height to height
constexpr int kLane = 72;
constexpr int kBoxWidth = 66;
constexpr int kBoxHeight = 28;
constexpr int kLine = 20;
constexpr int kLeastWidth = 860;
constexpr int kGap = 20;    // between panels
constexpr int kTitle = 46;  // of a panel
constexpr int kAxis = 26;   // heights, below the tree
constexpr std::size_t kShownName = 7;
constexpr std::size_t kTextColumns = 108;  // of a line of prose
constexpr std::size_t kShownDisagreements = 10;

constexpr std::string_view kStyle = R"(
    .page { fill: #f4f6f9 }
    .card { fill: #ffffff; stroke: #dfe4ea }
    text { font-family: system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif }
    text { fill: #1f2937; font-size: 13px }
    .title { font-size: 22px; font-weight: 700 }
    .rule { font-size: 16px; font-weight: 700 }
    .soft { fill: #64748b }
    .axis { fill: #94a3b8; font-size: 11px; text-anchor: middle }
    .grid { stroke: #eef1f5 }
    .name { font-family: ui-monospace, 'DejaVu Sans Mono', monospace }
    .name { font-size: 12px; text-anchor: middle }
    .edge { fill: none; stroke: #b6c2cf; stroke-width: 2 }
    .box { fill: #eef1f5; stroke: #b6c2cf; stroke-width: 1.5 }
    .held { stroke-dasharray: 4 3 }
    .main.edge { stroke: #2563eb; stroke-width: 4 }
    .main.box { fill: #2563eb; stroke: #1d4ed8 }
    .main.name { fill: #ffffff }
    .main.held { stroke: #dbeafe; stroke-width: 2 }
    .ring { fill: none; stroke: #2563eb; stroke-width: 2 }
    .reorg { fill: none; stroke: #e11d48; stroke-width: 2; stroke-dasharray: 6 4 }
    .tip, .fork, .badge { fill: #e11d48 }
    .digit { fill: #ffffff; font-size: 11px; font-weight: 700; text-anchor: middle }
    @media (prefers-color-scheme: dark) {
      .page { fill: #0b1120 }
      .card { fill: #111a2e; stroke: #25324a }
      text { fill: #e2e8f0 }
      .soft { fill: #94a3b8 }
      .axis { fill: #64748b }
      .grid { stroke: #1a2540 }
      .edge { stroke: #475569 }
      .box { fill: #1e293b; stroke: #475569 }
      .main.edge { stroke: #3b82f6 }
      .main.box { fill: #2563eb; stroke: #60a5fa }
      .main.name, .digit { fill: #ffffff }
      .main.held { stroke: #dbeafe }
      .ring { stroke: #60a5fa }
      .reorg { stroke: #fb7185 }
    }
)";

// For text and attributes alike. What no terminal would get does not get in here either.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::string text(int x, int y, std::string_view kind, const std::string& content) {
  return fmt::format("<text x=\"{}\" y=\"{}\" class=\"{}\">{}</text>\n", x, y, kind,
                     escaped(content));
}

// Words, on lines of at most kTextColumns bytes; a longer word has a line of its own.
std::vector<std::string> wrapped(const std::string& prose) {
  std::vector<std::string> lines;
  std::string line;
  for (std::size_t at = 0; at < prose.size();) {
    const std::size_t end = std::min(prose.find(' ', at), prose.size());
    const std::string word = prose.substr(at, end - at);
    if (!line.empty() && line.size() + 1 + word.size() > kTextColumns) {
      lines.push_back(std::exchange(line, ""));
    }
    line += (line.empty() ? "" : " ") + word;
    at = end + 1;
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

// A name that fits its box: names are ASCII.
std::string fitting(const std::string& name) {
  return name.size() <= kShownName ? name : name.substr(0, kShownName - 1) + "…";
}

// One rule: the tree, its reorganisations, and the ledger below.
class Panel {
 public:
  Panel(const LabReport& report, const TreeLayout& layout, const Playback& playback, int top,
        int width)
      : report_{report}, layout_{layout}, playback_{playback}, top_{top}, width_{width} {
    const std::set<std::string> canonical(playback.canonical.begin(), playback.canonical.end());
    for (std::size_t i = 0; i < blocks().size(); ++i) {
      index_[blocks()[i].spec.name] = i;
      main_.push_back(canonical.contains(blocks()[i].spec.name));
    }
  }

  [[nodiscard]] static int height_of(const TreeLayout& layout, const Playback& playback) {
    const std::size_t lines = std::max<std::size_t>(1, ledger_of(playback).size());
    return kTitle + static_cast<int>(layout.lanes) * kLane + kAxis +
           static_cast<int>(lines) * kLine + 12;
  }

  [[nodiscard]] std::string draw() const {
    std::string out = fmt::format(
        "<g>\n<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"12\" "
        "class=\"card\"/>\n",
        kMargin, top_, width_ - 2 * kMargin, height_of(layout_, playback_));
    out += text(kMargin + 20, top_ + 30, "rule", playback_.rule);
    const StepResult& last = playback_.steps.back();
    out += fmt::format(
        "<text x=\"{}\" y=\"{}\" class=\"soft\" text-anchor=\"end\">{}</text>\n",
        width_ - kMargin - 20, top_ + 30,
        escaped(fmt::format("head {} · height {} · {} reorganisation{}", last.head, last.number,
                            playback_.reorgs.size(), playback_.reorgs.size() == 1 ? "" : "s")));
    out += axis();
    // What is canonical lies above what is not.
    for (const bool main : {false, true}) {
      for (std::size_t i = 1; i < blocks().size(); ++i) {
        if (main_[i] == main) out += edge(i);
      }
    }
    for (std::size_t i = 0; i < blocks().size(); ++i) out += box(i);
    for (std::size_t i = 0; i < drawn(); ++i) out += arrow(i);
    for (std::size_t i = 0; i < drawn(); ++i) out += badge(i);
    int y = bottom() + kAxis + 14;
    for (const std::string& line : ledger_of(playback_)) {
      out += text(kMargin + 20, y, "soft", line);
      y += kLine;
    }
    return out + "</g>\n";
  }

 private:
  [[nodiscard]] const std::vector<LabBlock>& blocks() const { return report_.blocks.blocks(); }
  [[nodiscard]] std::size_t drawn() const {
    return std::min(playback_.reorgs.size(), kMaxDrawnReorgs);
  }
  // The middle of a block's box.
  [[nodiscard]] int x(std::size_t i) const {
    return kMargin + 24 + kBoxWidth / 2 + static_cast<int>(layout_.spots[i].column) * kColumn;
  }
  [[nodiscard]] int y(std::size_t i) const {
    return top_ + kTitle + kLane / 2 + static_cast<int>(layout_.spots[i].lane) * kLane;
  }
  [[nodiscard]] int bottom() const {
    return top_ + kTitle + static_cast<int>(layout_.lanes) * kLane;
  }

  [[nodiscard]] std::string axis() const {
    std::string out;
    for (std::size_t column = 0; column < layout_.columns; ++column) {
      const int at = kMargin + 24 + kBoxWidth / 2 + static_cast<int>(column) * kColumn;
      out += fmt::format("<line x1=\"{0}\" y1=\"{1}\" x2=\"{0}\" y2=\"{2}\" class=\"grid\"/>\n", at,
                         top_ + kTitle, bottom());
      out += text(at, bottom() + 14, "axis", std::to_string(column));
    }
    return out;
  }

  [[nodiscard]] std::string edge(std::size_t i) const {
    const std::size_t parent = layout_.parents[i];
    const int from = x(parent) + kBoxWidth / 2;
    const int to = x(i) - kBoxWidth / 2;
    const int middle = (from + to) / 2;
    return fmt::format("<path d=\"M {} {} C {} {} {} {} {} {}\" class=\"edge{}\"/>\n", from,
                       y(parent), middle, y(parent), middle, y(i), to, y(i),
                       main_[i] ? " main" : "");
  }

  [[nodiscard]] std::string box(std::size_t i) const {
    const LabBlock& block = blocks()[i];
    const std::string main = main_[i] ? "main " : "";
    std::string out = "<g>\n<title>";
    out += escaped(fmt::format("{}: height {}, {} s, difficulty {}{}{}", block.spec.name,
                               block.number, block.spec.time, block.spec.difficulty,
                               block.spec.producer.empty() ? "" : ", by " + block.spec.producer,
                               block.spec.withheld ? ", withheld at first" : ""));
    out += "</title>\n";
    if (block.spec.name == playback_.canonical.back()) {
      out += fmt::format(
          "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"12\" "
          "class=\"ring\"/>\n",
          x(i) - kBoxWidth / 2 - 4, y(i) - kBoxHeight / 2 - 4, kBoxWidth + 8, kBoxHeight + 8);
    }
    out += fmt::format(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"8\" "
        "class=\"{}box{}\"/>\n",
        x(i) - kBoxWidth / 2, y(i) - kBoxHeight / 2, kBoxWidth, kBoxHeight, main,
        block.spec.withheld ? " held" : "");
    out += text(x(i), y(i) + 4, main + "name", fitting(block.spec.name));
    return out + "</g>\n";
  }

  // A reorganisation's curve: it leaves the old head on the side of the new one.
  struct Curve {
    int x1 = 0;
    int y1 = 0;
    int bend1 = 0;  // y of the control points, whose x are those of the ends
    int bend2 = 0;
    int x2 = 0;
    int y2 = 0;
    [[nodiscard]] int middle_x() const { return (x1 + x2) / 2; }
    [[nodiscard]] int middle_y() const { return (y1 + 3 * bend1 + 3 * bend2 + y2) / 8; }
  };

  [[nodiscard]] Curve curve(std::size_t reorg) const {
    const std::size_t from = index_.at(playback_.reorgs[reorg].old_head);
    const std::size_t to = index_.at(playback_.reorgs[reorg].new_head);
    constexpr int kHalf = kBoxHeight / 2;
    constexpr int kTip = 12;  // its point stays outside of the ring
    if (layout_.spots[from].lane == layout_.spots[to].lane) {
      const int above = y(from) - kHalf;
      return {x(from), above, above - 24, above - 24, x(to), above - kTip};
    }
    const int down = y(to) > y(from) ? 1 : -1;
    // Two that go to and fro between the same blocks do not lie on each other.
    const int aside = down * 9;
    Curve out{x(from) + aside, y(from) + down * kHalf,       0, 0,
              x(to) + aside,   y(to) - down * (kHalf + kTip)};
    const int bend = down * std::max(18, std::abs(out.y2 - out.y1) * 2 / 3);
    out.bend1 = out.y1 + bend;
    out.bend2 = out.y2 - bend;
    return out;
  }

  [[nodiscard]] std::string arrow(std::size_t reorg) const {
    const Curve c = curve(reorg);
    const std::size_t fork = index_.at(playback_.reorgs[reorg].fork_point);
    const int down = c.bend2 < c.y2 ? 1 : -1;
    std::string out = fmt::format("<path d=\"M {} {} C {} {} {} {} {} {}\" class=\"reorg\"/>\n",
                                  c.x1, c.y1, c.x1, c.bend1, c.x2, c.bend2, c.x2, c.y2);
    out += fmt::format("<path d=\"M {} {} l -5 0 l 5 {} l 5 {} Z\" class=\"tip\"/>\n", c.x2, c.y2,
                       down * 7, down * -7);
    const int corner = x(fork) + kBoxWidth / 2;
    return out + fmt::format("<path d=\"M {} {} l 6 6 l -6 6 l -6 -6 Z\" class=\"fork\"/>\n",
                             corner, y(fork) - 6);
  }

  [[nodiscard]] std::string badge(std::size_t reorg) const {
    const Curve c = curve(reorg);
    return fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"9\" class=\"badge\"/>\n", c.middle_x(),
                       c.middle_y()) +
           text(c.middle_x(), c.middle_y() + 4, "digit", std::to_string(reorg + 1));
  }

  [[nodiscard]] static std::vector<std::string> ledger_of(const Playback& playback) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < std::min(playback.reorgs.size(), kMaxDrawnReorgs); ++i) {
      const LabReorg& one = playback.reorgs[i];
      lines.push_back(
          fmt::format("{}  step {}, {} s: {} → {}, fork point {}, {} removed, {} added; {}", i + 1,
                      one.step + 1, one.at, one.old_head, one.new_head, one.fork_point, one.depth(),
                      one.added.size(), one.cause));
    }
    if (playback.reorgs.size() > kMaxDrawnReorgs) {
      lines.push_back(
          fmt::format("… and {} more, not drawn", playback.reorgs.size() - kMaxDrawnReorgs));
    }
    if (lines.empty()) lines.emplace_back("no reorganisation");
    return lines;
  }

  const LabReport& report_;
  const TreeLayout& layout_;
  const Playback& playback_;
  int top_;
  int width_;
  std::map<std::string, std::size_t> index_;
  std::vector<bool> main_;
};

// What the colours and lines mean, in one row.
std::string legend(int y) {
  int x = kMargin;
  std::string out;
  const auto add = [&](const std::string& shape, const std::string& what, int width) {
    out += shape + text(x + 34, y + 4, "soft", what);
    x += width;
  };
  const auto sample = [&](std::string_view kind) {
    return fmt::format(
        "<rect x=\"{}\" y=\"{}\" width=\"26\" height=\"16\" rx=\"5\" class=\"{}\"/>\n", x, y - 8,
        kind);
  };
  add(sample("main box"), "canonical at the end", 190);
  add(sample("box"), "not canonical", 145);
  add(sample("box held"), "withheld at first", 165);
  add(fmt::format("<path d=\"M {} {} l 26 0\" class=\"reorg\"/>\n", x, y), "reorganisation", 150);
  add(fmt::format("<path d=\"M {} {} l 6 6 l -6 6 l -6 -6 Z\" class=\"fork\"/>\n", x + 20, y - 6),
      "fork point", 120);
  return out;
}

std::vector<std::string> disagreements_of(const LabReport& report) {
  std::vector<std::string> lines;
  if (report.playbacks.size() < 2) return lines;
  if (report.disagreements.empty()) lines.emplace_back("The rules agree after every step.");
  for (const Disagreement& one : report.disagreements) {
    if (lines.size() == kShownDisagreements) {
      lines.push_back(fmt::format("… and after {} more steps",
                                  report.disagreements.size() - kShownDisagreements));
      break;
    }
    std::vector<std::string> sides;
    for (const auto& [head, rules] : one.rules_of_head) {
      sides.push_back(fmt::format("{}: {}", head, fmt::join(rules, ", ")));
    }
    lines.push_back(
        fmt::format("The rules disagree after step {}: {}", one.step + 1, fmt::join(sides, " | ")));
  }
  return lines;
}

}  // namespace

const ErrorDomain& error_domain(PictureError) { return kDomain; }

Result<std::string> svg_report(const LabReport& report) {
  if (report.blocks.blocks().size() > kMaxPictureBlocks + 1) {
    return fail(PictureError::too_many_blocks);
  }
  const TreeLayout layout = lay_out(report.blocks.blocks());
  const int width = std::max(
      kLeastWidth, 2 * kMargin + 48 + kBoxWidth + (static_cast<int>(layout.columns) - 1) * kColumn);
  std::string body = text(kMargin, 46, "title", report.scenario.name);
  int y = 72;
  for (const std::string& line : wrapped(report.scenario.about)) {
    body += text(kMargin, y, "soft", line);
    y += kLine;
  }
  body += legend(y + 6);
  y += 34;
  for (const Playback& playback : report.playbacks) {
    body += Panel{report, layout, playback, y, width}.draw();
    y += Panel::height_of(layout, playback) + kGap;
  }
  for (const std::string& line : disagreements_of(report)) {
    body += text(kMargin, y + 4, "soft", line);
    y += kLine;
  }
  const int height = y + kMargin / 2;
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
      "viewBox=\"0 0 {0} {1}\" role=\"img\">\n<title>{2}</title>\n<style>{3}</style>\n"
      "<rect width=\"{0}\" height=\"{1}\" class=\"page\"/>\n{4}</svg>\n",
      width, height, escaped(report.scenario.name), kStyle, body);
}

}  // namespace ethnet::lab
