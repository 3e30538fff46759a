// TransportMachine: a Transport that is a machine of datagrams (src/machine/concepts.hpp), so that
// who drives it need not know which one it is: transport/quic in every node, transport/memory in
// networks of the simulator too large for cryptography. One thread; inputs never call back.
#pragma once

#include <optional>
#include <span>

#include <machine/concepts.hpp>

#include "conn.hpp"

namespace ethnet::transport {

class TransportMachine : public Transport {
 public:
  virtual void handle_datagrams(Now now, std::span<const Datagram> datagrams) noexcept = 0;
  virtual void handle_deadline(Now now) noexcept = 0;
  [[nodiscard]] virtual std::optional<Transmit> poll_transmit(Now now, MutByteView out) = 0;
  [[nodiscard]] virtual std::optional<ConnEvent> poll_event() = 0;
  [[nodiscard]] virtual Instant next_deadline() const = 0;
};

}  // namespace ethnet::transport
