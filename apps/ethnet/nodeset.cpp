#include "nodeset.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <vector>

#include <apps/common/files.hpp>
#include <apps/common/node_set.hpp>
#include <base/decimal.hpp>
#include <base/printable.hpp>
#include <fmt/format.h>
#include <types/networks.hpp>

namespace ethnet::app {
namespace {

const Network& network_of(const std::string& name) {
  const Network* network = find_network(name);
  if (network != nullptr) return *network;
  std::string known;
  for (const Network& one : networks()) known += fmt::format(" {}", one.name);
  throw std::runtime_error(fmt::format("no network '{}' (known:{})", name, known));
}

// The keys of a peer's record are text that it chose.
std::string text_of(ByteView key) {
  std::string out;
  for (const std::byte b : key) out.push_back(static_cast<char>(b));
  return printable(out);
}

int info(const std::string& file) {
  const NodeSet nodes = read_node_set(file);
  std::map<std::string, std::size_t> keys;
  std::size_t width = 0;
  for (const auto& [id, node] : nodes) {
    node.record.record().for_each_pair([&](ByteView key, ByteView) {
      const std::string name = text_of(key);
      width = std::max(width, name.size());
      ++keys[name];
    });
  }
  fmt::print("nodes {}\n", nodes.size());
  for (const auto& [name, count] : keys) fmt::print("  {:<{}}  {}\n", name, width, count);
  return 0;
}

struct Block {
  IpAddress first;
  std::size_t bits = 0;
};

Block block_of(const std::string& text) {
  const std::size_t slash = text.find('/');
  const auto ip = IpAddress::parse(text.substr(0, slash));
  const auto bits = slash == std::string::npos
                        ? std::optional<std::uint64_t>{}
                        : parse_decimal(std::string_view{text}.substr(slash + 1));
  if (!ip || !bits || *bits > ip->bytes().size() * 8) {
    throw std::runtime_error(fmt::format("'{}': expected ADDRESS/BITS", text));
  }
  return {ip->masked(*bits), *bits};
}

bool is_in(const Block& block, const Enr& record) {
  for (const auto& ip : {record.ip(), record.ip6()}) {
    if (ip && ip->is_v4() == block.first.is_v4() && ip->masked(block.bits) == block.first) {
      return true;
    }
  }
  return false;
}

bool is_dialable(const Enr& record) {
  for (const std::string_view key : {"tcp", "tcp6", "quic", "quic6"}) {
    if (record.port(key).value_or(0) != 0) return true;
  }
  return false;
}

bool is_old_enough(const KnownNode& node, double min_seconds) {
  if (node.first_response.empty() || node.last_response.empty()) return false;
  const auto age = parse_time(node.last_response) - parse_time(node.first_response);
  return static_cast<double>(age) >= min_seconds * 1e9;
}

void keep_best(NodeSet& nodes, std::size_t limit) {
  if (nodes.size() <= limit) return;
  std::vector<std::pair<std::int64_t, NodeId>> by_score;
  for (const auto& [id, node] : nodes) by_score.emplace_back(-node.score, id);
  std::ranges::sort(by_score);
  for (std::size_t i = limit; i < by_score.size(); ++i) nodes.erase(by_score[i].second);
}

int filter(const NodeSetOptions& o, bool limited, bool aged) {
  std::optional<Block> block;
  if (!o.ip.empty()) block = block_of(o.ip);
  std::optional<ForkSchedule> forks;
  if (!o.network.empty()) forks = network_of(o.network).fork_schedule();
  NodeSet nodes = read_node_set(o.file);
  std::erase_if(nodes, [&](const auto& one) {
    const KnownNode& node = one.second;
    const Enr& record = node.record.record();
    if (block && !is_in(*block, record)) return true;
    if (o.dialable && !is_dialable(record)) return true;
    if (o.snap && !record.find_raw("snap")) return true;
    if (aged && !is_old_enough(node, o.min_age_seconds)) return true;
    if (!forks) return false;
    // As one judges who has only the genesis block.
    const auto id = record.fork_id();
    return !id || forks->judge(*id, 0, 0) != ForkIdVerdict::accept;
  });
  if (limited) keep_best(nodes, o.limit);
  std::fputs(node_set_json(nodes).c_str(), stdout);
  return 0;
}

int forkid(const ForkIdOptions& o) {
  std::optional<ForkSchedule> forks;
  if (!o.network.empty()) {
    forks = network_of(o.network).fork_schedule();
  } else if (!o.genesis.empty()) {
    forks = load_genesis(o.genesis).fork_schedule();
  } else {
    throw std::runtime_error("of which chain? (--network or --genesis)");
  }
  const ForkId id = forks->fork_id(o.head, o.time);
  fmt::print("hash {}\nnext {}\n", to_hex_0x(id.hash), id.next);
  return 0;
}

std::string network_names() {
  std::string out;
  for (const Network& one : networks())
    out += fmt::format("{}{}", out.empty() ? "" : ", ", one.name);
  return out;
}

}  // namespace

void add_nodeset(CLI::App& app, NodeSetOptions& o, int& status) {
  CLI::App* nodeset = app.add_subcommand("nodeset", "Sets of nodes in JSON files");
  nodeset->require_subcommand(1);
  constexpr auto kFile = "nodes.json; - is standard input";
  CLI::App* tell = nodeset->add_subcommand("info", "How many nodes, and what their records have");
  tell->add_option("FILE", o.file, kFile)->required();
  tell->callback([&o, &status] { status = info(o.file); });
  CLI::App* command =
      nodeset->add_subcommand("filter", "Print the nodes to which all of this applies");
  command->add_option("FILE", o.file, kFile)->required();
  CLI::Option* limit = command->add_option("--limit", o.limit, "Of these so many of the best score")
                           ->option_text("N");
  command->add_option("--ip", o.ip, "Address in this block")->option_text("ADDRESS/BITS");
  CLI::Option* age =
      command->add_option("--min-age", o.min_age_seconds, "Between its first and its last answer")
          ->option_text("SECONDS");
  command
      ->add_option("--eth-network", o.network, "On this network by its fork id: " + network_names())
      ->option_text("NAME");
  command->add_flag("--snap", o.snap, "Serves snap");
  command->add_flag("--dialable", o.dialable, "Has a port for sessions");
  command->callback(
      [&o, &status, limit, age] { status = filter(o, limit->count() > 0, age->count() > 0); });
}

void add_forkid(CLI::App& app, ForkIdOptions& o, int& status) {
  CLI::App* command =
      app.add_subcommand("forkid", "The fork id that a node with this head announces (EIP-2124)");
  CLI::Option* network = command->add_option("--network", o.network, "One of: " + network_names())
                             ->option_text("NAME");
  command->add_option("--genesis", o.genesis, "genesis.json of another chain")
      ->option_text("FILE")
      ->excludes(network);
  command->add_option("--head", o.head, "Number of the head block")->option_text("NUMBER");
  command->add_option("--time", o.time, "Timestamp of the head block")->option_text("SECONDS");
  command->callback([&o, &status] { status = forkid(o); });
}

}  // namespace ethnet::app
