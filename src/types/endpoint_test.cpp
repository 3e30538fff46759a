#include "endpoint.hpp"

#include <set>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "hash.hpp"

namespace ethnet {
namespace {

std::string canonical(std::string_view text) {
  const auto ip = IpAddress::parse(text);
  return ip ? ip->to_string() : "refused";
}

TEST(IpAddress, PrintsRfc5952) {
  EXPECT_EQ(canonical("1.2.3.4"), "1.2.3.4");
  EXPECT_EQ(canonical("0.0.0.0"), "0.0.0.0");
  EXPECT_EQ(canonical("::"), "::");
  EXPECT_EQ(canonical("::1"), "::1");
  EXPECT_EQ(canonical("1::"), "1::");
  EXPECT_EQ(canonical("2001:DB8:0:0:0:0:0:1"), "2001:db8::1");
  EXPECT_EQ(canonical("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");  // one zero group stays
  EXPECT_EQ(canonical("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");           // the longest run
  EXPECT_EQ(canonical("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");     // the first of equals
  EXPECT_EQ(canonical("64:ff9b::192.0.2.33"), "64:ff9b::c000:221");
  EXPECT_EQ(canonical("1:2:3:4:5:6:7:8"), "1:2:3:4:5:6:7:8");
  EXPECT_EQ(canonical("1:2:3:4:5:6:7::"), "1:2:3:4:5:6:7:0");
}

TEST(IpAddress, V4MappedBecomesV4) {
  EXPECT_EQ(canonical("::ffff:10.1.2.3"), "10.1.2.3");
  EXPECT_EQ(canonical("::ffff:a01:203"), "10.1.2.3");
  EXPECT_TRUE(IpAddress::parse("::ffff:10.1.2.3")->is_v4());
}

TEST(IpAddress, RefusesWhatIsNotAnAddress) {
  for (const std::string_view text : {"",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "1.2.3.256",
                                      "01.2.3.4",
                                      "1.2.3.",
                                      "1.2.3.4 ",
                                      "+1.2.3.4",
                                      ":",
                                      ":::",
                                      "1::2::3",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1:2:3:4:5:6:7:8::",
                                      "12345::",
                                      "g::",
                                      ":1::2",
                                      "1:",
                                      "::1:",
                                      "1.2.3.4::",
                                      "::1.2.3",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "[::1]",
                                      "::-1",
                                      "localhost"}) {
    EXPECT_EQ(canonical(text), "refused") << text;
  }
}

// The scope would be dropped, and the address then mean another link's host.
TEST(IpAddress, RefusesAScope) {
  for (const std::string_view text :
       {"fe80::1%eth0", "fe80::1%2", "fe80::1%25eth0", "1.2.3.4%1", "%"}) {
    EXPECT_EQ(IpAddress::parse(text).error(), Error(EndpointError::scoped_address, text.find('%')));
  }
}

TEST(IpAddress, Classes) {
  const auto lan = [](std::string_view text) { return IpAddress::parse(text)->is_lan(); };
  for (const auto text : {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.9.9",
                          "fc00::1", "fdff::1", "fe80::1", "febf::1"}) {
    EXPECT_TRUE(lan(text)) << text;
  }
  for (const auto text : {"11.0.0.1", "172.15.0.1", "172.32.0.1", "192.169.1.1", "127.0.0.1",
                          "fe00::1", "fec0::1", "2001:db8::1", "::1"}) {
    EXPECT_FALSE(lan(text)) << text;
  }
  EXPECT_TRUE(IpAddress::parse("127.9.9.9")->is_loopback());
  EXPECT_TRUE(IpAddress::loopback_v4().is_loopback());
  EXPECT_TRUE(IpAddress::loopback_v6().is_loopback());
  EXPECT_FALSE(IpAddress::parse("::2")->is_loopback());
  EXPECT_TRUE(IpAddress{}.is_unspecified());
  EXPECT_TRUE(IpAddress::parse("::")->is_unspecified());
  EXPECT_FALSE(IpAddress::parse("0.0.0.1")->is_unspecified());
}

TEST(Endpoint, ParsesAndPrints) {
  for (const std::string_view text : {"1.2.3.4:30303", "[::1]:9001", "[2001:db8::1]:0"}) {
    EXPECT_EQ(Endpoint::parse(text).value().to_string(), text);
  }
  EXPECT_EQ(Endpoint::parse("[::ffff:1.2.3.4]:5").value().to_string(), "1.2.3.4:5");
}

TEST(Endpoint, EachFaultHasItsError) {
  const auto error = [](std::string_view text) { return Endpoint::parse(text).error(); };
  EXPECT_EQ(error("1.2.3.4"), Error(EndpointError::missing_port, 7));
  EXPECT_EQ(error("[::1]"), Error(EndpointError::missing_port, 5));
  EXPECT_EQ(error("1.2.3.4:"), Error(EndpointError::bad_port, 8));
  EXPECT_EQ(error("1.2.3.4:65536"), Error(EndpointError::bad_port, 8));
  EXPECT_EQ(error("1.2.3.4:-1"), Error(EndpointError::bad_port, 8));
  EXPECT_EQ(error("1.2.3.4:007"), Error(EndpointError::bad_port, 8));
  EXPECT_EQ(error("[::1]:1x"), Error(EndpointError::bad_port, 6));
  EXPECT_EQ(error("example.org:1"), Error(EndpointError::bad_address));
  EXPECT_EQ(error("[1.2.3.4]:1"), Error(EndpointError::bad_address));
  EXPECT_EQ(error("[::g]:1"), Error(EndpointError::bad_address));
  EXPECT_EQ(error("[fe80::1%eth0]:1"), Error(EndpointError::scoped_address, 8));
  EXPECT_EQ(error("[fe80::1%25eth0]:1"), Error(EndpointError::scoped_address, 8));
  EXPECT_EQ(error("fe80::1%eth0:1"), Error(EndpointError::scoped_address, 7));
  EXPECT_EQ(error("1.2.3.4:5%"), Error(EndpointError::bad_port, 8));
}

TEST(EndpointProperties, TextRoundTrip) {
  EXPECT_TRUE(rc::check("parse(to_string(x)) == x", [] {
    ByteArray<16> raw{};
    for (std::byte& b : raw) b = std::byte{*rc::gen::element<std::uint8_t>(0, 0, 0, 1, 255)};
    const bool v6 = *rc::gen::arbitrary<bool>();
    ByteArray<4> quad{};
    copy_into(quad, ByteView{raw}.first(4));
    const Endpoint endpoint{v6 ? IpAddress::v6(raw) : IpAddress::v4(quad),
                            *rc::gen::arbitrary<std::uint16_t>()};
    RC_ASSERT(Endpoint::parse(endpoint.to_string()).value() == endpoint);
  }));
}

TEST(EndpointProperties, WhatParsesPrintsAndParsesAgain) {
  EXPECT_TRUE(rc::check("any text is refused, or names one endpoint", [] {
    const auto piece = rc::gen::element<std::string>("[", "]", ":", "::", ".", "%", "0", "1", "255",
                                                     "256", "f", "ffff", "1.2.3.4", "]:", "-", " ");
    std::string text;
    for (const std::string& part : *rc::gen::container<std::vector<std::string>>(piece))
      text += part;
    if (const auto ip = IpAddress::parse(text)) {
      RC_ASSERT(IpAddress::parse(ip->to_string()).value() == *ip);
    }
    const auto endpoint = Endpoint::parse(text);
    if (endpoint) RC_ASSERT(Endpoint::parse(endpoint->to_string()).value() == *endpoint);
    if (!endpoint) RC_ASSERT(endpoint.error().offset() <= text.size());
  }));
}

TEST(Bytes32, TextOrderAndHash) {
  const std::string digits(64, '7');
  const auto hash = parse_bytes32<Hash32Tag>("0x" + digits).value();
  EXPECT_EQ(hash.hex(), "0x" + digits);
  EXPECT_EQ(hash.short_hex(), "0x7777…");
  EXPECT_EQ(parse_bytes32<Hash32Tag>(digits), hash);
  EXPECT_FALSE(parse_bytes32<Hash32Tag>(digits + "77").has_value());
  Hash32 greater = hash;
  greater.bytes[31] = std::byte{0x78};
  EXPECT_LT(hash, greater);
  EXPECT_EQ(SeededHash{1}(hash), SeededHash{1}(hash));
  EXPECT_NE(SeededHash{1}(hash), SeededHash{2}(hash));
  EXPECT_NE(SeededHash{1}(hash), SeededHash{1}(greater));
}

// 2^16 keys whose differences cancel in a hash that multiplies and shifts, whatever its seed: the
// high byte of the first word, and in the second what that leaves behind. They fell on 256 values.
TEST(SeededHash, NoKeysCollideForEverySeed) {
  for (const std::uint64_t seed : {std::uint64_t{1}, std::uint64_t{0x1234'5678'9abc'def0}}) {
    std::set<std::size_t> values;
    for (unsigned first = 0; first < 256; ++first) {
      for (unsigned second = 0; second < 256; ++second) {
        Hash32 key;
        key.bytes[0] = static_cast<std::byte>(first);
        key.bytes[8] = static_cast<std::byte>(second);
        key.bytes[12] = static_cast<std::byte>(second);
        values.insert(SeededHash{seed}(key));
      }
    }
    EXPECT_EQ(values.size(), 65536U);
  }
}

}  // namespace
}  // namespace ethnet
