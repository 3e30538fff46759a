#include "header_view.hpp"

namespace ethnet {
namespace {

// --- the usual form, without a call ---

// Walks the fields of a header. Every step looks at the prefix and the size, and gives up on what
// is not canonical, ends early, or is merely unusual. Inlined as a whole, so that it stays in
// registers: two times faster than rlp::Reader, whose errors say what is wrong and where.
class FastFields {
 public:
  explicit FastFields(ByteView rest) : rest_{rest} {}
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  // A string of N bytes, 2 to 55.
  template <std::size_t N>
  [[gnu::always_inline]] bool exact(ByteView& out) {
    if (rest_.size() <= N || rest_[0] != static_cast<std::byte>(0x80 + N)) return false;
    out = take(N + 1).last(N);
    return true;
  }
  template <std::size_t N>
  [[gnu::always_inline]] bool exact(std::optional<ByteView>& out) {
    return exact<N>(out.emplace());
  }
  [[gnu::always_inline]] bool bloom(ByteView& out) {
    constexpr std::size_t kSize = Bloom{}.size();
    if (rest_.size() < 3 + kSize || rest_[0] != std::byte{0xb9} ||
        rest_[1] != static_cast<std::byte>(kSize >> 8) || rest_[2] != std::byte{kSize & 0xff}) {
      return false;
    }
    out = take(3 + kSize).last(kSize);
    return true;
  }
  // A string of at most `max` bytes, 55 or less.
  [[gnu::always_inline]] bool short_string(ByteView& out, std::size_t max) {
    if (rest_.empty()) return false;
    const auto first = std::to_integer<std::size_t>(rest_[0]);
    if (first < 0x80) {
      out = take(1);
      return true;
    }
    const std::size_t size = first - 0x80;
    if (size > max || rest_.size() <= size) return false;
    out = take(size + 1).last(size);
    return size != 1 || out[0] >= std::byte{0x80};
  }
  [[gnu::always_inline]] bool digits(UintView& out) {
    ByteView string;
    if (!short_string(string, 32) || (!string.empty() && string[0] == std::byte{0})) return false;
    out = UintView{string};
    return true;
  }
  [[gnu::always_inline]] bool digits(std::optional<UintView>& out) { return digits(out.emplace()); }
  [[gnu::always_inline]] bool number(std::uint64_t& out) {
    ByteView string;
    if (!short_string(string, 8) || (!string.empty() && string[0] == std::byte{0})) return false;
    std::uint64_t value = 0;
    for (const std::byte b : string) value = (value << 8) | std::to_integer<std::uint64_t>(b);
    out = value;
    return true;
  }
  [[gnu::always_inline]] bool number(std::optional<std::uint64_t>& out) {
    return number(out.emplace());
  }

 private:
  // By first() and last(): subspan() is large enough that it stays a call.
  [[gnu::always_inline]] ByteView take(std::size_t size) {
    const ByteView out = rest_.first(size);
    rest_ = rest_.last(rest_.size() - size);
    return out;
  }

  ByteView rest_;
};

[[gnu::always_inline]] inline bool read_fast_base(FastFields& in, HeaderView& out) {
  return in.exact<32>(out.parent_hash) && in.exact<32>(out.ommers_hash) &&
         in.exact<20>(out.beneficiary) && in.exact<32>(out.state_root) &&
         in.exact<32>(out.transactions_root) && in.exact<32>(out.receipts_root) &&
         in.bloom(out.logs_bloom) && in.digits(out.difficulty) && in.number(out.number) &&
         in.number(out.gas_limit) && in.number(out.gas_used) && in.number(out.timestamp) &&
         in.short_string(out.extra_data, 55) && in.exact<32>(out.mix_hash) &&
         in.exact<8>(out.nonce);
}

// Also false for a header that is right and unusual; `out` is then of no use.
bool read_fast(ByteView fields, HeaderView& out) {
  FastFields in{fields};
  if (!read_fast_base(in, out)) return false;
  if (in.at_end()) return true;
  if (!in.digits(out.base_fee_per_gas)) return false;
  if (in.at_end()) return true;
  if (!in.exact<32>(out.withdrawals_root)) return false;
  if (in.at_end()) return true;
  if (!in.number(out.blob_gas_used)) return false;
  if (in.at_end()) return true;
  if (!in.number(out.excess_blob_gas)) return false;
  if (in.at_end()) return true;
  if (!in.exact<32>(out.parent_beacon_block_root)) return false;
  if (in.at_end()) return true;
  if (!in.exact<32>(out.requests_hash)) return false;
  if (in.at_end()) return true;
  if (!in.exact<32>(out.block_access_list_hash)) return false;
  if (in.at_end()) return true;
  return in.number(out.slot_number) && in.at_end();
}

// The same of exactly one header, its list's prefix included: as every header has it, 256 bytes of
// fields or more, with a size of two bytes.
bool read_fast_whole(ByteView encoded, HeaderView& out) {
  constexpr std::size_t kPrefix = 3;
  if (encoded.size() < kPrefix + 256 || encoded[0] != std::byte{0xf9}) return false;
  const ByteView fields = encoded.last(encoded.size() - kPrefix);
  const std::size_t size =
      (std::to_integer<std::size_t>(encoded[1]) << 8) | std::to_integer<std::size_t>(encoded[2]);
  return size == fields.size() && read_fast(fields, out);
}

// --- any form, with its errors ---

Result<UintView> read_digits(rlp::Reader& in) {
  const ByteView digits = TRY(in.read_uint_bytes(32));
  return UintView{digits};
}

Result<void> read_base(rlp::Reader& in, HeaderView& out) {
  out.parent_hash = TRY(in.read_exact(32));
  out.ommers_hash = TRY(in.read_exact(32));
  out.beneficiary = TRY(in.read_exact(20));
  out.state_root = TRY(in.read_exact(32));
  out.transactions_root = TRY(in.read_exact(32));
  out.receipts_root = TRY(in.read_exact(32));
  out.logs_bloom = TRY(in.read_exact(256));
  out.difficulty = TRY(read_digits(in));
  out.number = TRY(in.read_uint<std::uint64_t>());
  out.gas_limit = TRY(in.read_uint<std::uint64_t>());
  out.gas_used = TRY(in.read_uint<std::uint64_t>());
  out.timestamp = TRY(in.read_uint<std::uint64_t>());
  const std::uint64_t extra_at = in.offset();
  out.extra_data = TRY(in.read_bytes());
  if (out.extra_data.size() > kMaxExtraData) {
    return fail(HeaderError::extra_data_too_long, extra_at);
  }
  out.mix_hash = TRY(in.read_exact(32));
  out.nonce = TRY(in.read_exact(8));
  return {};
}

// As many of the optional fields as there are items.
Result<void> read_optionals(rlp::Reader& in, HeaderView& out) {
  if (in.at_end()) return {};
  out.base_fee_per_gas = TRY(read_digits(in));
  if (in.at_end()) return {};
  out.withdrawals_root = TRY(in.read_exact(32));
  if (in.at_end()) return {};
  out.blob_gas_used = TRY(in.read_uint<std::uint64_t>());
  if (in.at_end()) return {};
  out.excess_blob_gas = TRY(in.read_uint<std::uint64_t>());
  if (in.at_end()) return {};
  out.parent_beacon_block_root = TRY(in.read_exact(32));
  if (in.at_end()) return {};
  out.requests_hash = TRY(in.read_exact(32));
  if (in.at_end()) return {};
  out.block_access_list_hash = TRY(in.read_exact(32));
  if (in.at_end()) return {};
  out.slot_number = TRY(in.read_uint<std::uint64_t>());
  return {};
}

Result<void> read_fields(rlp::Reader in, HeaderView& out) {
  TRY(read_base(in, out));
  TRY(read_optionals(in, out));
  return in.expect_end();
}

// A wrong number of fields comes before what is wrong in one of them.
Error first_error(std::uint64_t at, const rlp::Reader& fields, const Error& found) {
  const auto count = fields.count_items();
  if (!count) return count.error();
  if (*count < kHeaderBaseFields) return Error{HeaderError::too_few_fields, at};
  if (*count > kHeaderMaxFields) return Error{HeaderError::too_many_fields, at};
  return found;
}

// The next item; on error `in` stays.
Result<void> read_strict(rlp::Reader& in, HeaderView& out) {
  rlp::Reader after = in;
  const rlp::Reader fields = TRY(after.enter_list());
  out = {};
  const Result<void> read = read_fields(fields, out);
  if (!read) [[unlikely]] {
    return std::unexpected{first_error(in.offset(), fields, read.error())};
  }
  in = after;
  return {};
}

std::optional<ByteView> view_of(const std::optional<Hash32>& hash) {
  if (!hash) return std::nullopt;
  return hash->view();
}

template <class T>
void copy_fixed(T& out, ByteView in) {
  copy_into(out.bytes, in);
}
void copy_optional(std::optional<Hash32>& out, const std::optional<ByteView>& in) {
  if (in) copy_into(out.emplace().bytes, *in);
}

}  // namespace

// The view is made where it is returned: it is too large to be moved about.
Result<HeaderView> HeaderView::decode(rlp::Reader& in) {
  Result<HeaderView> out;
  rlp::Reader after = in;
  if (const auto fields = after.enter_list(); fields && read_fast(fields->rest(), *out)) {
    in = after;
  } else if (const auto read = read_strict(in, *out); !read) {
    out = std::unexpected{read.error()};
  }
  return out;
}

Result<HeaderView> HeaderView::decode(ByteView encoded) {
  Result<HeaderView> out;
  if (read_fast_whole(encoded, *out)) return out;
  rlp::Reader in{encoded};
  auto read = read_strict(in, *out);
  if (read) read = in.expect_end();
  if (!read) out = std::unexpected{read.error()};
  return out;
}

HeaderView::HeaderView(const Header& header)
    : parent_hash{header.parent_hash.view()},
      ommers_hash{header.ommers_hash.view()},
      beneficiary{header.beneficiary.view()},
      state_root{header.state_root.view()},
      transactions_root{header.transactions_root.view()},
      receipts_root{header.receipts_root.view()},
      logs_bloom{header.logs_bloom},
      difficulty{header.difficulty.digits()},
      number{header.number},
      gas_limit{header.gas_limit},
      gas_used{header.gas_used},
      timestamp{header.timestamp},
      extra_data{header.extra_data},
      mix_hash{header.mix_hash.view()},
      nonce{header.nonce},
      withdrawals_root{view_of(header.withdrawals_root)},
      blob_gas_used{header.blob_gas_used},
      excess_blob_gas{header.excess_blob_gas},
      parent_beacon_block_root{view_of(header.parent_beacon_block_root)},
      requests_hash{view_of(header.requests_hash)},
      block_access_list_hash{view_of(header.block_access_list_hash)},
      slot_number{header.slot_number} {
  if (header.base_fee_per_gas) base_fee_per_gas = UintView{header.base_fee_per_gas->digits()};
}

Hash32 HeaderView::parent() const {
  Hash32 out;
  copy_fixed(out, parent_hash);
  return out;
}

Header HeaderView::to_header() const {
  Header out;
  copy_fixed(out.parent_hash, parent_hash);
  copy_fixed(out.ommers_hash, ommers_hash);
  copy_fixed(out.beneficiary, beneficiary);
  copy_fixed(out.state_root, state_root);
  copy_fixed(out.transactions_root, transactions_root);
  copy_fixed(out.receipts_root, receipts_root);
  copy_into(out.logs_bloom, logs_bloom);
  out.difficulty = Uint256::from_bytes(difficulty.digits());
  out.number = number;
  out.gas_limit = gas_limit;
  out.gas_used = gas_used;
  out.timestamp = timestamp;
  out.extra_data = to_bytes(extra_data);
  copy_fixed(out.mix_hash, mix_hash);
  copy_into(out.nonce, nonce);
  if (base_fee_per_gas) out.base_fee_per_gas = Uint256::from_bytes(base_fee_per_gas->digits());
  copy_optional(out.withdrawals_root, withdrawals_root);
  out.blob_gas_used = blob_gas_used;
  out.excess_blob_gas = excess_blob_gas;
  copy_optional(out.parent_beacon_block_root, parent_beacon_block_root);
  copy_optional(out.requests_hash, requests_hash);
  copy_optional(out.block_access_list_hash, block_access_list_hash);
  out.slot_number = slot_number;
  return out;
}

}  // namespace ethnet
