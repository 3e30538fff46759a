#include "net_list.hpp"

#include <utility>

#include <gtest/gtest.h>

namespace ethnet {
namespace {

NetList list(std::string_view text) { return NetList::parse(text).value(); }
IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

TEST(NetList, AnAddressIsAllowedWhereOneOfTheNetworksHasIt) {
  const NetList nets = list("10.0.0.0/8,192.168.7.0/24,fd00::/8");
  EXPECT_TRUE(nets.allows(ip("10.255.255.255")));
  EXPECT_FALSE(nets.allows(ip("11.0.0.0")));
  EXPECT_TRUE(nets.allows(ip("192.168.7.255")));
  EXPECT_FALSE(nets.allows(ip("192.168.8.0")));
  EXPECT_TRUE(nets.allows(ip("fdff::1")));
  EXPECT_FALSE(nets.allows(ip("fe00::1")));
}

TEST(NetList, NoNetworksAllowEveryAddressAndOneOfAFamilyNoneOfTheOther) {
  EXPECT_TRUE(list("").empty());
  EXPECT_TRUE(list("").allows(ip("8.8.8.8")));
  EXPECT_TRUE(list(" , ").empty());
  EXPECT_TRUE(list("0.0.0.0/0").allows(ip("8.8.8.8")));
  EXPECT_FALSE(list("0.0.0.0/0").allows(ip("2001:db8::1")));
  EXPECT_FALSE(list("::/0").allows(ip("8.8.8.8")));
  EXPECT_TRUE(list("::/0").allows(ip("2001:db8::1")));
  // An IPv4 address in the form of IPv6 is that IPv4 address.
  EXPECT_TRUE(list("10.0.0.0/8").allows(ip("::ffff:10.1.2.3")));
}

TEST(NetList, OneAddressIsANetworkOfAllItsBits) {
  EXPECT_TRUE(list("127.0.0.1/32").allows(ip("127.0.0.1")));
  EXPECT_FALSE(list("127.0.0.1/32").allows(ip("127.0.0.2")));
  EXPECT_TRUE(list("::1/128").allows(ip("::1")));
  EXPECT_FALSE(list("::1/128").allows(ip("::")));
}

TEST(NetList, BlanksAndEmptyItemsAndBitsBehindThePrefixDoNotCount) {
  EXPECT_EQ(list(" 10.1.2.3/8 ,,\tfd12::1/16 , "), list("10.0.0.0/8,fd12::/16"));
  EXPECT_EQ(list(" 10.1.2.3/8 ,,fd12::1/16").to_string(), "10.0.0.0/8,fd12::/16");
}

TEST(NetList, AnErrorSaysWhichItemIsWrong) {
  using enum NetListError;
  const std::pair<std::string_view, Error> wrong[] = {
      {"10.0.0.1", Error{no_prefix_length}},
      {"10.0.0.0/8, 10.0.0.1", Error{no_prefix_length, 12}},
      {"10.0.0/8", Error{bad_address}},
      {"/8", Error{bad_address}},
      {"host/8", Error{bad_address}},
      {"10.0.0.0/", Error{bad_prefix_length}},
      {"10.0.0.0/33", Error{bad_prefix_length}},
      {"10.0.0.0/-1", Error{bad_prefix_length}},
      {"10.0.0.0/08", Error{bad_prefix_length}},
      {"10.0.0.0/8/8", Error{bad_prefix_length}},
      {"10.0.0.0/8,::/129", Error{bad_prefix_length, 11}},
      {"10.0.0.0/4294967304", Error{bad_prefix_length}},
      {"10.0.0.0/8 11.0.0.0/8", Error{bad_prefix_length}}};
  for (const auto& [text, error] : wrong) {
    const auto parsed = NetList::parse(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error(), error) << text << ": " << parsed.error().message();
  }
}

}  // namespace
}  // namespace ethnet
