// The four packets of devp2p's discv5-wire-test-vectors.md: parsed, and made again bit for bit.
#include <gtest/gtest.h>

#include "../testing/vector_files.hpp"
#include "message.hpp"
#include "packet.hpp"

namespace ethnet::discv5 {
namespace {

using testing::fixed;
using testing::PacketFile;
using testing::read_packet_file;

Bytes ping_of(const PacketFile& file) {
  const Ping ping{RequestId::from_bytes(file.bytes("ping.req-id")).value(),
                  file.number("ping.enr-seq")};
  Bytes plain(encoded_size(ping));
  EXPECT_EQ(encode_message(ping, plain), plain.size());
  return plain;
}

// What node B finds in the packet of a file; `seal` again gives the file.
void expect_sealed(const PacketFile& file) {
  PacketCodec codec;
  PacketBuffer buffer{};
  const auto packet = codec.decode(file.id("dest-node-id"), file.packet, buffer);
  ASSERT_TRUE(packet.has_value()) << packet.error().message();
  EXPECT_EQ(to_bytes(packet->header.nonce), file.bytes("nonce"));
  const auto plain = codec.open(*packet, file.bytes("read-key"));
  ASSERT_TRUE(plain.has_value()) << plain.error().message();
  EXPECT_EQ(to_bytes(*plain), ping_of(file));
  const auto message = decode_message(*plain);
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(std::get<Ping>(*message).enr_seq, file.number("ping.enr-seq"));

  PacketBuffer made{};
  const auto size = codec.encode_sealed(file.id("dest-node-id"), packet->header,
                                        file.bytes("read-key"), ping_of(file), made);
  ASSERT_TRUE(size.has_value());
  EXPECT_EQ(to_bytes(ByteView{made}.first(*size)), file.packet);
}

TEST(WireVectors, PingMessage) {
  ETHNET_NEED_VECTORS();
  const PacketFile file = read_packet_file("v5.1-ping-message.txt");
  expect_sealed(file);
  // From its values alone.
  PacketCodec codec;
  PacketBuffer made{};
  const Header header{.nonce = fixed<12>(file.bytes("nonce")),
                      .authdata = Ordinary{file.id("src-node-id")}};
  const auto size = codec.encode_sealed(file.id("dest-node-id"), header, file.bytes("read-key"),
                                        ping_of(file), made);
  ASSERT_TRUE(size.has_value());
  EXPECT_EQ(to_bytes(ByteView{made}.first(*size)), file.packet);
  ethnet::testing::report_vectors("discv5_ping_message", 1);
}

TEST(WireVectors, WhoareyouPacket) {
  ETHNET_NEED_VECTORS();
  const PacketFile file = read_packet_file("v5.1-whoareyou.txt");
  PacketCodec codec;
  PacketBuffer buffer{};
  const auto packet = codec.decode(file.id("dest-node-id"), file.packet, buffer);
  ASSERT_TRUE(packet.has_value()) << packet.error().message();
  EXPECT_EQ(to_bytes(packet->header_bytes), file.bytes("whoareyou.challenge-data"));
  EXPECT_EQ(to_bytes(packet->header.nonce), file.bytes("whoareyou.request-nonce"));
  const Whoareyou expected{fixed<16>(file.bytes("whoareyou.id-nonce")),
                           file.number("whoareyou.enr-seq")};
  EXPECT_EQ(std::get<Whoareyou>(packet->header.authdata), expected);

  ChallengeData data{};
  write_header({.nonce = packet->header.nonce, .authdata = expected}, data);
  EXPECT_EQ(to_bytes(data), file.bytes("whoareyou.challenge-data"));
  PacketBuffer made{};
  const std::size_t size = codec.encode_whoareyou(file.id("dest-node-id"), data, made);
  EXPECT_EQ(to_bytes(ByteView{made}.first(size)), file.packet);
  ethnet::testing::report_vectors("discv5_whoareyou", 1);
}

TEST(WireVectors, HandshakePackets) {
  ETHNET_NEED_VECTORS();
  for (const std::string name : {"v5.1-ping-handshake.txt", "v5.1-ping-handshake-enr.txt"}) {
    SCOPED_TRACE(name);
    const PacketFile file = read_packet_file(name);
    expect_sealed(file);
    PacketCodec codec;
    PacketBuffer buffer{};
    const auto packet = codec.decode(file.id("dest-node-id"), file.packet, buffer);
    ASSERT_TRUE(packet.has_value());
    const auto& handshake = std::get<Handshake>(packet->header.authdata);
    EXPECT_EQ(handshake.source, file.id("src-node-id"));
    EXPECT_EQ(to_bytes(handshake.ephemeral_key), file.bytes("ephemeral-pubkey"));
    EXPECT_EQ(handshake.record.empty(), file.number("whoareyou.enr-seq") == 1);
  }
  ethnet::testing::report_vectors("discv5_handshake", 2);
}

}  // namespace
}  // namespace ethnet::discv5
