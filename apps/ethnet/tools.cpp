#include "tools.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include <apps/common/files.hpp>
#include <apps/common/key_file.hpp>
#include <base/decimal.hpp>
#include <base/hex.hpp>
#include <base/printable.hpp>
#include <chain/chain_manager.hpp>
#include <chain/fork_choice/longest.hpp>
#include <fmt/format.h>
#include <runtime/os.hpp>
#include <types/chain_file.hpp>
#include <types/enode_url.hpp>
#include <types/enr.hpp>
#include <types/networks.hpp>
#include <types/node_id.hpp>
#include <unistd.h>

namespace ethnet::app {
namespace {

void print_key(const crypto::SecretKey& key) {
  const crypto::PublicKey point = key.public_key();
  fmt::print("public key  {}\nnode id     {}\naddress     {}\nenode       enode://{}\n",
             to_hex_0x(point.compressed()), make_node_id(point).hex(), make_address(point).hex(),
             to_hex(point.xy()));
}

// What it means where we know it and it makes sense; else its RLP.
std::string value_text(const Enr& enr, const std::string& name, ByteView value) {
  const auto ip = name == "ip" ? enr.ip() : name == "ip6" ? enr.ip6() : std::nullopt;
  if (ip) return ip->to_string();
  if (name == "eth" && enr.fork_id()) return enr.fork_id()->to_string();
  const bool is_port =
      name.starts_with("udp") || name.starts_with("tcp") || name.starts_with("quic");
  if (const auto port = is_port ? enr.port(name) : std::nullopt) return fmt::format("{}", *port);
  return to_hex_0x(value);
}

IpAddress parse_address(std::string_view flag, const std::string& text) {
  const auto address = IpAddress::parse(text);
  if (!address) throw std::runtime_error(fmt::format("{}: '{}' is not an address", flag, text));
  return *address;
}

void add_addresses(EnrBuilder& builder, const EnrOptions& options) {
  if (!options.ip.empty()) builder.ip(parse_address("--ip", options.ip));
  if (options.ip6.empty()) return;
  const IpAddress six = parse_address("--ip6", options.ip6);
  if (six.is_v4()) {
    throw std::runtime_error(fmt::format("--ip6: '{}' is an IPv4 address (see --ip)", options.ip6));
  }
  if (!options.ip.empty() && !parse_address("--ip", options.ip).is_v4()) {
    throw std::runtime_error("--ip and --ip6 both name an IPv6 address, and a record has one");
  }
  builder.ip(six);
}

// "0xHASH/NEXT", as a fork id is shown everywhere.
ForkId parse_fork_id(const std::string& text) {
  ForkId out;
  const std::string_view all{text};
  const std::size_t slash = std::min(all.find('/'), all.size());
  const std::string_view hash = all.substr(0, slash);
  const auto next = parse_decimal(all.substr(std::min(slash + 1, all.size())));
  const bool is_hash = hash.starts_with("0x") && from_hex_into(hash.substr(2), out.hash);
  if (!is_hash || !next) {
    throw std::runtime_error(
        fmt::format("--eth: '{}' is no fork id (0xHASH/NEXT, as in 0x07c9462e/0)", text));
  }
  out.next = *next;
  return out;
}

}  // namespace

int key_new(const std::string& file) {
  const auto key = make_key(file);
  fmt::print("wrote       {}\n", printable(file));
  print_key(*key);
  return 0;
}

int key_show(const std::string& file) {
  print_key(*read_key(file));
  return 0;
}

int enr_decode(const std::string& text) {
  const auto record = VerifiedEnr::parse(text);
  if (!record) {
    throw std::runtime_error(fmt::format("not a valid node record: {}", record.error().message()));
  }
  const Enr& enr = record->record();
  fmt::print("node id     {}\nsequence    {}\nsignature   valid\n", record->node_id().hex(),
             enr.seq());
  enr.for_each_pair([&](ByteView key, ByteView value) {
    std::string name;
    for (const std::byte b : key) name.push_back(static_cast<char>(b));
    if (name == "id" || name == "secp256k1") return;  // the node id says it
    fmt::print("{:<11} {}\n", printable(name), value_text(enr, name, value));
  });
  fmt::print("size        {} of 300 bytes\n", enr.encoded().size());
  return 0;
}

int enr_make(const std::string& key_file, const EnrOptions& options) {
  const auto key = read_key(key_file);
  EnrBuilder builder{options.seq};
  add_addresses(builder, options);
  for (const auto& [name, port] :
       {std::pair{"quic", options.quic}, std::pair{"udp", options.udp},
        std::pair{"tcp", options.tcp}, std::pair{"quic6", options.quic6},
        std::pair{"udp6", options.udp6}, std::pair{"tcp6", options.tcp6}}) {
    if (port != 0) builder.uint(name, port);
  }
  if (!options.fork_id.empty()) builder.fork_id(parse_fork_id(options.fork_id));
  if (!options.network.empty()) {
    const Network* const network = find_network(options.network);
    if (network == nullptr) {
      throw std::runtime_error(fmt::format("--network: '{}' is none", options.network));
    }
    builder.fork_id(network->fork_schedule().fork_id(options.head, options.time));
  }
  if (options.snap) builder.raw("snap", Bytes{std::byte{0xc0}});  // an empty list, as geth writes
  const auto record = builder.sign(*key);
  if (!record) throw std::runtime_error(record.error().message());
  fmt::print("{}\n", record->record().text());
  return 0;
}

int chain_inspect(const std::string& file, const std::string& genesis_file) {
  const Genesis genesis = load_genesis(genesis_file);
  const Bytes bytes = read_binary_file(file);
  chain::ChainManager manager{genesis, std::make_unique<chain::LongestChain>(), {}, 1};
  ChainFileReader reader{bytes};
  std::size_t headers = 0;
  std::string fault;
  while (!reader.at_end() && fault.empty()) {
    const std::uint64_t offset = reader.offset();
    const auto block = reader.next();
    if (!block) {
      fault = block.error().message();
      break;
    }
    ++headers;
    const chain::HeaderInput input{to_bytes(block->header), {}};
    const auto outcome =
        manager.import_headers(runtime::os_now(), std::span{&input, 1}, {"file", "inspect"});
    if (outcome.invalid) {
      fault = fmt::format("block at byte {}: {}", offset, outcome.invalid->error.message());
    } else if (outcome.waiting + outcome.refused > 0) {
      fault =
          headers == 1
              ? "the first block does not link to the genesis (see --genesis)"
              : fmt::format("block at byte {}: its parent is not in the file before it", offset);
    }
  }
  const chain::BlockRef head = manager.pending_head();
  fmt::print("headers     {}\nhead        {} (height {})\nforks       {}\n", headers,
             head.hash.hex(), head.number, manager.tree().leaves().size() - 1);
  fmt::print("first error {}\n", fault.empty() ? "none" : printable(fault));
  return fault.empty() ? 0 : 1;
}

int run_sim(const std::string& program, const std::vector<std::string>& arguments) {
  std::error_code error;
  auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) self = program;
  const std::string sibling = (self.parent_path() / "ethnet-sim").string();
  std::vector<std::string> words{sibling};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> raw;
  for (std::string& word : words) raw.push_back(word.data());
  raw.push_back(nullptr);
  ::execv(sibling.c_str(), raw.data());
  throw std::runtime_error(fmt::format("cannot start {}: {}", sibling, std::strerror(errno)));
}

}  // namespace ethnet::app
