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

void Roster::add() {
  const std::size_t number = names_.size();
  if (number >= hosts_.size() * kNamesPerHost) return;
  SeededSecureRng rng{prng_.split(fmt::format("name {}", number))};
  Name name;
  name.key = std::make_shared<const crypto::SecretKey>(crypto::SecretKey::generate(rng));
  name.id = NodeId{crypto::node_id_of(name.key->public_key())};
  names_.push_back(std::move(name));
  const Endpoint where = endpoint(number);
  EnrBuilder builder{1};
  builder.ip(where.ip);
  port_ == kbucket::RecordPort::quic ? builder.quic(where.port) : builder.udp(where.port);
  const auto record = builder.sign(*names_.back().key);
  CHECK(record.has_value());
  names_.back().record = to_bytes(record->record().encoded());
}

std::size_t Roster::fresh(std::size_t host) {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    add();
    if ((names_.size() - 1) % hosts_.size() == host) break;
  }
  const std::size_t round = (names_.size() - 1 - host) / hosts_.size();
  return round * hosts_.size() + host;
}

std::optional<std::size_t> Roster::find(std::size_t host, std::uint16_t port) const {
  if (port < kFirstCrowdPort) return std::nullopt;
  const std::size_t name = (port - kFirstCrowdPort) * hosts_.size() + host;
  return name < names_.size() ? std::optional{name} : std::nullopt;
}

Endpoint Roster::endpoint(std::size_t name) const {
  const auto port = static_cast<std::uint16_t>(kFirstCrowdPort + name / hosts_.size());
  return {hosts_[name % hosts_.size()], port};
}

std::vector<Bytes> Roster::answer(const NodeId& asked, std::span<const std::uint16_t> distances) {
  for (std::size_t i = 0; i < kNewNamesAnAnswer; ++i) add();
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
