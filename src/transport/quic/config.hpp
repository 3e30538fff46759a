// What an endpoint may be told. Defaults are what a node runs with.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <base/bytes.hpp>
#include <base/cost_bucket.hpp>
#include <base/instant.hpp>
#include <types/endpoint.hpp>

namespace ethnet::quic {

// What one connection may hold: stream buffers and what ngtcp2 keeps. Above it the connection ends
// with CloseCause::memory_limit. Full windows of every stream stay below it.
inline constexpr std::size_t kMaxConnectionMemory = 16 * 1024 * 1024;  // bytes of one connection
inline constexpr std::size_t kMaxSendMemory = 4 * 1024 * 1024;  // bytes; write() takes no more
// AES-GCM allows 2^23 (RFC 9001, section 6.6); ngtcp2 would wait that long.
inline constexpr std::uint64_t kMaxKeyPackets = std::uint64_t{1} << 20;  // then our next key

// What every path carries (RFC 9000, section 14), and how long a path that swallowed larger packets
// gets no other ones: then it may have changed (RFC 8899, section 5.1.1, PMTU_RAISE_TIMER).
inline constexpr std::size_t kSmallestUdpPayload = 1200;
inline constexpr Duration kSmallPacketsFor = seconds(600);

// Bytes of UDP payload at the socket, over all connections. Over any time t no more than
// per_second * t + burst leave.
struct RateLimit {
  std::uint64_t per_second = 0;  // 0: no limit
  std::uint64_t burst = 0;
  [[nodiscard]] bool on() const { return per_second > 0; }
  // Of no use where it is off.
  [[nodiscard]] CostBucket bucket() const {
    if (!on()) return {1, 1};
    return {static_cast<std::int64_t>(burst), static_cast<std::int64_t>(per_second)};
  }
  // How much of bulk a connection may have written and not sent: what its path or its peer holds
  // up. An eighth of a second, so that one connection alone can use the whole rate.
  [[nodiscard]] std::size_t most_unsent() const {
    return std::max<std::size_t>(16 * 1024, per_second / 8);
  }
};
// What keeps sessions alive, and one handshake at a time, needs less.
inline constexpr std::uint64_t kLeastRate = 16 * 1024;         // bytes a second
inline constexpr std::uint64_t kGreatestRate = 4'000'000'000;  // likewise; CostBucket's limit
inline constexpr std::uint64_t kMinBurst = 16 * 1024;          // bytes: eleven packets
inline constexpr std::uint64_t kMaxBurst = kGreatestRate;      // likewise

// Receive windows under a download limit: what all peers have leave to send at once counts against
// the rate, and one alone must be able to use it.
[[nodiscard]] inline std::size_t limited_window(const RateLimit& limit, std::size_t most) {
  return std::clamp<std::size_t>(limit.per_second / 8, 16 * 1024, most);
}

struct EndpointConfig {
  // Where the sockets are bound; a wildcard address stands for all of its family.
  std::vector<Endpoint> local;
  std::vector<std::string> alpn{"ethnet/1"};
  bool accept = true;

  Duration handshake_timeout = seconds(5);
  Duration idle_timeout = seconds(30);
  Duration keep_alive = seconds(10);

  std::size_t max_connections = 1024;  // both directions, handshakes included
  std::size_t retry_above = 32;  // half-open inbound handshakes; more have to prove their address
  std::size_t max_half_open = 256;  // more are dropped
  // Of those that proved their address: more from one of them (IPv6: from one /64) are dropped, or
  // a single host could hold them all.
  std::size_t max_half_open_per_source = 16;
  std::size_t max_new_per_batch = 8;  // handshakes begun for one batch of datagrams

  // Receive windows; what the session does not consume stays within them. The sum of the stream
  // windows is at most the connection's.
  std::size_t stream_window = 256 * 1024;
  std::size_t max_remote_uni = 16;
  std::size_t max_remote_bidi = 1;
  [[nodiscard]] std::size_t connection_window() const {
    return stream_window * (max_remote_uni + max_remote_bidi + 1);
  }
  std::size_t send_buffer = 512 * 1024;      // accepted and not yet acknowledged, per stream
  std::size_t send_memory = kMaxSendMemory;  // the same over all streams of a connection
  std::size_t memory_limit = kMaxConnectionMemory;
  std::uint64_t key_update_packets = kMaxKeyPackets;

  std::size_t max_udp_payload = 1452;
  bool pmtud = true;
  RateLimit upload;    // of all that leaves
  RateLimit download;  // of all that comes, as far as credit goes (download_limit.hpp)
  // Lets stateless resets survive a restart; drawn when not given.
  std::optional<ByteArray<32>> reset_secret;
};

// Fixed bounds.
inline constexpr std::size_t kMaxQueuedStateless = 256;  // Retry, version negotiation, reset
inline constexpr std::uint64_t kResetsPerSecond = 100;   // stateless resets
// Of them to one address (IPv6: to one /64), or a flood of one host would leave none for others.
inline constexpr std::uint64_t kMaxResetsPerSource = 10;
// Initials that are answered by Retry in a window. Each costs more to answer than to drop, and a
// flood of forged ones must not take the time of live connections; clients say theirs again.
inline constexpr std::uint64_t kMaxRetriesPerWindow = 400;
// Handshakes begun in a window for addresses that are not proven; more are asked for proof. One
// that fails at once was never half open, and each costs keys and a connection.
inline constexpr std::uint64_t kMaxUnprovenPerWindow = 4;
inline constexpr Duration kRetryWindow = milliseconds(10);  // on average
inline constexpr std::size_t kMaxStreamsHeld = 64;          // per connection, ours and theirs

}  // namespace ethnet::quic
