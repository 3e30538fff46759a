// Iterates the blocks of a chain file: block RLP, one after another without a frame, as geth's
// `export` writes it. Only headers are of interest here; bodies are stepped over.
//
//   ChainFileReader file{bytes};
//   while (!file.at_end()) {
//     const BlockSlice block = TRY(file.next());
//     const Header header = TRY(Header::decode(block.header));
//   }
//
// Threading: a value. Limits: none of its own; nothing is copied or allocated.
#pragma once

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <codec/rlp_reader.hpp>

namespace ethnet {

// Views of the file's bytes.
struct BlockSlice {
  std::uint64_t offset = 0;         // of the block in the file
  ByteView block;                   // with its list prefix
  std::uint64_t header_offset = 0;  // of the header in the file
  ByteView header;                  // with its list prefix: what is hashed
};

class ChainFileReader {
 public:
  explicit ChainFileReader(ByteView file) : blocks_{file} {}

  [[nodiscard]] bool at_end() const { return blocks_.at_end(); }
  [[nodiscard]] std::uint64_t offset() const { return blocks_.offset(); }

  // The next block; at_end() must be false or the error is `truncated`. A block is a list of lists:
  // header, transactions, ommers and, from Shanghai on, withdrawals. On error the reader stays.
  // Errors: rlp::RlpError, at a byte of the file.
  [[nodiscard]] Result<BlockSlice> next() {
    rlp::Reader after = blocks_;
    BlockSlice out;
    out.offset = blocks_.offset();
    rlp::Reader parts = TRY(after.enter_list());
    out.block = blocks_.rest().first(static_cast<std::size_t>(after.offset() - out.offset));
    out.header_offset = parts.offset();
    const ByteView before = parts.rest();
    TRY(parts.enter_list());
    out.header = before.first(static_cast<std::size_t>(parts.offset() - out.header_offset));
    TRY(parts.enter_list());  // transactions
    TRY(parts.enter_list());  // ommers
    if (!parts.at_end()) TRY(parts.enter_list());
    TRY(parts.expect_end());
    blocks_ = after;
    return out;
  }

 private:
  rlp::Reader blocks_;
};

}  // namespace ethnet
