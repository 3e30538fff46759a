// Packets of Node Discovery v5.1 (devp2p, discv5-wire.md, "Packet Encoding"): masking, the static
// header, the authdata of the three flags, AES-128-GCM over the message.
//
//   packet = masking-iv || masked(static-header || authdata) || message
//
// decode() judges sizes before any cryptography, then unmasks 23 bytes, judges those, and unmasks
// the rest. It allocates nothing: what it gives are values and views of the datagram and of the
// caller's buffer, which also takes the plaintext. encode_*() write into a caller's buffer.
// Threading: a PacketCodec is of one thread. Limits: ../limits.hpp.
#pragma once

#include <cstdint>
#include <variant>

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <crypto/aes.hpp>
#include <crypto/secp256k1.hpp>
#include <types/hash.hpp>

#include "../error.hpp"
#include "../limits.hpp"

namespace ethnet::discv5 {

inline constexpr std::size_t kMaskingIvBytes = 16;
inline constexpr std::size_t kStaticHeaderBytes = 23;  // protocol-id version flag nonce size
inline constexpr std::size_t kSessionKeyBytes = 16;
inline constexpr std::size_t kWhoareyouBytes = 63;  // a whole packet, which has no message

using MaskingIv = ByteArray<kMaskingIvBytes>;
using Nonce = ByteArray<12>;
using IdNonce = ByteArray<16>;
using EphemeralKey = ByteArray<crypto::kCompressedKeySize>;
using PacketBuffer = ByteArray<kMaxDiscv5Packet>;
// masking-iv || static-header || authdata of a WHOAREYOU, unmasked.
using ChallengeData = ByteArray<kWhoareyouBytes>;

enum class Flag : std::uint8_t { ordinary = 0, whoareyou = 1, handshake = 2 };

struct Ordinary {
  NodeId source{};
  friend bool operator==(const Ordinary&, const Ordinary&) = default;
};
struct Whoareyou {
  IdNonce id_nonce{};
  std::uint64_t enr_seq = 0;  // of the record that its sender has of us; 0: of none
  friend bool operator==(const Whoareyou&, const Whoareyou&) = default;
};
struct Handshake {
  NodeId source{};
  crypto::CompactSignature id_signature{};
  EphemeralKey ephemeral_key{};
  ByteView record{};  // RLP, unchecked; empty: none
};
using Authdata = std::variant<Ordinary, Whoareyou, Handshake>;

// A packet's header. Of a WHOAREYOU the nonce is that of the packet which it answers.
struct Header {
  MaskingIv masking_iv{};
  Nonce nonce{};
  Authdata authdata{};
};

// What a datagram holds; lives as long as the datagram and the buffer.
struct Packet {
  Header header{};
  // masking-iv || static-header || authdata, unmasked: what AES-GCM authenticates, and the
  // challenge-data of a WHOAREYOU.
  ByteView header_bytes{};
  ByteView message{};   // encrypted, with its tag; empty in a WHOAREYOU
  MutByteView plain{};  // where open() puts it
};

[[nodiscard]] inline Flag flag_of(const Authdata& authdata) {
  return static_cast<Flag>(authdata.index());
}
// Bytes of masking-iv || static-header || authdata.
[[nodiscard]] std::size_t header_size(const Authdata& authdata);
// Writes them, unmasked, to the start of `out`, which must have room. CHECK: a record of at most
// kMaxEnrBytes.
ByteView write_header(const Header& header, MutByteView out);

class PacketCodec {
 public:
  // A datagram for the node `self`. Errors: of packets in Discv5Error.
  [[nodiscard]] Result<Packet> decode(const NodeId& self, ByteView datagram, PacketBuffer& buffer);
  // The message under this key, in packet.plain. Error: unreadable; nothing of it is then left.
  [[nodiscard]] Result<ByteView> open(const Packet& packet, ByteView key);

  // Each writes to the start of `out` and says how many bytes.
  // An ordinary or handshake packet with an encrypted message. Error: message_does_not_fit.
  [[nodiscard]] Result<std::size_t> encode_sealed(const NodeId& dest, const Header& header,
                                                  ByteView key, ByteView plain, PacketBuffer& out);
  // An ordinary packet with these bytes in the place of a message: the random content that asks
  // for a challenge. Error: message_does_not_fit.
  [[nodiscard]] Result<std::size_t> encode_raw(const NodeId& dest, const Header& header,
                                               ByteView message, PacketBuffer& out);
  // The WHOAREYOU of which this is the challenge-data: the same bytes each time.
  std::size_t encode_whoareyou(const NodeId& dest, const ChallengeData& data, PacketBuffer& out);

 private:
  // The stream under which a header is masked for one node. What comes in is all masked for us, and
  // what leaves often for the node of the last packet: its key is expanded when it is another one.
  class Mask {
   public:
    Mask();
    void start(const NodeId& dest, ByteView masking_iv);
    void apply(ByteView in, MutByteView out);

   private:
    crypto::AesCtr stream_;
    ByteArray<16> key_{};  // the one that it has
  };
  void mask_header(const NodeId& dest, MutByteView header_bytes);

  Mask incoming_;
  Mask outgoing_;
  crypto::AesGcmAnyKey gcm_;
};

}  // namespace ethnet::discv5
