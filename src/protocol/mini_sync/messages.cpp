#include "messages.hpp"

#include <utility>

#include <codec/coded_list.hpp>
#include <codec/rlp_reader.hpp>
#include <types/header.hpp>

#include "limits.hpp"

namespace ethnet::mini_sync {
namespace {

std::string_view describe_error(std::uint16_t code) {
  switch (static_cast<MiniSyncError>(code)) {
    case MiniSyncError::empty_message:
      return "empty message";
    case MiniSyncError::unknown_code:
      return "unknown message code";
    case MiniSyncError::message_too_large:
      return "message too large for its kind";
    case MiniSyncError::too_many_hashes:
      return "too many hashes";
    case MiniSyncError::no_hashes:
      return "no hashes";
    case MiniSyncError::too_many_headers:
      return "more headers than asked for";
    case MiniSyncError::header_too_large:
      return "header too large";
    case MiniSyncError::bad_signature_size:
      return "producer signature is not 65 bytes";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"mini-sync", describe_error};

void write_item(rlp::Writer& out, const HeaderItem& item) {
  const auto list = out.begin_list();
  out.write_raw(item.header);
  out.write_bytes(item.signature);
  out.end_list(list);
}

// Bytes that a message has beside its items: code, list and request id.
constexpr std::size_t kPrefixBytes = 32;

// At least what write_item() writes.
std::size_t room_for(const HeaderItem& item) {
  return item.header.size() + item.signature.size() + 16;
}

Result<HeaderItem> read_item(rlp::Reader& in) {
  rlp::Reader list = TRY(in.enter_list());
  const std::uint64_t header_at = list.offset();
  const ByteView header = TRY(list.read_raw());
  if (header.size() > kMaxHeaderBytes) return fail(MiniSyncError::header_too_large, header_at);
  const std::uint64_t signature_at = list.offset();
  const ByteView signature = TRY(list.read_bytes());
  if (!signature.empty() && signature.size() != kSignatureBytes) {
    return fail(MiniSyncError::bad_signature_size, signature_at);
  }
  TRY(list.expect_end());
  return HeaderItem{to_bytes(header), to_bytes(signature)};
}

Result<Hash32> read_hash(rlp::Reader& in) {
  Hash32 hash;
  TRY(in.read_into(hash.bytes));
  return hash;
}

// The list of a payload whose size and code were checked, and nothing after it.
Result<rlp::Reader> open_list(ByteView payload, std::size_t max_bytes) {
  if (payload.empty()) return fail(MiniSyncError::empty_message);
  if (payload.size() > max_bytes) return fail(MiniSyncError::message_too_large, max_bytes);
  return rlp::open_coded_list(payload);
}

}  // namespace

const ErrorDomain& error_domain(MiniSyncError) { return kDomain; }

Bytes encode(const Status& message) {
  rlp::CodedListWriter out{Code::status};
  out.list().write_bytes(message.genesis.view());
  out.list().write_bytes(message.head.hash.view());
  out.list().write_uint(message.head.number);
  out.list().write_uint(message.earliest);
  return out.take();
}

Bytes encode(const GetHeaders& message) {
  rlp::CodedListWriter out{Code::get_headers};
  out.list().write_uint(message.request_id);
  const auto locator = out.list().begin_list();
  for (const Hash32& hash : message.locator) out.list().write_bytes(hash.view());
  out.list().end_list(locator);
  out.list().write_uint(message.amount);
  out.list().write_uint(message.skip);
  out.list().write_bool(message.reverse);
  return out.take();
}

Bytes encode(const Headers& message) {
  std::size_t expected = 0;
  for (const HeaderItem& item : message.items) expected += room_for(item);
  rlp::CodedListWriter out{Code::headers, expected + kPrefixBytes};
  out.list().write_uint(message.request_id);
  const auto items = out.list().begin_list();
  for (const HeaderItem& item : message.items) write_item(out.list(), item);
  out.list().end_list(items);
  return out.take();
}

Bytes encode(const NewBlockHashes& message) {
  rlp::CodedListWriter out{Code::new_block_hashes};
  for (const chain::BlockRef& block : message.blocks) {
    const auto entry = out.list().begin_list();
    out.list().write_bytes(block.hash.view());
    out.list().write_uint(block.number);
    out.list().end_list(entry);
  }
  return out.take();
}

Bytes encode(const NewBlock& message) {
  rlp::CodedListWriter out{Code::new_block, room_for(message.item)};
  out.list().write_raw(message.item.header);
  out.list().write_bytes(message.item.signature);
  return out.take();
}

Result<Code> peek_code(ByteView payload) {
  if (payload.empty()) return fail(MiniSyncError::empty_message);
  const auto code = std::to_integer<std::uint8_t>(payload.front());
  if (code > static_cast<std::uint8_t>(Code::new_block)) return fail(MiniSyncError::unknown_code);
  return static_cast<Code>(code);
}

Result<std::uint64_t> peek_request_id(ByteView payload) {
  rlp::Reader list = TRY(open_list(payload, kMaxResponsePayload));
  return list.read_uint<std::uint64_t>();
}

Result<std::size_t> peek_headers_count(ByteView payload) {
  rlp::Reader list = TRY(open_list(payload, kMaxResponsePayload));
  TRY(list.read_raw());  // the request id
  const rlp::Reader items = TRY(list.enter_list());
  return items.count_items();
}

Result<Status> decode_status(ByteView payload) {
  rlp::Reader list = TRY(open_list(payload, kMaxRequestBytes));
  Status message;
  message.genesis = TRY(read_hash(list));
  message.head.hash = TRY(read_hash(list));
  message.head.number = TRY(list.read_uint<std::uint64_t>());
  message.earliest = TRY(list.read_uint<std::uint64_t>());
  TRY(list.expect_end());
  return message;
}

Result<GetHeaders> decode_get_headers(ByteView payload) {
  rlp::Reader list = TRY(open_list(payload, kMaxRequestBytes));
  GetHeaders message;
  message.request_id = TRY(list.read_uint<std::uint64_t>());
  rlp::Reader locator = TRY(list.enter_list());
  while (!locator.at_end()) {
    if (message.locator.size() == kMaxLocatorHashes) {
      return fail(MiniSyncError::too_many_hashes, locator.offset());
    }
    const Hash32 hash = TRY(read_hash(locator));
    message.locator.push_back(hash);
  }
  message.amount = TRY(list.read_uint<std::uint64_t>());
  message.skip = TRY(list.read_uint<std::uint64_t>());
  message.reverse = TRY(list.read_bool());
  TRY(list.expect_end());
  return message;
}

Result<Headers> decode_headers(ByteView payload, std::size_t max_items) {
  rlp::Reader list = TRY(open_list(payload, kMaxResponsePayload));
  Headers message;
  message.request_id = TRY(list.read_uint<std::uint64_t>());
  rlp::Reader items = TRY(list.enter_list());
  TRY(list.expect_end());
  while (!items.at_end()) {
    if (message.items.size() == max_items) {
      return fail(MiniSyncError::too_many_headers, items.offset());
    }
    HeaderItem item = TRY(read_item(items));
    message.items.push_back(std::move(item));
  }
  return message;
}

Result<NewBlockHashes> decode_new_block_hashes(ByteView payload) {
  rlp::Reader list = TRY(open_list(payload, kMaxRequestBytes));
  if (list.at_end()) return fail(MiniSyncError::no_hashes, list.offset());
  NewBlockHashes message;
  while (!list.at_end()) {
    if (message.blocks.size() == kMaxAnnouncedHashes) {
      return fail(MiniSyncError::too_many_hashes, list.offset());
    }
    rlp::Reader entry = TRY(list.enter_list());
    chain::BlockRef block;
    block.hash = TRY(read_hash(entry));
    block.number = TRY(entry.read_uint<std::uint64_t>());
    TRY(entry.expect_end());
    message.blocks.push_back(block);
  }
  return message;
}

Result<NewBlock> decode_new_block(ByteView payload) {
  if (payload.empty()) return fail(MiniSyncError::empty_message);
  if (payload.size() > kMaxRequestBytes) {
    return fail(MiniSyncError::message_too_large, kMaxRequestBytes);
  }
  rlp::Reader in{payload.subspan(1), 1};
  NewBlock message;
  message.item = TRY(read_item(in));
  TRY(in.expect_end());
  return message;
}

}  // namespace ethnet::mini_sync
