#include "bonds.hpp"

#include <base/sip_key.hpp>

namespace ethnet::discv4 {
namespace {

std::size_t hashed(SipKey key, ByteView bytes) {
  return static_cast<std::size_t>(sip_hash(key, bytes));
}

bool is_within(const std::optional<Instant>& since, Now now, Duration lifetime) {
  return since && *since + lifetime > now.mono;
}

}  // namespace

std::size_t PeerHash::operator()(const NodeAt& node) const noexcept {
  ByteArray<32 + 16> bytes{};
  const MutByteView out{bytes};
  copy_into(out, node.id.view());
  copy_into(out.subspan(32), node.ip.bytes());
  return hashed(key, out.first(32 + node.ip.bytes().size()));
}
std::size_t PeerHash::operator()(const NodeId& id) const noexcept { return hashed(key, id.view()); }
std::size_t PeerHash::operator()(const IpAddress& ip) const noexcept {
  return hashed(key, ip.bytes());
}
std::size_t PeerHash::operator()(const Hash32& hash) const noexcept {
  return hashed(key, hash.view());
}

Bonds::Bonds(SecureRng& rng, std::size_t capacity)
    : bonds_{capacity, PeerHash{draw_sip_key(rng)}},
      addresses_{capacity, PeerHash{draw_sip_key(rng)}},
      places_{capacity, PeerHash{draw_sip_key(rng)}} {}

void Bonds::on_pong(Now now, const NodeId& id, const Endpoint& at) {
  const NodeAt node{id, at.ip};
  if (Bond* bond = bonds_.use(node)) {
    bond->proven_at = now.mono;
  } else {
    bonds_.insert(node, Bond{.proven_at = now.mono, .answered_at = std::nullopt});
  }
  if (Instant* proven_at = addresses_.use(node.ip)) {
    *proven_at = now.mono;
  } else {
    addresses_.insert(node.ip, now.mono);
  }
  if (Endpoint* place = places_.use(id)) {
    *place = at;
  } else {
    places_.insert(id, at);
  }
}

void Bonds::on_ping_answered(Now now, const NodeAt& node) {
  if (Bond* bond = bonds_.use(node)) bond->answered_at = now.mono;
}

bool Bonds::is_proven(Now now, const NodeAt& node, Duration lifetime) {
  const Bond* bond = bonds_.find(node);
  return bond != nullptr && is_within(bond->proven_at, now, lifetime);
}

bool Bonds::is_known_there(Now now, const NodeAt& node) {
  const Bond* bond = bonds_.find(node);
  return bond != nullptr && is_within(bond->answered_at, now, kBondRenewal);
}

std::optional<Endpoint> Bonds::place_of(Now now, const NodeId& id) {
  const Endpoint* place = places_.find(id);
  if (place == nullptr || !is_proven(now, {id, place->ip})) return std::nullopt;
  return *place;
}

bool Bonds::is_proven(Now now, const IpAddress& ip) {
  const Instant* proven_at = addresses_.find(ip);
  return proven_at != nullptr && is_within(*proven_at, now, kBondLifetime);
}

Proofs::Proofs(SecureRng& rng, std::size_t capacity)
    : proofs_{capacity, PeerHash{draw_sip_key(rng)}} {}

void Proofs::add(const Proof& proof) {
  proofs_.erase(proof.node);
  if (proofs_.insert(proof.node, proof)) ++forgotten_;
}

void Proofs::expire(Now now) {
  while (!proofs_.empty() && proofs_.oldest().sent + kProofTimeout <= now.mono) {
    proofs_.drop_oldest();
  }
}

Instant Proofs::next_deadline() const {
  return proofs_.empty() ? Instant::never() : proofs_.oldest().sent + kProofTimeout;
}

}  // namespace ethnet::discv4
