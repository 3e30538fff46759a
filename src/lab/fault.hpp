// What is wrong with a scenario file, of the laboratory or of the simulator, where, and what was
// expected there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>

namespace ethnet::lab {

// In a file, counted from 1.
struct Place {
  std::size_t line = 1;
  std::size_t column = 1;
  friend bool operator==(const Place&, const Place&) = default;
};

enum class ScenarioError : std::uint8_t {
  too_large = 1,  // the file, or what it holds of anything
  not_yaml,       // does not parse
  not_plain,      // YAML that a scenario does not use: aliases, tags, several documents
  wrong_kind,     // a list where a map belongs, and so on
  unknown_key,
  duplicate_key,
  missing_key,
  bad_name,
  bad_number,
  unknown_block,
  unknown_rule,
  duplicate_name,
  out_of_order,  // a time that runs backwards, a block that was released already
  unknown_node,
  unknown_role,
};

struct ScenarioFault {
  ScenarioError error = ScenarioError::not_yaml;
  Place place;
  std::string text;  // "expected a number from 1 to 4294967295, found 'x'"

  // "12:5: expected …"
  [[nodiscard]] std::string message() const {
    return std::to_string(place.line) + ":" + std::to_string(place.column) + ": " + text;
  }
};

template <class T>
using Read = std::expected<T, ScenarioFault>;

}  // namespace ethnet::lab
