// A small YAML document as a tree, with the place of everything. Plain YAML alone: no aliases, no
// tags, one document, keys that are words and stand once. The one file that knows the library is
// yaml.cpp; no exception leaves it.
// Threading: a pure function. Limits: below.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fault.hpp"

namespace ethnet::lab {

inline constexpr std::size_t kMaxScenarioBytes = 256 * 1024;  // a local file, read whole
inline constexpr std::size_t kMaxYamlNodes = 65'536;          // keys and values; each takes memory
inline constexpr std::size_t kMaxYamlDepth = 8;               // maps and lists in one another
// Of one map. Each is compared with all before it.
inline constexpr std::size_t kMaxYamlKeys = 64;

struct YamlEntry;

struct YamlNode {
  enum class Kind : std::uint8_t { empty, text, list, map };
  Kind kind = Kind::empty;
  Place place;
  std::string text;                // a scalar
  std::vector<YamlNode> items;     // of a list
  std::vector<YamlEntry> entries;  // of a map, in the order of the file

  // The value of a key of a map; nullptr where there is none.
  [[nodiscard]] const YamlNode* find(std::string_view key) const;
};

struct YamlEntry {
  std::string key;
  Place place;  // of the key
  YamlNode value;
};

// Errors: too_large, not_yaml, not_plain, wrong_kind, duplicate_key.
[[nodiscard]] Read<YamlNode> parse_yaml(const std::string& text);

}  // namespace ethnet::lab
