// Connection ids (RFC 9000, section 5.1) and the table that finds a connection by one.
#pragma once

#include <compare>
#include <optional>
#include <unordered_map>

#include <base/bytes.hpp>
#include <base/sip_hash.hpp>
#include <transport/conn.hpp>

namespace ethnet::quic {

inline constexpr std::size_t kOwnCidBytes = 16;  // of every id that we issue
inline constexpr std::size_t kMaxCidBytes = 20;  // RFC 9000, section 17.2

class Cid {
 public:
  Cid() = default;
  // CHECK: at most kMaxCidBytes.
  explicit Cid(ByteView bytes) : size_{static_cast<std::uint8_t>(bytes.size())} {
    copy_into(bytes_, bytes);
  }
  [[nodiscard]] ByteView view() const { return ByteView{bytes_}.first(size_); }
  friend auto operator<=>(const Cid&, const Cid&) = default;

 private:
  ByteArray<kMaxCidBytes> bytes_{};
  std::uint8_t size_ = 0;
};

// A client chooses the first id of a connection, so the hash is keyed (attacks A.6).
struct CidHash {
  std::uint64_t seed = 0;
  std::size_t operator()(const Cid& cid) const {
    return static_cast<std::size_t>(sip_hash({seed, ~seed}, cid.view()));
  }
};

// Looked up only, never iterated.
using CidTable = std::unordered_map<Cid, transport::ConnHandle, CidHash>;

}  // namespace ethnet::quic
