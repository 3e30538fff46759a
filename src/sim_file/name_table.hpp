// NameTable: what a scenario file may call its nodes: each by its name, a group by the group's, all
// honest ones by "all". Threading: one thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <lab/yaml_values.hpp>
#include <sim/script.hpp>

namespace ethnet::sim_file {

inline constexpr std::string_view kEverybody = "all";

enum class Who : std::uint8_t { anybody, honest, withholding, with_das };

class NameTable {
 public:
  // CHECK: the name is new.
  void add(std::string name, std::vector<sim::HostId> nodes);
  [[nodiscard]] bool contains(std::string_view name) const { return by_name_.contains(name); }

  // A name, or a list of names, one at least. Errors: wrong_kind, unknown_node, duplicate_name,
  // missing_key.
  [[nodiscard]] lab::Read<std::vector<sim::HostId>> read(const lab::YamlNode& node, Who who,
                                                         const sim::Script& script) const;

 private:
  [[nodiscard]] lab::Read<void> read_one(const lab::YamlNode& node, Who who,
                                         const sim::Script& script,
                                         std::vector<sim::HostId>& out) const;

  std::map<std::string, std::vector<sim::HostId>, std::less<>> by_name_;
};

// As it is written: "a1, b".
[[nodiscard]] std::string names_text(const lab::YamlNode& node);

}  // namespace ethnet::sim_file
