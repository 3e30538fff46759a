// Values out of a YamlNode, strictly: what is not as it should be is a fault at its place that says
// what was expected and what was found. Threading: pure functions. Limits: those of who asks.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "yaml.hpp"

namespace ethnet::lab {

inline constexpr std::size_t kMaxScenarioName = 32;    // bytes: a block's is its extra data
inline constexpr std::size_t kMaxScenarioText = 2048;  // bytes of a note or description

[[nodiscard]] std::unexpected<ScenarioFault> wrong(ScenarioError error, const Place& place,
                                                   std::string text);
// What stands there, for people: "'7x'", "a list".
[[nodiscard]] std::string found(const YamlNode& node);
// Error: wrong_kind; `what` says what was expected.
[[nodiscard]] Read<void> expect_kind(const YamlNode& node, YamlNode::Kind kind,
                                     std::string_view what);
// A map with no other keys than these. Errors: wrong_kind, unknown_key.
[[nodiscard]] Read<void> expect_keys(const YamlNode& map, std::string_view what,
                                     std::span<const std::string_view> keys);
// Error: missing_key.
[[nodiscard]] Read<std::reference_wrapper<const YamlNode>> required(const YamlNode& map,
                                                                    std::string_view key);
// Error: bad_number.
[[nodiscard]] Read<std::uint64_t> read_number(const YamlNode& node, std::uint64_t least,
                                              std::uint64_t most);
// Error: bad_name.
[[nodiscard]] Read<std::string> read_name(const YamlNode& node, std::string_view whose);
// In one line. Errors: wrong_kind, too_large.
[[nodiscard]] Read<std::string> read_text(const YamlNode& node);
// Error: wrong_kind.
[[nodiscard]] Read<bool> read_bool(const YamlNode& node);

}  // namespace ethnet::lab
