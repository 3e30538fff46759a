#include "node_flags.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include <base/check.hpp>
#include <chain/fork_choice/rule_table.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include "byte_amount.hpp"
#include "files.hpp"
#include "nat.hpp"
#include "network_choice.hpp"
#include "rule_name.hpp"

namespace ethnet::app {
namespace {

std::string env_name(const std::string& flag) {
  std::string name = "ETHNET_";
  for (const char c : flag) {
    const bool separator = c == '.' || c == '-';
    name.push_back(separator ? '_'
                             : static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  }
  return name;
}

// By their long names alone, on lines that fit: "longest-chain (default), lexicographic-head, …".
std::string rules_with_default(const std::string& preset) {
  constexpr std::size_t kWidth = 60;
  std::string out;
  std::size_t line = 0;
  for (std::string name : chain::fork_choice_rule_names()) {
    name.resize(std::min(name.size(), name.find(' ')));
    if (name == preset) name += " (default)";
    const bool fits = line + name.size() <= kWidth;
    if (!out.empty()) out += fits ? ", " : ",\n";
    line = (fits ? line : 0) + name.size() + 2;
    out += name;
  }
  return out;
}

// Why `parse` does not take a text; empty: it does.
template <auto parse>
std::string refusal(const std::string& text) {
  try {
    (void)parse(text);
    return "";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

// A part of the client name between two slashes: nothing that a page, a label or a shell of those
// who read it would take for something else.
std::string sane_identity(const std::string& text) {
  constexpr std::string_view kOthers = "-_.+";
  const bool sane = std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kOthers.contains(c);
  });
  if (sane && !text.empty() && text.size() <= kMaxIdentityBytes) return "";
  return fmt::format("expected 1 to {} letters, digits and any of {}", kMaxIdentityBytes, kOthers);
}

std::string known_rule(const std::string& text) {
  const auto choice = chain::parse_rule_choice(text);
  return choice ? "" : rule_refusal(text, choice.error());
}

// A value as the command line would have it; `where` is what the person has to correct.
void give(CLI::Option& option, const std::vector<std::string>& values, const std::string& where) {
  try {
    for (const std::string& value : values) option.add_result(value);
    option.run_callback();
  } catch (const CLI::Error& error) {
    throw std::runtime_error(fmt::format("{}: {}", where, error.what()));
  }
}

struct Entry {
  std::string key;  // "log.format"
  std::vector<std::string> values;
  std::string where;  // "node.toml:3"
};

class TomlReader {
 public:
  TomlReader(std::string path, std::string_view text) : path_{std::move(path)}, text_{text} {}

  [[nodiscard]] std::vector<Entry> read() {
    check_size();
    try {
      const toml::table table = toml::parse(text_, path_);
      flatten(table, "");
    } catch (const toml::parse_error& error) {
      throw std::runtime_error(fmt::format("{}:{}: {}", path_, error.source().begin.line,
                                           std::string{error.description()}));
    }
    return std::move(entries_);
  }

 private:
  // The library has no bounds of its own for these.
  void check_size() const {
    if (text_.size() > kMaxConfigBytes) {
      throw std::runtime_error(
          fmt::format("{}: more than {} bytes are no configuration", path_, kMaxConfigBytes));
    }
    std::size_t number = 1;
    std::size_t dots = 0;
    for (const char c : text_) {
      dots = c == '\n' ? 0 : dots + (c == '.' ? 1 : 0);
      if (dots > kMaxDotsInALine) {
        throw std::runtime_error(fmt::format("{}:{}: too many dots in a line", path_, number));
      }
      if (c == '\n') ++number;
    }
  }
  void flatten(const toml::table& table, const std::string& before) {
    for (const auto& [key, node] : table) {
      const std::string name = before + std::string{key.str()};
      if (const toml::table* inner = node.as_table()) {
        flatten(*inner, name + ".");
        continue;
      }
      Entry entry{name, {}, fmt::format("{}:{}", path_, node.source().begin.line)};
      if (const toml::array* list = node.as_array()) {
        for (const toml::node& item : *list) entry.values.push_back(text(item, entry));
      } else {
        entry.values.push_back(text(node, entry));
      }
      entries_.push_back(std::move(entry));
    }
  }
  [[nodiscard]] static std::string text(const toml::node& node, const Entry& entry) {
    if (const auto* value = node.as_string()) return value->get();
    if (const auto* value = node.as_integer()) return std::to_string(value->get());
    if (const auto* value = node.as_boolean()) return value->get() ? "true" : "false";
    throw std::runtime_error(
        fmt::format("{}: '{}' is no text, whole number, true or false", entry.where, entry.key));
  }

  std::string path_;
  std::string_view text_;
  std::vector<Entry> entries_;
};

}  // namespace

NodeFlags::NodeFlags(CLI::App& app, NodeOptions& options) : app_{app}, options_{options} {
  add_files(options);
  add_network(options);
  add_chain(options);
  add_watching(options);
  add_rest(options);
  app.footer(
      "Every flag is an environment variable too (--log.format is ETHNET_LOG_FORMAT) and a key of\n"
      "the --config file (log.format = \"json\"). A flag wins over the environment, and that over\n"
      "the file.");
  app.get_formatter()->column_width(28);
}

template <class T>
CLI::Option* NodeFlags::add(const std::string& name, const std::string& type, T& value,
                            const std::string& help, const std::string& group) {
  CLI::Option* option = app_.add_option("--" + name, value, help)->group(group)->option_text(type);
  flags_.push_back({name.substr(0, name.find(',')), option});
  return option;
}

CLI::Option* NodeFlags::add_switch(const std::string& name, bool& value, const std::string& help,
                                   const std::string& group) {
  CLI::Option* option = app_.add_flag("--" + name, value, help)->group(group);
  flags_.push_back({name, option});
  return option;
}

void NodeFlags::add_files(NodeOptions& o) {
  add("config", "FILE", config_file_, "TOML file with any of these flags", "Files");
  add("datadir", "DIR", o.datadir,
      fmt::format("Node key and headers, made if missing (default {})", o.datadir), "Files");
  add("genesis", "FILE", o.genesis, "genesis.json as geth writes it (default development chain)",
      "Files");
  add("network", "NAME", o.network,
      "mainnet, sepolia or hoodi: its genesis, forks, boot nodes and list in\n"
      "the DNS, with discv5 and discv4; other flags win (--bootnodes \"\")",
      "Files")
      ->check(CLI::IsMember({"mainnet", "sepolia", "hoodi"}));
  add("import", "FILE", o.import_file, "Import the headers of a chain.rlp at the start", "Files");
}

void NodeFlags::add_network(NodeOptions& o) {
  add("port", "N", o.port, fmt::format("UDP port for QUIC; 0: any (default {})", o.port), "Network")
      ->check(CLI::Range(0, 65535));
  add("addr", "IP", o.address, "Address to listen on (default ::, every IPv4 and IPv6 one)",
      "Network");
  add("bootnodes,--peer", "PEER,...", o.peers,
      "Peers to keep a session with, and with whom discovery begins:\n"
      "enr:..., enode://..., HOST:PORT",
      "Network")
      ->delimiter(',');
  add("maxpeers", "N", o.max_peers, fmt::format("Most sessions at once (default {})", o.max_peers),
      "Network")
      ->check(CLI::Range(1, 10'000));
  add_switch("discovery.v5", o.discovery_v5, "Speak Node Discovery v5.1 with Ethereum's network",
             "Network");
  add_switch("discovery.v4", o.discovery_v4, "Speak Node Discovery v4 with Ethereum's network",
             "Network");
  add("discovery.dns", "URL,...", o.dns_trees,
      "Lists of nodes in the DNS to find peers in: enrtree://KEY@DOMAIN", "Network")
      ->delimiter(',')
      ->check(refusal<check_dns_tree>);
  add("discovery.dns-server", "IP:PORT", o.dns_server,
      "Whom to ask for these lists, and for the name in --nat stun\n"
      "(default: the servers of this machine)",
      "Network")
      ->check(refusal<check_dns_server>);
  add("discovery.port", "N", o.discovery_port,
      "UDP port for discv5 and discv4 (default 0: port + 2000)", "Network");
  add_switch("nodiscover", o.no_discovery,
             "No discovery but what --discovery.v5, .v4 and .dns ask for: none of\n--network, no "
             "discv-lite",
             "Network");
  add("nat", "HOW", o.nat,
      fmt::format("How others reach us: none (as peers see us), extip:IP,\nstun:HOST:PORT, or "
                  "mapped by the gateway: pmp[:IP[:PORT]],\nupnp[:URL], any (both: whichever maps "
                  "first) (default {})",
                  o.nat),
      "Network")
      ->check(refusal<parse_nat>);
  add("netrestrict", "CIDR,...", o.netrestrict,
      "Only these networks: nobody else is dialled, accepted, asked or answered", "Network")
      ->delimiter(',')
      ->check(refusal<allowed_networks>);
  add("identity", "NAME", o.identity, "Stands in the client name that peers see", "Network")
      ->check(sane_identity);
  add("bandwidth.up", "RATE[:BURST]", o.bandwidth_up,
      "Bytes a second that may leave, as 500k or 2MiB, and at once (default 0:\n"
      "no limit). Heads and what keeps sessions alive go first",
      "Network")
      ->check(refusal<parse_rate>);
  add("bandwidth.down", "RATE[:BURST]", o.bandwidth_down,
      "Bytes a second that peers have leave to send (default 0: no limit)", "Network")
      ->check(refusal<parse_rate>);
  add("max-upload-target", "BYTES", o.max_upload_target,
      "Bytes a day; then heads alone are served (default 0: no target)", "Network")
      ->check(refusal<parse_daily>);
  add("memory.sessions", "MIB", o.session_memory_mib,
      fmt::format("Memory for all sessions; at the limit some are ended (default {})",
                  o.session_memory_mib),
      "Network")
      ->check(CLI::Range(16, 1 << 20));
}

void NodeFlags::add_chain(NodeOptions& o) {
  add("fork-choice", "NAME", o.fork_choice, rules_with_default(o.fork_choice), "Chain")
      ->check(known_rule);
  add("retention", "BLOCKS", o.retention,
      "How far below the head a fork may begin (default 0: anywhere)", "Chain");
  add("memory.headers", "MIB", o.header_memory_mib,
      fmt::format("Most memory for the header tree (default {})", o.header_memory_mib), "Chain")
      ->check(CLI::Range(1, 1 << 20));
}

void NodeFlags::add_watching(NodeOptions& o) {
  add_switch("http", o.http, "Metrics, health and JSON-RPC (default on; --http=false)", "Watching");
  add("http.addr", "IP", o.http_address,
      fmt::format("Address to answer on; it has no password (default {})", o.http_address),
      "Watching");
  add("http.port", "N", o.http_port, "TCP port (default 0: port + 3000)", "Watching")
      ->check(CLI::Range(0, 65535));
  add("http.vhosts", "NAME,...", o.http_hosts, "Host names to answer to besides localhost; *: any",
      "Watching")
      ->delimiter(',');
  add("http.api", "NAME,...", o.http_api,
      "admin: it may add and remove peers too; what only reads is always\nanswered "
      "(eth, net, web3, rpc, ethscope)",
      "Watching")
      ->delimiter(',')
      ->check(CLI::IsMember({"admin", "eth", "ethscope", "net", "rpc", "web3"}));
  add_switch("grpc", o.grpc, "ethscope.EthScope, health and reflection (default on; --grpc=false)",
             "Watching");
  add("grpc.addr", "IP", o.grpc_address,
      fmt::format("Address to answer on; it has no password (default {})", o.grpc_address),
      "Watching");
  add("grpc.port", "N", o.grpc_port, "TCP port (default 0: port + 1000)", "Watching")
      ->check(CLI::Range(0, 65535));
  add("ipcpath", "FILE", o.ipc_path,
      "Socket on which its owner changes the node (default: ethnet.ipc\nin the data directory)",
      "Changing");
  add_switch("ipcdisable", o.no_ipc, "No such socket", "Changing");
}

void NodeFlags::add_rest(NodeOptions& o) {
  add_switch("produce", o.produce, "Seal a header every period", "Producer");
  add_switch("produce-forks", o.produce_forks, "And a second branch now and then", "Producer");
  add("period", "SECONDS", o.period_seconds,
      fmt::format("Time between headers (default {})", o.period_seconds), "Producer")
      ->check(CLI::Range(1, 3600));
  add("produce-for", "SECONDS", o.produce_for_seconds,
      "Stop producing after this time (default 0: never)", "Producer");
  add("das.sample", "WHEN", o.das_sample,
      fmt::format("Sample data sets that peers announce: auto or off (default {})", o.das_sample),
      "Data availability")
      ->check(CLI::IsMember({"auto", "off"}));
  add("log.format", "FORMAT", o.log_format,
      fmt::format("terminal or json (default {})", o.log_format), "Logging")
      ->check(CLI::IsMember({"terminal", "json"}));
  add("log.output", "STREAM", o.log_output,
      fmt::format("stderr or stdout (default {})", o.log_output), "Logging")
      ->check(CLI::IsMember({"stderr", "stdout"}));
  add("verbosity", "N", o.verbosity,
      fmt::format("0 silent, 1 error, 2 warn, 3 info, 4 debug, 5 trace (default {})", o.verbosity),
      "Logging")
      ->check(CLI::Range(0, 5));
}

void NodeFlags::complete() {
  complete({[](const std::string& name) -> std::optional<std::string> {
              const char* value = std::getenv(name.c_str());
              return value == nullptr ? std::nullopt : std::optional<std::string>{value};
            },
            read_text_file});
}

void NodeFlags::complete(const FlagSources& sources) {
  read_environment(sources);
  if (!config_file_.empty()) read_file(config_file_, sources.read_file(config_file_));
  apply_network(options_, {.boot_nodes = is_given("bootnodes"),
                           .dns = is_given("discovery.dns"),
                           .v4 = is_given("discovery.v4"),
                           .v5 = is_given("discovery.v5"),
                           .discovery_port = is_given("discovery.port")});
}

bool NodeFlags::is_given(const std::string& name) const {
  const auto flag = std::ranges::find(flags_, name, &Flag::name);
  CHECK(flag != flags_.end());
  return flag->option->count() > 0;
}

void NodeFlags::read_environment(const FlagSources& sources) {
  for (const Flag& flag : flags_) {
    const std::string name = env_name(flag.name);
    if (flag.option->count() > 0) continue;
    const auto value = sources.environment(name);
    if (value && !value->empty()) give(*flag.option, {*value}, name);
  }
}

void NodeFlags::read_file(const std::string& path, const std::string& text) {
  for (const Entry& entry : TomlReader{path, text}.read()) {
    const auto flag = std::ranges::find(flags_, entry.key, &Flag::name);
    if (flag == flags_.end() || entry.key == "config") {
      throw std::runtime_error(fmt::format("{}: no flag '{}'", entry.where, entry.key));
    }
    if (flag->option->count() == 0) give(*flag->option, entry.values, entry.where);
  }
}

}  // namespace ethnet::app
