// What a node is below its protocols, for benchmarks: a UDP socket, a QUIC endpoint, session
// managers. The same parts as a node's, without Asio: one thread waits by ppoll.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include <base/log.hpp>
#include <runtime/os.hpp>
#include <runtime/udp.hpp>
#include <session/session.hpp>
#include <transport/quic/endpoint.hpp>

namespace ethnet::bench {

[[nodiscard]] Endpoint loopback(std::uint16_t port);
// The configuration of a node, with room for what the benchmarks open.
[[nodiscard]] quic::EndpointConfig quic_config(const std::string& alpn);

// A session manager whose jobs are done at once, on this thread, and what it says.
class Peer {
 public:
  // The identity follows from `seed`.
  Peer(std::uint64_t seed, transport::Transport& transport, SecureRng& rng, Log& log);

  // All that it has to say now; whether there was anything.
  bool drain(Now now);
  [[nodiscard]] session::SessionManager& manager() { return manager_; }
  [[nodiscard]] static session::Capability capability();  // the one that is agreed

  std::function<void(Now, session::SessionEvent)> on_event;
  std::optional<session::SessionHandle> session;  // the newest
  std::size_t opened = 0;
  std::size_t closed = 0;
  std::size_t failed = 0;

 private:
  void note(const session::SessionEvent& event);

  session::SessionManager manager_;
};

// One endpoint under many managers: a connection belongs to who dialled it.
class SharedTransport final : public transport::Transport {
 public:
  explicit SharedTransport(quic::QuicEndpoint& below) : below_{below} {}

  // Whose connection the next dial is.
  void set_dialler(std::size_t peer) { dialler_ = peer; }
  [[nodiscard]] std::optional<std::size_t> owner(transport::ConnHandle conn) const;

  [[nodiscard]] Result<transport::ConnHandle> dial(Now now, const Endpoint& remote) override;
  [[nodiscard]] Result<transport::StreamId> open_stream(transport::ConnHandle conn,
                                                        transport::StreamKind kind) override {
    return below_.open_stream(conn, kind);
  }
  [[nodiscard]] std::size_t write(transport::ConnHandle conn, transport::StreamId stream,
                                  ByteView bytes) override {
    return below_.write(conn, stream, bytes);
  }
  void finish(transport::ConnHandle conn, transport::StreamId stream) override {
    below_.finish(conn, stream);
  }
  [[nodiscard]] ByteView read(transport::ConnHandle conn, transport::StreamId stream) override {
    return below_.read(conn, stream);
  }
  [[nodiscard]] bool at_end(transport::ConnHandle conn, transport::StreamId stream) const override {
    return below_.at_end(conn, stream);
  }
  void consume(transport::ConnHandle conn, transport::StreamId stream, std::size_t n) override {
    below_.consume(conn, stream, n);
  }
  void reset(transport::ConnHandle conn, transport::StreamId stream, std::uint64_t code) override {
    below_.reset(conn, stream, code);
  }
  void stop(transport::ConnHandle conn, transport::StreamId stream, std::uint64_t code) override {
    below_.stop(conn, stream, code);
  }
  void close(Now now, transport::ConnHandle conn, std::uint64_t application_code,
             std::string_view reason) override {
    below_.close(now, conn, application_code, reason);
  }
  [[nodiscard]] Result<void> export_key(transport::ConnHandle conn, std::string_view label,
                                        MutByteView out) override {
    return below_.export_key(conn, label, out);
  }
  [[nodiscard]] std::size_t memory_bytes(transport::ConnHandle conn) const override {
    return below_.memory_bytes(conn);
  }
  [[nodiscard]] transport::ConnStats stats(transport::ConnHandle conn) const override {
    return below_.stats(conn);
  }

 private:
  quic::QuicEndpoint& below_;
  std::size_t dialler_ = 0;
  std::map<transport::ConnHandle, std::size_t> owners_;
};

class Station {
 public:
  explicit Station(const quic::EndpointConfig& config);

  // Waits for datagrams, timers or `watched`, at most so long, and does what is due.
  void turn(Duration longest);
  // Turns until `done`; throws after `limit`.
  void run(Duration limit, const std::function<bool()>& done);
  [[nodiscard]] quic::QuicEndpoint& endpoint() { return *endpoint_; }
  [[nodiscard]] std::uint16_t port() const { return socket_.local().port; }

  // Adds a manager that shares this endpoint.
  Peer& add_peer(std::uint64_t seed);
  [[nodiscard]] Peer& peer(std::size_t index) { return *peers_.at(index); }
  [[nodiscard]] std::size_t peer_count() const { return peers_.size(); }
  // Managers are drained when a connection of theirs had an event; after any other call of one
  // (a dial, a message), this.
  void touch(std::size_t peer) { touched_.insert(peer); }
  void dial(std::size_t peer, std::uint16_t port);

  std::function<void(Now, const transport::ConnEvent&)> on_event;  // of stations without peers
  int watched = -1;  // a file descriptor that ends a wait when it is readable
  std::size_t opened = 0;
  std::size_t closed = 0;

 private:
  void drain(Now now);
  bool drain_transmits(Now now);
  void handle(Now now, const transport::ConnEvent& event);
  [[nodiscard]] Instant next_deadline() const;
  void wait(Instant until) const;

  runtime::OsEntropy entropy_;
  NullLog log_;
  runtime::UdpSocket socket_;
  std::unique_ptr<quic::QuicEndpoint> endpoint_;
  std::unique_ptr<SharedTransport> shared_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::set<std::size_t> touched_;
  Bytes buffer_;
  std::optional<Transmit> held_;  // the socket was full; its bytes are in buffer_
};

}  // namespace ethnet::bench
