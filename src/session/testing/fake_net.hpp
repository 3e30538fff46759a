// A small in-memory network for the session's tests: hosts with a Transport each, virtual time,
// jittered delays, stream credit, black holes. Streams are ordered in themselves and not among each
// other, as in QUIC. Test support; single-threaded.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include <base/instant.hpp>
#include <base/prng.hpp>
#include <transport/conn.hpp>

namespace ethnet::session::testing {

struct NetOptions {
  Duration min_delay = milliseconds(10);  // one way
  Duration max_delay = milliseconds(10);
  std::size_t stream_window = 64 * 1024;
};

class FakeNet;

class FakeHost final : public transport::Transport {
 public:
  FakeHost(FakeNet& net, const Endpoint& address) : net_{net}, address_{address} {}

  [[nodiscard]] Result<transport::ConnHandle> dial(Now now, const Endpoint& remote) override;
  [[nodiscard]] Result<transport::StreamId> open_stream(transport::ConnHandle conn,
                                                        transport::StreamKind kind) override;
  [[nodiscard]] std::size_t write(transport::ConnHandle conn, transport::StreamId stream,
                                  ByteView bytes) override;
  void finish(transport::ConnHandle conn, transport::StreamId stream) override;
  [[nodiscard]] ByteView read(transport::ConnHandle conn, transport::StreamId stream) override;
  [[nodiscard]] bool at_end(transport::ConnHandle conn, transport::StreamId stream) const override;
  void consume(transport::ConnHandle conn, transport::StreamId stream, std::size_t n) override;
  void reset(transport::ConnHandle conn, transport::StreamId stream, std::uint64_t code) override;
  void stop(transport::ConnHandle conn, transport::StreamId stream, std::uint64_t code) override;
  void close(Now now, transport::ConnHandle conn, std::uint64_t application_code,
             std::string_view reason) override;
  [[nodiscard]] Result<void> export_key(transport::ConnHandle conn, std::string_view label,
                                        MutByteView out) override;
  [[nodiscard]] std::size_t memory_bytes(transport::ConnHandle conn) const override;
  // Bytes of the handle's index, so that a test sees of which connection they are.
  [[nodiscard]] transport::ConnStats stats(transport::ConnHandle conn) const override {
    return {milliseconds(1), conn.index + 1, conn.index + 2};
  }

  [[nodiscard]] const Endpoint& address() const { return address_; }
  [[nodiscard]] std::optional<transport::ConnEvent> poll_event();
  [[nodiscard]] std::size_t connections() const { return conns_.size(); }
  // The process dies: its connections stop to exist, and nobody is told.
  void crash();

 private:
  friend class FakeNet;
  struct Stream {
    Bytes arrived;           // not consumed
    bool fin = false;        // arrived
    std::size_t credit = 0;  // bytes that we may still write
    bool wants_writable = false;
    Instant last_arrival;  // at the other side, so that the stream stays in order
  };
  struct Conn {
    std::uint64_t link = 0;
    transport::Side side = transport::Side::dialler;
    Endpoint remote;
    bool open = false;
    std::map<transport::StreamId, Stream> streams;
    transport::StreamId next_bidirectional = 0;
    transport::StreamId next_unidirectional = 0;
  };
  [[nodiscard]] Conn* find_link(std::uint64_t link);
  [[nodiscard]] transport::ConnHandle handle_of(std::uint64_t link) const;
  [[nodiscard]] Stream& stream_of(Conn& conn, transport::StreamId id);
  void add_conn(std::uint64_t link, transport::Side side, const Endpoint& remote);

  FakeNet& net_;
  Endpoint address_;
  Slab<Conn, transport::ConnTag> conns_;
  std::map<std::uint64_t, transport::ConnHandle> by_link_;
  std::deque<transport::ConnEvent> events_;
};

class FakeNet {
 public:
  FakeNet(std::uint64_t seed, const NetOptions& options)
      : options_{options}, rng_{Prng{seed}.split("net")} {}

  FakeHost& add_host(const Endpoint& address);
  // Datagrams between these two vanish, in both directions, until healed.
  void cut(const Endpoint& a, const Endpoint& b);
  void heal(const Endpoint& a, const Endpoint& b);

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] Instant next_action() const {
    return actions_.empty() ? Instant::never() : actions_.begin()->first.first;
  }
  void set_time(Instant now) { now_ = now; }
  // Runs the earliest action if it is due, and returns the host that it concerned.
  [[nodiscard]] FakeHost* run_one();
  [[nodiscard]] std::size_t stream_window() const { return options_.stream_window; }

 private:
  friend class FakeHost;
  struct Action {
    Endpoint to;
    std::function<void(FakeHost&)> run;
  };
  [[nodiscard]] Duration draw_delay();
  [[nodiscard]] bool is_cut(const Endpoint& a, const Endpoint& b) const;
  void schedule(Instant at, const Endpoint& from, const Endpoint& to,
                std::function<void(FakeHost&)> run);

  NetOptions options_;
  Prng rng_;
  Instant now_;
  std::uint64_t next_link_ = 2;
  std::uint64_t next_action_id_ = 0;
  std::map<Endpoint, std::unique_ptr<FakeHost>> hosts_;
  std::map<std::uint64_t, Instant> opened_at_;  // by link: when the acceptor sees it
  std::map<std::pair<Instant, std::uint64_t>, Action> actions_;
  std::set<std::pair<Endpoint, Endpoint>> cuts_;
};

}  // namespace ethnet::session::testing
