// The messages of our own protocols: one code byte, then one canonical RLP list, and nothing after
// it (docs/spec). What the codes are, and how large a message may be, each protocol says.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "rlp_reader.hpp"
#include "rlp_writer.hpp"

namespace ethnet::rlp {

// A message under construction. `capacity`: bytes that are expected.
class CodedListWriter {
 public:
  template <class Code>
    requires std::is_enum_v<Code>
  explicit CodedListWriter(Code code, std::size_t capacity = kUsualBytes)
      : out_{capacity}, list_{begin(static_cast<std::byte>(std::to_underlying(code)))} {}

  [[nodiscard]] Writer& list() { return out_; }
  [[nodiscard]] Bytes take() {
    out_.end_list(list_);
    return std::move(out_).take();
  }

 private:
  static constexpr std::size_t kUsualBytes = 96;  // what most messages have, in one allocation

  [[nodiscard]] Writer::ListMark begin(std::byte code) {
    out_.write_raw({&code, 1});
    return out_.begin_list();
  }

  Writer out_;
  Writer::ListMark list_;
};

// The list of a payload; errors carry the offset in the payload. CHECK: it is not empty. Errors:
// RlpError.
[[nodiscard]] inline Result<Reader> open_coded_list(ByteView payload) {
  CHECK(!payload.empty());
  Reader in{payload.subspan(1), 1};
  const Reader list = TRY(in.enter_list());
  TRY(in.expect_end());
  return list;
}

}  // namespace ethnet::rlp
