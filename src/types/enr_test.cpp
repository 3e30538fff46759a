// EIP-778's record and constructed cases (enr/eip778.json, enr/enode_urls.json), round trips.
#include "enr.hpp"

#include <map>

#include <codec/base64url.hpp>
#include <codec/testing/vectors.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace ethnet {
namespace {

using base64url::Base64Error;
using nlohmann::json;
using rlp::RlpError;

std::string message(const json& record_rlp) {
  const auto verdict = VerifiedEnr::decode(testing::hex_bytes(record_rlp));
  return verdict ? "accepted" : verdict.error().message();
}

void expect_pairs(const Enr& record, const json& pairs) {
  std::size_t i = 0;
  record.for_each_pair([&](ByteView key, ByteView value) {
    EXPECT_EQ(to_hex_0x(key), pairs.at(i)["key_hex"].get<std::string>());
    EXPECT_EQ(to_hex_0x(value), pairs.at(i)["value_rlp"].get<std::string>());
    ++i;
  });
  EXPECT_EQ(i, pairs.size());
}

TEST(EnrVectors, ExampleOfTheSpecification) {
  ETHNET_NEED_VECTORS();
  const json file = testing::read_json("enr/eip778.json");
  const json& example = file["example"];
  const VerifiedEnr record = VerifiedEnr::parse(example["text"].get<std::string>()).value();
  EXPECT_EQ(to_hex_0x(record->encoded()), example["rlp"].get<std::string>());
  EXPECT_EQ(record->text(), example["text"].get<std::string>());
  EXPECT_EQ(to_hex_0x(record->signature()), example["signature"].get<std::string>());
  EXPECT_EQ(to_hex_0x(record->content()), example["content_rlp"].get<std::string>());
  EXPECT_EQ(record.node_id().hex(), example["node_id"].get<std::string>());
  EXPECT_EQ(record->seq(), 1U);
  EXPECT_EQ(record->udp(), 30303);
  EXPECT_EQ(record->tcp(), std::nullopt);
  EXPECT_EQ(record->endpoint_v4("udp")->to_string(), "127.0.0.1:30303");
  expect_pairs(record.record(), example["pairs"]);
  // Signatures are deterministic: built anew with the same key it is the same record.
  const auto key =
      crypto::SecretKey::from_bytes(testing::hex_bytes(file["key"]["private_key"])).value();
  EXPECT_EQ(EnrBuilder{1}.ip(*record->ip()).udp(30303).sign(key).value(), record);
  testing::report_vectors("enr_example", 1);
}

TEST(EnrVectors, Valid) {
  ETHNET_NEED_VECTORS();
  const json cases = testing::read_json("enr/eip778.json")["valid"];
  for (const json& test : cases) {
    SCOPED_TRACE(test["name"].get<std::string>());
    const auto record = VerifiedEnr::decode(testing::hex_bytes(test["rlp"]));
    ASSERT_TRUE(record.has_value()) << record.error().message();
    EXPECT_EQ(VerifiedEnr::parse(test["text"].get<std::string>()), record);
    EXPECT_EQ((*record)->text(), test["text"].get<std::string>());
    EXPECT_EQ(std::to_string((*record)->seq()), test["seq"].get<std::string>());
    EXPECT_EQ(record->node_id().hex(), test["node_id"].get<std::string>());
    if (test.contains("pairs")) expect_pairs(record->record(), test["pairs"]);
    if (!test.contains("ip6")) continue;
    EXPECT_EQ((*record)->ip()->to_string(), test["ip"].get<std::string>());
    EXPECT_EQ((*record)->ip6()->to_string(), test["ip6"].get<std::string>());
    EXPECT_EQ((*record)->tcp(), test["tcp"].get<std::uint16_t>());
    EXPECT_EQ((*record)->tcp6(), test["tcp6"].get<std::uint16_t>());
    EXPECT_EQ((*record)->udp(), test["udp"].get<std::uint16_t>());
    EXPECT_EQ((*record)->udp6(), test["udp6"].get<std::uint16_t>());
    EXPECT_EQ((*record)->endpoint_v6("udp")->port, test["udp6"].get<std::uint16_t>());
  }
  EXPECT_EQ(cases.size(), 9U);
  testing::report_vectors("enr_valid", cases.size());
}

// The errors that fit each of the file's reasons.
bool fits(const Error& error, const std::string& reason) {
  const auto is = [&](auto... codes) { return (error.is(codes) || ...); };
  if (reason == "size_limit") return is(EnrError::too_large);
  if (reason == "key_order") return is(EnrError::key_order);
  if (reason == "duplicate_key") return is(EnrError::duplicate_key);
  if (reason == "signature") return is(EnrError::signature);
  if (reason == "identity_scheme") return is(EnrError::identity_scheme);
  if (reason == "public_key") return is(EnrError::public_key);
  if (reason == "rlp_integer") return is(RlpError::leading_zero, RlpError::overflow);
  if (reason == "rlp_canonical") {
    return is(RlpError::non_canonical_byte, RlpError::non_canonical_size);
  }
  if (reason == "rlp_type") return is(RlpError::expected_list, RlpError::expected_string);
  if (reason == "trailing_bytes") return is(RlpError::trailing_bytes);
  if (reason == "rlp_length" || reason == "empty") return is(RlpError::truncated);
  if (reason == "incomplete_list") return is(EnrError::incomplete_list);
  if (reason == "incomplete_pair") return is(EnrError::incomplete_pair);
  return false;
}

TEST(EnrVectors, InvalidEachForItsOwnReason) {
  ETHNET_NEED_VECTORS();
  const json cases = testing::read_json("enr/eip778.json")["invalid"];
  for (const json& test : cases) {
    SCOPED_TRACE(test["name"].get<std::string>());
    const auto verdict = VerifiedEnr::decode(testing::hex_bytes(test["rlp"]));
    ASSERT_FALSE(verdict.has_value());
    EXPECT_TRUE(fits(verdict.error(), test["reason"].get<std::string>()))
        << verdict.error().message() << " for " << test["reason"];
    const auto text = VerifiedEnr::parse(test["text"].get<std::string>());
    ASSERT_FALSE(text.has_value());
    EXPECT_EQ(text.error().what(), verdict.error().what());
  }
  EXPECT_EQ(cases.size(), 40U);
  testing::report_vectors("enr_invalid", cases.size());
}

TEST(EnrVectors, WhatTheSpecificationLeavesOpen) {
  ETHNET_NEED_VECTORS();
  const json cases = testing::read_json("enr/eip778.json")["implementation_defined"];
  std::map<std::string, json> by_name;
  for (const json& test : cases) by_name[test["name"].get<std::string>()] = test["rlp"];
  const auto record = [&](const char* name) {
    return Enr::decode(testing::hex_bytes(by_name.at(name))).value();
  };
  EXPECT_EQ(message(by_name.at("high_s_signature")), Error{EnrError::signature}.message());
  for (const auto name : {"udp_leading_zero", "udp_out_of_range", "ip_3_bytes", "ip_is_list"}) {
    EXPECT_EQ(message(by_name.at(name)), "accepted") << name;
  }
  EXPECT_EQ(record("udp_leading_zero").udp(), std::nullopt);
  EXPECT_EQ(record("udp_out_of_range").udp(), std::nullopt);
  EXPECT_EQ(record("ip_3_bytes").ip(), std::nullopt);
  EXPECT_EQ(record("ip_is_list").ip(), std::nullopt);
  EXPECT_EQ(cases.size(), 5U);
  testing::report_vectors("enr_implementation_defined", cases.size());
}

TEST(EnrVectors, TextIsStrict) {
  ETHNET_NEED_VECTORS();
  const json cases = testing::read_json("enr/eip778.json")["text_forms"];
  const auto is_reason = [](const Error& error, const std::string& name) {
    if (name == "no_prefix" || name == "upper_case_prefix") return error.is(EnrError::text_prefix);
    if (name == "trailing_bits_set") return error.is(Base64Error::stray_bits);
    if (name == "empty_body") return error.is(RlpError::truncated);
    return error.is(Base64Error::bad_character);
  };
  for (const json& test : cases) {
    SCOPED_TRACE(test["name"].get<std::string>());
    const auto verdict = VerifiedEnr::parse(test["text"].get<std::string>());
    ASSERT_FALSE(verdict.has_value());
    EXPECT_TRUE(is_reason(verdict.error(), test["name"].get<std::string>()))
        << verdict.error().message();
  }
  EXPECT_EQ(cases.size(), 8U);
  testing::report_vectors("enr_text", cases.size());
}

TEST(EnrVectors, RecordsOfGoEthereum) {
  ETHNET_NEED_VECTORS();
  const json cases = testing::read_json("enr/enode_urls.json")["records"];
  const auto is_reason = [](const Error& error, const std::string& reason) {
    if (reason == "empty_record") return error.is(RlpError::truncated);
    if (reason == "base64") return error.domain() == "base64url";
    return error.is(EnrError::signature);
  };
  for (const json& test : cases) {
    const auto text = test["input"].get<std::string>();
    SCOPED_TRACE(text);
    const auto verdict = VerifiedEnr::parse(text);
    ASSERT_EQ(verdict.has_value(), test["expect"] == "accept");
    if (!verdict) {
      EXPECT_TRUE(is_reason(verdict.error(), test["reason"].get<std::string>()));
      continue;
    }
    EXPECT_EQ((*verdict)->text(), text);
    EXPECT_EQ(to_hex_0x(verdict->public_key().xy()), test["public_key_xy"].get<std::string>());
    EXPECT_EQ(verdict->node_id().hex(), test["node_id"].get<std::string>());
    EXPECT_EQ((*verdict)->ip()->to_string(), test["ip"].get<std::string>());
    EXPECT_EQ((*verdict)->udp(), test["udp"].get<std::uint16_t>());
    EXPECT_EQ(to_hex_0x((*verdict)->encoded()), test["rlp"].get<std::string>());
  }
  EXPECT_EQ(cases.size(), 4U);
  testing::report_vectors("enr_go_ethereum", cases.size());
}

// --- without vectors ------------------------------------------------------------------------

crypto::SecretKey test_key(std::uint8_t tag = 7) {
  ByteArray<32> bytes{};
  bytes.back() = std::byte{tag};
  return crypto::SecretKey::from_bytes(bytes).value();
}

TEST(EnrBuilder, KeepsWhatItIsGiven) {
  const ForkId fork{{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}}, 99};
  const VerifiedEnr first = EnrBuilder{41}
                                .ip(IpAddress::loopback_v4())
                                .ip(IpAddress::loopback_v6())
                                .quic(9001)
                                .fork_id(fork)
                                .bytes("client", text_bytes("EthNet"))
                                .sign(test_key())
                                .value();
  EXPECT_EQ(first->endpoint_v4("quic")->to_string(), "127.0.0.1:9001");
  EXPECT_EQ(first->endpoint_v6("quic")->to_string(), "[::1]:9001");  // no quic6: the plain port
  EXPECT_EQ(first->fork_id(), fork);
  EXPECT_EQ(first->endpoint_v4("udp"), std::nullopt);
  const VerifiedEnr second =
      EnrBuilder{42, first.record()}.erase("client").quic6(9002).sign(test_key()).value();
  EXPECT_EQ(second->seq(), 42U);
  EXPECT_EQ(second.node_id(), first.node_id());
  EXPECT_EQ(second->find("client"), std::nullopt);
  EXPECT_EQ(second->endpoint_v6("quic")->port, 9002);
  EXPECT_EQ(second->fork_id(), fork);
}

TEST(EnrBuilder, RefusesToExceedTheLimit) {
  const Bytes filler(300);
  const auto record = EnrBuilder{1}.bytes("filler", filler).sign(test_key());
  ASSERT_FALSE(record.has_value());
  EXPECT_TRUE(record.error().is(EnrError::too_large));
}

// A record that says "ip6" and means IPv4 would slip an IPv4 address past whoever asks for IPv6.
TEST(Enr, AMappedAddressIsNoIp6) {
  const Bytes mapped = from_hex("00000000000000000000ffff0a010203").value();
  const VerifiedEnr record =
      EnrBuilder{1}.bytes("ip6", mapped).quic6(9).quic(9).sign(test_key()).value();
  EXPECT_EQ(record->ip6(), std::nullopt);
  EXPECT_EQ(record->endpoint_v6("quic"), std::nullopt);
  EXPECT_EQ(record->endpoint_v4("quic"), std::nullopt);
  EXPECT_TRUE(record->find("ip6").has_value());
}

TEST(Enr, atk_25_APortOfMoreThan16BitsIsNamedAndSpoilsNothingElse) {
  const auto key = crypto::SecretKey::from_bytes(Bytes(32, std::byte{7})).value();
  for (const std::string_view port : {"tcp", "tcp6", "udp", "udp6", "quic", "quic6"}) {
    for (const std::uint64_t value : {0U, 1U, 65'535U, 65'536U}) {
      const auto record = EnrBuilder{1}.uint("other", 70'000).uint(port, value).sign(key).value();
      EXPECT_EQ(record->malformed_port().has_value(), value > 65'535) << port << value;
      EXPECT_EQ(record->malformed_port().value_or(port), port);
    }
  }
  EXPECT_TRUE(EnrBuilder{1}.raw("udp", Bytes{std::byte{0xc0}}).sign(key).value()->malformed_port());
}

TEST(Enr, ForkIdToleratesLaterElementsOnly) {
  const auto with_eth = [](std::string_view value) {
    const Bytes raw = from_hex(value).value();
    return EnrBuilder{1}.raw("eth", raw).sign(test_key()).value()->fork_id();
  };
  EXPECT_EQ(with_eth("c7c6840000000080")->next, 0U);
  EXPECT_EQ(with_eth("c8c684000000008001")->next, 0U);
  EXPECT_EQ(with_eth("c0"), std::nullopt);
  EXPECT_EQ(with_eth("80"), std::nullopt);
  EXPECT_EQ(with_eth("c8c784000000008001"), std::nullopt);
}

TEST(EnrProperties, RoundTrip) {
  EXPECT_TRUE(rc::check("what is built decodes to itself, as bytes and as text", [] {
    EnrBuilder builder{*rc::gen::arbitrary<std::uint64_t>()};
    const auto pairs = *rc::gen::container<std::map<std::string, std::string>>(
        rc::gen::container<std::string>(rc::gen::inRange('a', 'd')),
        rc::gen::arbitrary<std::string>());
    for (const auto& [key, value] : pairs) builder.bytes(key, text_bytes(value));
    const auto record = builder.sign(test_key(*rc::gen::inRange<std::uint8_t>(1, 255)));
    if (!record) {
      RC_ASSERT(record.error().is(EnrError::too_large));
      return;
    }
    RC_ASSERT(VerifiedEnr::decode((*record)->encoded()).value() == *record);
    RC_ASSERT(VerifiedEnr::parse((*record)->text()).value() == *record);
    RC_ASSERT((*record)->text().size() <= kMaxEnrText);
    for (const auto& [key, value] : pairs) {
      RC_ASSERT(equal((*record)->find(key).value(), text_bytes(value)));
    }
  }));
}

TEST(EnrProperties, AnyChangedBitIsRefused) {
  const VerifiedEnr record =
      EnrBuilder{7}.ip(IpAddress::loopback_v4()).udp(9).sign(test_key()).value();
  for (std::size_t bit = 0; bit < record->encoded().size() * 8; ++bit) {
    Bytes changed = to_bytes(record->encoded());
    changed[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_FALSE(VerifiedEnr::decode(changed).has_value()) << "bit " << bit;
  }
}

TEST(EnrProperties, AnyChangedByteOfAnyRecordIsRefused) {
  EXPECT_TRUE(rc::check("a record with a byte changed, cut off or added is refused", [] {
    EnrBuilder builder{*rc::gen::arbitrary<std::uint64_t>()};
    if (*rc::gen::arbitrary<bool>()) builder.ip(IpAddress::loopback_v4());
    if (*rc::gen::arbitrary<bool>()) builder.ip(IpAddress::loopback_v6()).quic6(7);
    if (*rc::gen::arbitrary<bool>()) builder.fork_id({{}, 5});
    builder.quic(*rc::gen::arbitrary<std::uint16_t>());
    const VerifiedEnr record =
        builder.sign(test_key(*rc::gen::inRange<std::uint8_t>(1, 255))).value();
    Bytes changed = to_bytes(record->encoded());
    const auto at = *rc::gen::inRange<std::size_t>(0, changed.size());
    changed[at] ^= std::byte{*rc::gen::inRange<std::uint8_t>(1, 255)};
    RC_ASSERT(!VerifiedEnr::decode(changed).has_value());
    RC_ASSERT(!VerifiedEnr::decode(record->encoded().first(at)).has_value());
    Bytes longer = to_bytes(record->encoded());
    longer.push_back(changed[at]);
    RC_ASSERT(!VerifiedEnr::decode(longer).has_value());
  }));
}

// A record whose "secp256k1" is `key`. Its signature is nothing: the key is judged first.
Bytes record_with_key(ByteView key) {
  rlp::Writer out;
  const auto list = out.begin_list();
  out.write_bytes(Bytes(64, std::byte{1}));
  out.write_uint(1);
  out.write_text("id");
  out.write_text("v4");
  out.write_text("secp256k1");
  out.write_bytes(key);
  out.end_list(list);
  return std::move(out).take();
}

// The points of attacks 2 to 4 at this place of decoding: each is no public key, before any
// signature is looked at.
TEST(Enr, atk_03_NoRecordHasAKeyOffTheCurve) {
  const auto fault = [](ByteView key) { return VerifiedEnr::decode(record_with_key(key)).error(); };
  EXPECT_EQ(fault(test_key().public_key().compressed()), Error{EnrError::signature});
  EXPECT_EQ(fault(test_key().public_key().xy()), Error{EnrError::public_key});
  for (const std::string_view x :
       {"0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000005",  // of the twist
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",  // p
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30",  // p + 1
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}) {
    for (const std::string_view prefix : {"02", "03", "04", "00"}) {
      const Bytes key = from_hex(std::string{prefix} + std::string{x}).value();
      EXPECT_EQ(fault(key), Error{EnrError::public_key}) << prefix << x;
    }
  }
  EXPECT_EQ(fault({}), Error{EnrError::public_key});
  EXPECT_EQ(fault(Bytes(1)), Error{EnrError::public_key});
}

}  // namespace
}  // namespace ethnet
