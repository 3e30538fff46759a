// `ethnet lab run` without its command line: a scenario file under the rules that were named, and
// the report. A program with rules of its own adds them to lab_rules() and calls run():
// examples/fork_choice is one. Threading: one thread; reads files by the caller's function alone.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "rules.hpp"

namespace ethnet::lab {

enum class Format : std::uint8_t { text, json, csv, dot };

struct RunOptions {
  std::string scenario;            // path
  std::vector<std::string> rules;  // none: the scenario's
  Format format = Format::text;
  bool picture = false;  // SVG too
};

struct RunResult {
  std::string report;
  std::string picture;  // empty where none was asked for
  bool met = true;      // every expectation of the scenario
};

// The whole text of a file. What it throws, run() lets pass.
using ReadFile = std::function<std::string(const std::string& path)>;

// Errors: one line for a person, with the place in the file where there is one.
[[nodiscard]] std::expected<RunResult, std::string> run(const RunOptions& options,
                                                        const ReadFile& read_file,
                                                        const chain::RuleBook& known = lab_rules());

}  // namespace ethnet::lab
