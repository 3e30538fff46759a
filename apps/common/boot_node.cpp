#include "boot_node.hpp"

#include <limits>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>
#include <types/enode_url.hpp>
#include <types/enr.hpp>

namespace ethnet::app {
namespace {

void check_room(const node::UdpDiscoveryConfig& config) {
  if (config.boot_records.size() + config.boot_nodes.size() < node::kMaxUdpBootNodes) return;
  throw std::runtime_error(fmt::format("more than {} boot nodes", node::kMaxUdpBootNodes));
}

}  // namespace

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
  if (!url || !url->ip || url->udp == 0) return false;
  check_room(config);
  config.boot_nodes.push_back(discv4::V4Node::of(url->key, {*url->ip, url->udp, url->tcp}));
  return true;
}

bool names_sessions(const std::string& text) {
  if (text.starts_with("enr:")) {
    const auto record = VerifiedEnr::parse(text);
    return record && record->record().quic().has_value();
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
