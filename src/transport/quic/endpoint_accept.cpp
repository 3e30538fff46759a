// Datagrams that belong to no connection: whether they begin one, and what is answered otherwise.
#include <algorithm>
#include <array>
#include <utility>

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "c_bytes.hpp"
#include "endpoint.hpp"
#include "sockaddr.hpp"

namespace ethnet::quic {
namespace {

// A Retry token is good for this long.
constexpr std::uint64_t kTokenLifetimeNs = 10ULL * 1'000'000'000;
// Our resets look like the shortest packets that a peer sends; none can be shorter than
// NGTCP2_MIN_STATELESS_RESET_RANDLEN and a token (RFC 9000, section 10.3).
constexpr std::size_t kMaxResetBytes = 42;
constexpr std::size_t kMinResetBytes =
    NGTCP2_MIN_STATELESS_RESET_RANDLEN + NGTCP2_STATELESS_RESET_TOKENLEN;

std::uint64_t timestamp(Now now) { return static_cast<std::uint64_t>(now.mono.ns); }

Cid from_library(const ngtcp2_cid& cid) { return Cid{view_of(&cid.data[0], cid.datalen)}; }

ngtcp2_cid to_library(const Cid& cid) {
  ngtcp2_cid out;
  ngtcp2_cid_init(&out, in_ptr(cid.view()), cid.view().size());
  return out;
}

// Who owns one IPv6 address owns its /64.
IpAddress source_of(const IpAddress& ip) {
  if (ip.is_v4()) return ip;
  ByteArray<16> network{};
  copy_into(network, ip.bytes().first(8));
  return IpAddress::v6(network);
}

}  // namespace

// True when the datagram was for a connection that we hold.
bool QuicEndpoint::deliver(Now now, const Datagram& datagram) {
  ngtcp2_version_cid id;
  const int rv = ngtcp2_pkt_decode_version_cid(&id, in_ptr(datagram.bytes), datagram.bytes.size(),
                                               kOwnCidBytes);
  if ((rv != 0 && rv != NGTCP2_ERR_VERSION_NEGOTIATION) || id.dcidlen > kMaxCidBytes) return false;
  const auto entry = cids_.find(Cid{view_of(id.dcid, id.dcidlen)});
  if (entry == cids_.end()) return false;
  const ConnHandle handle = entry->second;
  if (Connection* connection = find(handle)) {
    connection->count_received(datagram.bytes.size());
    connection->handle_datagram(now, datagram);
    if (download_.on()) {
      const std::size_t bytes = datagram.bytes.size();
      download_.received(now.mono, bytes, connection->take_paid(bytes));
    }
    settle(now, handle);
  } else if (download_.on()) {
    download_.received(now.mono, datagram.bytes.size(), 0);
  }
  return true;
}

void QuicEndpoint::handle_unknown(Now now, const Datagram& datagram) {
  ngtcp2_version_cid id;
  const auto* data = in_ptr(datagram.bytes);
  const int rv = ngtcp2_pkt_decode_version_cid(&id, data, datagram.bytes.size(), kOwnCidBytes);
  if (rv == NGTCP2_ERR_VERSION_NEGOTIATION && config_.accept) {
    send_version_negotiation(datagram);
    return;
  }
  if (rv != 0) {
    ++counters_.undecodable;
    return;
  }
  constexpr std::byte kLongHeader{0x80};
  if (id.version == 0) {
    if ((datagram.bytes.front() & kLongHeader) != std::byte{0}) {
      // Version negotiation for a dial that we have forgotten: never answered, by nothing.
      ++counters_.undecodable;
      return;
    }
    // A short header: of a connection that we have forgotten.
    if (offer_as_reset(now, datagram)) return;
    send_stateless_reset(now, datagram, view_of(id.dcid, id.dcidlen));
    return;
  }
  ngtcp2_pkt_hd header;
  if (!config_.accept || ngtcp2_accept(&header, data, datagram.bytes.size()) != 0) {
    ++counters_.undecodable;
    return;
  }
  Incoming incoming{.dcid = from_library(header.dcid),
                    .scid = from_library(header.scid),
                    .version = header.version,
                    .token = to_bytes(view_of(header.token, header.tokenlen)),
                    .original_dcid = std::nullopt};
  accept(now, datagram, std::move(incoming));
}

// The packet may be the answer of a peer that has forgotten a connection: ngtcp2 compares its last
// bytes with the tokens that the peer gave. True when it ended one.
bool QuicEndpoint::offer_as_reset(Now now, const Datagram& datagram) {
  constexpr std::size_t kMaxOffers = 4;
  std::vector<ConnHandle> candidates;
  for (auto it = by_remote_.lower_bound({datagram.remote, ConnHandle{0, 0}});
       it != by_remote_.end() && it->first == datagram.remote && candidates.size() < kMaxOffers;
       ++it) {
    candidates.push_back(it->second);
  }
  bool ended = false;
  for (const ConnHandle handle : candidates) {
    Connection* connection = find(handle);
    CHECK(connection != nullptr);
    connection->handle_datagram(now, datagram);
    ended = ended || connection->closed();
    settle(now, handle);
  }
  return ended;
}

// Every refusal comes before a key is derived.
void QuicEndpoint::accept(Now now, const Datagram& datagram, Incoming incoming) {
  if (half_open_.size() >= config_.max_half_open) {
    ++counters_.dropped_half_open;
    return;
  }
  if (connections_.size() >= config_.max_connections && closing_.empty()) {
    ++counters_.dropped_full;
    return;
  }
  if (new_in_batch_ >= config_.max_new_per_batch) {
    ++counters_.dropped_batch;
    return;
  }
  if (!incoming.token.empty()) {
    SockAddr remote{datagram.remote};
    const ngtcp2_cid dcid = to_library(incoming.dcid);
    ngtcp2_cid original;
    if (ngtcp2_crypto_verify_retry_token(&original, in_ptr(incoming.token), incoming.token.size(),
                                         in_ptr(token_secret_), token_secret_.size(),
                                         incoming.version, remote.get(), remote.size, &dcid,
                                         kTokenLifetimeNs, timestamp(now)) != 0) {
      ++counters_.bad_tokens;
      return;
    }
    if (!source_has_room(datagram.remote.ip)) {
      ++counters_.dropped_source;
      return;
    }
    incoming.original_dcid = from_library(original);
  } else if (half_open_.size() >= config_.retry_above ||
             !take(now, unproven_, kMaxUnprovenPerWindow)) {
    send_retry(now, datagram, incoming);
    return;
  }
  const bool there_is_room = make_room();
  CHECK(there_is_room);
  ++new_in_batch_;
  const ConnHandle handle = connections_.emplace();
  auto made = Connection::accept(*this, handle, config_, *crypto_, now, datagram.local,
                                 datagram.remote, incoming);
  if (!made) {
    connections_.erase(handle);
    return;
  }
  ++counters_.accepted;
  if (incoming.original_dcid) proven_half_open_.emplace(handle, source_of(datagram.remote.ip));
  Connection& connection = *made;
  auto* slot = connections_.find(handle);
  CHECK(slot != nullptr);
  *slot = std::move(made);
  connection.count_received(datagram.bytes.size());
  connection.handle_datagram(now, datagram);
  settle(now, handle);
}

bool QuicEndpoint::source_has_room(const IpAddress& source) const {
  const auto held = std::ranges::count(proven_half_open_, source_of(source),
                                       [](const auto& entry) { return entry.second; });
  return static_cast<std::size_t>(held) < config_.max_half_open_per_source;
}

void QuicEndpoint::send_retry(Now now, const Datagram& datagram, const Incoming& incoming) {
  if (!take(now, retries_, kMaxRetriesPerWindow)) {
    ++counters_.stateless_dropped;
    return;
  }
  ByteArray<kOwnCidBytes> drawn{};
  rng_.fill(drawn);
  const ngtcp2_cid retry_scid = to_library(Cid{drawn});
  const ngtcp2_cid client = to_library(incoming.scid);
  const ngtcp2_cid original = to_library(incoming.dcid);
  SockAddr remote{datagram.remote};
  std::array<std::uint8_t, NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN> token{};
  const auto size = ngtcp2_crypto_generate_retry_token(
      token.data(), in_ptr(token_secret_), token_secret_.size(), incoming.version, remote.get(),
      remote.size, &retry_scid, &original, timestamp(now));
  if (size < 0) return;
  Bytes packet(512);
  const auto n = ngtcp2_crypto_write_retry(out_ptr(packet), packet.size(), incoming.version,
                                           &client, &retry_scid, &original, token.data(),
                                           static_cast<std::size_t>(size));
  if (n < 0) return;
  packet.resize(static_cast<std::size_t>(n));
  ++counters_.retries_sent;
  queue_stateless(datagram, std::move(packet));
}

void QuicEndpoint::send_version_negotiation(const Datagram& datagram) {
  ngtcp2_version_cid id;
  // Only a datagram as large as an Initial must be is worth an answer.
  constexpr std::size_t kMinInitial = 1200;
  if (datagram.bytes.size() < kMinInitial ||
      ngtcp2_pkt_decode_version_cid(&id, in_ptr(datagram.bytes), datagram.bytes.size(),
                                    kOwnCidBytes) != NGTCP2_ERR_VERSION_NEGOTIATION) {
    ++counters_.undecodable;
    return;
  }
  const std::array<std::uint32_t, 1> versions{NGTCP2_PROTO_VER_V1};
  ByteArray<1> random{};
  rng_.fill(random);
  Bytes packet(512);
  const auto n = ngtcp2_pkt_write_version_negotiation(
      out_ptr(packet), packet.size(), std::to_integer<std::uint8_t>(random[0]), id.scid, id.scidlen,
      id.dcid, id.dcidlen, versions.data(), versions.size());
  if (n < 0) return;
  packet.resize(static_cast<std::size_t>(n));
  queue_stateless(datagram, std::move(packet));
}

bool QuicEndpoint::take_reset_token(Now now, const IpAddress& source) {
  if (now.mono - reset_window_start_ >= seconds(1)) {
    reset_window_start_ = now.mono;
    resets_in_window_ = 0;
    resets_by_source_.clear();
  }
  if (resets_in_window_ >= kResetsPerSecond) return false;
  std::uint64_t& to_source = resets_by_source_[source_of(source)];
  if (to_source >= kMaxResetsPerSource) return false;
  ++to_source;
  ++resets_in_window_;
  return true;
}

// A window of chance length, on average kRetryWindow: in a steady flood whoever comes early in one
// is served, and a newcomer whose retries keep time with fixed ones would never be.
bool QuicEndpoint::take(Now now, Rate& rate, std::uint64_t most) {
  if (now.mono >= rate.window_end) {
    ByteArray<2> drawn{};
    rng_.fill(drawn);
    const std::int64_t chance = kRetryWindow.ns * load_be<std::uint16_t>(drawn) / 65'536;
    rate = {now.mono + nanoseconds(kRetryWindow.ns / 2 + chance), 0};
  }
  return rate.taken++ < most;
}

// Always shorter than what it answers: two endpoints that know nothing of each other's packets then
// stop by themselves (RFC 9000, section 10.3.3).
void QuicEndpoint::send_stateless_reset(Now now, const Datagram& datagram, ByteView dcid) {
  if (datagram.bytes.size() <= kMinResetBytes || dcid.size() != kOwnCidBytes) {
    ++counters_.undecodable;
    return;
  }
  if (!take_reset_token(now, datagram.remote.ip)) {
    ++counters_.resets_dropped;
    return;
  }
  const ngtcp2_cid cid = to_library(Cid{dcid});
  std::array<std::uint8_t, NGTCP2_STATELESS_RESET_TOKENLEN> token{};
  if (ngtcp2_crypto_generate_stateless_reset_token(token.data(), in_ptr(reset_secret_),
                                                   reset_secret_.size(), &cid) != 0) {
    return;
  }
  // What is as short as a reset may be one: it gets the shortest, which nobody answers. One byte
  // less each time would let two who forgot each other exchange twenty.
  const bool may_be_reset = datagram.bytes.size() <= kMaxResetBytes;
  Bytes packet(may_be_reset ? kMinResetBytes : kMaxResetBytes);
  Bytes random(packet.size() - NGTCP2_STATELESS_RESET_TOKENLEN);
  rng_.fill(random);
  const auto n = ngtcp2_pkt_write_stateless_reset(out_ptr(packet), packet.size(), token.data(),
                                                  in_ptr(random), random.size());
  if (n < 0) return;
  packet.resize(static_cast<std::size_t>(n));
  ++counters_.resets_sent;
  queue_stateless(datagram, std::move(packet));
}

void QuicEndpoint::queue_stateless(const Datagram& cause, Bytes packet) {
  if (stateless_.size() >= kMaxQueuedStateless) {
    ++counters_.stateless_dropped;
    return;
  }
  stateless_.push_back({cause.local, cause.remote, std::move(packet)});
}

}  // namespace ethnet::quic
