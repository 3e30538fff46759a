// my_lab: MiniEthNet's laboratory and simulator with one more fork-choice rule, `my-ghost`.
//
//   my_lab lab SCENARIO.yaml [--rule NAME ...] [--svg FILE]   as `ethnet lab run`
//   my_lab sim SCENARIO.yaml                                  as `ethnet sim run`
//
// Exit status: 0 when all that the scenario expects held, 2 when not, 1 when something is wrong.
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <lab/run.hpp>
#include <sim_file/report.hpp>
#include <sim_file/script_reader.hpp>

#include "my_ghost.hpp"

namespace {

std::string read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>{file}, {}};
}

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

int lab(std::span<const std::string> words, const ethnet::chain::RuleBook& rules) {
  ethnet::lab::RunOptions options;
  std::string svg;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool has_value = i + 1 < words.size();
    if (words[i] == "--rule" && has_value) {
      options.rules.push_back(words[++i]);
    } else if (words[i] == "--svg" && has_value) {
      svg = words[++i];
    } else {
      options.scenario = words[i];
    }
  }
  options.picture = !svg.empty();
  const auto ran = ethnet::lab::run(options, read_file, rules);
  if (!ran) throw std::runtime_error(ran.error());
  if (!svg.empty()) std::ofstream{svg, std::ios::binary} << ran->picture;
  print(ran->report);
  return ran->met ? 0 : 2;
}

int sim(const std::string& path, const ethnet::chain::RuleBook& rules) {
  const auto script = ethnet::sim_file::read_script(read_file(path), rules);
  if (!script) throw std::runtime_error(path + ":" + script.error().message());
  const ethnet::sim::ScriptReport report = ethnet::sim::run_script(*script, script->seed);
  print(ethnet::sim_file::text_report(report));
  return report.ok() ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words{argv + 1, argv + argc};
  try {
    ethnet::chain::RuleBook rules = ethnet::lab::lab_rules();
    if (const auto added = rules.add<my::Ghost>(); !added) {
      throw std::runtime_error(added.error().message());
    }
    if (words.size() >= 2 && words[0] == "lab") return lab(std::span{words}.subspan(1), rules);
    if (words.size() == 2 && words[0] == "sim") return sim(words[1], rules);
    throw std::runtime_error("usage: my_lab lab|sim SCENARIO.yaml [--rule NAME ...] [--svg FILE]");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "my_lab: %s\n", error.what());
    return 1;
  }
}
