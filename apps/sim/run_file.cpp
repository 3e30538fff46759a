#include "run_file.hpp"

#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>

#include <base/printable.hpp>
#include <fmt/format.h>
#include <sim_file/report.hpp>
#include <sim_file/script_reader.hpp>

#include "swarm.hpp"

namespace ethnet::sim {
namespace {

constexpr int kWrong = 1;
constexpr int kUnmet = 2;

std::optional<std::string> read_all(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || !text) return std::nullopt;
  return std::move(text).str();
}

}  // namespace

int run_file(const RunFileOptions& options) {
  const auto text = read_all(options.file);
  if (!text) {
    fmt::print(stderr, "ethnet-sim: cannot read {}\n", printable(options.file));
    return kWrong;
  }
  const auto script = sim_file::read_script(*text);
  if (!script) {
    fmt::print(stderr, "ethnet-sim: {}:{}\n", printable(options.file),
               printable(script.error().message()));
    return kWrong;
  }
  std::uint64_t seed = script->seed;
  if (!options.seed.empty()) {
    const auto number = parse_seed(options.seed);
    if (!number) {
      fmt::print(stderr, "ethnet-sim: --seed wants a number from 0 to 2^64-1, not '{}'\n",
                 printable(options.seed));
      return kWrong;
    }
    seed = *number;
  }
  TraceWriter writer;
  if (options.trace) writer = [](std::string_view line) { fmt::print("{}\n", line); };
  const ScriptReport report = run_script(*script, seed, writer);
  fmt::print("{}", options.json ? sim_file::json_report(report) : sim_file::text_report(report));
  return report.ok() ? 0 : kUnmet;
}

}  // namespace ethnet::sim
