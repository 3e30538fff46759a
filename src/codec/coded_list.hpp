// The messages of our own protocols: one code byte, then one canonical RLP list, and nothing after
// it (docs/spec). What the codes are, and how large a message may be, each protocol says.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "rlp_reader.hpp"
#include "rlp_writer.hpp"

namespace ethnet::rlp {

// A message under construction. `capacity`: bytes of the list that are expected.
class CodedListWriter {
 public:
  template <class Code>
    requires std::is_enum_v<Code>
  explicit CodedListWriter(Code code, std::size_t capacity = 0)
      : code_{static_cast<std::byte>(std::to_underlying(code))},
        out_{capacity},
        list_{out_.begin_list()} {}

  [[nodiscard]] Writer& list() { return out_; }
  [[nodiscard]] Bytes take() {
    out_.end_list(list_);
    Bytes payload;
    payload.reserve(1 + out_.size());
    payload.push_back(code_);
    append(payload, out_.view());
    return payload;
  }

 private:
  std::byte code_;
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
