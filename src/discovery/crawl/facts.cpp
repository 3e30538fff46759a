#include "facts.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <base/printable.hpp>
#include <types/networks.hpp>

namespace ethnet::crawl {
namespace {

constexpr std::array<std::string_view, 11> kNoCapability{
    "client", "id", "ip", "ip6", "quic", "quic6", "secp256k1", "tcp", "tcp6", "udp", "udp6"};

std::string text_of(ByteView bytes) {
  std::string out;
  for (const std::byte b : bytes) out.push_back(static_cast<char>(b));
  return out;
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

std::string capabilities_of(const Enr& record) {
  std::string out;
  record.for_each_pair([&](ByteView key, ByteView) {
    std::string name = text_of(key);
    if (name.empty() || std::ranges::find(kNoCapability, name) != kNoCapability.end()) return;
    std::ranges::replace_if(name, [](char c) { return !is_name_character(c); }, '?');
    if (!out.empty()) out += ' ';
    out += name;
  });
  return out;
}

// EIP-7636: a list of name, version and, not always, build.
std::string client_of(const Enr& record) {
  const auto raw = record.find_raw("client");
  if (!raw) return {};
  rlp::Reader in{*raw};
  auto list = in.enter_list();
  if (!list) return {};
  std::string out;
  while (!list->at_end()) {
    const auto part = list->read_bytes();
    if (!part) return {};
    if (!out.empty()) out += '/';
    out += printable(text_of(*part));
  }
  return out;
}

Ports ports_of(const Enr& record, std::string_view udp, std::string_view tcp,
               std::string_view quic) {
  return {.udp = record.port(udp).value_or(0),
          .tcp = record.port(tcp).value_or(0),
          .quic = record.port(quic).value_or(0)};
}

}  // namespace

FactReader::FactReader() {
  for (const Network& network : networks()) {
    networks_.emplace_back(network.name, network.fork_schedule());
  }
}

Facts FactReader::read(const Enr& record) const {
  Facts out{.ip = record.ip(),
            .ports = ports_of(record, "udp", "tcp", "quic"),
            .ip6 = record.ip6(),
            .ports6 = ports_of(record, "udp6", "tcp6", "quic6"),
            .capabilities = capabilities_of(record),
            .fork = record.fork_id(),
            .network = {},
            .client = client_of(record)};
  if (!out.fork) return out;
  for (const auto& [name, forks] : networks_) {
    // As one judges who has only the genesis block: whatever fork of this chain it has passed.
    if (forks.judge(*out.fork, 0, 0) == ForkIdVerdict::accept) out.network = name;
  }
  return out;
}

}  // namespace ethnet::crawl
