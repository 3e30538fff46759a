#include "yaml_values.hpp"

#include <algorithm>
#include <utility>

#include <base/decimal.hpp>
#include <base/result.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ethnet::lab {

using Kind = YamlNode::Kind;

namespace {

bool is_name(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const auto fits = [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; };
  return !text.empty() && text.size() <= kMaxScenarioName && plain(text.front()) &&
         std::ranges::all_of(text, fits);
}

// Words with a space between them: it is printed in one line.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!space) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != ' ') {
      out.push_back(' ');
    }
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace

std::unexpected<ScenarioFault> wrong(ScenarioError error, const Place& place, std::string text) {
  return std::unexpected{ScenarioFault{error, place, std::move(text)}};
}

std::string found(const YamlNode& node) {
  switch (node.kind) {
    case Kind::empty:
      return "nothing";
    case Kind::list:
      return "a list";
    case Kind::map:
      return "a map";
    case Kind::text:
      break;
  }
  constexpr std::size_t kShown = 40;
  const bool cut = node.text.size() > kShown;
  return "'" + node.text.substr(0, kShown) + (cut ? "…'" : "'");
}

Read<void> expect_kind(const YamlNode& node, Kind kind, std::string_view what) {
  if (node.kind == kind) return {};
  return wrong(ScenarioError::wrong_kind, node.place,
               fmt::format("expected {}, found {}", what, found(node)));
}

Read<void> expect_keys(const YamlNode& map, std::string_view what,
                       std::span<const std::string_view> keys) {
  TRY(expect_kind(map, Kind::map, what));
  for (const YamlEntry& entry : map.entries) {
    if (std::ranges::find(keys, entry.key) != keys.end()) continue;
    return wrong(ScenarioError::unknown_key, entry.place,
                 fmt::format("expected one of {}, found '{}'", fmt::join(keys, ", "), entry.key));
  }
  return {};
}

Read<std::uint64_t> read_number(const YamlNode& node, std::uint64_t least, std::uint64_t most) {
  const auto value = node.kind == Kind::text ? parse_decimal(node.text) : std::nullopt;
  if (value && *value >= least && *value <= most) return *value;
  return wrong(ScenarioError::bad_number, node.place,
               fmt::format("expected a number from {} to {}, found {}", least, most, found(node)));
}

Read<std::string> read_name(const YamlNode& node, std::string_view whose) {
  if (node.kind == Kind::text && is_name(node.text)) return node.text;
  return wrong(
      ScenarioError::bad_name, node.place,
      fmt::format("expected the name of {} (letters, digits, '.', '_' and '-'; at most {}), "
                  "found {}",
                  whose, kMaxScenarioName, found(node)));
}

Read<std::string> read_text(const YamlNode& node) {
  TRY(expect_kind(node, Kind::text, "a text"));
  if (node.text.size() > kMaxScenarioText) {
    return wrong(ScenarioError::too_large, node.place,
                 fmt::format("expected at most {} bytes of text", kMaxScenarioText));
  }
  return one_line(node.text);
}

Read<bool> read_bool(const YamlNode& node) {
  if (node.kind == Kind::text && (node.text == "true" || node.text == "false")) {
    return node.text == "true";
  }
  return wrong(ScenarioError::wrong_kind, node.place,
               fmt::format("expected true or false, found {}", found(node)));
}

Read<std::reference_wrapper<const YamlNode>> required(const YamlNode& map, std::string_view key) {
  const YamlNode* value = map.find(key);
  if (value != nullptr) return std::cref(*value);
  return wrong(ScenarioError::missing_key, map.place, fmt::format("expected the key '{}'", key));
}

}  // namespace ethnet::lab
