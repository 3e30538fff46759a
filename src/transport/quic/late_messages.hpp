// What TLS may still say when the handshake is over: tickets for a client (RFC 8446, section 4.6.1)
// and nothing else (RFC 9001, section 6). We resume nothing, so they are skipped as they come and
// need no TLS library; its session, the largest part of an idle connection, is then gone.
#pragma once

#include <cstdint>

#include <base/bytes.hpp>

namespace ethnet::quic {

class LateMessages {
 public:
  explicit LateMessages(bool from_server) : from_server_{from_server} {}

  // The next bytes of the peer's CRYPTO stream of 1-RTT packets. False when the peer said what it
  // must not. Bytes of a message may come in any parts.
  [[nodiscard]] bool take(ByteView bytes);

 private:
  bool from_server_;
  std::uint32_t header_ = 0;  // of the message that begins: its type, then three bytes of length
  std::uint32_t header_bytes_ = 0;
  std::uint32_t skip_ = 0;  // of the message at hand
};

}  // namespace ethnet::quic
