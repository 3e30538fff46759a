#include "boot_node.hpp"

#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>
#include <types/enode_url.hpp>
#include <types/enr.hpp>

namespace ethnet::app {
namespace {

constexpr std::size_t kShownOfNode = 24;  // "enode://" and 16 digits

[[noreturn]] void refuse(std::string_view where, const std::string& text, std::string_view why) {
  throw std::runtime_error(fmt::format("{} {}: {}", where, beginning_of(text), why));
}

std::optional<discv4::V4Node> node_of(const EnodeUrl& url) {
  if (!url.ip || url.udp == 0) return std::nullopt;
  return discv4::V4Node::of(url.key, {*url.ip, url.udp, url.tcp});
}

void check_room(const node::UdpDiscoveryConfig& config) {
  if (config.boot_records.size() + config.boot_nodes.size() < node::kMaxUdpBootNodes) return;
  throw std::runtime_error(fmt::format("more than {} boot nodes", node::kMaxUdpBootNodes));
}

}  // namespace

std::string beginning_of(const std::string& text) {
  const bool is_coded = text.starts_with("enr:") || text.starts_with("enode:");
  return !is_coded || text.size() <= kShownOfNode + 3 ? text : text.substr(0, kShownOfNode) + "…";
}

std::shared_ptr<const VerifiedEnr> parse_record(std::string_view where, const std::string& text) {
  if (text.starts_with("enode://")) {
    refuse(where, text, "discv5 needs a node record, enr:…; enode URLs are for discv4");
  }
  auto record = VerifiedEnr::parse(text);
  if (!record) refuse(where, text, "not a valid node record: " + record.error().message());
  return std::make_shared<const VerifiedEnr>(*std::move(record));
}

kbucket::RecordPtr parse_reachable_record(std::string_view where, const std::string& text) {
  auto record = kbucket::NodeRecord::of(parse_record(where, text), kbucket::RecordPort::udp);
  if (!record) refuse(where, text, "the record names no address and UDP port to ask at");
  return record;
}

discv4::V4Node parse_v4_node(std::string_view where, const std::string& text) {
  if (text.starts_with("enr:")) {
    const kbucket::RecordPtr record = parse_reachable_record(where, text);
    const Endpoint& at = record->endpoint();
    return discv4::V4Node::of(
        record->public_key(),
        {at.ip, at.port, Enr::decode(record->encoded()).value().tcp().value_or(0)});
  }
  const auto url = EnodeUrl::parse(text);
  if (!url) refuse(where, text, url.error().message());
  const auto node = node_of(*url);
  if (!node) refuse(where, text, "an enode URL has to name an IP address and a port here");
  return *node;
}

bool add_boot_node(node::UdpDiscoveryConfig& config, const std::string& text) {
  if (text.starts_with("enr:")) {
    auto parsed = VerifiedEnr::parse(text);
    if (!parsed) return false;
    auto record = kbucket::NodeRecord::of(std::make_shared<const VerifiedEnr>(*std::move(parsed)),
                                          kbucket::RecordPort::udp);
    if (!record) return false;
    check_room(config);
    config.boot_records.push_back(std::move(record));
    return true;
  }
  const auto url = EnodeUrl::parse(text);
  const auto node = url ? node_of(*url) : std::nullopt;
  if (!node) return false;
  check_room(config);
  config.boot_nodes.push_back(*node);
  return true;
}

bool names_sessions(const std::string& text) {
  if (text.starts_with("enr:")) {
    const auto record = VerifiedEnr::parse(text);
    return record && kbucket::endpoint_of(record->record(), kbucket::RecordPort::quic).has_value();
  }
  const auto url = EnodeUrl::parse(text);
  return !url || url->tcp != 0;
}

std::uint16_t discovery_port(std::uint16_t wanted, std::uint16_t asked, std::uint16_t bound) {
  // Who asks for any port gets any: one that was drawn may have no free one beside it.
  if (wanted != 0 || asked == 0) return wanted;
  const std::uint32_t port = std::uint32_t{bound} + kDiscoveryPortOffset;
  if (port > std::numeric_limits<std::uint16_t>::max()) {
    throw std::runtime_error(fmt::format("port {} + {} is no port: name one by --discovery.port",
                                         bound, kDiscoveryPortOffset));
  }
  return static_cast<std::uint16_t>(port);
}

}  // namespace ethnet::app
