// Packets that wait for the socket, signed, each for one datagram. One thread. Limit:
// kMaxDiscv4Outbox.
#pragma once

#include <optional>

#include <base/ring.hpp>
#include <machine/concepts.hpp>

#include "../wire/packet.hpp"

namespace ethnet::discv4 {

class Outbox {
 public:
  struct Packet {
    Endpoint local;
    Endpoint remote;
    std::size_t size = 0;
    PacketBuffer bytes{};
  };

  // False when it is full: the packet is dropped, as the network might drop it.
  bool push(const Packet& packet) { return packets_.push(packet); }
  [[nodiscard]] std::optional<Transmit> poll(MutByteView buffer) {
    const std::optional<Packet> packet = packets_.pop();
    if (!packet) return std::nullopt;
    copy_into(buffer, ByteView{packet->bytes}.first(packet->size));
    return Transmit{.local = packet->local,
                    .remote = packet->remote,
                    .ecn = 0,
                    .size = packet->size,
                    .segment_size = packet->size};
  }
  [[nodiscard]] std::size_t size() const { return packets_.size(); }
  [[nodiscard]] std::uint64_t refused() const { return packets_.refused(); }

 private:
  BoundedQueue<Packet> packets_{kMaxDiscv4Outbox};
};

}  // namespace ethnet::discv4
