// devp2p's discv5-wire-test-vectors.md: the primitives, and its handshakes as node A sends them and
// node B takes them.
#include <crypto/aes.hpp>
#include <gtest/gtest.h>

#include "../testing/rig.hpp"
#include "../testing/vector_files.hpp"
#include "handshake.hpp"
#include "sessions.hpp"

namespace ethnet::discv5 {
namespace {

using ethnet::testing::hex_bytes;
using ethnet::testing::read_json;
using testing::fixed;
using testing::json_id;
using testing::PacketFile;
using testing::read_packet_file;
using Json = nlohmann::json;

crypto::SecretKey secret(const Json& text) {
  return crypto::SecretKey::from_bytes(hex_bytes(text)).value();
}
crypto::PublicKey point(const Json& text) {
  return crypto::PublicKey::parse(hex_bytes(text)).value();
}

TEST(SessionVectors, Primitives) {
  ETHNET_NEED_VECTORS();
  const Json all = read_json("discv5/primitives.json");
  std::size_t count = 0;
  for (const Json& v : all.at("ecdh")) {
    const auto shared =
        crypto::ecdh_compressed(secret(v.at("secret_key")), point(v.at("public_key")));
    EXPECT_EQ(to_bytes(shared.view()), hex_bytes(v.at("shared_secret")));
    ++count;
  }
  for (const Json& v : all.at("key_derivation")) {
    const auto keys = derive_keys(secret(v.at("ephemeral_key")), point(v.at("dest_pubkey")),
                                  json_id(v.at("node_id_a")), json_id(v.at("node_id_b")),
                                  hex_bytes(v.at("challenge_data")));
    EXPECT_EQ(to_bytes(keys.initiator.view()), hex_bytes(v.at("initiator_key")));
    EXPECT_EQ(to_bytes(keys.recipient.view()), hex_bytes(v.at("recipient_key")));
    ++count;
  }
  for (const Json& v : all.at("id_nonce_signing")) {
    const Bytes data = hex_bytes(v.at("challenge_data"));
    const auto ephemeral = fixed<33>(hex_bytes(v.at("ephemeral_pubkey")));
    const NodeId node_b = json_id(v.at("node_id_b"));
    const auto key = secret(v.at("static_key"));
    EXPECT_EQ(to_bytes(id_signature_digest(data, ephemeral, node_b)),
              hex_bytes(v.at("id_signature_input_sha256")));
    const auto signature = sign_id(key, data, ephemeral, node_b);
    EXPECT_EQ(to_bytes(signature), hex_bytes(v.at("id_signature")));
    EXPECT_TRUE(verify_id(key.public_key(), signature, data, ephemeral, node_b).has_value());
    ++count;
  }
  for (const Json& v : all.at("encryption")) {
    crypto::AesGcmAnyKey gcm;
    const Bytes plain = hex_bytes(v.at("plaintext"));
    Bytes sealed(plain.size() + crypto::kGcmTagSize);
    ASSERT_TRUE(gcm.seal_into(hex_bytes(v.at("encryption_key")), hex_bytes(v.at("nonce")),
                              hex_bytes(v.at("additional_data")), plain, sealed)
                    .has_value());
    EXPECT_EQ(sealed, hex_bytes(v.at("message_ciphertext")));
    ++count;
  }
  EXPECT_EQ(count, 4U);
  ethnet::testing::report_vectors("discv5_primitives", count);
}

// Gives a node what a vector fixes: the ephemeral key, random bytes of the nonce, the masking-iv.
class ScriptedRng final : public SecureRng {
 public:
  explicit ScriptedRng(Bytes script) : script_{std::move(script)} {}
  void fill(MutByteView out) noexcept override {
    CHECK(at_ + out.size() <= script_.size());
    copy_into(out, ByteView{script_}.subspan(at_, out.size()));
    at_ += out.size();
  }

 private:
  Bytes script_;
  std::size_t at_ = 0;
};

struct Keys {
  std::shared_ptr<const crypto::SecretKey> a;
  std::shared_ptr<const crypto::SecretKey> b;
};
Keys read_keys() {
  const Json keys = read_json("discv5/primitives.json").at("private_keys");
  return {std::make_shared<const crypto::SecretKey>(secret(keys.at("node_a"))),
          std::make_shared<const crypto::SecretKey>(secret(keys.at("node_b")))};
}

// Node A's record: in the vector that sends it; signed anew, it is the same bytes.
EnrPtr record_of_a() {
  const PacketFile file = read_packet_file("v5.1-ping-handshake-enr.txt");
  PacketCodec codec;
  PacketBuffer buffer{};
  const auto packet = codec.decode(file.id("dest-node-id"), file.packet, buffer);
  const auto& handshake = std::get<Handshake>(packet.value().header.authdata);
  return std::make_shared<const VerifiedEnr>(VerifiedEnr::decode(handshake.record).value());
}

ChallengeReceived challenge_of(const PacketFile& file, const Bytes& data, const Endpoint& from) {
  return {from, fixed<12>(file.bytes("whoareyou.request-nonce")),
          Whoareyou{fixed<16>(file.bytes("whoareyou.id-nonce")), file.number("whoareyou.enr-seq")},
          data};
}

// The id-signature and the keys of both handshakes, from node A's side: the vectors' nonce ff…ff is
// none that a counter gives, so the packet is put together here.
TEST(SessionVectors, NodeAMakesTheHandshakes) {
  ETHNET_NEED_VECTORS();
  const Keys keys = read_keys();
  std::size_t count = 0;
  for (const std::string name : {"v5.1-ping-handshake.txt", "v5.1-ping-handshake-enr.txt"}) {
    SCOPED_TRACE(name);
    const PacketFile file = read_packet_file(name);
    const NodeId a = file.id("src-node-id");
    const NodeId b = file.id("dest-node-id");
    EXPECT_EQ(make_node_id(keys.a->public_key()), a);
    EXPECT_EQ(make_node_id(keys.b->public_key()), b);
    const Bytes data = file.bytes("whoareyou.challenge-data");
    const auto ephemeral = crypto::SecretKey::from_bytes(file.bytes("ephemeral-key")).value();
    EXPECT_EQ(to_bytes(ephemeral.public_key().compressed()), file.bytes("ephemeral-pubkey"));
    const auto shared = derive_keys(ephemeral, keys.b->public_key(), a, b, data);
    EXPECT_EQ(to_bytes(shared.initiator.view()), file.bytes("read-key"));

    Handshake handshake{.source = a, .ephemeral_key = ephemeral.public_key().compressed()};
    handshake.id_signature = sign_id(*keys.a, data, handshake.ephemeral_key, b);
    const EnrPtr record = record_of_a();
    if (file.number("whoareyou.enr-seq") == 0) handshake.record = record->record().encoded();
    PacketCodec codec;
    PacketBuffer made{};
    const Header header{.nonce = fixed<12>(file.bytes("nonce")), .authdata = handshake};
    const Bytes ping = from_hex("01c6840000000101").value();
    const auto size = codec.encode_sealed(b, header, shared.initiator.view(), ping, made);
    ASSERT_TRUE(size.has_value());
    EXPECT_EQ(to_bytes(ByteView{made}.first(*size)), file.packet);
    ++count;
  }
  ethnet::testing::report_vectors("discv5_handshake_made", count);
}

// The session table of node A, given the vector's ephemeral key, derives the vector's key.
TEST(SessionVectors, TheTableOfNodeAAnswersTheChallengeWithTheVectorsKeys) {
  ETHNET_NEED_VECTORS();
  const Keys keys = read_keys();
  const PacketFile file = read_packet_file("v5.1-ping-handshake-enr.txt");
  Bytes script(32);  // keys of the two tables
  append(script, file.bytes("ephemeral-key"));
  script.resize(script.size() + 8 + 16);  // nonce, masking-iv
  ScriptedRng rng{script};
  Sessions sessions{keys.a, record_of_a(), rng};
  const Bytes data = file.bytes("whoareyou.challenge-data");
  const Peer b{file.id("dest-node-id"), testing::place_of(2)};
  const Bytes ping = from_hex("01c6840000000101").value();
  PacketBuffer out{};
  const auto sealed =
      sessions.answer_challenge(b, keys.b->public_key(), challenge_of(file, data, b.at), ping, out);
  ASSERT_TRUE(sealed.has_value());
  PacketCodec codec;
  PacketBuffer buffer{};
  const auto packet = codec.decode(b.id, ByteView{out}.first(sealed->size), buffer);
  ASSERT_TRUE(packet.has_value());
  const auto plain = codec.open(*packet, file.bytes("read-key"));
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(to_bytes(*plain), ping);
  // Header and signature are the vector's, the nonce apart.
  const auto vector = codec.decode(b.id, file.packet, buffer);
  const auto& expected = std::get<Handshake>(vector.value().header.authdata);
  PacketBuffer other{};
  const auto ours = codec.decode(b.id, ByteView{out}.first(sealed->size), other);
  const auto& made = std::get<Handshake>(ours.value().header.authdata);
  EXPECT_EQ(made.id_signature, expected.id_signature);
  EXPECT_EQ(made.ephemeral_key, expected.ephemeral_key);
  EXPECT_TRUE(equal(made.record, expected.record));
  ethnet::testing::report_vectors("discv5_challenge_answered", 1);
}

// Node B made the vector's challenge, and takes the vector's packet.
TEST(SessionVectors, TheTableOfNodeBTakesTheHandshakes) {
  ETHNET_NEED_VECTORS();
  const Keys keys = read_keys();
  std::size_t count = 0;
  for (const std::string name : {"v5.1-ping-handshake.txt", "v5.1-ping-handshake-enr.txt"}) {
    SCOPED_TRACE(name);
    const PacketFile file = read_packet_file(name);
    const bool knows_a = file.number("whoareyou.enr-seq") == 1;
    Bytes script(32);
    append(script, file.bytes("whoareyou.id-nonce"));
    script.resize(script.size() + 16);  // masking-iv
    ScriptedRng rng{script};
    const auto record_b = std::make_shared<const VerifiedEnr>(EnrBuilder{1}.sign(*keys.b).value());
    Sessions sessions{keys.b, record_b, rng};
    const Peer a{file.id("src-node-id"), testing::place_of(1)};
    const Unreadable unreadable{a, fixed<12>(file.bytes("whoareyou.request-nonce"))};
    PacketBuffer out{};
    const std::size_t size = sessions.make_challenge(testing::at(seconds(0)), unreadable,
                                                     knows_a ? record_of_a() : nullptr, out);
    PacketCodec codec;
    PacketBuffer buffer{};
    const auto challenge = codec.decode(a.id, ByteView{out}.first(size), buffer);
    ASSERT_TRUE(challenge.has_value());
    EXPECT_EQ(to_bytes(challenge->header_bytes), file.bytes("whoareyou.challenge-data"));

    const auto packet = sessions.decode(file.packet, buffer);
    ASSERT_TRUE(packet.has_value());
    const auto received = sessions.handle_packet(testing::at(milliseconds(500)), a.at, *packet);
    ASSERT_TRUE(received.has_value()) << received.error().message();
    const auto& message = std::get<MessageReceived>(*received);
    EXPECT_EQ(message.from, a);
    EXPECT_EQ(to_hex(message.plain), "01c6840000000101");
    ASSERT_NE(message.established, nullptr);
    EXPECT_EQ(message.established->node_id(), a.id);
    EXPECT_TRUE(sessions.has_session(a));
    ++count;
  }
  ethnet::testing::report_vectors("discv5_handshake_taken", count);
}

}  // namespace
}  // namespace ethnet::discv5
