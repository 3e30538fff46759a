// What --nat says of how others reach us, as geth has it; and what --netrestrict says of whom we
// have to do with.
//
//   none            as peers see us: nobody else is asked
//   any[:IP[:PORT]] pmp, there, and upnp: whichever maps first
//   extip:IP        there
//   stun:HOST:PORT  where this server sees us
//   pmp[:IP[:PORT]] the gateway, that of the default route or this one, is asked for mappings
//   upnp[:URL]      the gateway that answers a search, or that this URL describes, likewise
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <types/endpoint.hpp>
#include <types/net_list.hpp>

namespace ethnet::app {

struct NatByPeers {};
struct NatStun {
  std::string host;  // a name or an address
  std::uint16_t port = 0;
};
struct NatPmp {
  std::optional<Endpoint> gateway;  // nothing: that of the default route
};
struct NatUpnp {
  std::string description;  // URL; empty: it is searched for
};
struct NatAny {
  NatPmp pmp;
};
using NatChoice = std::variant<NatByPeers, IpAddress, NatStun, NatPmp, NatUpnp, NatAny>;

// Throws std::runtime_error with one clear line.
[[nodiscard]] NatChoice parse_nat(const std::string& nat);
// "CIDR,CIDR,…"; nothing: any network. Throws likewise, and names the item that is wrong.
[[nodiscard]] NetList allowed_networks(const std::string& text);
// A server's addresses in the order in which to try them: after `last`, the one that was asked,
// come those behind it, and it comes last itself.
[[nodiscard]] std::vector<IpAddress> servers_to_try(std::vector<IpAddress> addresses,
                                                    const std::optional<IpAddress>& last);
// Of the default route, in what /proc/net/route says.
[[nodiscard]] std::optional<IpAddress> default_gateway(std::string_view route_table);

}  // namespace ethnet::app
