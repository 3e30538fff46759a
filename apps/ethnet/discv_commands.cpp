#include "discv_commands.hpp"

#include <apps/common/output_file.hpp>
#include <discovery/crawl/limits.hpp>

namespace ethnet::app {
namespace {

void add_own_flags(CLI::App& command, DiscvOptions& o) {
  command.add_option("--key", o.key_file, "Key file (default: a fresh key)")->option_text("FILE");
  command
      .add_option(
          "--addr", o.address,
          "Address and UDP port to ask from (default 0.0.0.0:0, IPv4 alone; [::]:0: IPv6 too)")
      ->option_text("IP:PORT");
}

void add_timeout(CLI::App& command, DiscvOptions& o) {
  command.add_option("--timeout", o.timeout_seconds, "Seconds until it gives up")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600));
}

void add_bootnodes(CLI::App& command, DiscvOptions& o) {
  command
      .add_option("--bootnodes", o.bootnodes,
                  "Nodes to begin with, comma-separated: enr:…, for discv4 enode://… too")
      ->option_text("NODE,...")
      ->delimiter(',');
}

void add_crawl_flags(CLI::App& command, DiscvOptions& o) {
  command
      .add_option("--db", o.census,
                  "Where it keeps what it finds: a file of SQLite, made where there is none")
      ->option_text("FILE")
      ->required();
  command.add_option("--nodes", o.nodes_file, "A set of nodes to begin with besides (nodes.json)")
      ->option_text("FILE");
  command
      .add_option("--timeout", o.crawl_seconds,
                  "Seconds until it ends (default: when everybody was asked)")
      ->option_text("SECONDS")
      ->check(CLI::Range(1U, 30U * 24 * 3600));
  command
      .add_option(
          "--max-nodes", o.max_nodes,
          "It ends when it knows so many; with --forever it takes no more (default: 100000)")
      ->option_text("N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{crawl::kMaxCrawlNodes}));
  command.add_flag("--forever", o.goes_on,
                   "Go on when everybody was asked: look for newcomers, ask the others again");
  command
      .add_option("--recheck", o.recheck_seconds,
                  "Seconds until a node is asked again (default: 600)")
      ->option_text("SECONDS")
      ->check(CLI::Range(1U, 7U * 24 * 3600));
  command
      .add_option("--json", o.json_file,
                  "Write a set of nodes at the end, as geth's devp2p does; - is standard output")
      ->option_text("FILE")
      ->check(refuse_no_file);
  command.add_option("--csv", o.csv_file, "Write all columns at the end")
      ->option_text("FILE")
      ->check(refuse_no_file);
  command
      .add_option("--serve", o.serve,
                  "Show it over HTTP too, as JSON and as a page, until it is stopped")
      ->option_text("IP:PORT");
  command
      .add_option("--http.vhosts", o.http_hosts,
                  "Host names to answer to besides localhost and the IP of --serve; *: any")
      ->option_text("NAME,...")
      ->delimiter(',');
}

}  // namespace

void add_asking_flags(CLI::App& command, DiscvOptions& o) {
  add_own_flags(command, o);
  add_timeout(command, o);
  command.add_option("NODE", o.node, "enr:… or, for discv4, enode://…")->required();
}

CLI::App& add_discv(CLI::App& app, const std::string& name, const std::string& about,
                    const DiscvCommands& commands, DiscvOptions& o, int& status) {
  CLI::App* const group = app.add_subcommand(name, about);
  group->require_subcommand(1);
  const auto add = [&](const std::string& word, const std::string& what,
                       DiscvCommands::Command command) {
    CLI::App* const out = group->add_subcommand(word, what);
    out->callback([command, &o, &status] { status = command(o); });
    return out;
  };
  CLI::App* const ping =
      add("ping", "Does a node answer, and where does it see us?", commands.ping);
  CLI::App* const record =
      add("requestenr", "The record that a node has of itself now", commands.request_record);
  CLI::App* const resolve =
      add("resolve", "Look a node up: what the network knows of it", commands.resolve);
  CLI::App* const lookup = add("lookup", "The nodes nearest to a target", commands.lookup);
  CLI::App* const listen =
      add("listen", "Be a node of the network, and print whom it meets", commands.listen);
  CLI::App* const crawl =
      add("crawl", "Ask everybody in the network who they are, and keep it", commands.crawl);
  for (CLI::App* const one : {ping, record, resolve}) add_asking_flags(*one, o);
  for (CLI::App* const one : {lookup, listen, crawl}) add_own_flags(*one, o);
  lookup->add_option("--target", o.target, "Where to look (default: anywhere)");
  add_timeout(*lookup, o);
  for (CLI::App* const one : {resolve, lookup, listen, crawl}) add_bootnodes(*one, o);
  add_crawl_flags(*crawl, o);
  return *group;
}

}  // namespace ethnet::app
