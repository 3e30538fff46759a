// What a person says to a node: flags, environment and file, as one input in three parts.
#include <algorithm>
#include <map>
#include <stdexcept>

#include <CLI/CLI.hpp>
#include <apps/common/node_config.hpp>
#include <apps/common/node_flags.hpp>
#include <base/printable.hpp>
#include <chain/fork_choice/rule_table.hpp>
#include <chain/producer.hpp>

#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

constexpr std::size_t kMaxWords = 64;  // CLI11 is slow with many, and a shell would refuse them

// Up to the next separator, or all.
std::string_view take(std::string_view& rest, char separator) {
  const std::size_t at = std::min(rest.find(separator), rest.size());
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return taken;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty() && lines.size() < kMaxWords) lines.emplace_back(take(text, '\n'));
  return lines;
}

// What a node would run with.
void check_options(const app::NodeOptions& o, const std::string& file) {
  CHECK(o.max_peers >= 1 && o.max_peers <= 10'000);
  CHECK(o.session_memory_mib >= 16 && o.session_memory_mib <= 1 << 20);
  CHECK(o.header_memory_mib >= 1 && o.header_memory_mib <= 1 << 20);
  CHECK(o.period_seconds >= 1 && o.period_seconds <= 3600);
  CHECK(o.verbosity >= 0 && o.verbosity <= 5);
  CHECK(o.log_format == "terminal" || o.log_format == "json");
  CHECK(o.log_output == "stderr" || o.log_output == "stdout");
  CHECK(chain::parse_rule_choice(o.fork_choice).has_value());
  const node::NodeConfig config =
      app::make_config(o, chain::dev_genesis(), [&](const std::string&) { return file; });
  CHECK(chain::make_fork_choice_rule(config.fork_choice).has_value());
  CHECK(config.peers.size() == o.peers.size() && config.peers.size() <= node::kMaxStaticPeers);
  for (const node::StaticPeer& peer : config.peers) {
    CHECK(peer.endpoint ? peer.endpoint->port != 0 : !peer.host.empty() && peer.port != 0);
  }
}

}  // namespace

// Words of the command line, variables of the environment and the file, each behind a NUL; a line a
// word or a variable.
void run_config(ByteView input) {
  std::string text;
  for (const std::byte b : input) text.push_back(static_cast<char>(b));
  std::string_view rest = text;
  std::vector<std::string> words = lines_of(take(rest, '\0'));
  std::ranges::reverse(words);  // as CLI11 takes a vector
  std::map<std::string, std::string> variables;
  for (const std::string& line : lines_of(take(rest, '\0'))) {
    std::string_view value = line;
    const std::string name{take(value, '=')};
    variables["ETHNET_" + name] = value;
  }
  const std::string file{rest};
  app::NodeOptions options;
  CLI::App cli;
  app::NodeFlags flags{cli, options};
  try {
    cli.parse(std::move(words));
    flags.complete({[&](const std::string& name) -> std::optional<std::string> {
                      const auto it = variables.find(name);
                      return it == variables.end() ? std::nullopt : std::optional{it->second};
                    },
                    [&](const std::string&) { return file; }});
    check_options(options, file);
  } catch (const std::runtime_error& error) {  // CLI11's are too
    CHECK(!printable(error.what()).empty());
  }
}

}  // namespace ethnet::fuzz
