#include "peer_name.hpp"

#include <charconv>
#include <stdexcept>

#include <discovery/kbucket/record.hpp>
#include <fmt/format.h>
#include <net/if.h>
#include <runtime/sockaddr.hpp>
#include <types/enode_url.hpp>
#include <types/enr.hpp>
#include <types/node_id.hpp>

#include "boot_node.hpp"

namespace ethnet::app {
namespace {

[[noreturn]] void refuse(const std::string& text, std::string_view why) {
  throw std::runtime_error(fmt::format("peer '{}': {}", beginning_of(text), why));
}

node::StaticPeer from_enr(const std::string& text) {
  const auto record = VerifiedEnr::parse(text);
  if (!record) refuse(text, record.error().message());
  const auto at = kbucket::endpoint_of(record->record(), kbucket::RecordPort::quic);
  if (!at) refuse(text, "the record has no address with a quic port");
  node::StaticPeer peer;
  peer.endpoint = *at;
  peer.expected = record->node_id();
  return peer;
}

node::StaticPeer from_enode(const std::string& text) {
  const auto url = EnodeUrl::parse(text);
  if (!url) refuse(text, url.error().message());
  node::StaticPeer peer;
  peer.expected = make_node_id(url->key);
  if (url->ip) {
    peer.endpoint = Endpoint{*url->ip, url->tcp};
  } else if (!url->host_name.empty()) {
    peer.host = url->host_name;
    peer.port = url->tcp;
  } else {
    refuse(text, "the URL does not say where the node is");
  }
  return peer;
}

// "fe80::1%eth0" means something on this machine alone: the look-up of the peer finds the link.
void check_scoped(const std::string& text, const std::string& host) {
  const std::size_t percent = host.find('%');
  const auto ip = IpAddress::parse(std::string_view{host}.substr(0, percent));
  if (!ip || ip->is_v4() || percent == std::string::npos) refuse(text, "not an IPv6 address");
  if (!runtime::is_link_local(*ip)) refuse(text, "only a link-local address has a scope (%)");
  const std::string link = host.substr(percent + 1);
  if (::if_nametoindex(link.c_str()) == 0) {
    refuse(text, fmt::format("there is no network interface '{}'", link));
  }
}

}  // namespace

node::StaticPeer parse_peer(const std::string& text) {
  if (text.starts_with("enr:")) return from_enr(text);
  if (text.starts_with("enode://")) return from_enode(text);
  node::StaticPeer peer;
  const auto endpoint = Endpoint::parse(text);
  if (endpoint && endpoint->port != 0) {
    peer.endpoint = *endpoint;
    return peer;
  }
  // What has brackets or two colons is meant as IPv6, and no name.
  const bool is_v6 = text.starts_with('[') || text.find(':') != text.rfind(':');
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    refuse(text, "expected enr:…, enode://… or HOST:PORT");
  }
  if (is_v6 && (!text.starts_with('[') || text[colon - 1] != ']')) {
    refuse(text, "expected an IPv6 address as [ADDRESS]:PORT");
  }
  const std::string digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || port == 0) {
    refuse(text, "the port is not a number from 1 to 65535");
  }
  peer.host = text.substr(0, colon);
  peer.port = port;
  if (is_v6) {
    peer.host = text.substr(1, colon - 2);
    check_scoped(text, peer.host);
  }
  return peer;
}

}  // namespace ethnet::app
