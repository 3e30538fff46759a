// `ethnet lab`: a scenario under several fork-choice rules.
#pragma once

#include <string>
#include <vector>

namespace ethnet::app {

struct LabOptions {
  std::string scenario;
  std::vector<std::string> rules;  // none: the scenario's
  bool json = false;
  bool csv = false;
  bool dot = false;
  std::string svg;  // a file to write the picture to
};

// The rules that there are, on lines that fit a terminal.
[[nodiscard]] std::string lab_rules_help();

// 0 when every expectation was met, else 2. Throws std::runtime_error with one clear line.
int lab_run(const LabOptions& options);

}  // namespace ethnet::app
