#include "messages.hpp"

#include <codec/rlp_reader.hpp>
#include <codec/rlp_writer.hpp>
#include <das/testing/test_data.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "limits.hpp"

namespace ethnet::das_lite {
namespace {

using das::DasError;
using das::DataId;
using das::Shape;

DataId some_id() {
  DataId id;
  id.bytes.fill(std::byte{0xaa});
  return id;
}

// A payload by hand: code, then the items that `write` puts into the list.
template <class Write>
Bytes payload(Code code, Write write) {
  rlp::Writer out;
  const auto list = out.begin_list();
  write(out);
  out.end_list(list);
  Bytes bytes{static_cast<std::byte>(code)};
  append(bytes, out.view());
  return bytes;
}

Bytes announce(std::uint64_t chunks, std::uint64_t size, std::uint64_t total) {
  return payload(Code::announce_data, [&](rlp::Writer& out) {
    out.write_bytes(some_id().view());
    out.write_uint(chunks);
    out.write_uint(size);
    out.write_uint(total);
  });
}

Bytes request(std::uint64_t first, const std::vector<std::uint64_t>& further) {
  return payload(Code::request_chunk, [&](rlp::Writer& out) {
    out.write_bytes(some_id().view());
    out.write_uint(first);
    const auto list = out.begin_list();
    for (const std::uint64_t index : further) out.write_uint(index);
    out.end_list(list);
  });
}

Bytes response(std::size_t bytes, std::size_t proof) {
  return encode(ChunkResponse{some_id(), 3, Bytes(bytes, std::byte{1}), Bytes(proof)});
}

template <class T, class E>
bool refused(const Result<T>& result, E what) {
  return !result && result.error().is(what);
}

TEST(Messages, WhatIsEncodedDecodesToTheSame) {
  const AnnounceData announced{{some_id(), {64, 1024, 65'000}}};
  EXPECT_EQ(decode_announce_data(encode(announced)), announced);
  const RequestChunk asked{some_id(), {0, 3, 4'095}};
  EXPECT_EQ(decode_request_chunk(encode(asked)), asked);
  const RequestChunk one{some_id(), {7}};
  EXPECT_EQ(decode_request_chunk(encode(one)), one);
  const ChunkResponse given{some_id(), 9, das::testing::test_bytes(100), Bytes(64)};
  EXPECT_EQ(decode_chunk_response(encode(given)), given);
  EXPECT_EQ(peek_chunk_name(encode(given)), (ChunkName{some_id(), 9}));
  const ChunkResponse nothing{some_id(), 9, {}, {}};
  EXPECT_EQ(decode_chunk_response(encode(nothing)), nothing);
}

TEST(Messages, AnAnnouncementWhoseSizesDoNotFitIsRefused) {
  EXPECT_TRUE(decode_announce_data(announce(4, 300, 1'000)));
  EXPECT_TRUE(refused(decode_announce_data(announce(5, 300, 1'000)), DasError::wrong_count));
  EXPECT_TRUE(refused(decode_announce_data(announce(0, 300, 0)), DasError::no_data));
  EXPECT_TRUE(refused(decode_announce_data(announce(1, 0, 1)), DasError::bad_chunk_size));
  EXPECT_TRUE(refused(decode_announce_data(announce(4'097, 1, 4'097)), DasError::too_many_chunks));
  EXPECT_TRUE(refused(decode_announce_data(announce(1, das::kMaxChunkBytes + 1, 1)),
                      DasError::bad_chunk_size));
  EXPECT_TRUE(refused(decode_announce_data(announce(513, 65'536, das::kMaxDataBytes + 1)),
                      DasError::too_much_data));
  EXPECT_TRUE(refused(decode_announce_data(announce(4, 300, UINT64_MAX)), DasError::too_much_data));
  EXPECT_TRUE(refused(decode_announce_data(announce(std::uint64_t{1} << 32, 1, 1)),
                      rlp::RlpError::overflow));
}

TEST(Messages, ABatchAscendsAndIsNoLongerThanItsLimit) {
  EXPECT_TRUE(decode_request_chunk(request(4, {5, 9})));
  EXPECT_TRUE(refused(decode_request_chunk(request(4, {4})), DasLiteError::unordered_indices));
  EXPECT_TRUE(refused(decode_request_chunk(request(4, {6, 5})), DasLiteError::unordered_indices));
  EXPECT_TRUE(
      refused(decode_request_chunk(request(das::kMaxChunks, {})), DasLiteError::index_too_large));
  EXPECT_TRUE(
      refused(decode_request_chunk(request(1, {das::kMaxChunks})), DasLiteError::index_too_large));
  std::vector<std::uint64_t> further;
  for (std::uint64_t i = 1; i < kMaxBatch; ++i) further.push_back(i);
  EXPECT_TRUE(decode_request_chunk(request(0, further)));
  further.push_back(kMaxBatch);
  EXPECT_TRUE(refused(decode_request_chunk(request(0, further)), DasLiteError::too_many_indices));
}

TEST(Messages, AResponseWithinTheLimitsOfChunkAndProofAlone) {
  EXPECT_TRUE(decode_chunk_response(response(das::kMaxChunkBytes, das::kMaxProofBytes)));
  EXPECT_TRUE(refused(decode_chunk_response(response(das::kMaxChunkBytes + 1, 32)),
                      DasLiteError::chunk_too_large));
  EXPECT_TRUE(refused(decode_chunk_response(response(9, 31)), DasLiteError::bad_proof));
  EXPECT_TRUE(refused(decode_chunk_response(response(9, das::kMaxProofBytes + 32)),
                      DasLiteError::bad_proof));
  EXPECT_TRUE(refused(decode_chunk_response(response(0, 32)), DasLiteError::bad_proof));
  EXPECT_TRUE(refused(decode_chunk_response(response(kMaxChunkResponseBytes, 32)),
                      DasLiteError::message_too_large));
  EXPECT_TRUE(refused(peek_chunk_name(response(kMaxChunkResponseBytes, 32)),
                      DasLiteError::message_too_large));
}

TEST(Messages, AnotherCodeOrNoneIsRefused) {
  EXPECT_TRUE(refused(peek_code({}), DasLiteError::empty_message));
  EXPECT_TRUE(refused(peek_code(Bytes{std::byte{3}}), DasLiteError::unknown_code));
  EXPECT_TRUE(refused(decode_announce_data(request(1, {})), DasLiteError::unknown_code));
  EXPECT_TRUE(refused(decode_request_chunk(response(1, 0)), DasLiteError::unknown_code));
  EXPECT_TRUE(refused(decode_chunk_response(request(1, {})), DasLiteError::unknown_code));
}

TEST(Messages, ALongAnnouncementOrRequestIsRefusedBeforeItIsRead) {
  Bytes long_one = request(1, {});
  long_one.resize(kMaxControlBytes + 1);
  EXPECT_TRUE(refused(decode_request_chunk(long_one), DasLiteError::message_too_large));
  long_one.front() = std::byte{0};
  EXPECT_TRUE(refused(decode_announce_data(long_one), DasLiteError::message_too_large));
}

// Cut anywhere, with a byte more, or with an item more: no message is anything but itself.
TEST(Messages, EveryCutAndEveryTrailingByteIsRefused) {
  const auto decodes = [](const Bytes& bytes) {
    return decode_announce_data(bytes).has_value() || decode_request_chunk(bytes).has_value() ||
           decode_chunk_response(bytes).has_value();
  };
  for (const Bytes& whole : {announce(4, 300, 1'000), request(4, {5, 9}), response(70, 32)}) {
    ASSERT_TRUE(decodes(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_FALSE(
          decodes(Bytes{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}));
    }
    Bytes longer = whole;
    longer.push_back(std::byte{0x01});
    EXPECT_FALSE(decodes(longer));
  }
  EXPECT_FALSE(decodes(payload(Code::announce_data, [](rlp::Writer& out) {
    out.write_bytes(some_id().view());
    for (const std::uint64_t one : {4U, 300U, 1'000U, 1U}) out.write_uint(one);
  })));
}

RC_GTEST_PROP(MessagesProperty, AnyBytesDecodeToWhatEncodesToThemOrNotAtAll, ()) {
  Bytes bytes{static_cast<std::byte>(*rc::gen::inRange(0, 3))};
  const Bytes valid =
      *rc::gen::element(announce(4, 300, 1'000), request(4, {5, 9}), response(70, 32));
  if (*rc::gen::arbitrary<bool>()) bytes = valid;
  const auto changes = *rc::gen::inRange(0, 4);
  for (int i = 0; i < changes; ++i) {
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] =
        static_cast<std::byte>(*rc::gen::inRange(0, 256));
  }
  if (const auto message = decode_announce_data(bytes)) RC_ASSERT(encode(*message) == bytes);
  if (const auto message = decode_request_chunk(bytes)) RC_ASSERT(encode(*message) == bytes);
  if (const auto message = decode_chunk_response(bytes)) RC_ASSERT(encode(*message) == bytes);
}

}  // namespace
}  // namespace ethnet::das_lite
