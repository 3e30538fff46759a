// Producers' signatures: judged before anything that they came with is imported.
#include <list>

#include <crypto/secp256k1.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sim/seeded_secure_rng.hpp>
#include <types/address_of.hpp>

#include "engine.hpp"
#include "test_net.hpp"

namespace ethnet::mini_sync {
namespace {

using namespace testing;

class Producer {
 public:
  explicit Producer(std::uint64_t seed) : rng_{Prng{seed}} {}

  // A child whose beneficiary is this producer, signed by it.
  [[nodiscard]] CheckedHeader child(const chain::BlockRef& parent, std::uint8_t tag = 0) const {
    Header header;
    header.parent_hash = parent.hash;
    header.number = parent.number + 1;
    header.extra_data = Bytes{std::byte{tag}};
    header.beneficiary = address_of(key_.public_key());
    auto checked = check_header({header.encode(), {}});
    CHECK(checked.has_value());
    checked->item.signature = signature_of(checked->block.hash);
    return std::move(*checked);
  }
  [[nodiscard]] Bytes signature_of(const Hash32& hash) const {
    return to_bytes(crypto::sign(key_, hash.bytes));
  }
  // Adds n blocks on top of the head, each `every`th of them signed.
  void extend(TestChain& chain, std::uint64_t n, std::uint64_t every = 1) const {
    for (std::uint64_t i = 0; i < n; ++i) {
      CheckedHeader next = child(chain.head());
      if (i % every != 0) next.item.signature.clear();
      CHECK(chain.import(next));
    }
  }

 private:
  sim::SeededSecureRng rng_;
  crypto::SecretKey key_ = crypto::SecretKey::generate(rng_);
};

// Serves `chain` with one signature of each answer spoiled.
Puppet forger_of(const TestChain& chain) {
  return [&chain](ByteView payload) -> std::vector<Bytes> {
    if (*peek_code(payload) != Code::get_headers) return {};
    Headers response = serve_headers(chain, *decode_get_headers(payload));
    if (!response.items.empty()) response.items.back().signature = Bytes(65, std::byte{1});
    return {encode(response)};
  };
}

Bytes announcement(const CheckedHeader& header) { return encode(NewBlock{header.item}); }

TEST(EngineSignatures, RightOnesAreImportedWithTheirHeaders) {
  for (const std::uint64_t length : {40U, 900U}) {  // a branch; a skeleton
    TestChain chain;
    Producer{1}.extend(chain, length, 3);
    Net net;
    Node& fresh = net.add_node();
    net.connect(fresh, server_of(chain), chain.head());
    net.run();
    ASSERT_EQ(fresh.chain.head(), chain.head());
    for (std::uint64_t n = 1; n <= length; ++n) {
      const Hash32 hash = *chain.canonical_hash(n);
      ASSERT_TRUE(equal(fresh.chain.producer_signature(hash), chain.producer_signature(hash)));
    }
    EXPECT_EQ(fresh.engine.counters().bad_signatures, 0U);
    EXPECT_EQ(fresh.engine.judging_headers(), 0U);
  }
}

TEST(EngineSignatures, UnsignedHeadersWaitForNothing) {
  TestChain chain;
  chain.extend(chain.genesis(), 900);
  Net net;
  Node& fresh = net.add_node();
  net.hold_jobs();
  net.connect(fresh, server_of(chain), chain.head());
  net.run();
  EXPECT_EQ(fresh.chain.head(), chain.head());
  EXPECT_EQ(net.held_jobs(), 0U);
}

TEST(EngineSignatures, AWrongOneEndsTheSessionAndNothingIsImported) {
  const Producer producer{1};
  const Producer other{2};
  const TestChain empty;
  const CheckedHeader good = producer.child(empty.genesis());
  const CheckedHeader sibling = producer.child(empty.genesis(), 7);
  Bytes flipped = good.item.signature;
  flipped[10] ^= std::byte{1};
  const std::vector<std::pair<std::string, Bytes>> cases{
      {"a flipped bit", flipped},
      {"another key", other.signature_of(good.block.hash)},
      {"replayed from another header", sibling.item.signature},
      {"no point of the curve", Bytes(65, std::byte{0xff})},
  };
  for (const auto& [what, signature] : cases) {
    CheckedHeader bad = good;
    bad.item.signature = signature;
    for (const bool announced : {true, false}) {
      Net net;
      Node& node = net.add_node();
      TestChain served;
      ASSERT_TRUE(served.import(bad));
      const auto peer =
          net.connect(node, server_of(served), announced ? empty.genesis() : served.head());
      if (announced) node.engine.handle_message(net.now(), peer, announcement(bad));
      net.run();
      EXPECT_EQ(node.blamed, std::vector{Misbehaviour::bad_signature}) << what;
      EXPECT_EQ(node.engine.counters().bad_signatures, 1U) << what;
      EXPECT_TRUE(node.imported.empty()) << what;
      EXPECT_EQ(node.engine.judging_headers(), 0U) << what;
    }
  }
}

// The anchor is honest; who put a wrong signature into a segment is to blame, and only he.
TEST(EngineSignatures, AForgerOfASegmentIsBlamedAndAnotherServesIt) {
  TestChain chain;
  Producer{1}.extend(chain, 2000);
  Net net;
  Node& fresh = net.add_node();
  net.connect(fresh, server_of(chain), chain.head());
  net.connect(fresh, forger_of(chain), chain.head());
  net.run();
  EXPECT_EQ(fresh.blamed, std::vector{Misbehaviour::bad_signature});
  EXPECT_EQ(fresh.engine.peer_count(), 1U);
  EXPECT_EQ(fresh.chain.head(), chain.head());
}

TEST(EngineSignatures, ImportsKeepThePeersOrderWhateverTheOrderOfJobs) {
  const Producer producer{1};
  Net net;
  Node& node = net.add_node();
  net.hold_jobs();
  const auto peer = net.connect(node, silent(), node.chain.head());
  std::vector<Hash32> expected;
  for (std::uint8_t i = 0; i < 6; ++i) {
    CheckedHeader header = producer.child(node.chain.genesis(), i);
    if (i % 3 == 2) header.item.signature.clear();
    expected.push_back(header.block.hash);
    node.engine.handle_message(net.now(), peer, announcement(header));
  }
  net.run(milliseconds(10));
  EXPECT_EQ(net.held_jobs(), 4U);
  EXPECT_TRUE(node.imported.empty());
  net.finish_jobs(true);
  EXPECT_EQ(node.imported, expected);
}

TEST(EngineSignatures, JobsOfASessionThatIsGoneAreDropped) {
  const Producer producer{1};
  Net net;
  Node& node = net.add_node();
  net.hold_jobs();
  const auto first = net.connect(node, silent(), node.chain.head());
  node.engine.handle_message(net.now(), first, announcement(producer.child(node.chain.genesis())));
  net.run(milliseconds(10));
  ASSERT_EQ(net.held_jobs(), 1U);
  net.close(first);
  EXPECT_EQ(node.engine.judging_headers(), 0U);
  net.finish_jobs();
  EXPECT_TRUE(node.imported.empty());
  // One that has not left yet does not leave any more.
  const auto second = net.connect(node, silent(), node.chain.head());
  node.engine.handle_message(net.now(), second, announcement(producer.child(node.chain.genesis())));
  net.close(second);
  EXPECT_FALSE(node.engine.poll_job());
}

TEST(EngineSignatures, AnnouncementsBeyondAPeersLimitAreRememberedByTheirHash) {
  const Producer producer{1};
  Net net;
  Node& node = net.add_node();
  net.hold_jobs();
  TestChain all;
  const auto peer = net.connect(node, server_of(all), node.chain.head());
  for (std::size_t i = 0; i <= kMaxJudgingPerPeer; ++i) {
    const CheckedHeader header = producer.child(all.genesis(), static_cast<std::uint8_t>(i));
    ASSERT_TRUE(all.import(header));
    node.engine.handle_message(net.now(), peer, announcement(header));
  }
  EXPECT_EQ(node.engine.counters().judgements_refused, 1U);
  EXPECT_EQ(node.engine.judging_headers(), kMaxJudgingPerPeer);
  net.run(milliseconds(30));
  net.finish_jobs();
  EXPECT_EQ(node.imported.size(), kMaxJudgingPerPeer + 1);  // the last one came by a request
  EXPECT_TRUE(node.blamed.empty());
}

TEST(EngineSignatures, WhatWaitsForJudgementIsBoundedAndTheRestIsAskedForAgain) {
  constexpr std::size_t kEach = 16;
  const Producer producer{1};
  Net net;
  Node& node = net.add_node();
  net.hold_jobs();
  std::list<TestChain> chains;
  for (std::size_t i = 0; i < kMaxJudgingHeaders / kEach; ++i) {
    TestChain& chain = chains.emplace_back();
    for (std::size_t n = 0; n < kEach; ++n) {
      Header header;
      header.parent_hash = chain.head().hash;
      header.number = chain.head().number + 1;
      header.gas_used = i;
      auto checked = check_header({header.encode(), Bytes(65)});
      ASSERT_TRUE(checked.has_value() && chain.import(*checked));
    }
    net.connect(node, server_of(chain), chain.head());
  }
  TestChain& honest = chains.emplace_back();
  producer.extend(honest, kEach);
  net.connect(node, server_of(honest), honest.head());
  net.run(milliseconds(30));
  EXPECT_EQ(node.engine.judging_headers(), kMaxJudgingHeaders);
  EXPECT_EQ(node.engine.counters().judgements_refused, 1U);
  EXPECT_TRUE(node.blamed.empty());
  net.finish_jobs();
  net.run(milliseconds(30));
  net.finish_jobs();
  net.run(milliseconds(30));
  EXPECT_EQ(node.blamed.size(), kMaxJudgingHeaders / kEach);
  EXPECT_EQ(node.chain.head(), honest.head());
}

}  // namespace
}  // namespace ethnet::mini_sync
