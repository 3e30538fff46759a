#include "facts.hpp"

#include <codec/rlp_writer.hpp>
#include <gtest/gtest.h>
#include <types/networks.hpp>

#include "testing/crawl_rig.hpp"

namespace ethnet::crawl {
namespace {

Bytes client(std::initializer_list<std::string_view> parts) {
  return discv4::testing::list_of([&](rlp::Writer& out) {
    for (const std::string_view part : parts) out.write_bytes(text_bytes(part));
  });
}
Facts read(const EnrBuilder& builder) {
  return FactReader{}.read(builder.sign(*testing::key_of(1)).value().record());
}

TEST(CrawlFacts, OfARecordThatSaysAll) {
  const Network& mainnet = *find_network("mainnet");
  EnrBuilder builder{7};
  builder.ip(IpAddress::parse("1.2.3.4").value()).udp(30'303).tcp(30'304);
  builder.ip(IpAddress::parse("2001:db8::1").value()).udp6(9).quic6(10);
  builder.fork_id(mainnet.fork_schedule().fork_id(20'000'000, 1'750'000'000));
  builder.raw("client", client({"Geth", "1.17.8", "abc"})).bytes("snap", {});
  const Facts facts = read(builder);
  EXPECT_EQ(facts.ip->to_string(), "1.2.3.4");
  EXPECT_EQ(facts.ports, (Ports{.udp = 30'303, .tcp = 30'304, .quic = 0}));
  EXPECT_EQ(facts.ip6->to_string(), "2001:db8::1");
  EXPECT_EQ(facts.ports6, (Ports{.udp = 9, .tcp = 0, .quic = 10}));
  EXPECT_EQ(facts.capabilities, "eth snap");
  EXPECT_EQ(facts.network, "mainnet");
  EXPECT_EQ(facts.client, "Geth/1.17.8/abc");
}

TEST(CrawlFacts, OfARecordThatSaysNothing) {
  const Facts facts = read(EnrBuilder{1});
  EXPECT_FALSE(facts.ip.has_value());
  EXPECT_FALSE(facts.fork.has_value());
  EXPECT_EQ(facts.capabilities + facts.network + facts.client, "");
}

TEST(CrawlFacts, AForkThatIsOfNoKnownNetworkIsToldWithoutOne) {
  EnrBuilder builder{1};
  builder.fork_id({.hash = {std::byte{1}}, .next = UINT64_MAX});
  const Facts facts = read(builder);
  EXPECT_EQ(facts.fork->next, UINT64_MAX);
  EXPECT_EQ(facts.network, "");
}

TEST(CrawlFacts, TextsOfAPeerAreNamesOrPrintable) {
  EnrBuilder builder{1};
  builder.raw("client", client({"\x1b[31mred\n", "<script>"}));
  builder.bytes("a b\x01", {}).bytes("eth2", {});
  const Facts facts = read(builder);
  EXPECT_EQ(facts.capabilities, "a?b? eth2");
  EXPECT_EQ(facts.client, "\\x1b[31mred\\x0a/<script>");
}

TEST(CrawlFacts, AClientThatIsNoListOfTextsIsNone) {
  EXPECT_EQ(read(EnrBuilder{1}.bytes("client", text_bytes("Geth"))).client, "");
  EXPECT_EQ(read(EnrBuilder{1}.raw("client", discv4::testing::list_of([](rlp::Writer& out) {
                                     out.end_list(out.begin_list());
                                   })))
                .client,
            "");
}

}  // namespace
}  // namespace ethnet::crawl
