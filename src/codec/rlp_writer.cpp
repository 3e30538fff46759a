#include "rlp_writer.hpp"

namespace ethnet::rlp {
namespace {

constexpr std::size_t kShortMax = 55;
constexpr std::uint8_t kStringBase = 0x80;
constexpr std::uint8_t kListBase = 0xc0;

std::size_t byte_width(std::uint64_t value) {
  std::size_t width = 0;
  for (; value > 0; value >>= 8) ++width;
  return width;
}

bool is_own_encoding(ByteView payload) {
  return payload.size() == 1 && payload.front() < std::byte{kStringBase};
}

}  // namespace

std::size_t size_of_header(std::size_t payload_size) {
  return payload_size <= kShortMax ? 1 : 1 + byte_width(payload_size);
}

std::size_t size_of_bytes(ByteView payload) {
  return is_own_encoding(payload) ? 1 : size_of_header(payload.size()) + payload.size();
}

std::size_t size_of_uint(std::uint64_t value) {
  return value < kStringBase ? 1 : 1 + byte_width(value);
}

ByteView trim_zeros(ByteView digits) {
  while (!digits.empty() && digits.front() == std::byte{0}) digits = digits.subspan(1);
  return digits;
}

void Writer::write_header(std::uint8_t base, std::size_t payload_size) {
  if (payload_size <= kShortMax) {
    out_.push_back(static_cast<std::byte>(base + payload_size));
    return;
  }
  const std::size_t width = byte_width(payload_size);
  out_.push_back(static_cast<std::byte>(base + kShortMax + width));
  ByteArray<8> digits{};
  store_be<std::uint64_t>(digits, payload_size);
  append(out_, ByteView{digits}.last(width));
}

void Writer::write_bytes(ByteView payload) {
  if (!is_own_encoding(payload)) write_header(kStringBase, payload.size());
  append(out_, payload);
}

void Writer::write_uint(std::uint64_t value) {
  ByteArray<8> digits{};
  store_be<std::uint64_t>(digits, value);
  write_bytes(trim_zeros(digits));
}

void Writer::write_list_header(std::size_t payload_size) { write_header(kListBase, payload_size); }

Writer::ListMark Writer::begin_list() {
  const ListMark mark{out_.size(), open_lists_};
  ++open_lists_;
  out_.push_back(std::byte{kListBase});  // right for an empty list; end_list corrects it
  return mark;
}

void Writer::end_list(ListMark mark) {
  CHECK(open_lists_ == mark.level_ + 1);  // innermost first
  --open_lists_;
  const std::size_t payload_size = out_.size() - mark.start_ - 1;
  if (payload_size <= kShortMax) {
    out_[mark.start_] = static_cast<std::byte>(kListBase + payload_size);
    return;
  }
  const std::size_t width = byte_width(payload_size);
  out_[mark.start_] = static_cast<std::byte>(kListBase + kShortMax + width);
  ByteArray<8> digits{};
  store_be<std::uint64_t>(digits, payload_size);
  const ByteView length = ByteView{digits}.last(width);
  const auto at = out_.begin() + static_cast<std::ptrdiff_t>(mark.start_ + 1);
  out_.insert(at, length.begin(), length.end());
}

ByteView Writer::view() const {
  CHECK(open_lists_ == 0);
  return out_;
}

Bytes Writer::take() && {
  CHECK(open_lists_ == 0);
  return std::move(out_);
}

}  // namespace ethnet::rlp
