#include "genesis_json.hpp"

#include <vector>

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

// Builds the tree. Where it stops, why() says what is wrong.
class DocumentBuilder : public nlohmann::json_sax<json> {
 public:
  [[nodiscard]] json take() { return std::move(root_); }
  [[nodiscard]] const GenesisFault& why() const { return why_; }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  // Fractions, and integers that 64 bits do not hold: whoever reads the field judges the text.
  bool number_float(number_float_t, const string_t& text) override { return put(text); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // not in JSON text

  bool start_object(std::size_t) override { return open(json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    json& object = *open_.back();
    path_.back() = name;
    if (object.contains(name)) return refuse(whole_path(), "given twice");
    slot_ = &object[name];
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return refuse("", "not JSON at byte " + std::to_string(position));
  }

 private:
  bool refuse(std::string path, std::string reason) {
    why_ = {std::move(path), std::move(reason)};
    return false;
  }
  [[nodiscard]] std::string whole_path() const {
    std::string out;
    for (const std::string& part : path_) out = join(out, part);
    return out;
  }
  // Where the next value belongs: the root, behind the last element, or the slot of its key.
  json& place() {
    if (open_.empty()) return root_;
    json& parent = *open_.back();
    if (!parent.is_array()) return *slot_;
    path_.back() = std::to_string(parent.size());
    return parent.emplace_back();
  }
  bool put(json value) {
    place() = std::move(value);
    return true;
  }
  bool open(json container) {
    json& value = place();
    if (open_.size() == kMaxGenesisDepth) return refuse(whole_path(), "nested too deep");
    value = std::move(container);
    open_.push_back(&value);  // stays put while it is open: its parent gets nothing more until then
    path_.emplace_back();
    return true;
  }
  bool close() {
    open_.pop_back();
    path_.pop_back();
    return true;
  }

  json root_;
  json* slot_ = nullptr;
  std::vector<json*> open_;        // the containers around what comes next, outermost first
  std::vector<std::string> path_;  // the key or index in each of them
  GenesisFault why_;
};

}  // namespace

Read<json> parse_document(std::string_view text) {
  DocumentBuilder builder;
  if (!json::sax_parse(text, &builder)) return std::unexpected{builder.why()};
  return builder.take();
}

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
