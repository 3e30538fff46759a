#include "roster.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include <base/check.hpp>
#include <discovery/kbucket/distances.hpp>
#include <types/enr.hpp>

namespace ethnet::sim {
namespace {

constexpr std::size_t kNamesAnAnswer = 16;  // as many as discv-lite allows
constexpr std::size_t kLookedAtAHost = 8;   // identities, for one that nobody has heard of
constexpr std::size_t kCrowdPorts = 65'536 - kFirstCrowdPort;

}  // namespace

Roster::Roster(const Prng& prng, std::vector<IpAddress> hosts, const Identities& identities,
               kbucket::RecordPort port)
    : prng_{prng.split("draws")},
      hosts_{std::move(hosts)},
      identities_{identities},
      port_{port},
      rank_of_(identities.size()),
      name_of_(identities.size()),
      names_(identities.size()),
      turn_(hosts_.size()) {
  CHECK(!hosts_.empty() && identities.size() <= hosts_.size() * kCrowdPorts);
  std::iota(rank_of_.begin(), rank_of_.end(), 0U);
  Prng seats = prng.split("seats");
  for (std::size_t i = rank_of_.size(); i > 1; --i) {
    std::swap(rank_of_[i - 1], rank_of_[seats.below(i)]);
  }
  for (std::uint32_t name = 0; name < rank_of_.size(); ++name) name_of_[rank_of_[name]] = name;
}

Endpoint Roster::endpoint(std::size_t name) const {
  CHECK(name < size());
  return {hosts_[name % hosts_.size()],
          static_cast<std::uint16_t>(kFirstCrowdPort + name / hosts_.size())};
}

const Roster::Name& Roster::at(std::size_t name) {
  std::unique_ptr<Name>& known = names_.at(name);
  if (known != nullptr) return *known;
  const std::size_t rank = rank_of_[name];
  known = std::make_unique<Name>();
  known->id = identities_.id(rank);
  known->at = endpoint(name);
  known->key = std::make_shared<const crypto::SecretKey>(identities_.key(rank));
  EnrBuilder builder{1};
  builder.ip(known->at.ip);
  port_ == kbucket::RecordPort::quic ? builder.quic(known->at.port) : builder.udp(known->at.port);
  const auto record = builder.sign(*known->key);
  CHECK(record.has_value() && record->node_id() == known->id);
  known->record = to_bytes(record->record().encoded());
  ++named_;
  return *known;
}

// Of a range, on this host: not all of a large one is looked at.
std::optional<std::size_t> Roster::unnamed(std::size_t host, Identities::Range range) {
  if (range.size() == 0) return std::nullopt;
  const std::size_t start = prng_.below(range.size());
  for (std::size_t i = 0; i < std::min(range.size(), kLookedAtAHost * hosts_.size()); ++i) {
    const std::size_t name = name_of_[range.first + (start + i) % range.size()];
    if (name % hosts_.size() == host && names_[name] == nullptr) return name;
  }
  return std::nullopt;
}

std::size_t Roster::fresh(std::size_t host, const NodeId& comes_to) {
  for (std::size_t tries = 0; tries < kbucket::kMaxDistances; ++tries) {
    const auto nearer = static_cast<unsigned>(prng_.below(kbucket::kMaxDistances));
    const auto range = identities_.at_distance(comes_to, kbucket::kMaxDistance - nearer);
    if (const auto name = unnamed(host, range)) return *name;
  }
  const std::size_t of_host = (size() - host + hosts_.size() - 1) / hosts_.size();
  std::size_t& turn = turn_.at(host);
  for (std::size_t tries = 1;; ++tries) {
    const std::size_t name = turn++ % of_host * hosts_.size() + host;
    if (names_[name] == nullptr || tries > of_host) return name;
  }
}

std::optional<std::size_t> Roster::find(std::size_t host, std::uint16_t port) const {
  if (port < kFirstCrowdPort) return std::nullopt;
  const std::size_t name = (port - std::size_t{kFirstCrowdPort}) * hosts_.size() + host;
  return name < size() ? std::optional{name} : std::nullopt;
}

std::vector<Bytes> Roster::answer(const NodeId& asked, std::span<const std::uint16_t> distances) {
  std::vector<std::size_t> ranks;
  for (std::size_t i = 0; i < distances.size(); ++i) {
    const auto before = distances.first(i);
    if (std::ranges::find(before, distances[i]) != before.end()) continue;  // asked for twice
    const Identities::Range range = identities_.at_distance(asked, distances[i]);
    const std::size_t end = std::min(kNamesAnAnswer, ranks.size() + range.size());
    const bool all = end - ranks.size() == range.size();
    for (std::size_t next = range.first; ranks.size() < end;) {
      const std::size_t rank = all ? next++ : range.first + prng_.below(range.size());
      if (all || std::ranges::find(ranks, rank) == ranks.end()) ranks.push_back(rank);
    }
  }
  std::vector<Bytes> out;
  for (const std::size_t rank : ranks) out.push_back(at(name_of_[rank]).record);
  return out;
}

bool Roster::owns(const IpAddress& ip) const {
  return std::ranges::find(hosts_, ip) != hosts_.end();
}

}  // namespace ethnet::sim
