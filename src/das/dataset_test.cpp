#include "dataset.hpp"

#include <algorithm>
#include <bit>

#include <base/hex.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "testing/test_data.hpp"

namespace ethnet::das {
namespace {

using namespace testing;

// RFC 6962, 2.1, as it is written: the left half is the largest power of two below n.
Hash32 naive_root(const std::vector<Hash32>& leaves, std::size_t begin, std::size_t end) {
  if (end - begin == 1) return leaves[begin];
  const std::size_t left = std::bit_floor(end - begin - 1);
  return node_hash(naive_root(leaves, begin, begin + left), naive_root(leaves, begin + left, end));
}

std::vector<Hash32> leaves_of(const DataSet& data) {
  std::vector<Hash32> leaves;
  for (std::uint32_t i = 0; i < data.shape().total_chunks; ++i) {
    leaves.push_back(leaf_hash(i, data.chunk(i)));
  }
  return leaves;
}

Result<VerifiedChunk> check(const DataKey& key, std::uint32_t index, const Bytes& bytes,
                            const Bytes& proof) {
  return verify_chunk(key, index, bytes, proof);
}

TEST(Shape, AShortLastChunkHasWhatIsLeft) {
  const Shape shape = split_shape(1000, 300).value();
  EXPECT_EQ(shape, (Shape{4, 300, 1000}));
  EXPECT_EQ(chunk_bytes(shape, 0), 300U);
  EXPECT_EQ(chunk_bytes(shape, 3), 100U);
  EXPECT_EQ(split_shape(900, 300), (Shape{3, 300, 900}));
  EXPECT_EQ(split_shape(1, kMaxChunkBytes), (Shape{1, kMaxChunkBytes, 1}));
}

TEST(Shape, SizesBeyondTheirLimitsAreRefused) {
  const auto refused = [](std::uint64_t total, std::uint32_t size, DasError what) {
    const auto shape = split_shape(total, size);
    return !shape && shape.error().is(what);
  };
  EXPECT_TRUE(refused(0, 100, DasError::no_data));
  EXPECT_TRUE(split_shape(kMaxDataBytes, kMaxChunkBytes));
  EXPECT_TRUE(refused(kMaxDataBytes + 1, kMaxChunkBytes, DasError::too_much_data));
  EXPECT_TRUE(refused(UINT64_MAX, kMaxChunkBytes, DasError::too_much_data));
  EXPECT_TRUE(refused(100, 0, DasError::bad_chunk_size));
  EXPECT_TRUE(refused(100, kMaxChunkBytes + 1, DasError::bad_chunk_size));
  EXPECT_TRUE(split_shape(std::uint64_t{kMaxChunks} * 10, 10));
  EXPECT_TRUE(refused(std::uint64_t{kMaxChunks} * 10 + 1, 10, DasError::too_many_chunks));
}

TEST(Shape, AClaimedCountMustFollowFromTheSizes) {
  EXPECT_TRUE(check_shape({4, 300, 1000}));
  EXPECT_TRUE(check_shape({3, 300, 1000}).error().is(DasError::wrong_count));
  EXPECT_TRUE(check_shape({5, 300, 1000}).error().is(DasError::wrong_count));
  EXPECT_TRUE(check_shape({0, 0, 0}).error().is(DasError::no_data));
}

TEST(Merkle, EveryCountGivesTheTreeOfRfc6962) {
  for (std::uint32_t count = 1; count <= 70; ++count) {
    const DataSet data = test_data(count, 3);
    const auto leaves = leaves_of(data);
    EXPECT_EQ(MerkleTree{leaves}.root(), naive_root(leaves, 0, leaves.size())) << count;
  }
}

TEST(Merkle, AProofIsNoLongerThanTheLogarithmOfTheCount) {
  EXPECT_EQ(proof_size(0, 1), 0U);
  EXPECT_EQ(proof_size(0, 2), 32U);
  EXPECT_EQ(proof_size(4, 5), 32U);  // moved up twice, then one neighbour
  EXPECT_EQ(proof_size(0, 5), 96U);
  EXPECT_EQ(proof_size(kMaxChunks - 1, kMaxChunks), kMaxProofBytes);
  EXPECT_EQ(proof_size(0, kMaxChunks), kMaxProofBytes);
}

// RFC 6962 trees whose leaves are duplicated to fill a level have two lists of leaves for one root.
TEST(Merkle, ALastChunkTwiceGivesAnotherName) {
  const Bytes three = test_bytes(30);
  Bytes four = three;
  append(four, ByteView{three}.last(10));
  EXPECT_NE(DataSet::make(three, 10)->key().id, DataSet::make(four, 10)->key().id);
}

// The classic second preimage: the two hashes below a node, served as if they were a chunk.
TEST(Merkle, ANodeDoesNotPassAsAChunk) {
  const DataSet data = test_data(4, 65);
  const auto leaves = leaves_of(data);
  Bytes forged;
  append(forged, leaves[0].view());
  append(forged, leaves[1].view());
  const Bytes proof = to_bytes(node_hash(leaves[2], leaves[3]).view());
  // Under sizes for which everything else would fit.
  const DataKey key{data.key().id, Shape{2, 64, 128}};
  EXPECT_TRUE(check(key, 0, forged, proof).error().is(DasError::not_of_data_set));
  // With the node's own prefix in front it is still no leaf.
  Bytes with_prefix{std::byte{0x01}};
  append(with_prefix, forged);
  const DataKey longer{data.key().id, Shape{2, 65, 130}};
  EXPECT_TRUE(check(longer, 0, with_prefix, proof).error().is(DasError::not_of_data_set));
}

TEST(DataSet, EveryChunkOfEverySmallCountVerifies) {
  for (std::uint32_t count = 1; count <= 40; ++count) {
    const DataSet data = DataSet::make(test_bytes(std::size_t{count} * 7 - 3, count), 7).value();
    ASSERT_EQ(data.shape().total_chunks, count);
    for (std::uint32_t i = 0; i < count; ++i) {
      EXPECT_TRUE(check(data.key(), i, to_bytes(data.chunk(i)), data.proof(i))) << count << i;
    }
  }
}

TEST(DataSet, TheNameBindsTheSizesAndNotTheBytesAlone) {
  const Bytes bytes = test_bytes(120);
  const auto by_ten = DataSet::make(bytes, 10).value();
  const auto by_twelve = DataSet::make(bytes, 12).value();
  EXPECT_NE(by_ten.key().id, by_twelve.key().id);
  // One chunk, whatever size was allowed for it: the tree is the same, the name is not.
  EXPECT_NE(DataSet::make(bytes, 120)->key().id, DataSet::make(bytes, 121)->key().id);
}

TEST(DataSet, AChunkOfTheWrongLengthOrWithAWrongProofLengthIsNotHashed) {
  const DataSet data = test_data(8, 16);
  Bytes chunk = to_bytes(data.chunk(2));
  Bytes proof = data.proof(2);
  chunk.push_back({});
  EXPECT_TRUE(check(data.key(), 2, chunk, proof).error().is(DasError::wrong_size));
  chunk.resize(15);
  EXPECT_TRUE(check(data.key(), 2, chunk, proof).error().is(DasError::wrong_size));
  chunk = to_bytes(data.chunk(2));
  proof.resize(proof.size() + 32);
  EXPECT_TRUE(check(data.key(), 2, chunk, proof).error().is(DasError::wrong_proof_size));
  proof.resize(64);
  EXPECT_TRUE(check(data.key(), 2, chunk, proof).error().is(DasError::wrong_proof_size));
  EXPECT_TRUE(check(data.key(), 8, chunk, proof).error().is(DasError::no_such_chunk));
}

TEST(DataSet, AJobGivesTheSameAsHashingHereAndNow) {
  const Bytes bytes = test_bytes(5000);
  const DataSet::Blob blob = std::make_shared<const Bytes>(bytes);
  const Shape shape = split_shape(5000, 64).value();
  const DataSet data = DataSet::from_work(blob, shape, DataSet::hash_work(blob, shape)());
  EXPECT_EQ(data.key(), DataSet::make(bytes, 64)->key());
  EXPECT_TRUE(check(data.key(), 77, to_bytes(data.chunk(77)), data.proof(77)));
}

DataSet any_data() {
  const auto chunk_size = *rc::gen::inRange<std::uint32_t>(1, 40);
  const auto bytes = *rc::gen::inRange<std::size_t>(1, 900);
  return DataSet::make(test_bytes(bytes, *rc::gen::arbitrary<std::uint64_t>()), chunk_size).value();
}

RC_GTEST_PROP(DataSetProperty, EveryChunkVerifiesAndCarriesItsBytes, ()) {
  const DataSet data = any_data();
  Bytes joined;
  for (std::uint32_t i = 0; i < data.shape().total_chunks; ++i) {
    const auto chunk = check(data.key(), i, to_bytes(data.chunk(i)), data.proof(i));
    RC_ASSERT(chunk.has_value());
    append(joined, chunk->bytes());
  }
  RC_ASSERT(joined.size() == data.shape().total_bytes);
}

RC_GTEST_PROP(DataSetProperty, NoBitOfChunkOrProofOrNameCanBeTurned, ()) {
  const DataSet data = any_data();
  const auto index = *rc::gen::inRange<std::uint32_t>(0, data.shape().total_chunks);
  Bytes chunk = to_bytes(data.chunk(index));
  Bytes proof = data.proof(index);
  DataKey key = data.key();
  const std::size_t bits = 8 * (chunk.size() + proof.size() + key.id.bytes.size());
  const auto bit = *rc::gen::inRange<std::size_t>(0, bits);
  const std::byte turned{static_cast<std::uint8_t>(1U << (bit % 8))};
  const std::size_t at = bit / 8;
  if (at < chunk.size()) {
    chunk[at] ^= turned;
  } else if (at < chunk.size() + proof.size()) {
    proof[at - chunk.size()] ^= turned;
  } else {
    key.id.bytes.at(at - chunk.size() - proof.size()) ^= turned;
  }
  RC_ASSERT(check(key, index, chunk, proof).error().is(DasError::not_of_data_set));
}

RC_GTEST_PROP(DataSetProperty, NoOtherIndexCountOrSizeFits, ()) {
  const DataSet data = any_data();
  const auto index = *rc::gen::inRange<std::uint32_t>(0, data.shape().total_chunks);
  const Bytes chunk = to_bytes(data.chunk(index));
  const Bytes proof = data.proof(index);
  for (std::uint32_t other = 0; other < data.shape().total_chunks + 2; ++other) {
    if (other != index) RC_ASSERT(!check(data.key(), other, chunk, proof));
  }
  // Any shape but the true one, the lengths of chunk and proof fitting it or not.
  const auto chunk_size = *rc::gen::inRange<std::uint32_t>(1, 80);
  const auto bytes = *rc::gen::inRange<std::uint64_t>(1, 1800);
  const auto shape = split_shape(bytes, chunk_size);
  if (shape && *shape != data.shape()) {
    RC_ASSERT(!check({data.key().id, *shape}, index, chunk, proof));
  }
}

}  // namespace
}  // namespace ethnet::das
