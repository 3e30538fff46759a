// ethnet: the node and its tools. Sub-commands: node, scope, doctor, das, peer, stop, key, enr,
// discv5, discv4, dns, nodeset, forkid, chain, lab, sim; completion and man print what a shell and
// `man` read of all these.
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#include <CLI/CLI.hpp>
#include <apps/common/completion.hpp>
#include <apps/common/manual.hpp>
#include <apps/common/node_flags.hpp>
#include <apps/common/node_options.hpp>
#include <base/out_of_memory.hpp>
#include <base/printable.hpp>
#include <fmt/format.h>

#include "control.hpp"
#include "discv.hpp"
#include "dns.hpp"
#include "doctor.hpp"
#include "lab.hpp"
#include "nodeset.hpp"
#include "scope.hpp"
#include "tools.hpp"

namespace {

// CLI11 would only say that a sub-command is missing.
void check_subcommand(CLI::App& app, const std::string& word) {
  const auto known = app.get_subcommands([&](const CLI::App* s) { return s->get_name() == word; });
  if (word.starts_with('-') || !known.empty()) return;
  throw std::runtime_error(fmt::format("no sub-command '{}' (see ethnet --help)", word));
}

// The strings and `status` outlive the parse.
void add_chain(CLI::App& app, std::string& file, std::string& genesis, int& status) {
  CLI::App* chain = app.add_subcommand("chain", "Chain files");
  chain->require_subcommand(1);
  CLI::App* inspect = chain->add_subcommand("inspect", "Headers, head, forks, first error");
  inspect->add_option("FILE", file, "chain.rlp")->required();
  inspect->add_option("--genesis", genesis, "genesis.json (default: development chain)");
  inspect->callback([&] { status = ethnet::app::chain_inspect(file, genesis); });
}

// The options and `status` outlive the parse.
void add_lab(CLI::App& app, ethnet::app::LabOptions& options, ethnet::app::ControlOptions& control,
             int& status) {
  CLI::App* lab = app.add_subcommand("lab", "The fork-choice laboratory");
  lab->require_subcommand(1);
  CLI::App* run = lab->add_subcommand("run", "Play a scenario under several fork-choice rules");
  run->add_option("SCENARIO", options.scenario, "Scenario file, YAML (docs/LAB.md)")->required();
  run->add_option("--rule", options.rules,
                  "A rule to play, instead of the scenario's; may be given several times:\n" +
                      ethnet::app::lab_rules_help())
      ->option_text("RULE ...")
      ->allow_extra_args(false);
  CLI::Option* json = run->add_flag("--json", options.json, "Print JSON");
  CLI::Option* csv = run->add_flag("--csv", options.csv, "Print CSV: a row for each rule and step");
  CLI::Option* dot = run->add_flag("--dot", options.dot, "Print the fork tree for Graphviz");
  json->excludes(csv)->excludes(dot);
  csv->excludes(dot);
  run->add_option("--svg", options.svg, "Draw the fork tree, a panel for each rule")
      ->option_text("FILE");
  run->footer("Exit status: 0 when every expectation of the scenario was met, 2 when not.");
  run->callback([&options, &status] { status = ethnet::app::lab_run(options); });
  add_lab_why(*lab, control, status);
}

// Of `key` and `enr`.
struct KeyOptions {
  std::string file;
  std::string record;
  ethnet::app::EnrOptions enr;
};

// The options and `status` outlive the parse.
void add_key(CLI::App& app, KeyOptions& o, int& status) {
  CLI::App* key = app.add_subcommand("key", "Node keys");
  key->require_subcommand(1);
  CLI::App* fresh = key->add_subcommand("new", "Make a key file (never over an existing one)");
  fresh->add_option("FILE", o.file)->required();
  fresh->callback([&] { status = ethnet::app::key_new(o.file); });
  CLI::App* show = key->add_subcommand("show", "Show what is public about a key");
  show->add_option("FILE", o.file)->required();
  show->callback([&] { status = ethnet::app::key_show(o.file); });
}

void add_enr_contents(CLI::App& make, ethnet::app::EnrOptions& o) {
  make.add_option("--ip", o.ip, "IPv4 or IPv6 address");
  make.add_option("--ip6", o.ip6, "IPv6 address, beside an IPv4 address in --ip");
  make.add_option("--port,--quic", o.quic, "QUIC port");
  make.add_option("--udp", o.udp, "Port of discovery");
  make.add_option("--tcp", o.tcp, "RLPx port");
  make.add_option("--quic6", o.quic6, "QUIC port at the IPv6 address, where it is another");
  make.add_option("--udp6", o.udp6, "Port of discovery at the IPv6 address, where it is another");
  make.add_option("--tcp6", o.tcp6, "RLPx port at the IPv6 address, where it is another");
  CLI::Option* const fork_id =
      make.add_option("--eth", o.fork_id, "The fork id of its chain (EIP-2124), next 0: none known")
          ->option_text("0xHASH/NEXT");
  CLI::Option* const network =
      make.add_option("--network", o.network,
                      "The fork id of a node of this network: mainnet, sepolia or hoodi")
          ->option_text("NAME")
          ->excludes(fork_id);
  make.add_option("--head", o.head, "... that has this block as its head (default: its genesis)")
      ->option_text("NUMBER")
      ->needs(network);
  make.add_option("--time", o.time, "... with this timestamp")
      ->option_text("SECONDS")
      ->needs(network);
  make.add_flag("--snap", o.snap, "It serves snap");
}

void add_enr(CLI::App& app, KeyOptions& o, int& status) {
  CLI::App* enr = app.add_subcommand("enr", "Ethereum node records (EIP-778)");
  enr->require_subcommand(1);
  CLI::App* decode = enr->add_subcommand("decode", "Verify and show a record");
  decode->add_option("RECORD", o.record, "enr:…")->required();
  decode->callback([&] { status = ethnet::app::enr_decode(o.record); });
  CLI::App* make = enr->add_subcommand("make", "Sign a record");
  make->add_option("--key", o.file, "Key file")->required();
  add_enr_contents(*make, o.enr);
  make->add_option("--seq", o.enr.seq, "Sequence number")->capture_default_str();
  make->callback([&] { status = ethnet::app::enr_make(o.file, o.enr); });
}

// After all others: they tell of those. `shell` outlives the parse.
void add_manuals(CLI::App& app, std::string& shell) {
  ethnet::app::add_completion_command(app, shell);
  CLI::App* man = app.add_subcommand("man", "Print the manual page: man -l <(ethnet man)");
  man->group("");
  man->callback([&] { std::fputs(ethnet::app::manual_page(app, "EthNetLite").c_str(), stdout); });
}

int run(int argc, char** argv) {
  CLI::App app{"MiniEthNet: an Ethereum peer-to-peer node and its tools", "ethnet"};
  app.set_version_flag("--version", "ethnet " ETHNET_VERSION);
  app.require_subcommand(1);
  int status = 0;

  ethnet::app::NodeOptions options;
  CLI::App* node = app.add_subcommand("node", "Run a node");
  ethnet::app::NodeFlags flags{*node, options};
  node->allow_extras();  // to name the first, as it was typed
  node->callback([&] {
    if (const auto extra = node->remaining(); !extra.empty()) {
      throw std::runtime_error(
          fmt::format("unexpected '{}' (see ethnet node --help)", extra.front()));
    }
    flags.complete();
    status = ethnet::app::run_node(options);
  });

  ethnet::app::ScopeOptions scope_options;
  add_scope(app, scope_options, status);

  ethnet::app::DoctorOptions doctor_options;
  add_doctor(app, doctor_options, status);

  ethnet::app::ControlOptions control_options;
  add_control(app, control_options, status);

  KeyOptions key_options;
  add_key(app, key_options, status);
  add_enr(app, key_options, status);

  ethnet::app::DiscvOptions discv_options;
  add_discv5(app, discv_options, status);
  add_discv4(app, discv_options, status);
  ethnet::app::DnsCommandOptions dns_options;
  add_dns(app, dns_options, status);
  ethnet::app::NodeSetOptions nodeset_options;
  add_nodeset(app, nodeset_options, status);
  ethnet::app::ForkIdOptions forkid_options;
  add_forkid(app, forkid_options, status);

  std::string chain_file;
  std::string genesis;
  add_chain(app, chain_file, genesis, status);

  ethnet::app::LabOptions lab_options;
  add_lab(app, lab_options, control_options, status);

  CLI::App* sim = app.add_subcommand(
      "sim", "The simulator (ethnet-sim): run FILE, seed N, swarm --seeds A..B, shrink N");
  sim->prefix_command();
  sim->callback([&] { status = ethnet::app::run_sim(argv[0], sim->remaining()); });

  std::string shell;
  add_manuals(app, shell);

  if (argc > 1) check_subcommand(app, argv[1]);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::fprintf(stderr, "ethnet: %s (see --help)\n", ethnet::printable(error.what()).c_str());
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
    std::fprintf(stderr, "ethnet: %s\n", ethnet::printable(error.what()).c_str());
    return 1;
  }
}
