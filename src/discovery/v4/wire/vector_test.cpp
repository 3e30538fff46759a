// The packets of EIP-8, which must be accepted whatever stands in and behind their lists, and a
// plain one, of which all that is signed is made again bit for bit.
#include <codec/testing/vectors.hpp>
#include <gtest/gtest.h>

#include "../testing/packets.hpp"
#include "packet.hpp"

namespace ethnet::discv4 {
namespace {

using ethnet::testing::hex_bytes;
using nlohmann::json;

Place place(const json& at) {
  return {IpAddress::parse(at["ip"].get<std::string>()).value(), at["udp"].get<std::uint16_t>(),
          at["tcp"].get<std::uint16_t>()};
}
template <std::size_t N>
ByteArray<N> fixed(const json& text) {
  ByteArray<N> out{};
  copy_into(out, hex_bytes(text));
  return out;
}

Message expected(const json& vector) {
  const json& fields = vector["decoded"];
  const auto expiration = fields["expiration"].get<std::uint64_t>();
  // The first element beyond those that EIP-8 knew, where it is a number.
  std::optional<std::uint64_t> seq;
  if (!fields["extra_elements_rlp"].empty()) {
    const Bytes extra = hex_bytes(fields["extra_elements_rlp"][0]);
    const auto number = rlp::Reader{extra}.read_uint<std::uint64_t>();
    if (number) seq = *number;
  }
  switch (static_cast<PacketType>(vector["packet_type"].get<int>())) {
    case PacketType::ping:
      return Ping{fields["version"].get<std::uint64_t>(), place(fields["from"]),
                  place(fields["to"]), expiration, seq};
    case PacketType::pong:
      return Pong{place(fields["to"]), Hash32{fixed<32>(fields["ping_hash"])}, expiration, seq};
    case PacketType::findnode:
      return FindNode{fixed<64>(fields["target"]), expiration};
    default:
      break;
  }
  Neighbors out;
  for (const json& node : fields["nodes"]) {
    out.nodes.push_back({place(node), fixed<64>(node["public_key_xy"])});
  }
  out.expiration = expiration;
  return out;
}

TEST(WireVectors, EveryPacketOfEip8IsAccepted) {
  ETHNET_NEED_VECTORS();
  const json file = ethnet::testing::read_json("discv4/eip8_packets.json");
  const auto key = crypto::SecretKey::from_bytes(hex_bytes(file["key"]["private_key"])).value();
  std::size_t count = 0;
  for (const char* list : {"packets", "plain_packets"}) {
    for (const json& vector : file[list]) {
      SCOPED_TRACE(vector["name"].get<std::string>());
      const Bytes packet = hex_bytes(vector["packet"]);
      const auto envelope = open(packet);
      ASSERT_TRUE(envelope.has_value()) << envelope.error().message();
      EXPECT_EQ(to_bytes(envelope->hash.view()), hex_bytes(vector["hash"]));
      EXPECT_EQ(recover_sender(*envelope), key.public_key());
      const auto message = decode_message(*envelope);
      ASSERT_TRUE(message.has_value()) << message.error().message();
      EXPECT_EQ(*message, expected(vector));
      EXPECT_TRUE(is_expired(*expiration_of(*message), testing::at({}).wall));
      if (std::string_view{list} == "plain_packets") {
        // Its signature has another nonce than RFC 6979 gives.
        const Bytes ours = testing::packet_of(*message, key);
        EXPECT_EQ(to_hex(ByteView{ours}.subspan(kHeaderBytes - 1)),
                  to_hex(ByteView{packet}.subspan(kHeaderBytes - 1)));
      }
      ++count;
    }
  }
  ethnet::testing::report_vectors("discv4", count);
}

}  // namespace
}  // namespace ethnet::discv4
