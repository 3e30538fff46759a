// No encryption at all: QUIC packets in the clear, with a handshake of four messages in place of
// TLS. For tests, fuzzing and simulation only; never linked into a node.
//
// Wire: packet protection adds 16 zero bytes and checks nothing; header protection is none. The
// CRYPTO streams carry messages of one type byte, two bytes of length and a payload:
//   Initial    hello    random (32), the protocols offered (each behind its length byte, all behind
//                       a length byte), transport parameters
//   Initial    accept   random (32)
//   Handshake  answer   the protocol chosen behind a length byte, transport parameters
//   Handshake  finish   nothing
// Exported keys are a hash of both randoms and the label: equal on both sides, secret from nobody.
// Limits: a message is at most 64 KiB.
#pragma once

#include <string>
#include <vector>

#include <base/secure_rng.hpp>

#include "crypto.hpp"

namespace ethnet::quic {

inline constexpr std::size_t kNullTagBytes = 16;
inline constexpr std::size_t kNullRandomBytes = 32;

enum class NullMessage : std::uint8_t { hello = 1, accept, answer, finish };
// One message as it stands in a CRYPTO stream. CHECK: the payload fits its length field.
[[nodiscard]] Bytes encode_null(NullMessage type, ByteView payload);
// The payload of a hello.
[[nodiscard]] Bytes encode_null_hello(ByteView random, const std::vector<std::string>& alpn,
                                      ByteView transport_parameters);

// `rng` must outlive what is made from it.
[[nodiscard]] std::unique_ptr<Crypto> make_null_crypto(SecureRng& rng,
                                                       std::vector<std::string> alpn);

}  // namespace ethnet::quic
