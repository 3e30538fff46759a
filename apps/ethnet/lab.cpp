#include "lab.hpp"

#include <fstream>
#include <stdexcept>

#include <apps/common/files.hpp>
#include <fmt/format.h>
#include <lab/run.hpp>

namespace ethnet::app {
namespace {

constexpr int kUnmet = 2;

void write_picture(const std::string& path, const std::string& picture) {
  std::ofstream file{path, std::ios::binary | std::ios::trunc};
  file << picture;
  file.close();
  if (!file) throw std::runtime_error(fmt::format("cannot write {}", path));
}

}  // namespace

std::string lab_rules_help() {
  constexpr std::size_t kWidth = 60;
  std::string out;
  std::size_t line = 0;
  for (const std::string& name : lab::lab_rule_names()) {
    const bool fits = line + name.size() <= kWidth;
    if (!out.empty()) out += fits ? ", " : ",\n";
    line = (fits ? line : 0) + name.size() + 2;
    out += name;
  }
  return out;
}

int lab_run(const LabOptions& options) {
  const lab::Format format = options.json  ? lab::Format::json
                             : options.csv ? lab::Format::csv
                             : options.dot ? lab::Format::dot
                                           : lab::Format::text;
  const auto ran =
      lab::run({options.scenario, options.rules, format, !options.svg.empty()}, read_text_file);
  if (!ran) throw std::runtime_error(ran.error());
  if (!options.svg.empty()) write_picture(options.svg, ran->picture);
  fmt::print("{}", ran->report);
  return ran->met ? 0 : kUnmet;
}

}  // namespace ethnet::app
