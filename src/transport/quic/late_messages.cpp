#include "late_messages.hpp"

#include <algorithm>

#include "tls.hpp"

namespace ethnet::quic {

bool LateMessages::take(ByteView bytes) {
  constexpr std::uint32_t kNewSessionTicket = 4;
  constexpr std::uint32_t kHeaderBytes = 4;
  while (!bytes.empty()) {
    if (skip_ > 0) {
      const std::size_t n = std::min<std::size_t>(skip_, bytes.size());
      skip_ -= static_cast<std::uint32_t>(n);
      bytes = bytes.subspan(n);
      continue;
    }
    header_ = header_ << 8 | std::to_integer<std::uint32_t>(bytes.front());
    bytes = bytes.subspan(1);
    if (++header_bytes_ == 1 && (!from_server_ || header_ != kNewSessionTicket)) return false;
    if (header_bytes_ < kHeaderBytes) continue;
    skip_ = header_ & 0x00ff'ffff;
    if (skip_ > kMaxHandshakeMessage) return false;
    header_ = 0;
    header_bytes_ = 0;
  }
  return true;
}

}  // namespace ethnet::quic
