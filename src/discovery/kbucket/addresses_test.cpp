// Scopes of addresses and limits on networks.
#include <string>

#include <gtest/gtest.h>

#include "ip_limits.hpp"
#include "scope.hpp"

namespace ethnet::kbucket {
namespace {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

TEST(Scope, OfEachKindOfAddress) {
  for (const auto* text : {"127.0.0.1", "127.255.0.9", "::1"}) {
    EXPECT_EQ(scope_of(ip(text)), Scope::loopback) << text;
  }
  for (const auto* text : {"10.0.0.1", "172.16.0.1", "172.31.255.1", "192.168.1.1", "169.254.3.4",
                           "fd00::1", "fe80::1"}) {
    EXPECT_EQ(scope_of(ip(text)), Scope::lan) << text;
  }
  for (const auto* text :
       {"0.0.0.0",     "0.1.2.3",           "100.64.0.1",      "100.127.255.255", "192.0.0.8",
        "192.0.2.1",   "192.88.99.1",       "198.18.0.1",      "198.19.255.255",  "198.51.100.7",
        "203.0.113.7", "224.0.0.1",         "239.255.255.250", "240.0.0.1",       "255.255.255.255",
        "::",          "64:ff9b::1",        "100::1",          "2001::1",         "2001:1ff::1",
        "2001:db8::1", "2002:0808:0808::1", "3fff::1",         "fec0::1",         "ff02::1"}) {
    EXPECT_EQ(scope_of(ip(text)), Scope::special) << text;
  }
  for (const auto* text : {"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1",
                           "172.32.0.1", "192.0.1.1", "198.17.255.255", "198.20.0.1",
                           "223.255.255.255", "2001:200::1", "2a00::1", "2003::1"}) {
    EXPECT_EQ(scope_of(ip(text)), Scope::wan) << text;
  }
}

TEST(Scope, AnAddressIsToldOnlyWhereItMeansTheSame) {
  using enum Scope;
  for (const Scope between : {special, loopback, lan, wan}) {
    EXPECT_FALSE(may_relay(between, special)) << describe(between);
  }
  for (const Scope told : {loopback, lan, wan}) {
    EXPECT_FALSE(may_relay(special, told)) << describe(told);
    EXPECT_TRUE(may_relay(loopback, told)) << describe(told);
  }
  EXPECT_FALSE(may_relay(lan, loopback));
  EXPECT_TRUE(may_relay(lan, lan));
  EXPECT_TRUE(may_relay(lan, wan));
  EXPECT_FALSE(may_relay(wan, loopback));
  EXPECT_FALSE(may_relay(wan, lan));
  EXPECT_TRUE(may_relay(wan, wan));
}

TEST(IpLimits, CountASlash24AndASlash48AsOneNetwork) {
  EXPECT_EQ(subnet_of(ip("1.2.3.4")), subnet_of(ip("1.2.3.250")));
  EXPECT_NE(subnet_of(ip("1.2.3.4")), subnet_of(ip("1.2.4.4")));
  EXPECT_EQ(subnet_of(ip("2a00:1:2:3::1")), subnet_of(ip("2a00:1:2:ffff:ffff::")));
  EXPECT_NE(subnet_of(ip("2a00:1:2:3::1")), subnet_of(ip("2a00:1:3:3::1")));
  // The first three octets of an IPv6 address are not a /24 of IPv4.
  EXPECT_NE(subnet_of(ip("32.1.2.0")), subnet_of(ip("2001:200::")));
}

TEST(IpLimits, RefuseTheNextAboveTheLimitAndForgetWhatIsRemoved) {
  IpLimits limits{2};
  EXPECT_TRUE(limits.add(ip("1.2.3.4")));
  EXPECT_TRUE(limits.add(ip("1.2.3.4")));
  EXPECT_FALSE(limits.add(ip("1.2.3.5")));
  EXPECT_EQ(limits.count(ip("1.2.3.99")), 2U);
  EXPECT_TRUE(limits.add(ip("1.2.4.5")));
  limits.remove(ip("1.2.3.77"));
  EXPECT_TRUE(limits.add(ip("1.2.3.5")));
  for (int i = 0; i < 2; ++i) limits.remove(ip("1.2.3.4"));
  limits.remove(ip("1.2.4.5"));
  EXPECT_EQ(limits.subnets(), 0U);
}

TEST(IpLimits, LoopbackAndLanAreExempt) {
  IpLimits limits{1};
  for (const auto* text : {"127.0.0.1", "::1", "10.0.0.1", "192.168.0.1", "fd00::1"}) {
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(limits.add(ip(text))) << text;
    limits.remove(ip(text));
  }
  EXPECT_EQ(limits.subnets(), 0U);
}

}  // namespace
}  // namespace ethnet::kbucket
