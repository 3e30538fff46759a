// Records and the judgement of their signatures in a Job.
#include "record.hpp"

#include <gtest/gtest.h>

#include "record_cache.hpp"
#include "testing/records.hpp"

namespace ethnet::kbucket {
namespace {

using namespace testing;

Bytes forged(std::uint64_t number) {
  Bytes record = to_bytes(enr_of(number, own_subnet(1)).record().encoded());
  record.back() ^= std::byte{1};  // its last value is a port
  return record;
}

TEST(NodeRecord, NamesTheAddressOfSessions) {
  const RecordPtr v4 = record_of(1, endpoint("1.2.3.4:9001"), 7);
  ASSERT_NE(v4, nullptr);
  EXPECT_EQ(v4->endpoint(), endpoint("1.2.3.4:9001"));
  EXPECT_EQ(v4->seq(), 7U);
  EXPECT_EQ(v4->id(), id_of(1));
  const RecordPtr v6 = record_of(1, endpoint("[2a00::1]:9001"));
  ASSERT_NE(v6, nullptr);
  EXPECT_EQ(v6->endpoint(), endpoint("[2a00::1]:9001"));
}

TEST(NodeRecord, WithoutAnAddressOrAPortThereIsNone) {
  const auto no_port = EnrBuilder{1}.ip(IpAddress::loopback_v4()).udp(30303).sign(key_of(1));
  const auto no_address = EnrBuilder{1}.quic(9000).sign(key_of(1));
  EXPECT_EQ(NodeRecord::of(*no_port), nullptr);
  EXPECT_EQ(NodeRecord::of(*no_address), nullptr);
}

// What discv5 and discv4 dial is not where sessions are opened.
TEST(NodeRecord, NamesTheAddressOfDiscoveryWhereThatIsAskedFor) {
  const auto enr = std::make_shared<const VerifiedEnr>(
      EnrBuilder{3}.ip(own_subnet(1).ip).udp(30303).quic(9000).sign(key_of(1)).value());
  EXPECT_EQ(NodeRecord::of(*enr)->endpoint().port, 9000);
  const RecordPtr record = NodeRecord::of(enr, RecordPort::udp);
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->endpoint().port, 30303);
  EXPECT_EQ(record->verified(), enr);
  EXPECT_EQ(record->public_key(), enr->public_key());
  RecordBatch batch{RecordPort::udp};
  ASSERT_TRUE(batch.add(enr->record().encoded()));
  const auto judged = batch.judged(batch.work()());
  ASSERT_NE(judged.at(0).record, nullptr);
  EXPECT_EQ(judged[0].record->endpoint().port, 30303);
  EXPECT_EQ(judged[0].record->public_key(), enr->public_key());
  EXPECT_EQ(judged[0].id, id_of(1));
}

TEST(RecordBatch, TellsRightFromWrongAndFromUnreachable) {
  RecordBatch batch;
  const VerifiedEnr good = enr_of(1, own_subnet(1));
  ASSERT_TRUE(batch.add(good.record().encoded()));
  ASSERT_TRUE(batch.add(forged(2)));
  ASSERT_TRUE(batch.add(EnrBuilder{1}.udp(1).sign(key_of(3)).value().record().encoded()));
  const auto judged = batch.judged(batch.work()());
  ASSERT_EQ(judged.size(), 3U);
  EXPECT_EQ(judged[0].verdict, RecordVerdict::right);
  ASSERT_NE(judged[0].record, nullptr);
  EXPECT_EQ(judged[0].record->id(), id_of(1));
  EXPECT_TRUE(equal(judged[0].record->encoded(), good.record().encoded()));
  EXPECT_EQ(judged[1].verdict, RecordVerdict::malformed);
  EXPECT_EQ(judged[1].record, nullptr);
  EXPECT_EQ(judged[2].verdict, RecordVerdict::no_endpoint);
}

TEST(RecordBatch, WhatIsNoRecordIsLeftOut) {
  RecordBatch batch;
  EXPECT_FALSE(batch.add({}));
  EXPECT_FALSE(batch.add(Bytes{std::byte{0xc0}}));
  Bytes long_one = to_bytes(enr_of(1, own_subnet(1)).record().encoded());
  long_one.push_back(std::byte{0});
  EXPECT_FALSE(batch.add(long_one));
  EXPECT_EQ(batch.size(), 0U);
}

TEST(RecordBatch, OutputOfAnotherSizeProvesNothing) {
  RecordBatch batch;
  ASSERT_TRUE(batch.add(enr_of(1, own_subnet(1)).record().encoded()));
  for (const std::size_t size : {0U, 31U, 33U, 64U}) {
    const auto judged = batch.judged(Bytes(size, std::byte{1}));
    ASSERT_EQ(judged.size(), 1U);
    EXPECT_EQ(judged[0].verdict, RecordVerdict::malformed) << size;
  }
}

TEST(RecordCache, KnowsARecordByteForByteAndForgetsTheOldest) {
  RecordCache cache;
  const RecordPtr first = record_of(0, own_subnet(0));
  cache.add(first);
  cache.add(first);
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_EQ(cache.find(first->encoded()), first);
  EXPECT_EQ(cache.find(record_of(0, own_subnet(0), 2)->encoded()), nullptr);
  for (std::uint64_t i = 1; i < kMaxCachedRecords; ++i) cache.add(record_of(i, own_subnet(i)));
  EXPECT_EQ(cache.find(first->encoded()), first);
  cache.add(record_of(kMaxCachedRecords, own_subnet(0)));
  EXPECT_EQ(cache.find(first->encoded()), nullptr);
  EXPECT_EQ(cache.size(), kMaxCachedRecords);
}

}  // namespace
}  // namespace ethnet::kbucket
