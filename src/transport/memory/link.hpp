// Link: one connection of a MemoryTransport. Packets carry whole frames, are numbered from 0, and
// are taken in order only; what is not acknowledged is repeated after kRepeatAfter. Credit is given
// by consume(), for each stream and for the connection; bytes of streams that nobody will read are
// credited back to the connection at once.
// Threading: one thread. Limits: MemoryConfig and the constants below.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <base/bytes.hpp>
#include <base/fifo.hpp>
#include <base/instant.hpp>
#include <transport/conn.hpp>

namespace ethnet::transport {

struct MemoryConfig {
  Endpoint local;
  bool accept = true;
  std::size_t max_connections = 1024;
  std::size_t stream_window = 256 * 1024;  // received and not consumed, per stream
  // Received and not consumed, over all streams; by default the sum of what these may hold.
  std::size_t connection_window = 18 * 256 * 1024;
  std::size_t send_buffer = 512 * 1024;  // accepted and not acknowledged, per stream
  std::size_t max_remote_bidi = 1;
  std::size_t max_remote_uni = 16;
  Duration handshake_timeout = seconds(5);
  Duration idle_timeout = seconds(30);
  Duration keep_alive = seconds(10);
  // How long an acknowledgement waits for something to travel with, as QUIC's max_ack_delay; up to
  // memory::kMaxAckDelay. For where packets are not lost: what is lost waits for it, too.
  Duration ack_delay{};
};

namespace memory {

inline constexpr std::size_t kMaxPacketBytes = 1200;  // bytes; as a QUIC packet at its smallest MTU
inline constexpr std::size_t kMaxInFlight = 64;       // packets sent and not acknowledged
inline constexpr std::size_t kMaxLinkEvents = 1024;   // not yet polled; more ends the connection
inline constexpr std::size_t kMaxControlFrames = 512;  // to be sent; more ends the connection
// Of a credit or a number of streams, as in QUIC; more is malformed, so that sums do not overflow.
inline constexpr std::uint64_t kMaxLimitValue = (std::uint64_t{1} << 62) - 1;
inline constexpr Duration kRepeatAfter = milliseconds(200);  // and the peer's ack_delay
inline constexpr Duration kMaxAckDelay = seconds(60);        // a peer that says more is malformed
// Packets that one acknowledgement may wait for: a sender keeps what they carry, and must not come
// near kMaxInFlight.
inline constexpr std::size_t kAckEvery = 8;

enum class PacketType : std::uint8_t { data, close, reset };
struct Header {
  PacketType type = PacketType::data;
  bool from_dialler = false;
  bool numbered = false;  // carries frames and a number of its own
  std::uint64_t id = 0;
  std::uint64_t number = 0;
  std::uint64_t ack = 0;  // the next number expected
};
inline constexpr std::size_t kHeaderBytes = 26;
void write_header(MutByteView out, const Header& header);  // kHeaderBytes of it or more
void append_header(Bytes& out, const Header& header);
[[nodiscard]] std::optional<Header> parse_header(ByteView datagram);

struct Stream {
  StreamId id = -1;
  Bytes out;  // accepted and not yet sent
  std::size_t unacknowledged = 0;
  std::uint64_t sent = 0;
  std::uint64_t may_send = 0;
  bool finish_asked = false;
  bool fin_sent = false;
  bool out_done = false;
  bool refused = false;  // a write took less than offered
  Bytes in;
  std::size_t in_at = 0;  // consumed part of `in`
  std::uint64_t received = 0;
  std::uint64_t consumed = 0;
  std::uint64_t granted = 0;
  bool fin = false;
  bool stopped = false;
  bool in_done = false;
  bool told = false;  // a Readable waits to be polled; another would say nothing more
};

class Link {
 public:
  Link(Now now, const MemoryConfig& config, Side side, std::uint64_t id, std::uint64_t nonce,
       Endpoint remote);

  void receive(Now now, const Endpoint& from, const Header& header, ByteView payload);
  void handle_deadline(Now now);
  [[nodiscard]] Instant deadline() const;
  // Writes the next packet, if one is due: its size. `out`: kMaxPacketBytes or more.
  [[nodiscard]] std::optional<std::size_t> next_packet(Now now, MutByteView out);

  [[nodiscard]] Result<StreamId> open_stream(StreamKind kind);
  [[nodiscard]] std::size_t write(StreamId id, ByteView bytes);
  void finish(StreamId id);
  [[nodiscard]] ByteView read(StreamId id) const;
  [[nodiscard]] bool at_end(StreamId id) const;
  void consume(StreamId id, std::size_t n);
  void reset(StreamId id, std::uint64_t code);
  void stop(StreamId id, std::uint64_t code);
  [[nodiscard]] std::optional<std::uint64_t> export_seed() const;
  [[nodiscard]] std::size_t memory_bytes() const;
  void count_received(std::size_t n) { stats_.bytes_in += n; }
  void count_sent(std::size_t n) { stats_.bytes_out += n; }
  [[nodiscard]] const ConnStats& stats() const { return stats_; }

  void abandon(CloseCause cause, std::uint64_t code, std::string_view detail);
  [[nodiscard]] const std::optional<Closed>& closed() const { return closed_; }
  [[nodiscard]] Fifo<ConnEventKind>& events() { return events_; }
  // An event of events() has reached the owner.
  void on_polled(const ConnEventKind& event);
  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] Side side() const { return side_; }
  [[nodiscard]] const Endpoint& remote() const { return remote_; }

  bool in_ready_list = false;  // the transport's

 private:
  struct Sent {
    Bytes frames;
    StreamId stream = -1;
    std::size_t data = 0;
    bool fin = false;
  };
  struct Reader;

  [[nodiscard]] Stream* find(StreamId id);
  [[nodiscard]] const Stream* find(StreamId id) const;
  [[nodiscard]] bool is_ours(StreamId id) const { return (id & 1) == (side_ == Side::acceptor); }
  // Null: closed before, or (with the link abandoned) not allowed.
  [[nodiscard]] Stream* remote_stream(StreamId id);
  void add_stream(StreamId id);
  void acknowledge(Now now, std::uint64_t up_to);
  void owe_acknowledgement(Now now, bool in_order);
  void on_acknowledged();  // what we received, with the packet that leaves now
  [[nodiscard]] Instant repeat_time(Now now) const {
    return now.mono + kRepeatAfter + remote_ack_delay_;
  }
  void take_frames(ByteView payload);
  [[nodiscard]] bool take_frame(Reader& in);
  [[nodiscard]] bool take_hello(Reader& in);
  [[nodiscard]] bool take_data(Reader& in);
  void take_reset(StreamId id, std::uint64_t code);
  void take_stop(StreamId id, std::uint64_t code);
  void add_event(ConnEventKind event);
  void tell_readable(StreamId id, Stream& stream);
  void credit_connection(std::size_t n);
  void drop_unread(Stream& stream);
  void queue_hello();
  void queue_frame(std::uint8_t type, std::uint64_t a, std::uint64_t b);
  [[nodiscard]] std::optional<Sent> build();
  void add_data(Sent& packet);
  void retire(StreamId id);

  const MemoryConfig& config_;
  Side side_;
  std::uint64_t id_;
  std::uint64_t nonce_;
  Endpoint remote_;
  std::optional<std::uint64_t> remote_nonce_;
  ConnStats stats_;
  bool opened_ = false;
  bool confirmed_ = false;
  std::optional<Closed> closed_;

  std::vector<Stream> streams_;  // by id
  StreamId last_served_ = -1;
  std::uint64_t remote_window_ = 0;
  Duration remote_ack_delay_;
  // Of all streams' bytes.
  std::uint64_t sent_ = 0;
  std::uint64_t may_send_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t consumed_ = 0;
  std::uint64_t granted_ = 0;
  // By kind: 0 bidirectional, 1 unidirectional.
  std::array<std::uint64_t, 2> opened_count_{};
  std::array<std::uint64_t, 2> may_open_{};
  std::array<std::uint64_t, 2> remote_count_{};
  std::array<std::uint64_t, 2> remote_may_open_{};

  Fifo<Bytes> control_;  // frames of ours
  Fifo<Sent> in_flight_;
  std::size_t resend_at_ = 0;  // index into in_flight_ of the next one to send
  std::uint64_t first_in_flight_ = 0;
  std::uint64_t expected_ = 0;
  std::size_t unacknowledged_ = 0;  // packets received since we last said so
  bool ack_due_ = false;
  Instant ack_at_ = Instant::never();  // unless it is due
  Instant began_;
  Instant repeat_at_ = Instant::never();
  Instant last_received_;
  Instant last_sent_;
  Fifo<ConnEventKind> events_;
  std::size_t unpolled_ = 0;  // events, also those that left events_
};

}  // namespace memory
}  // namespace ethnet::transport
