// The resolver against a name server of the test's own, on loopback.
#include "dns_resolver.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include <gtest/gtest.h>

#include "testing/dns_server.hpp"

namespace ethnet::runtime {
namespace {

class DnsResolverTest : public ::testing::Test {
 protected:
  DnsOptions options(Duration patience = seconds(5)) {
    return {.server = server.address(), .patience = patience, .tries = 3};
  }
  // What it answers; other work of the io_context goes on meanwhile.
  TextAnswer texts(DnsResolver& resolver, const std::string& name) {
    std::optional<TextAnswer> out;
    resolver.ask_texts(name, [&](TextAnswer answer) { out = std::move(answer); });
    EXPECT_FALSE(out.has_value());  // never from inside the call
    while (!out) io.run_one();
    return *out;
  }
  AddressAnswer addresses(DnsResolver& resolver, const std::string& name) {
    std::optional<AddressAnswer> out;
    resolver.ask_addresses(name, [&](AddressAnswer answer) { out = std::move(answer); });
    while (!out) io.run_one();
    return *out;
  }

  boost::asio::io_context io;
  testing::DnsServer server{io};
};

TEST_F(DnsResolverTest, TextsComeWholeWhateverTheirStrings) {
  const std::string longer(400, 'y');
  server.texts["nodes.test"] = {"enrtree-root:v1 e=A", longer, ""};
  DnsResolver resolver{io, options()};
  const TextAnswer answer = texts(resolver, "nodes.test");
  EXPECT_EQ(answer.outcome, DnsOutcome::found);
  ASSERT_GE(answer.texts.size(), 2U);
  EXPECT_EQ(answer.texts[0], "enrtree-root:v1 e=A");
  EXPECT_EQ(answer.texts[1], longer);
  EXPECT_EQ(server.asked, std::vector<std::string>{"nodes.test"});
  EXPECT_EQ(resolver.under_way(), 0U);
}

TEST_F(DnsResolverTest, WhatIsNotThereIsAnotherThanWhatFailed) {
  server.addresses["known.test"] = {IpAddress::loopback_v4()};
  DnsResolver resolver{io, options()};
  const TextAnswer unknown = texts(resolver, "unknown.test");
  EXPECT_EQ(unknown.outcome, DnsOutcome::not_found);
  EXPECT_FALSE(unknown.why.empty());
  EXPECT_EQ(texts(resolver, "known.test").outcome, DnsOutcome::not_found);  // it has no text
  server.fails = true;
  const TextAnswer failed = texts(resolver, "known.test");
  EXPECT_EQ(failed.outcome, DnsOutcome::failed);
  EXPECT_FALSE(failed.why.empty());
}

TEST_F(DnsResolverTest, AQuestionThatIsLostIsAskedAgain) {
  server.texts["nodes.test"] = {"text"};
  server.ignored = 1;
  DnsResolver resolver{io, options(milliseconds(50))};
  EXPECT_EQ(texts(resolver, "nodes.test").texts, std::vector<std::string>{"text"});
  EXPECT_GE(server.asked.size(), 2U);
  server.ignored = 1'000;
  EXPECT_EQ(texts(resolver, "nodes.test").outcome, DnsOutcome::failed);
}

TEST_F(DnsResolverTest, AddressesOfBothKindsComeTogether) {
  const auto v4 = IpAddress::parse("192.0.2.7").value();
  const auto v6 = IpAddress::parse("2001:db8::7").value();
  server.addresses["both.test"] = {v4, v6};
  server.addresses["four.test"] = {v4};
  DnsResolver resolver{io, options()};
  AddressAnswer both = addresses(resolver, "both.test");
  EXPECT_EQ(both.outcome, DnsOutcome::found);
  std::ranges::sort(both.addresses);
  EXPECT_EQ(both.addresses, (std::vector{v4, v6}));
  EXPECT_EQ(addresses(resolver, "four.test").addresses, std::vector{v4});
  EXPECT_EQ(addresses(resolver, "none.test").outcome, DnsOutcome::not_found);
}

TEST_F(DnsResolverTest, ManyQuestionsAreUnderWayAtOnce) {
  DnsResolver resolver{io, options()};
  std::size_t answered = 0;
  for (int i = 0; i < 20; ++i) {
    const std::string name = std::to_string(i) + ".test";
    server.texts[name] = {name};
    resolver.ask_texts(name, [&answered, name](const TextAnswer& answer) {
      EXPECT_EQ(answer.texts, std::vector<std::string>{name});
      ++answered;
    });
  }
  EXPECT_EQ(resolver.under_way(), 20U);
  while (answered < 20) io.run_one();
}

TEST_F(DnsResolverTest, WhatIsUnderWayIsDroppedWithTheResolver) {
  server.ignored = 1'000;
  bool called = false;
  {
    DnsResolver resolver{io, options()};
    resolver.ask_texts("nodes.test", [&](const TextAnswer&) { called = true; });
    while (server.asked.empty()) io.run_one();
  }
  server.texts["other.test"] = {"text"};
  server.ignored = 0;
  DnsResolver other{io, options()};
  EXPECT_EQ(texts(other, "other.test").texts, std::vector<std::string>{"text"});
  EXPECT_FALSE(called);
}

TEST_F(DnsResolverTest, AServerThatIsNoAddressIsOneClearLine) {
  for (const std::string_view bad : {"localhost:53", "127.0.0.1", "127.0.0.1:0", "x"}) {
    try {
      const DnsResolver resolver{io, {.server = std::string{bad}}};
      ADD_FAILURE() << bad;
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(std::string{error.what()},
                "DNS server '" + std::string{bad} + "': expected ADDRESS:PORT");
    }
  }
}

TEST_F(DnsResolverTest, NamesThatAreNoneFail) {
  DnsResolver resolver{io, options()};
  EXPECT_NE(texts(resolver, std::string(300, 'a')).outcome, DnsOutcome::found);
  EXPECT_NE(texts(resolver, "a..b").outcome, DnsOutcome::found);
  EXPECT_TRUE(server.asked.empty());
}

}  // namespace
}  // namespace ethnet::runtime
