// The vectors of docs/spec/session.md, byte for byte.
#include <string>

#include <base/hex.hpp>
#include <gtest/gtest.h>

#include "control.hpp"
#include "id_proof.hpp"

namespace ethnet::session {
namespace {

NodeId node_of(std::uint8_t fill) {
  NodeId id;
  id.bytes.fill(std::byte{fill});
  return id;
}

TEST(SpecVectors, Frames) {
  EXPECT_EQ(to_hex(encode_frame(Claim{1, node_of(0xaa), std::nullopt})),
            "0100000024e301a0" + std::string(64, 'a') + "80");
  EXPECT_EQ(to_hex(encode_frame(Claim{1, node_of(0xaa), node_of(0xbb)})),
            "0100000045f84301a0" + std::string(64, 'a') + "a0" + std::string(64, 'b'));
  EXPECT_EQ(to_hex(encode_frame(Activate{0x1234, 5})), "0400000005c482123405");
  EXPECT_EQ(to_hex(encode_ping()), "0500000000");
  EXPECT_EQ(to_hex(encode_pong()), "0600000000");
  EXPECT_EQ(to_hex(encode_disconnect(DisconnectReason::already_connected)), "0700000002c105");
}

TEST(SpecVectors, Hello) {
  Hello hello;
  hello.client = "a/v1";
  hello.capabilities = {*Capability::parse("mini-sync/0.1")};
  hello.genesis.bytes.fill(std::byte{0x11});
  hello.fork_id = {{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}}, 0};
  hello.head_hash.bytes.fill(std::byte{0x22});
  hello.head_number = 7;
  EXPECT_EQ(to_hex(encode_frame(hello)),
            "0300000061f85f84612f7631ce8d6d696e692d73796e632f302e31a0" + std::string(64, '1') +
                "c6840102030480a0" + std::string(64, '2') + "0780");
}

// Both sides of a test share the constant; another implementation does not.
TEST(SpecVectors, ExporterLabel) { EXPECT_EQ(kExporterLabel, "EXPORTER-ethnet-1"); }

TEST(SpecVectors, ProofDigest) {
  Exporter exporter{};
  exporter.fill(std::byte{0xee});
  EXPECT_EQ(
      to_hex(proof_digest(transport::Side::dialler, exporter, node_of(0xaa), node_of(0xbb)).view()),
      "dd5a84c07896d6a1e1ae357d83631638129a0495392ea5e2a3f9c8e8dd84f593");
}

}  // namespace
}  // namespace ethnet::session
