// ethnet: the node and its tools. Sub-commands: node, key, enr, chain, sim.
#include <cstdio>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>
#include <apps/common/node_options.hpp>
#include <base/out_of_memory.hpp>
#include <chain/fork_choice/rule_table.hpp>

#include "tools.hpp"

namespace {

using ethnet::app::NodeOptions;

std::string env_name(std::string flag) {
  std::string name = "ETHNET_";
  for (const char c : flag) {
    name.push_back(c == '.' || c == '-' ? '_' : static_cast<char>(std::toupper(c)));
  }
  return name;
}

// A flag with its group and its environment variable.
template <class T>
CLI::Option* flag(CLI::App& app, const std::string& name, T& value, const std::string& help,
                  const std::string& group) {
  return app.add_option("--" + name, value, help)
      ->group(group)
      ->envname(env_name(name))
      ->capture_default_str();
}
CLI::Option* toggle(CLI::App& app, const std::string& name, bool& value, const std::string& help,
                    const std::string& group) {
  return app.add_flag("--" + name, value, help)->group(group)->envname(env_name(name));
}

std::string rule_help() {
  std::string help = "Fork-choice rule:";
  for (const std::string& name : ethnet::chain::fork_choice_rule_names()) help += " " + name;
  return help;
}

std::string known_rule(const std::string& name) {
  return ethnet::chain::make_fork_choice_rule(name) ? "" : "no fork-choice rule '" + name + "'";
}

void add_node_flags(CLI::App& app, NodeOptions& o) {
  app.set_config("--config", "", "TOML file with any of these flags")->group("Files");
  flag(app, "datadir", o.datadir, "Directory for the node key and the headers", "Files");
  flag(app, "genesis", o.genesis, "genesis.json as geth writes it (default: development chain)",
       "Files");
  flag(app, "import", o.import_file, "Import the headers of a chain.rlp at the start", "Files");
  flag(app, "port", o.port, "UDP port for QUIC", "Network")->check(CLI::Range(0, 65535));
  flag(app, "addr", o.address, "Address to listen on (:: is every IPv4 and IPv6 one)", "Network");
  flag(app, "bootnodes,--peer", o.peers,
       "Peers to keep a session with: enr:…, enode://…, HOST:PORT", "Network")
      ->envname("ETHNET_BOOTNODES")
      ->delimiter(',');
  flag(app, "maxpeers", o.max_peers, "Most sessions at once", "Network")
      ->check(CLI::Range(1, 10'000));
  flag(app, "fork-choice", o.fork_choice, rule_help(), "Chain")->check(known_rule);
  flag(app, "retention", o.retention,
       "Blocks below the head from which forks are accepted (0: down to genesis)", "Chain");
  flag(app, "memory", o.memory_mib, "Memory limit of the header tree, MiB", "Chain")
      ->check(CLI::Range(1, 1 << 20));
  toggle(app, "produce", o.produce, "Seal a header every period", "Producer");
  toggle(app, "produce-forks", o.produce_forks, "And a second branch now and then", "Producer");
  flag(app, "period", o.period_seconds, "Seconds between headers", "Producer")
      ->check(CLI::Range(1, 3600));
  flag(app, "produce-for", o.produce_for_seconds,
       "Stop producing after this many seconds (0: never)", "Producer");
  flag(app, "log.format", o.log_format, "terminal or json", "Logging")
      ->check(CLI::IsMember({"terminal", "json"}));
  flag(app, "verbosity", o.verbosity, "0 nothing, 1 error, 2 warn, 3 info, 4 debug, 5 trace",
       "Logging")
      ->check(CLI::Range(0, 5));
}

int run(int argc, char** argv) {
  CLI::App app{"MiniEthNet: an Ethereum peer-to-peer node and its tools"};
  app.set_version_flag("--version", "ethnet " ETHNET_VERSION);
  app.require_subcommand(1);
  int status = 0;

  NodeOptions options;
  CLI::App* node = app.add_subcommand("node", "Run a node");
  add_node_flags(*node, options);
  node->callback([&] { status = ethnet::app::run_node(options); });

  std::string key_file;
  CLI::App* key = app.add_subcommand("key", "Node keys");
  key->require_subcommand(1);
  CLI::App* key_new = key->add_subcommand("new", "Make a key file (never over an existing one)");
  key_new->add_option("FILE", key_file)->required();
  key_new->callback([&] { status = ethnet::app::key_new(key_file); });
  CLI::App* key_show = key->add_subcommand("show", "Show what is public about a key");
  key_show->add_option("FILE", key_file)->required();
  key_show->callback([&] { status = ethnet::app::key_show(key_file); });

  std::string record;
  std::string ip;
  std::uint16_t port = 0;
  std::uint64_t seq = 1;
  CLI::App* enr = app.add_subcommand("enr", "Ethereum node records (EIP-778)");
  enr->require_subcommand(1);
  CLI::App* enr_decode = enr->add_subcommand("decode", "Verify and show a record");
  enr_decode->add_option("RECORD", record, "enr:…")->required();
  enr_decode->callback([&] { status = ethnet::app::enr_decode(record); });
  CLI::App* enr_make = enr->add_subcommand("make", "Sign a record");
  enr_make->add_option("--key", key_file, "Key file")->required();
  enr_make->add_option("--ip", ip, "IPv4 or IPv6 address");
  enr_make->add_option("--port", port, "QUIC port");
  enr_make->add_option("--seq", seq, "Sequence number")->capture_default_str();
  enr_make->callback([&] { status = ethnet::app::enr_make(key_file, ip, port, seq); });

  std::string chain_file;
  std::string genesis;
  CLI::App* chain = app.add_subcommand("chain", "Chain files");
  chain->require_subcommand(1);
  CLI::App* inspect = chain->add_subcommand("inspect", "Headers, head, forks, first error");
  inspect->add_option("FILE", chain_file, "chain.rlp")->required();
  inspect->add_option("--genesis", genesis, "genesis.json (default: development chain)");
  inspect->callback([&] { status = ethnet::app::chain_inspect(chain_file, genesis); });

  CLI::App* sim =
      app.add_subcommand("sim", "The simulator (ethnet-sim): seed N, swarm --seeds A..B");
  sim->prefix_command();
  sim->callback([&] { status = ethnet::app::run_sim(argv[0], sim->remaining()); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::fprintf(stderr, "ethnet: %s (see --help)\n", error.what());
    return 1;
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  ethnet::make_out_of_memory_fatal();
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ethnet: %s\n", error.what());
    return 1;
  }
}
