#include "frames.hpp"

#include <algorithm>
#include <array>

namespace ethnet::testing {
namespace {

std::optional<ByteView> take(ByteView& rest, std::uint64_t n) {
  if (n > rest.size()) return std::nullopt;
  const ByteView taken = rest.first(static_cast<std::size_t>(n));
  rest = rest.subspan(static_cast<std::size_t>(n));
  return taken;
}

bool take_numbers(ByteView& rest, Frame& frame, std::size_t n) {
  for (; n > 0; --n) {
    const auto value = take_varint(rest);
    if (!value) return false;
    frame.numbers.push_back(*value);
  }
  return true;
}

bool take_data(ByteView& rest, Frame& frame, std::uint64_t n) {
  const auto data = take(rest, n);
  if (data) frame.data = to_bytes(*data);
  return data.has_value();
}

bool take_counted(ByteView& rest, Frame& frame) {
  const auto n = take_varint(rest);
  return n && take_data(rest, frame, *n);
}

// Largest, delay, first range, then gaps and ranges, then three ECN counts for type 3.
bool take_ack(ByteView& rest, Frame& frame) {
  if (!take_numbers(rest, frame, 2)) return false;
  const auto ranges = take_varint(rest);
  if (!ranges || *ranges > rest.size()) return false;
  const std::uint64_t more = 1 + 2 * *ranges + (frame.type == 3 ? 3U : 0U);
  return take_numbers(rest, frame, static_cast<std::size_t>(more));
}

bool take_stream(ByteView& rest, Frame& frame) {
  if (!take_numbers(rest, frame, 1)) return false;
  if ((frame.type & 4) == 0) {
    frame.numbers.push_back(0);
  } else if (!take_numbers(rest, frame, 1)) {
    return false;
  }
  return (frame.type & 2) != 0 ? take_counted(rest, frame) : take_data(rest, frame, rest.size());
}

bool take_new_connection_id(ByteView& rest, Frame& frame) {
  if (!take_numbers(rest, frame, 2) || rest.empty()) return false;
  const auto size = std::to_integer<std::uint64_t>(rest.front());
  rest = rest.subspan(1);
  return take_data(rest, frame, size) && take(rest, 16).has_value();
}

bool take_body(ByteView& rest, Frame& frame) {
  // How many numbers the frames have that are nothing but numbers.
  constexpr std::array<int, 0x1f> kNumbers{0,  0,  -1, -1, 3,  2,  -1, -1, -1, -1, -1,
                                           -1, -1, -1, -1, -1, 1,  2,  1,  1,  1,  2,
                                           1,  1,  -1, 1,  -1, -1, -1, -1, 0};
  if (frame.type >= kNumbers.size()) return false;
  const int numbers = kNumbers.at(static_cast<std::size_t>(frame.type));
  if (numbers >= 0) return take_numbers(rest, frame, static_cast<std::size_t>(numbers));
  if (frame.type >= 0x08 && frame.type <= 0x0f) return take_stream(rest, frame);
  switch (frame.type) {
    case 0x02:
    case 0x03:
      return take_ack(rest, frame);
    case 0x06:
      return take_numbers(rest, frame, 1) && take_counted(rest, frame);
    case 0x07:
      return take_counted(rest, frame);
    case 0x18:
      return take_new_connection_id(rest, frame);
    case 0x1a:
    case 0x1b:
      return take_data(rest, frame, 8);
    case 0x1c:
      return take_numbers(rest, frame, 2) && take_counted(rest, frame);
    default:  // 0x1d
      return take_numbers(rest, frame, 1) && take_counted(rest, frame);
  }
}

}  // namespace

void append_varint(Bytes& out, std::uint64_t value) {
  if (value < 64) {
    append_be<std::uint8_t>(out, static_cast<std::uint8_t>(value));
  } else if (value < 16384) {
    append_be<std::uint16_t>(out, static_cast<std::uint16_t>(value | 0x4000));
  } else if (value < (1U << 30)) {
    append_be<std::uint32_t>(out, static_cast<std::uint32_t>(value | 0x8000'0000));
  } else {
    append_be<std::uint64_t>(out, value | 0xc000'0000'0000'0000);
  }
}

Frames& Frames::raw(ByteView bytes) {
  append(out_, bytes);
  return *this;
}

Frames& Frames::numbers(std::uint64_t type, std::initializer_list<std::uint64_t> values) {
  append_varint(out_, type);
  for (const std::uint64_t value : values) append_varint(out_, value);
  return *this;
}

Frames& Frames::padding(std::size_t n) {
  out_.resize(out_.size() + n);
  return *this;
}

Frames& Frames::ack(std::uint64_t largest, std::uint64_t smallest) {
  return numbers(0x02, {largest, 0, 0, largest - smallest});
}

Frames& Frames::crypto(std::uint64_t offset, ByteView data) {
  return numbers(0x06, {offset, data.size()}).raw(data);
}

Frames& Frames::stream(std::uint64_t id, std::uint64_t offset, ByteView data, bool fin) {
  return numbers(0x0e | (fin ? 1U : 0U), {id, offset, data.size()}).raw(data);
}

Frames& Frames::new_connection_id(std::uint64_t sequence, std::uint64_t retire_prior_to,
                                  ByteView cid, std::uint8_t token_byte) {
  numbers(0x18, {sequence, retire_prior_to});
  out_.push_back(static_cast<std::byte>(cid.size()));
  raw(cid);
  return raw(Bytes(16, static_cast<std::byte>(token_byte)));
}

Frames& Frames::path_challenge(std::uint64_t data) {
  numbers(0x1a, {});
  append_be<std::uint64_t>(out_, data);
  return *this;
}

std::optional<std::uint64_t> take_varint(ByteView& rest) {
  if (rest.empty()) return std::nullopt;
  const std::size_t size = std::size_t{1} << (std::to_integer<unsigned>(rest.front()) >> 6);
  const auto bytes = take(rest, size);
  if (!bytes) return std::nullopt;
  std::uint64_t value = std::to_integer<std::uint64_t>(bytes->front()) & 0x3f;
  for (const std::byte b : bytes->subspan(1)) value = value << 8 | std::to_integer<unsigned>(b);
  return value;
}

std::optional<Frame> take_frame(ByteView& rest) {
  const auto type = take_varint(rest);
  if (!type) return std::nullopt;
  Frame frame{*type, {}, {}};
  if (!take_body(rest, frame)) return std::nullopt;
  return frame;
}

Parameters Parameters::honest(ByteView source_cid) {
  Parameters p;
  p.number(0x01, 30'000).number(0x04, 1 << 20);
  for (const std::uint64_t id : {0x05U, 0x06U, 0x07U}) p.number(id, 1 << 18);
  p.number(0x08, 16).number(0x09, 16).bytes(0x0f, source_cid);
  return p;
}

Parameters& Parameters::number(std::uint64_t id, std::uint64_t value) {
  Bytes encoded;
  append_varint(encoded, value);
  return bytes(id, encoded);
}

Parameters& Parameters::bytes(std::uint64_t id, ByteView value) {
  remove(id);
  list_.emplace_back(id, to_bytes(value));
  return *this;
}

Parameters& Parameters::remove(std::uint64_t id) {
  std::erase_if(list_, [&](const auto& entry) { return entry.first == id; });
  return *this;
}

Parameters& Parameters::repeat(std::uint64_t id) {
  const auto entry = std::ranges::find(list_, id, [](const auto& e) { return e.first; });
  if (entry != list_.end()) list_.push_back(std::pair{*entry});
  return *this;
}

Bytes Parameters::encode() const {
  Bytes out;
  for (const auto& [id, value] : list_) {
    append_varint(out, id);
    append_varint(out, value.size());
    append(out, value);
  }
  return out;
}

}  // namespace ethnet::testing
