// The two directions of one stream, as bytes.
#pragma once

#include <cstdint>
#include <vector>

#include <base/bytes.hpp>

namespace ethnet::quic {

// Bytes accepted from the session, kept in place until the peer has acknowledged them: the QUIC
// library holds pointers into them for retransmission.
class SendBuffer {
 public:
  // Takes what fits under `limit` buffered bytes; returns how much.
  [[nodiscard]] std::size_t append(ByteView bytes, std::size_t limit);
  void finish() { finished_ = true; }

  // The next bytes never sent, contiguous; empty when there are none.
  [[nodiscard]] ByteView unsent() const;
  void mark_sent(std::size_t n);
  void mark_fin_sent() { fin_sent_ = true; }
  // Everything below this stream offset has arrived.
  void acknowledge(std::uint64_t offset);

  // True when data or the end of the stream waits to be sent.
  [[nodiscard]] bool pending() const { return sent_ < end_ || (finished_ && !fin_sent_); }
  // True when the unsent bytes are the last ones and the end may go with them.
  [[nodiscard]] bool fin_with(std::size_t n) const { return finished_ && sent_ + n == end_; }
  [[nodiscard]] bool finished() const { return finished_; }
  // True when bytes were sent and are not acknowledged.
  [[nodiscard]] bool in_flight() const { return sent_ > acknowledged_; }
  // Offsets of the stream: the first byte never sent, and behind the last one taken.
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t end() const { return end_; }
  [[nodiscard]] std::size_t buffered() const { return static_cast<std::size_t>(end_ - base_); }
  [[nodiscard]] std::size_t memory_bytes() const { return memory_; }

 private:
  static constexpr std::size_t kMinChunk = 1024;
  static constexpr std::size_t kMaxChunk = 16 * 1024;  // bytes allocated at once for a stream

  void seek_unsent();

  std::vector<Bytes> chunks_;    // each with its final capacity: never reallocated
  std::uint64_t base_ = 0;       // stream offset of the first chunk's first byte
  std::size_t next_ = 0;         // the chunk of the first byte never sent
  std::uint64_t next_base_ = 0;  // stream offset of that chunk
  std::uint64_t sent_ = 0;       // offset of the first byte never sent
  std::uint64_t acknowledged_ = 0;
  std::uint64_t end_ = 0;
  std::size_t memory_ = 0;
  bool finished_ = false;
  bool fin_sent_ = false;
};

// Bytes that arrived in order and were not consumed. Bounded by the flow-control window, which
// grows only when something is consumed.
class ReceiveBuffer {
 public:
  void append(ByteView bytes) {
    ethnet::append(bytes_, bytes);
    busy_ = true;
  }
  void set_end() { ended_ = true; }
  [[nodiscard]] ByteView readable() const { return ByteView{bytes_}.subspan(read_); }
  // CHECK: n is at most readable().size().
  void consume(std::size_t n);
  // Drops everything; returns how much that was.
  std::size_t discard();
  // Gives back memory that was kept for more, when none came since the last call.
  void trim();
  [[nodiscard]] bool at_end() const { return ended_ && read_ == bytes_.size(); }
  [[nodiscard]] std::size_t memory_bytes() const { return bytes_.capacity(); }

 private:
  // A stream that carries much gets its memory again and again; less is not worth keeping.
  static constexpr std::size_t kWorthKeeping = 8 * 1024;  // bytes, with all read

  Bytes bytes_;
  std::size_t read_ = 0;
  bool ended_ = false;
  bool busy_ = false;  // something came since the last trim()
};

}  // namespace ethnet::quic
