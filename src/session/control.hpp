// Frames of the control stream: type (1 byte), length of the body (4 bytes, big-endian), body (one
// RLP list; empty for ping and pong). Encoders give whole frames, decoders take bodies.
// Spec: docs/spec/session.md, "Control frames". Threading: values.
//
// Limits: max_body_bytes(type), checked when the header is complete, before the body is stored;
// kMaxClientBytes, kMaxEnrBytes, kMaxCapabilities inside a Hello.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <types/enr.hpp>
#include <types/fork_id.hpp>
#include <types/hash.hpp>

#include "capability.hpp"
#include "disconnect.hpp"

namespace ethnet::session {

inline constexpr std::uint64_t kProtocolVersion = 1;
inline constexpr std::size_t kFrameHeaderBytes = 5;
inline constexpr std::size_t kSignatureBytes = 65;   // r, s, recovery id (0 or 1)
inline constexpr std::size_t kMaxClientBytes = 128;  // bytes of a client name (attack 7)

enum class FrameType : std::uint8_t {
  claim = 0x01,
  proof = 0x02,
  hello = 0x03,
  activate = 0x04,
  ping = 0x05,
  pong = 0x06,
  disconnect = 0x07,
};
[[nodiscard]] std::string_view to_string(FrameType type);
[[nodiscard]] std::size_t max_body_bytes(FrameType type);

// Who the sender says it is, and, from a dialler that knows, whom it wants to talk to.
struct Claim {
  std::uint64_t version = kProtocolVersion;
  NodeId id;
  std::optional<NodeId> wanted;
  friend bool operator==(const Claim&, const Claim&) = default;
};
struct Proof {
  ByteArray<kSignatureBytes> signature{};
  friend bool operator==(const Proof&, const Proof&) = default;
};
struct Hello {
  // Its fields of any size, as they are kept.
  [[nodiscard]] std::size_t memory_bytes() const;

  std::string client;
  std::vector<Capability> capabilities;
  Hash32 genesis;
  ForkId fork_id;
  Hash32 head_hash;
  std::uint64_t head_number = 0;
  Bytes enr;
  friend bool operator==(const Hello&, const Hello&) = default;
};
// The arbiter's choice. `epoch` names one run of the arbiter, `sequence` grows within it.
struct Activate {
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  friend bool operator==(const Activate&, const Activate&) = default;
};

[[nodiscard]] Bytes encode_frame(const Claim& claim);
[[nodiscard]] Bytes encode_frame(const Proof& proof);
// CHECK: within the limits; it is our own.
[[nodiscard]] Bytes encode_frame(const Hello& hello);
[[nodiscard]] Bytes encode_frame(const Activate& activate);
[[nodiscard]] Bytes encode_ping();
[[nodiscard]] Bytes encode_pong();
[[nodiscard]] Bytes encode_disconnect(DisconnectReason reason);

// A body that says another version is not read further: only `version` is meaningful then.
// Errors of all: RlpError, or SessionError::bad_body.
[[nodiscard]] Result<Claim> decode_claim(ByteView body);
[[nodiscard]] Result<Proof> decode_proof(ByteView body);
// The client name is sanitised. Capabilities that are not of the form "name/version" are left out:
// they are nothing that we could agree on. Errors besides: too_many_items.
[[nodiscard]] Result<Hello> decode_hello(ByteView body);
[[nodiscard]] Result<Activate> decode_activate(ByteView body);
[[nodiscard]] Result<DisconnectReason> decode_disconnect(ByteView body);

struct Frame {
  FrameType type = FrameType::ping;
  Bytes body;
};

// Cuts the control stream into frames. Holds at most one unfinished frame and grows only as bytes
// arrive. After an error it must not be fed again.
class FrameReader {
 public:
  // Takes bytes from the front of `arrived`, up to the end of one frame, and returns how many.
  // Error: bad_frame. CHECK: a complete frame was taken before.
  [[nodiscard]] Result<std::size_t> feed(ByteView arrived);
  // The frame that the last feed() completed.
  [[nodiscard]] std::optional<Frame> take();
  [[nodiscard]] std::size_t memory_bytes() const { return body_.capacity(); }

 private:
  [[nodiscard]] Result<void> begin_body();

  Bytes header_;
  Bytes body_;
  std::size_t body_size_ = 0;
  FrameType type_ = FrameType::ping;
  bool complete_ = false;
};

}  // namespace ethnet::session
