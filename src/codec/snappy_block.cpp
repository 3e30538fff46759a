#include "snappy_block.hpp"

#include <snappy.h>

namespace ethnet::snappy {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<SnappyError>(code)) {
    case SnappyError::truncated_length:
      return "input ends inside the length";
    case SnappyError::non_canonical_length:
      return "non-canonical length";
    case SnappyError::too_large:
      return "claimed length above the limit";
    case SnappyError::impossible_length:
      return "claimed length impossible for its input";
    case SnappyError::corrupt:
      return "corrupt block";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"snappy", describe};

struct Preamble {
  std::size_t claimed;  // plain bytes
  std::size_t width;    // bytes of the varint itself
};

Result<Preamble> read_preamble(ByteView block) {
  constexpr std::size_t kMaxWidth = 5;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kMaxWidth; ++i) {
    if (i == block.size()) return fail(SnappyError::truncated_length, i);
    const auto digit = std::to_integer<std::uint64_t>(block[i]);
    value |= (digit & 0x7f) << (7 * i);
    if (digit >= 0x80) continue;
    if (i > 0 && digit == 0) return fail(SnappyError::non_canonical_length, i);
    if (value > 0xffff'ffff) return fail(SnappyError::non_canonical_length, i);
    return Preamble{static_cast<std::size_t>(value), i + 1};
  }
  return fail(SnappyError::non_canonical_length, kMaxWidth - 1);
}

// The densest element is a copy of 64 bytes in three.
bool can_expand_to(std::size_t body, std::size_t claimed) { return claimed / 64 <= body / 3 + 1; }

// libsnappy speaks char; the bytes are the same.
const char* chars_of(ByteView view) {
  return static_cast<const char*>(static_cast<const void*>(view.data()));
}
char* chars_of(MutByteView view) { return static_cast<char*>(static_cast<void*>(view.data())); }

}  // namespace

const ErrorDomain& error_domain(SnappyError) { return kDomain; }

Bytes compress(ByteView plain) {
  CHECK(plain.size() <= kMaxCompressInput);
  Bytes out(::snappy::MaxCompressedLength(plain.size()));
  std::size_t size = 0;
  ::snappy::RawCompress(chars_of(plain), plain.size(), chars_of(MutByteView{out}), &size);
  CHECK(size <= out.size());
  out.resize(size);
  return out;
}

Result<std::size_t> claimed_size(ByteView block) {
  const Preamble preamble = TRY(read_preamble(block));
  return preamble.claimed;
}

Result<Bytes> decompress(ByteView block, std::size_t max_size) {
  const Preamble preamble = TRY(read_preamble(block));
  if (preamble.claimed > max_size) return fail(SnappyError::too_large);
  if (!can_expand_to(block.size() - preamble.width, preamble.claimed)) {
    return fail(SnappyError::impossible_length);
  }
  Bytes out(preamble.claimed);
  // RawUncompress writes exactly as many bytes as the preamble claims, or fails.
  if (!::snappy::RawUncompress(chars_of(block), block.size(), chars_of(MutByteView{out}))) {
    return fail(SnappyError::corrupt, preamble.width);
  }
  return out;
}

}  // namespace ethnet::snappy
