// QUIC frames as bytes, with nothing checked: a writer that says whatever a test wants said, and a
// reader for what an honest endpoint answers (RFC 9000, section 19).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <base/bytes.hpp>

namespace ethnet::testing {

void append_varint(Bytes& out, std::uint64_t value);

// Frames behind each other: Frames{}.ping().stream(0, 0, data).bytes().
class Frames {
 public:
  [[nodiscard]] const Bytes& bytes() const { return out_; }
  [[nodiscard]] std::size_t size() const { return out_.size(); }

  Frames& raw(ByteView bytes);
  // A type and its numbers, as they are.
  Frames& numbers(std::uint64_t type, std::initializer_list<std::uint64_t> values);

  Frames& padding(std::size_t n);
  Frames& ping() { return numbers(0x01, {}); }
  // One range: everything from `smallest` to `largest`.
  Frames& ack(std::uint64_t largest, std::uint64_t smallest);
  Frames& crypto(std::uint64_t offset, ByteView data);
  Frames& stream(std::uint64_t id, std::uint64_t offset, ByteView data, bool fin = false);
  Frames& reset_stream(std::uint64_t id, std::uint64_t code, std::uint64_t final_size) {
    return numbers(0x04, {id, code, final_size});
  }
  Frames& stop_sending(std::uint64_t id, std::uint64_t code) { return numbers(0x05, {id, code}); }
  Frames& new_connection_id(std::uint64_t sequence, std::uint64_t retire_prior_to, ByteView cid,
                            std::uint8_t token_byte);
  Frames& retire_connection_id(std::uint64_t sequence) { return numbers(0x19, {sequence}); }
  Frames& path_challenge(std::uint64_t data);
  Frames& close(std::uint64_t code) { return numbers(0x1c, {code, 0, 0}); }

 private:
  Bytes out_;
};

struct Frame {
  std::uint64_t type = 0;
  std::vector<std::uint64_t> numbers;  // its fields in order, lengths left out
  Bytes data;
};

// Off the front of `rest`; nothing when it is not a frame that RFC 9000 knows.
[[nodiscard]] std::optional<std::uint64_t> take_varint(ByteView& rest);
[[nodiscard]] std::optional<Frame> take_frame(ByteView& rest);

// Transport parameters (RFC 9000, section 18).
class Parameters {
 public:
  // What an honest client would say.
  [[nodiscard]] static Parameters honest(ByteView source_cid);
  Parameters& number(std::uint64_t id, std::uint64_t value);  // replaces it
  Parameters& bytes(std::uint64_t id, ByteView value);
  Parameters& remove(std::uint64_t id);
  Parameters& repeat(std::uint64_t id);  // says it twice
  [[nodiscard]] Bytes encode() const;

 private:
  std::vector<std::pair<std::uint64_t, Bytes>> list_;
};

}  // namespace ethnet::testing
