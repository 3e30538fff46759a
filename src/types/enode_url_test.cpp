// go-ethereum's URL cases (enr/enode_urls.json); distances between nodes.
#include "enode_url.hpp"

#include <codec/testing/vectors.hpp>
#include <gtest/gtest.h>

#include "node_id.hpp"

namespace ethnet {
namespace {

using nlohmann::json;

bool fits(const Error& error, const std::string& reason) {
  if (reason == "missing_prefix") return error.is(EnodeError::missing_prefix);
  if (reason == "public_key_length") return error.is(EnodeError::public_key_length);
  if (reason == "port") return error.is(EnodeError::port);
  if (reason == "discport") return error.is(EnodeError::discport);
  return false;
}

TEST(EnodeVectors, GoEthereum) {
  ETHNET_NEED_VECTORS();
  const json cases = testing::read_json("enr/enode_urls.json")["enode_urls"];
  for (const json& test : cases) {
    const auto text = test["input"].get<std::string>();
    SCOPED_TRACE(text);
    const auto url = EnodeUrl::parse(text);
    ASSERT_EQ(url.has_value(), test["expect"] == "accept");
    if (!url) {
      EXPECT_TRUE(fits(url.error(), test["reason"].get<std::string>())) << url.error().message();
      continue;
    }
    EXPECT_EQ(to_hex_0x(url->key.xy()), test["public_key_xy"].get<std::string>());
    EXPECT_EQ(make_node_id(url->key).hex(), test["node_id"].get<std::string>());
    EXPECT_EQ(url->ip ? json(url->ip->to_string()) : json(), test["ip"]);
    EXPECT_EQ(url->host_name,
              test["hostname"].is_null() ? "" : test["hostname"].get<std::string>());
    EXPECT_EQ(url->tcp, test["tcp"].get<std::uint16_t>());
    EXPECT_EQ(url->udp, test["udp"].get<std::uint16_t>());
    EXPECT_EQ(url->to_string() == text, test["canonical"].get<bool>());
  }
  EXPECT_EQ(cases.size(), 15U);
  testing::report_vectors("enode_urls", cases.size());
}

std::string digits() {
  ByteArray<32> secret{};
  secret.back() = std::byte{1};
  return to_hex(crypto::SecretKey::from_bytes(secret).value().public_key().xy());
}

TEST(EnodeUrl, EachFaultHasItsError) {
  constexpr std::uint64_t kHostAt = 8 + 128 + 1;
  const auto error = [](const std::string& rest) {
    const auto url = EnodeUrl::parse("enode://" + rest);
    return url ? Error{EnodeError::missing_prefix} : url.error();
  };
  EXPECT_EQ(error(std::string(128, 'g') + "@1.2.3.4:5"), Error(EnodeError::public_key, 8));
  EXPECT_EQ(error(std::string(128, '1') + "@1.2.3.4:5"), Error(EnodeError::public_key, 8));
  EXPECT_EQ(error("0x" + digits().substr(2)), Error(EnodeError::public_key, 8));
  for (const auto host : {"", "::1", "[1.2.3.4]", "[::g]", "1.2.3", "1.2.3.256", "a..b", ".a",
                          "a b", "[::1", "[fe80::1%25eth0]"}) {
    EXPECT_EQ(error(digits() + "@" + host + ":5"), Error(EnodeError::host, kHostAt)) << host;
  }
  EXPECT_EQ(error(digits() + "@1.2.3.4"), Error(EnodeError::port, kHostAt + 7));
  EXPECT_EQ(error(digits() + "@[::1]"), Error(EnodeError::port, kHostAt + 5));
  EXPECT_EQ(error(digits() + "@1.2.3.4:65536"), Error(EnodeError::port, kHostAt + 8));
  EXPECT_EQ(error(digits() + "@1.2.3.4:5/"), Error(EnodeError::port, kHostAt + 8));
  EXPECT_EQ(error(digits() + "@a:5?x=1"), Error(EnodeError::unknown_query, kHostAt + 4));
  EXPECT_EQ(error(digits() + "@a:5?discport="), Error(EnodeError::discport, kHostAt + 13));
  EXPECT_EQ(error(digits() + "@" + std::string(254, 'a') + ":5"), Error(EnodeError::host, kHostAt));
  EXPECT_EQ(error(digits() + "@" + std::string(400, 'a') + ":5"), Error(EnodeError::too_long, 512));
}

TEST(EnodeUrl, PrintsCanonically) {
  std::string upper = digits();
  for (char& c : upper) c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  const auto canonical = [](const std::string& text) {
    return EnodeUrl::parse(text).value().to_string();
  };
  EXPECT_EQ(canonical("enode://" + upper + "@[0:0::1]:5?discport=5"),
            "enode://" + digits() + "@[::1]:5");
  EXPECT_EQ(canonical("enode://" + digits() + "@node-1.example_2.org:5?discport=0"),
            "enode://" + digits() + "@node-1.example_2.org:5?discport=0");
}

TEST(NodeId, DistancesAndAddress) {
  NodeId zero;
  NodeId one;
  one.bytes[31] = std::byte{1};
  NodeId high;
  high.bytes[0] = std::byte{0x80};
  NodeId middle;
  middle.bytes[1] = std::byte{0x10};
  EXPECT_EQ(log_distance(zero, zero), 0U);
  EXPECT_EQ(log_distance(zero, one), 1U);
  EXPECT_EQ(log_distance(zero, middle), 245U);
  EXPECT_EQ(log_distance(one, high), 256U);
  EXPECT_TRUE(closer(zero, one, middle));
  EXPECT_FALSE(closer(high, middle, one));
  EXPECT_FALSE(closer(zero, one, one));
  // The address of the secret key 1 is widely known.
  ByteArray<32> secret{};
  secret.back() = std::byte{1};
  const auto key = crypto::SecretKey::from_bytes(secret).value().public_key();
  EXPECT_EQ(make_address(key).hex(), "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf");
}

}  // namespace
}  // namespace ethnet
