// Nonces for AES-GCM under one key: 4 bytes that count the messages, then 8 random ones (devp2p,
// discv5-theory.md, "Session Cache"). None comes twice: after kMaxMessagesPerKey there is none, and
// the session needs new keys.
// Threading: one thread.
#pragma once

#include <cstdint>
#include <optional>

#include <base/secure_rng.hpp>

#include "../wire/packet.hpp"

namespace ethnet::discv5 {

class NonceCounter {
 public:
  // `sent`: how many messages there were before, other than 0 in tests.
  explicit NonceCounter(std::uint64_t sent = 0) : sent_{sent} {}

  [[nodiscard]] std::optional<Nonce> next(SecureRng& rng) {
    if (sent_ >= kMaxMessagesPerKey) return {};
    Nonce out{};
    const MutByteView bytes{out};
    store_be<std::uint32_t>(bytes.first(4), static_cast<std::uint32_t>(sent_++));
    rng.fill(bytes.subspan(4));
    return out;
  }

 private:
  std::uint64_t sent_;
};

}  // namespace ethnet::discv5
