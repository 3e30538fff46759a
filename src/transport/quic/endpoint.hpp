// quic::QuicEndpoint: all QUIC connections of one UDP port (RFC 9000, 9001, 9002), as a machine and
// as a transport::Transport. ngtcp2 and GnuTLS do the wire format and the cryptography; everything
// that concerns many connections is here: lookup by connection id, acceptance, address validation
// by Retry, stateless reset, timers, fairness, limits.
//
// Flow: handle_datagrams -> connection (by destination id) -> ConnEvents; poll_transmit takes the
// ready connections in turn, one burst each, GSO-ready.
// Threading: one thread. Time: the Now of each input, monotonic. Limits: config.hpp.
// Upload limit (EndpointConfig::upload): what is urgent goes first, what can wait is not even taken
// from the session before there is room for it (upload_limit.hpp). Download limit: peers are given
// credit at its rate (download_limit.hpp).
// Hostile load: datagrams of known connections go first; of the others at most max_new_per_batch
// begin a handshake; above retry_above half-open ones, or kMaxUnprovenPerWindow begun, an address
// must be proven by Retry, above max_half_open they are dropped, before any key is derived.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <span>

#include <base/log.hpp>
#include <base/ring.hpp>
#include <base/slab.hpp>
#include <machine/concepts.hpp>
#include <machine/timer_table.hpp>
#include <transport/transport_machine.hpp>

#include "cid.hpp"
#include "config.hpp"
#include "connection.hpp"
#include "crypto.hpp"
#include "download_limit.hpp"
#include "upload_limit.hpp"

namespace ethnet::quic {

struct Counters {
  std::uint64_t datagrams = 0;
  std::uint64_t undecodable = 0;  // not QUIC, or for no connection of ours
  std::uint64_t accepted = 0;     // inbound handshakes begun
  std::uint64_t dialled = 0;
  std::uint64_t confirmed = 0;  // handshakes completed, in both directions
  std::uint64_t retries_sent = 0;
  std::uint64_t bad_tokens = 0;
  std::uint64_t dropped_half_open = 0;  // above max_half_open
  std::uint64_t dropped_source = 0;     // above max_half_open_per_source
  std::uint64_t dropped_batch = 0;      // above max_new_per_batch
  std::uint64_t dropped_full = 0;       // above max_connections
  std::uint64_t resets_sent = 0;
  std::uint64_t resets_dropped = 0;  // above kResetsPerSecond or kMaxResetsPerSource
  // Above kMaxQueuedStateless or kMaxRetriesPerWindow.
  std::uint64_t stateless_dropped = 0;
  std::uint64_t closing_forgotten = 0;  // early, to make room for a new connection
  std::uint64_t closed_memory = 0;      // connections above memory_limit
  std::uint64_t key_updates = 0;        // begun by us
  std::uint64_t black_holes = 0;        // paths that swallowed larger packets
  std::uint64_t certificates = 0;       // made, the first included
  // UDP payload of all datagrams, those for no connection included.
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t upload_waits = 0;    // times that datagrams had to wait for the upload limit
  std::uint64_t upload_put_off = 0;  // writes of bulk that it put off, in part or whole
  std::uint64_t download_waits = 0;  // times that credit had to wait for the download limit
};

class QuicEndpoint final : public transport::TransportMachine, private ConnectionHost {
  struct Private {};  // makes the constructor ours alone, std::make_unique included

 public:
  // Errors: TlsError. CHECK: config.local is not empty.
  [[nodiscard]] static Result<std::unique_ptr<QuicEndpoint>> make(Now now, EndpointConfig config,
                                                                  SecureRng& rng, Log& log);
  // With another cryptography than TLS, for tests. Errors: none.
  [[nodiscard]] static Result<std::unique_ptr<QuicEndpoint>> make(Now now, EndpointConfig config,
                                                                  SecureRng& rng, Log& log,
                                                                  std::unique_ptr<Crypto> crypto);
  QuicEndpoint(Private, EndpointConfig config, SecureRng& rng, Log& log);
  ~QuicEndpoint() override;

  // The machine.
  void handle_datagrams(Now now, std::span<const Datagram> datagrams) noexcept override;
  void handle_deadline(Now now) noexcept override;
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out) override;
  [[nodiscard]] std::optional<transport::ConnEvent> poll_event() override;
  [[nodiscard]] Instant next_deadline() const override;

  // transport::Transport.
  [[nodiscard]] Result<ConnHandle> dial(Now now, const Endpoint& remote) override;
  [[nodiscard]] Result<StreamId> open_stream(ConnHandle conn, transport::StreamKind kind) override;
  [[nodiscard]] std::size_t write(ConnHandle conn, StreamId stream, ByteView bytes) override;
  [[nodiscard]] std::size_t write_bulk(ConnHandle conn, StreamId stream, ByteView bytes) override;
  [[nodiscard]] bool waits_for_limit(ConnHandle conn) const override { return upload_.waits(conn); }
  void finish(ConnHandle conn, StreamId stream) override;
  [[nodiscard]] ByteView read(ConnHandle conn, StreamId stream) override;
  [[nodiscard]] bool at_end(ConnHandle conn, StreamId stream) const override;
  void consume(ConnHandle conn, StreamId stream, std::size_t n) override;
  void reset(ConnHandle conn, StreamId stream, std::uint64_t code) override;
  void stop(ConnHandle conn, StreamId stream, std::uint64_t code) override;
  void close(Now now, ConnHandle conn, std::uint64_t application_code,
             std::string_view reason) override;
  [[nodiscard]] Result<void> export_key(ConnHandle conn, std::string_view label,
                                        MutByteView out) override;
  [[nodiscard]] std::size_t memory_bytes(ConnHandle conn) const override;
  [[nodiscard]] transport::ConnStats stats(ConnHandle conn) const override;

  [[nodiscard]] const Counters& counters() const { return counters_; }
  // Connections that hold a slot, those in their closing period included.
  [[nodiscard]] std::size_t connection_count() const { return connections_.size(); }
  [[nodiscard]] std::size_t half_open_count() const { return half_open_.size(); }
  [[nodiscard]] std::size_t cid_count() const { return cids_.size(); }
  // Connections that a stateless reset may end: all of them, and those with this peer address.
  [[nodiscard]] std::size_t remote_count() const { return by_remote_.size(); }
  [[nodiscard]] std::size_t connections_at(const Endpoint& remote) const;

 private:
  struct Stateless {
    Endpoint local;
    Endpoint remote;
    Bytes packet;
  };

  void register_cid(const Cid& cid, ConnHandle conn) override { cids_[cid] = conn; }
  void forget_cid(const Cid& cid) override { cids_.erase(cid); }
  void emit(ConnHandle conn, transport::ConnEventKind event) override;
  void mark_ready(ConnHandle conn) override;
  void owe_credit(ConnHandle conn) override { download_.owe(conn); }
  [[nodiscard]] SecureRng& rng() override { return rng_; }
  [[nodiscard]] ByteView reset_secret() const override { return reset_secret_; }
  void count_key_update() override { ++counters_.key_updates; }
  void count_black_hole() override { ++counters_.black_holes; }

  [[nodiscard]] Connection* find(ConnHandle conn) const;
  [[nodiscard]] bool deliver(Now now, const Datagram& datagram);
  [[nodiscard]] bool offer_as_reset(Now now, const Datagram& datagram);
  void handle_unknown(Now now, const Datagram& datagram);
  void accept(Now now, const Datagram& datagram, Incoming incoming);
  [[nodiscard]] bool source_has_room(const IpAddress& source) const;
  void send_retry(Now now, const Datagram& datagram, const Incoming& incoming);
  void send_version_negotiation(const Datagram& datagram);
  void send_stateless_reset(Now now, const Datagram& datagram, ByteView dcid);
  void queue_stateless(const Datagram& cause, Bytes packet);
  // So much of something in a window of time.
  struct Rate {
    Instant window_end;
    std::uint64_t taken = 0;
  };
  [[nodiscard]] bool take(Now now, Rate& rate, std::uint64_t most);
  [[nodiscard]] bool take_reset_token(Now now, const IpAddress& source);
  // After anything that may have changed it: timer, half-open set, and whether it is over.
  void settle(Now now, ConnHandle conn);
  void forget(ConnHandle conn);
  // False when the table is full of connections that are not over.
  [[nodiscard]] bool make_room();
  [[nodiscard]] Transmit next_stateless(MutByteView out);
  // endpoint_limit.cpp: the same under an upload limit.
  [[nodiscard]] std::optional<Transmit> poll_limited(Now now, MutByteView out);
  [[nodiscard]] std::optional<Transmit> poll_urgent(Now now, MutByteView out);
  [[nodiscard]] std::optional<Transmit> poll_bulk(Now now, MutByteView out);
  [[nodiscard]] std::optional<Transmit> write_burst(Now now, ConnHandle conn, MutByteView out,
                                                    Connection::Share share);
  void open_bulk(Now now);
  void give_credit(Now now);
  [[nodiscard]] Instant limit_deadline() const;
  void index_remote(const Connection* connection, ConnHandle conn);
  void rotate_certificate(Now now);
  [[nodiscard]] Endpoint local_for(const Endpoint& remote) const;

  EndpointConfig config_;
  SecureRng& rng_;
  Log& log_;
  ByteArray<32> reset_secret_{};
  ByteArray<32> token_secret_{};
  std::unique_ptr<Crypto> crypto_;
  Instant rotate_at_;
  Slab<std::unique_ptr<Connection>, transport::ConnTag> connections_;
  CidTable cids_;
  TimerTable timers_;  // by slab index
  // A stateless reset names no connection: it is known by where it comes from. Only connections
  // that a reset may end: half-open ones, which a stranger makes at any address, would crowd them
  // out. At most max_connections.
  std::set<std::pair<Endpoint, ConnHandle>> by_remote_;
  std::vector<std::optional<Endpoint>> remote_of_;  // by slab index: the entry in by_remote_
  std::set<ConnHandle> half_open_;
  std::set<ConnHandle> closing_;                      // over, and kept to answer late packets
  std::map<ConnHandle, IpAddress> proven_half_open_;  // those that came with a token, by source
  UploadLimit upload_;
  DownloadLimit download_;
  bool credit_blocked_ = false;        // some waits for the limit
  Instant now_{INT64_MIN / 2};         // of the last input that had one, for write_bulk()
  bool upload_blocked_ = false;        // something waits for the limit
  std::deque<ConnHandle> bulk_ready_;  // have bytes of streams that can wait, and nothing else
  std::set<ConnHandle> in_bulk_ready_;
  std::deque<ConnHandle> ready_;
  std::set<ConnHandle> in_ready_;
  std::deque<transport::ConnEvent> events_;
  std::deque<Stateless> stateless_;
  bool stateless_is_next_ = false;
  std::size_t new_in_batch_ = 0;
  Instant reset_window_start_;
  std::uint64_t resets_in_window_ = 0;
  std::map<IpAddress, std::uint64_t> resets_by_source_;  // of them; at most kResetsPerSecond
  Rate retries_;
  Rate unproven_;
  Counters counters_;
};

}  // namespace ethnet::quic
