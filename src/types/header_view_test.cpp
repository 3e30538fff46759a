// The view, whose usual form is read in a way of its own, against a plain reading of the fields.
#include "header_view.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "testing/draw_header.hpp"

namespace ethnet {
namespace {

// One field after another, each copied; what the view must agree with, errors and their places
// included.
Result<Header> plain_fields(rlp::Reader in) {
  Header out;
  for (Hash32* hash : {&out.parent_hash, &out.ommers_hash}) TRY(in.read_into(hash->bytes));
  TRY(in.read_into(out.beneficiary.bytes));
  for (Hash32* hash : {&out.state_root, &out.transactions_root, &out.receipts_root}) {
    TRY(in.read_into(hash->bytes));
  }
  TRY(in.read_into(out.logs_bloom));
  out.difficulty = TRY(Uint256::read(in));
  for (std::uint64_t* value : {&out.number, &out.gas_limit, &out.gas_used, &out.timestamp}) {
    *value = TRY(in.read_uint<std::uint64_t>());
  }
  const std::uint64_t extra_at = in.offset();
  const ByteView extra = TRY(in.read_bytes());
  if (extra.size() > kMaxExtraData) return fail(HeaderError::extra_data_too_long, extra_at);
  out.extra_data = to_bytes(extra);
  TRY(in.read_into(out.mix_hash.bytes));
  TRY(in.read_into(out.nonce));
  const auto read_hash = [&](std::optional<Hash32>& hash) -> Result<void> {
    if (!in.at_end()) TRY(in.read_into(hash.emplace().bytes));
    return {};
  };
  const auto read_number = [&](std::optional<std::uint64_t>& value) -> Result<void> {
    if (!in.at_end()) value = TRY(in.read_uint<std::uint64_t>());
    return {};
  };
  if (!in.at_end()) out.base_fee_per_gas = TRY(Uint256::read(in));
  TRY(read_hash(out.withdrawals_root));
  TRY(read_number(out.blob_gas_used));
  TRY(read_number(out.excess_blob_gas));
  TRY(read_hash(out.parent_beacon_block_root));
  TRY(read_hash(out.requests_hash));
  TRY(read_hash(out.block_access_list_hash));
  TRY(read_number(out.slot_number));
  TRY(in.expect_end());
  return out;
}

Result<Header> plain_decode(ByteView encoded) {
  rlp::Reader in{encoded};
  const rlp::Reader list = TRY(in.enter_list());
  const std::size_t fields = TRY(list.count_items());
  if (fields < kHeaderBaseFields) return fail(HeaderError::too_few_fields, 0);
  if (fields > kHeaderMaxFields) return fail(HeaderError::too_many_fields, 0);
  const Header out = TRY(plain_fields(list));
  TRY(in.expect_end());
  return out;
}

void expect_agreement(ByteView bytes) {
  const auto expected = plain_decode(bytes);
  const auto view = HeaderView::decode(bytes);
  RC_ASSERT(view.has_value() == expected.has_value());
  if (view) {
    RC_ASSERT(view->to_header() == *expected);
    RC_ASSERT(HeaderView{*expected}.to_header() == *expected);
    RC_ASSERT(view->parent() == expected->parent_hash);
    RC_ASSERT(view->difficulty.to_u64() == expected->difficulty.to_u64());
    RC_ASSERT(view->difficulty.is_zero() == expected->difficulty.is_zero());
  } else {
    RC_ASSERT(view.error() == expected.error());
  }
  // As an item among others: the same header, and what follows is not looked at.
  rlp::Reader in{bytes};
  const auto item = HeaderView::decode(in);
  if (item) {
    RC_ASSERT((view ? in.at_end() : view.error().is(rlp::RlpError::trailing_bytes)));
    RC_ASSERT(view.has_value() == in.at_end());
    RC_ASSERT((!view || item->to_header() == *expected));
  } else {
    RC_ASSERT(item.error() == view.error());
    RC_ASSERT(in.rest().size() == bytes.size());
  }
}

TEST(HeaderView, AgreesWithAPlainReadingOfAnyHeader) {
  EXPECT_TRUE(rc::check("any header", [] { expect_agreement(testing::draw_header().encode()); }));
}

TEST(HeaderView, AgreesWithAPlainReadingOfAnyMutation) {
  EXPECT_TRUE(rc::check("a byte replaced, taken out or put in, or the end cut off", [] {
    Bytes bytes = testing::draw_header().encode();
    const auto mutations = *rc::gen::inRange<std::size_t>(1, 4);
    for (std::size_t i = 0; i < mutations && !bytes.empty(); ++i) {
      // Mostly where integers lie: behind the fields of fixed size.
      const std::size_t first =
          *rc::gen::element<std::size_t>(0, std::min<std::size_t>(bytes.size() - 1, 447));
      const auto at = *rc::gen::inRange<std::size_t>(first, bytes.size());
      const auto value = std::byte{*rc::gen::oneOf(
          rc::gen::arbitrary<std::uint8_t>(),
          rc::gen::element<std::uint8_t>(0x00, 0x7f, 0x80, 0x81, 0x88, 0x89, 0xa0, 0xb8, 0xc0))};
      const auto where = bytes.begin() + static_cast<std::ptrdiff_t>(at);
      switch (*rc::gen::inRange(0, 4)) {
        case 0:
          bytes.erase(where);
          break;
        case 1:
          bytes.insert(where, value);
          break;
        case 2:
          bytes.resize(at);
          break;
        default:
          *where = value;
      }
      // Half of them with a list prefix that is right again.
      if (bytes.size() > 300 && bytes.size() < 65536 && *rc::gen::arbitrary<bool>()) {
        bytes[0] = std::byte{0xf9};
        store_be(MutByteView{bytes}.subspan(1, 2), static_cast<std::uint16_t>(bytes.size() - 3));
      }
    }
    expect_agreement(bytes);
  }));
}

TEST(HeaderView, PointsIntoTheEncoding) {
  const Bytes encoded = testing::sample_header().encode();
  const auto view = HeaderView::decode(encoded);
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->parent_hash.data(), &encoded[4]);
  EXPECT_EQ(view->nonce.size(), 8U);
}

}  // namespace
}  // namespace ethnet
