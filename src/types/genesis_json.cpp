#include "genesis_json.hpp"

#include <base/hex.hpp>

namespace ethnet::genesis_json {
namespace {

// Up to 64 digits, an odd number of them allowed.
std::optional<Uint256> parse_hex(std::string_view digits) {
  if (digits.empty() || digits.size() > 64) return {};
  const auto bytes = from_hex((digits.size() % 2 != 0 ? "0" : "") + std::string{digits});
  if (!bytes || bytes->size() > 32) return {};
  return Uint256::from_bytes(*bytes);
}

std::optional<Uint256> parse_decimal(std::string_view digits) {
  if (digits.empty()) return {};
  ByteArray<32> value{};
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return {};
    auto carry = static_cast<unsigned>(digit - '0');
    for (std::size_t i = value.size(); i-- > 0;) {
      const unsigned sum = std::to_integer<unsigned>(value[i]) * 10 + carry;
      value[i] = static_cast<std::byte>(sum & 0xff);
      carry = sum >> 8;
    }
    if (carry != 0) return {};
  }
  return Uint256::from_bytes(value);
}

}  // namespace

const json* member(const json& object, const std::string& key) {
  const auto at = object.find(key);
  return at == object.end() || at->is_null() ? nullptr : &*at;
}

Read<void> need_object(const json& value, const std::string& path) {
  if (!value.is_object()) return fault(path, "expected an object");
  return {};
}

Read<Uint256> read_uint256(const json& value, const std::string& path) {
  if (value.is_number_unsigned()) return Uint256{value.get<std::uint64_t>()};
  if (!value.is_string()) return fault(path, "expected a number");
  const std::string_view text = value.get_ref<const std::string&>();
  const auto number = text.starts_with("0x") ? parse_hex(text.substr(2)) : parse_decimal(text);
  if (!number) return fault(path, "not a number of 256 bits");
  return *number;
}

Read<std::uint64_t> read_u64(const json& value, const std::string& path) {
  const Uint256 wide = TRY(read_uint256(value, path));
  const auto narrow = wide.to_u64();
  if (!narrow) return fault(path, "above 64 bits");
  return *narrow;
}

Read<Bytes> read_bytes(const json& value, const std::string& path) {
  if (!value.is_string()) return fault(path, "expected hex text");
  auto bytes = from_hex(value.get_ref<const std::string&>());
  if (!bytes) return fault(path, bytes.error().message());
  return *std::move(bytes);
}

Read<void> read_fixed(const json& value, const std::string& path, MutByteView out) {
  if (!value.is_string()) return fault(path, "expected hex text");
  const auto done = from_hex_into(value.get_ref<const std::string&>(), out);
  if (!done) return fault(path, done.error().message());
  return {};
}

Read<Uint256> read_word(const std::string& text, const std::string& path) {
  const std::string_view view = text;
  const auto word = parse_hex(view.starts_with("0x") ? view.substr(2) : view);
  if (!word) return fault(path, "not hex text of at most 32 bytes");
  return *word;
}

}  // namespace ethnet::genesis_json
