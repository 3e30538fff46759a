#include "nat.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nat/pmp.hpp>

namespace ethnet::app {
namespace {

constexpr std::string_view kExternalIp = "extip:";
constexpr std::string_view kStun = "stun:";
constexpr std::string_view kPmp = "pmp:";
constexpr std::string_view kAny = "any:";
constexpr std::string_view kUpnp = "upnp:";

[[noreturn]] void refuse(const std::string& nat, std::string_view why) {
  throw std::runtime_error(fmt::format("'{}': {}", nat, why));
}

IpAddress parse_external(const std::string& nat) {
  const auto ip = IpAddress::parse(nat.substr(kExternalIp.size()));
  if (!ip) refuse(nat, ip.error().what());
  if (ip->is_unspecified()) throw std::runtime_error(fmt::format("'{}' is no address", nat));
  return *ip;
}

NatStun parse_stun(const std::string& nat) {
  const std::string server = nat.substr(kStun.size());
  if (const auto at = Endpoint::parse(server); at && at->port != 0) {
    return {.host = at->ip.to_string(), .port = at->port};
  }
  const std::size_t colon = server.rfind(':');
  std::uint16_t port = 0;
  const char* const end = server.data() + server.size();
  if (colon != std::string::npos && colon > 0) {
    const auto read = std::from_chars(server.data() + colon + 1, end, port);
    if (read.ec != std::errc{} || read.ptr != end) port = 0;
  }
  const std::string host = server.substr(0, colon);
  if (port == 0 || host.find(':') != std::string::npos) refuse(nat, "expected stun:HOST:PORT");
  return {.host = host, .port = port};
}

// `prefix`: "pmp:" or "any:".
NatPmp parse_pmp(const std::string& nat, std::string_view prefix) {
  const std::string gateway = nat.substr(prefix.size());
  const auto ip = IpAddress::parse(gateway);
  if (ip && ip->is_v4()) return {Endpoint{*ip, nat::kPmpPort}};
  const auto at = Endpoint::parse(gateway);
  if (!at || at->port == 0 || !at->ip.is_v4())
    refuse(nat, fmt::format("expected {0}, {0}:IP or {0}:IP:PORT, IPv4",
                            prefix.substr(0, prefix.size() - 1)));
  return {*at};
}

NatUpnp parse_upnp(const std::string& nat) {
  NatUpnp out{nat.substr(kUpnp.size())};
  constexpr std::string_view kHttp = "http://";
  if (!out.description.starts_with(kHttp) || out.description.size() == kHttp.size()) {
    refuse(nat, "expected upnp or upnp:http://HOST:PORT/PATH");
  }
  return out;
}

}  // namespace

NatChoice parse_nat(const std::string& nat) {
  if (nat == "none") return NatByPeers{};
  if (nat == "any") return NatAny{};
  if (nat.starts_with(kAny)) return NatAny{parse_pmp(nat, kAny)};
  if (nat.starts_with(kExternalIp)) return parse_external(nat);
  if (nat.starts_with(kStun)) return parse_stun(nat);
  if (nat == "pmp") return NatPmp{};
  if (nat.starts_with(kPmp)) return parse_pmp(nat, kPmp);
  if (nat == "upnp") return NatUpnp{};
  if (nat.starts_with(kUpnp)) return parse_upnp(nat);
  refuse(nat,
         "expected any[:IP[:PORT]], none, extip:IP, stun:HOST:PORT, pmp[:IP[:PORT]] or upnp[:URL]");
}

NetList allowed_networks(const std::string& text) {
  auto nets = NetList::parse(text);
  if (nets) return *std::move(nets);
  const std::size_t at = nets.error().offset();
  const std::string item = text.substr(at, text.find_first_of(", \t", at) - at);
  throw std::runtime_error(fmt::format("'{}': {}", item, nets.error().what()));
}

std::vector<IpAddress> servers_to_try(std::vector<IpAddress> addresses,
                                      const std::optional<IpAddress>& last) {
  const auto asked = last ? std::ranges::find(addresses, *last) : addresses.end();
  if (asked != addresses.end()) std::ranges::rotate(addresses, asked + 1);
  return addresses;
}

// Lines of "Iface Destination Gateway Flags …", addresses as eight hexadecimal digits of the
// number that a machine of this byte order has in memory (proc(5)); metric and mask are the seventh
// and the eighth.
std::optional<IpAddress> default_gateway(std::string_view route_table) {
  std::istringstream lines{std::string{route_table}};
  std::string line;
  std::getline(lines, line);                                // the heads
  std::optional<std::pair<std::uint32_t, IpAddress>> best;  // by its metric
  while (std::getline(lines, line)) {
    std::istringstream fields{line};
    std::string link;
    std::string to;
    std::string by;
    std::string skipped;
    std::uint32_t metric = 0;
    std::string mask;
    fields >> link >> to >> by >> skipped >> skipped >> skipped >> metric >> mask;
    const bool is_default = to == "00000000" && mask == to;  // 0.0.0.0/1 is a tunnel's
    if (!is_default || by.size() != 8 || by == to || (best && best->first <= metric)) continue;
    std::uint32_t number = 0;
    const auto read = std::from_chars(by.data(), by.data() + by.size(), number, 16);
    if (read.ec != std::errc{} || read.ptr != by.data() + by.size()) continue;
    ByteArray<4> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes.at(i) = static_cast<std::byte>(number >> (8 * i));
    }
    best.emplace(metric, IpAddress::v4(bytes));
  }
  return best ? std::optional{best->second} : std::nullopt;
}

}  // namespace ethnet::app
