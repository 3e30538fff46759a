// One QUIC connection: an ngtcp2 connection, its TLS session, and the buffers of its streams.
// Internal to the endpoint, which owns it and looks it up by connection id. ngtcp2's callbacks only
// append events, buffers and marks; nothing leaves from inside one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <base/instant.hpp>
#include <base/secure_rng.hpp>
#include <machine/concepts.hpp>
#include <transport/conn.hpp>

#include "cid.hpp"
#include "config.hpp"
#include "counting_memory.hpp"
#include "crypto.hpp"
#include "late_messages.hpp"
#include "stream_buffers.hpp"

struct ngtcp2_conn;
struct ngtcp2_crypto_conn_ref;

namespace ethnet::quic {

using transport::ConnHandle;
using transport::StreamId;

// What a connection may ask of its endpoint.
class ConnectionHost {
 public:
  ConnectionHost() = default;
  ConnectionHost(const ConnectionHost&) = delete;
  ConnectionHost& operator=(const ConnectionHost&) = delete;
  virtual ~ConnectionHost() = default;

  virtual void register_cid(const Cid& cid, ConnHandle conn) = 0;
  virtual void forget_cid(const Cid& cid) = 0;
  virtual void emit(ConnHandle conn, transport::ConnEventKind event) = 0;
  virtual void mark_ready(ConnHandle conn) = 0;
  // Credit for the peer waits for the download limit.
  virtual void owe_credit(ConnHandle conn) = 0;
  [[nodiscard]] virtual SecureRng& rng() = 0;
  [[nodiscard]] virtual ByteView reset_secret() const = 0;
  virtual void count_key_update() = 0;
  virtual void count_black_hole() = 0;
};

// The first packet of a client, as far as accepting it goes.
struct Incoming {
  Cid dcid;  // chosen by the client for us
  Cid scid;  // the client's own
  std::uint32_t version = 0;
  Bytes token;                       // of a Retry, verified
  std::optional<Cid> original_dcid;  // before the Retry
};

class Connection {
  struct Private {};  // makes the constructor ours alone, std::make_unique included

 public:
  [[nodiscard]] static std::unique_ptr<Connection> dial(ConnectionHost& host, ConnHandle handle,
                                                        const EndpointConfig& config,
                                                        const Crypto& crypto, Now now,
                                                        const Endpoint& local,
                                                        const Endpoint& remote);
  [[nodiscard]] static std::unique_ptr<Connection> accept(
      ConnectionHost& host, ConnHandle handle, const EndpointConfig& config, const Crypto& crypto,
      Now now, const Endpoint& local, const Endpoint& remote, const Incoming& incoming);
  Connection(Private, ConnectionHost& host, ConnHandle handle, const EndpointConfig& config,
             const Crypto& crypto, transport::Side side, const Endpoint& local,
             const Endpoint& remote);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  void handle_datagram(Now now, const Datagram& datagram);
  void handle_expiry(Now now);
  [[nodiscard]] Instant expiry() const;
  // One burst on one path; nothing when there is nothing to send now. `urgent`: no bytes of streams
  // that can wait.
  enum class Share : std::uint8_t { all, urgent };
  [[nodiscard]] std::optional<Transmit> write(Now now, MutByteView out, Share share = Share::all);

  [[nodiscard]] Result<StreamId> open_stream(transport::StreamKind kind);
  // What is not `bulk` makes all of its stream before it urgent: bytes of a stream keep their
  // order.
  [[nodiscard]] std::size_t write_stream(StreamId id, ByteView bytes, bool bulk = false);
  // Bytes of all streams that were written and never sent; of those that the peer's windows allow.
  [[nodiscard]] std::size_t unsent_bytes() const;
  [[nodiscard]] std::size_t sendable_bytes() const;
  // write_stream() was not even asked: Writable is owed when some of these have left.
  void owe_room(StreamId id);
  void finish_stream(StreamId id);
  [[nodiscard]] ByteView read_stream(StreamId id) const;
  [[nodiscard]] bool at_end(StreamId id) const;
  void consume(StreamId id, std::size_t n);
  // Under a download limit: gives the peer so much of the credit that it is owed, at most; how much
  // that was.
  [[nodiscard]] std::size_t give_credit(std::size_t most);
  [[nodiscard]] bool owes_credit() const { return credit_owed_ > 0; }
  // Of a datagram of this size that was just handled: bytes whose credit give_credit() gave.
  [[nodiscard]] std::size_t take_paid(std::size_t datagram);
  void reset_stream(StreamId id, std::uint64_t code);
  void stop_stream(StreamId id, std::uint64_t code);
  void close(Now now, std::uint64_t code, std::string_view reason);
  [[nodiscard]] Result<void> export_key(std::string_view label, MutByteView out) const;

  // After Closed: a closing period in which late packets are answered.
  [[nodiscard]] bool closed() const { return close_until_.has_value(); }
  // The closing period is over too: the endpoint may forget this connection.
  [[nodiscard]] bool finished(Now now) const { return close_until_ && *close_until_ <= now.mono; }
  // An inbound handshake that the client has not completed.
  [[nodiscard]] bool half_open() const {
    return side_ == transport::Side::acceptor && !confirmed_ && !closed();
  }
  [[nodiscard]] const std::vector<Cid>& cids() const { return cids_; }
  [[nodiscard]] const Endpoint& remote() const { return remote_; }
  // Streams, their buffers, what ngtcp2 holds, and an estimate of what TLS does.
  [[nodiscard]] std::size_t memory_bytes() const;
  [[nodiscard]] std::size_t stream_count() const { return streams_.size(); }
  // Datagrams that carry its connection id, and bursts that left; whole ones. What may be a
  // stateless reset names no connection and is not counted.
  void count_received(std::size_t n) { bytes_in_ += n; }
  void count_sent(std::size_t n) { bytes_out_ += n; }
  [[nodiscard]] transport::ConnStats stats() const;
  // A Readable of this stream was taken: the next arrival is told again.
  void readable_taken(StreamId id);

 private:
  struct Stream {
    SendBuffer send;
    ReceiveBuffer receive;
    bool queued = false;   // in send_queue_
    bool blocked = false;  // by the peer's stream window
    bool refused = false;  // write() took less than offered: Writable is owed
    bool readable_told = false;
    std::size_t credit_owed = 0;     // under a download limit
    std::uint64_t urgent_until = 0;  // offset
    bool stopped = false;            // ngtcp2 drops and credits what arrives
    bool transport_closed = false;   // ngtcp2 has forgotten it
    bool remote = false;
  };
  struct Callbacks;  // ngtcp2's, static functions

  [[nodiscard]] bool start_client(Now now);
  [[nodiscard]] bool start_server(Now now, const Incoming& incoming);
  [[nodiscard]] bool attach_crypto(bool server);

  [[nodiscard]] Stream* find(StreamId id);
  [[nodiscard]] const Stream* find(StreamId id) const;
  Stream& stream(StreamId id);
  void enqueue(StreamId id, Stream& stream);
  void drop_if_done(StreamId id);
  void credit(std::size_t n);
  void offer_room();
  void check_memory(Now now);
  void end_reset_streams();
  void release_handshake();
  [[nodiscard]] bool stream_data_in_flight() const;
  void watch_for_black_hole(Now now);
  [[nodiscard]] std::size_t packet_limit(Now now) const;
  void update_key(Now now, std::size_t packets_sent);
  void tell_readable(StreamId id, Stream& stream);
  [[nodiscard]] Cid new_cid();

  struct Packet {
    std::size_t size = 0;
    Endpoint local;
    Endpoint remote;
    std::uint8_t ecn = 0;
  };
  [[nodiscard]] Packet write_packet(Now now, MutByteView out, Share share, bool& failed);
  // The stream at the front of send_queue_, which is then one that may send; null: none may.
  [[nodiscard]] Stream* next_stream(Share share);
  void account(StreamId id, std::ptrdiff_t accepted, std::size_t offered, bool fin);
  void fail(Now now, int code);
  void end(Now now, transport::CloseCause cause, std::uint64_t code, std::string detail);
  void make_close_packet(Now now, int library_error, std::uint64_t code, std::string_view reason,
                         bool application);
  [[nodiscard]] std::optional<Transmit> write_closed(MutByteView out);
  void on_peer_close(Now now);

  ConnectionHost& host_;
  ConnHandle handle_;
  const EndpointConfig& config_;
  const Crypto& crypto_;
  transport::Side side_;
  Endpoint local_;
  Endpoint remote_;
  Instant began_;
  std::unique_ptr<ngtcp2_crypto_conn_ref> ref_;
  std::unique_ptr<CryptoSession> session_;
  CountingMemory memory_;
  LateMessages late_messages_;
  ngtcp2_conn* conn_ = nullptr;  // owned; freed by end() or the destructor
  std::vector<Cid> cids_;
  std::map<StreamId, std::unique_ptr<Stream>> streams_;
  std::vector<StreamId> send_queue_;     // at most kMaxStreamsHeld
  std::vector<StreamId> reset_by_peer_;  // by the packets of the datagram at hand
  std::size_t send_memory_ = 0;          // of all streams' send buffers
  bool room_owed_ = false;               // a write() took less than offered
  // Under a download limit: credit that is not given yet; that was given and not used; bytes of
  // streams that arrived and have not been set off against it.
  std::size_t credit_owed_ = 0;
  std::size_t credit_paid_ = 0;
  std::size_t arrived_ = 0;
  std::uint64_t packets_under_key_ = 0;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;

  Instant progress_at_;            // when data was last acknowledged, or began to be in flight
  bool progressed_ = false;        // the datagram at hand acknowledged data
  Instant small_packets_until_{};  // after a black hole
  bool opened_ = false;
  bool confirmed_ = false;
  bool handshake_released_ = false;
  bool stateless_reset_ = false;

  // A packet that did not fit into the last burst: another path, or larger than its segments.
  std::optional<std::pair<Packet, Bytes>> held_;

  std::optional<Instant> close_until_;
  Bytes close_packet_;
  bool close_pending_ = false;
  std::uint64_t packets_after_close_ = 0;
};

}  // namespace ethnet::quic
