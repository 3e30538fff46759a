#include "roster.hpp"

#include <algorithm>

#include <base/check.hpp>
#include <fmt/format.h>
#include <types/enr.hpp>
#include <types/node_id.hpp>

#include "../seeded_secure_rng.hpp"

namespace ethnet::sim {
namespace {

constexpr std::size_t kNewNamesAnAnswer = 8;
constexpr std::size_t kNamesAnAnswer = 16;  // as many as discv-lite allows
constexpr std::size_t kLookedAt = 2'048;    // of those that there are, for one answer

}  // namespace

void Roster::add(std::size_t host) {
  std::vector<std::size_t>& of_host = of_host_.at(host);
  if (of_host.size() >= kNamesPerHost) return;
  const std::size_t number = names_.size();
  SeededSecureRng rng{prng_.split(fmt::format("name {}", number))};
  Name name;
  name.at = {hosts_[host], static_cast<std::uint16_t>(kFirstCrowdPort + of_host.size())};
  name.key = std::make_shared<const crypto::SecretKey>(crypto::SecretKey::generate(rng));
  name.id = NodeId{crypto::node_id_of(name.key->public_key())};
  EnrBuilder builder{1};
  builder.ip(name.at.ip);
  port_ == kbucket::RecordPort::quic ? builder.quic(name.at.port) : builder.udp(name.at.port);
  const auto record = builder.sign(*name.key);
  CHECK(record.has_value());
  name.record = to_bytes(record->record().encoded());
  names_.push_back(std::move(name));
  of_host.push_back(number);
}

std::size_t Roster::fresh(std::size_t host) {
  add(host);
  return of_host_.at(host).back();
}

std::optional<std::size_t> Roster::find(std::size_t host, std::uint16_t port) const {
  if (port < kFirstCrowdPort) return std::nullopt;
  const std::vector<std::size_t>& of_host = of_host_.at(host);
  const std::size_t at = port - std::size_t{kFirstCrowdPort};
  return at < of_host.size() ? std::optional{of_host[at]} : std::nullopt;
}

std::vector<Bytes> Roster::answer(const NodeId& asked, std::span<const std::uint16_t> distances) {
  for (std::size_t i = 0; i < kNewNamesAnAnswer; ++i) add(next_host_++ % hosts_.size());
  std::vector<Bytes> out;
  const std::size_t from = prng_.below(names_.size());
  for (std::size_t i = 0; i < std::min(kLookedAt, names_.size()); ++i) {
    const Name& name = names_[(from + i) % names_.size()];
    const auto distance = static_cast<std::uint16_t>(log_distance(asked, name.id));
    if (name.id == asked || std::ranges::find(distances, distance) == distances.end()) continue;
    out.push_back(name.record);
    if (out.size() == kNamesAnAnswer) break;
  }
  return out;
}

bool Roster::owns(const IpAddress& ip) const {
  return std::ranges::find(hosts_, ip) != hosts_.end();
}

}  // namespace ethnet::sim
