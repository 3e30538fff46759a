// The five messages of mini-sync/0.1 and their encoding: one code byte, then one RLP list.
// Specification: docs/spec/mini-sync.md. Decoders are strict and bounded; nothing is allocated
// before the limit that covers it was checked. Errors: MiniSyncError or RlpError with the offset in
// the payload.
#pragma once

#include <cstdint>
#include <vector>

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <chain/chain_view.hpp>
#include <types/hash.hpp>

namespace ethnet::mini_sync {

enum class MiniSyncError : std::uint16_t {
  empty_message = 1,
  unknown_code,
  message_too_large,
  too_many_hashes,
  no_hashes,
  too_many_headers,
  header_too_large,
  bad_signature_size,
};
[[nodiscard]] const ErrorDomain& error_domain(MiniSyncError);

enum class Code : std::uint8_t {
  status = 0,
  get_headers = 1,
  headers = 2,
  new_block_hashes = 3,
  new_block = 4,
};

struct Status {
  Hash32 genesis;
  chain::BlockRef head;
  std::uint64_t earliest = 0;  // lowest number that is served
  friend bool operator==(const Status&, const Status&) = default;
};

// Which headers: `origin` is the first hash of `locator` that the responder can use.
// Forward (reverse = false): the first one on its canonical chain; the response holds canonical
// headers at origin + (skip + 1) * k for k = 1, 2, ...: the origin itself is not repeated.
// Reverse: the first one that it knows on any branch; the response holds the ancestors of the
// origin at origin - (skip + 1) * k for k = 0, 1, ...: the origin comes first.
struct GetHeaders {
  std::uint64_t request_id = 0;
  std::vector<Hash32> locator;
  std::uint64_t amount = 0;
  std::uint64_t skip = 0;
  bool reverse = false;
  friend bool operator==(const GetHeaders&, const GetHeaders&) = default;
};

// One header as it travels: canonical RLP and, where its producer signed, 65 bytes r‖s‖v over the
// header hash (else empty).
struct HeaderItem {
  Bytes header;
  Bytes signature;
  friend bool operator==(const HeaderItem&, const HeaderItem&) = default;
};

struct Headers {
  std::uint64_t request_id = 0;
  std::vector<HeaderItem> items;
  friend bool operator==(const Headers&, const Headers&) = default;
};

struct NewBlockHashes {
  std::vector<chain::BlockRef> blocks;
  friend bool operator==(const NewBlockHashes&, const NewBlockHashes&) = default;
};

struct NewBlock {
  HeaderItem item;
  friend bool operator==(const NewBlock&, const NewBlock&) = default;
};

[[nodiscard]] Bytes encode(const Status& message);
[[nodiscard]] Bytes encode(const GetHeaders& message);
[[nodiscard]] Bytes encode(const Headers& message);
[[nodiscard]] Bytes encode(const NewBlockHashes& message);
[[nodiscard]] Bytes encode(const NewBlock& message);

// The code of a payload. Errors: empty_message, unknown_code.
[[nodiscard]] Result<Code> peek_code(ByteView payload);
// The request id of a Headers payload, read without decoding the rest, so that an unsolicited
// response costs nothing (attack 49).
[[nodiscard]] Result<std::uint64_t> peek_request_id(ByteView payload);
// How many headers a Headers payload holds, by their prefixes: nothing is decoded or copied.
[[nodiscard]] Result<std::size_t> peek_headers_count(ByteView payload);

// Each takes the whole payload, code byte included.
[[nodiscard]] Result<Status> decode_status(ByteView payload);
[[nodiscard]] Result<GetHeaders> decode_get_headers(ByteView payload);
// At most max_items headers: what was asked for.
[[nodiscard]] Result<Headers> decode_headers(ByteView payload, std::size_t max_items);
[[nodiscard]] Result<NewBlockHashes> decode_new_block_hashes(ByteView payload);
[[nodiscard]] Result<NewBlock> decode_new_block(ByteView payload);

}  // namespace ethnet::mini_sync
