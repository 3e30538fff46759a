#include "messages.hpp"

#include <base/hex.hpp>
#include <codec/rlp_reader.hpp>
#include <codec/rlp_writer.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <types/header.hpp>

#include "limits.hpp"

namespace ethnet::mini_sync {
namespace {

Hash32 hash_of(std::uint8_t fill) {
  Hash32 hash;
  hash.bytes.fill(std::byte{fill});
  return hash;
}

// A header-like RLP list of `n` bytes of payload; messages do not look inside.
Bytes list_of(std::size_t n) {
  rlp::Writer out;
  const auto list = out.begin_list();
  out.write_bytes(Bytes(n));
  out.end_list(list);
  return std::move(out).take();
}

TEST(Messages, RoundTrip) {
  const Status status{hash_of(1), {hash_of(2), 300}, 4};
  EXPECT_EQ(decode_status(encode(status)), status);
  const GetHeaders request{9, {hash_of(3), hash_of(4)}, 1024, 191, true};
  EXPECT_EQ(decode_get_headers(encode(request)), request);
  const Headers headers{9, {{list_of(600), Bytes(65)}, {list_of(3), {}}}};
  EXPECT_EQ(decode_headers(encode(headers), 2), headers);
  EXPECT_EQ(peek_request_id(encode(headers)), 9U);
  const NewBlockHashes hashes{{{hash_of(5), 1}, {hash_of(6), UINT64_MAX}}};
  EXPECT_EQ(decode_new_block_hashes(encode(hashes)), hashes);
  const NewBlock block{{list_of(600), Bytes(65)}};
  EXPECT_EQ(decode_new_block(encode(block)), block);
}

// The vectors of docs/spec/mini-sync.md.
TEST(Messages, EncodeAsTheSpecificationSays) {
  EXPECT_EQ(to_hex(encode(GetHeaders{1, {hash_of(0xaa)}, 2, 3, false})),
            "01e601e1a0" + std::string(64, 'a') + "020380");
  EXPECT_EQ(to_hex(encode(NewBlockHashes{{{hash_of(0xbb), 0x1234}}})),
            "03e5e4a0" + std::string(64, 'b') + "821234");
  EXPECT_EQ(to_hex(encode(Headers{5, {}})), "02c205c0");
}

TEST(Messages, EveryLimitHasItsError) {
  GetHeaders request{1, std::vector<Hash32>(kMaxLocatorHashes, hash_of(1)), 1, 0, false};
  EXPECT_TRUE(decode_get_headers(encode(request)).has_value());
  request.locator.push_back(hash_of(1));
  EXPECT_TRUE(decode_get_headers(encode(request)).error().is(MiniSyncError::too_many_hashes));

  NewBlockHashes hashes{std::vector<chain::BlockRef>(kMaxAnnouncedHashes, {hash_of(1), 1})};
  EXPECT_TRUE(decode_new_block_hashes(encode(hashes)).has_value());
  hashes.blocks.push_back({hash_of(1), 1});
  EXPECT_TRUE(decode_new_block_hashes(encode(hashes)).error().is(MiniSyncError::too_many_hashes));
  EXPECT_TRUE(
      decode_new_block_hashes(encode(NewBlockHashes{})).error().is(MiniSyncError::no_hashes));

  const Headers three{1, {{list_of(9), {}}, {list_of(9), {}}, {list_of(9), {}}}};
  EXPECT_TRUE(decode_headers(encode(three), 2).error().is(MiniSyncError::too_many_headers));
  const Headers signature{1, {{list_of(9), Bytes(64)}}};
  EXPECT_TRUE(decode_headers(encode(signature), 2).error().is(MiniSyncError::bad_signature_size));
  const Headers large{1, {{list_of(kMaxHeaderBytes), {}}}};
  EXPECT_TRUE(decode_headers(encode(large), 2).error().is(MiniSyncError::header_too_large));
}

TEST(Messages, BadFramingIsRefusedWithItsPlace) {
  EXPECT_TRUE(peek_code({}).error().is(MiniSyncError::empty_message));
  const Bytes unknown{std::byte{5}, std::byte{0xc0}};
  EXPECT_TRUE(peek_code(unknown).error().is(MiniSyncError::unknown_code));
  Bytes trailing = encode(Headers{5, {}});
  trailing.push_back(std::byte{0});
  const auto result = decode_headers(trailing, 1);
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().is(rlp::RlpError::trailing_bytes));
  EXPECT_EQ(result.error().offset(), 4U);
  Bytes boolean = encode(GetHeaders{1, {}, 2, 3, false});
  boolean.back() = std::byte{2};
  EXPECT_TRUE(decode_get_headers(boolean).error().is(rlp::RlpError::overflow));
}

RC_GTEST_PROP(Messages, NoMutationCrashesAndWhatDecodesEncodesBack, ()) {
  Bytes payload = encode(GetHeaders{77, {hash_of(1), hash_of(2)}, 300, 4, true});
  const auto flips = *rc::gen::inRange<std::size_t>(1, 4);
  for (std::size_t i = 0; i < flips; ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(1, payload.size());
    payload[at] = std::byte{*rc::gen::arbitrary<std::uint8_t>()};
  }
  const auto decoded = decode_get_headers(payload);
  if (decoded) RC_ASSERT(encode(*decoded) == payload);
}

}  // namespace
}  // namespace ethnet::mini_sync
