#include "messages.hpp"

#include <utility>

#include <base/check.hpp>
#include <codec/coded_list.hpp>
#include <codec/rlp_reader.hpp>

#include "limits.hpp"

namespace ethnet::das_lite {
namespace {

std::string_view describe_error(std::uint16_t code) {
  switch (static_cast<DasLiteError>(code)) {
    case DasLiteError::empty_message:
      return "empty message";
    case DasLiteError::unknown_code:
      return "unknown message code";
    case DasLiteError::message_too_large:
      return "message too large for its kind";
    case DasLiteError::index_too_large:
      return "index no data set has";
    case DasLiteError::unordered_indices:
      return "indices do not ascend";
    case DasLiteError::too_many_indices:
      return "too many indices";
    case DasLiteError::chunk_too_large:
      return "chunk too large";
    case DasLiteError::bad_proof:
      return "no proof has this size";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"das-lite", describe_error};

// The list of a payload whose size and code were checked, and nothing after it.
Result<rlp::Reader> open_list(ByteView payload, Code code, std::size_t max_bytes) {
  const Code found = TRY(peek_code(payload));
  if (found != code) return fail(DasLiteError::unknown_code);
  if (payload.size() > max_bytes) return fail(DasLiteError::message_too_large, max_bytes);
  return rlp::open_coded_list(payload);
}

Result<das::DataId> read_data_id(rlp::Reader& in) {
  das::DataId id;
  TRY(in.read_into(id.bytes));
  return id;
}

Result<std::uint32_t> read_index(rlp::Reader& in) {
  const std::uint64_t at = in.offset();
  const std::uint32_t index = TRY(in.read_uint<std::uint32_t>());
  if (index >= das::kMaxChunks) return fail(DasLiteError::index_too_large, at);
  return index;
}

}  // namespace

const ErrorDomain& error_domain(DasLiteError) { return kDomain; }

Bytes encode(const AnnounceData& message) {
  rlp::CodedListWriter out{Code::announce_data, kMaxControlBytes};
  out.list().write_bytes(message.key.id.view());
  out.list().write_uint(message.key.shape.total_chunks);
  out.list().write_uint(message.key.shape.chunk_size);
  out.list().write_uint(message.key.shape.total_bytes);
  return out.take();
}

Bytes encode(const RequestChunk& message) {
  CHECK(!message.indices.empty());
  rlp::CodedListWriter out{Code::request_chunk, kMaxControlBytes};
  out.list().write_bytes(message.data_id.view());
  out.list().write_uint(message.indices.front());
  const auto further = out.list().begin_list();
  for (std::size_t i = 1; i < message.indices.size(); ++i) {
    out.list().write_uint(message.indices[i]);
  }
  out.list().end_list(further);
  return out.take();
}

Bytes encode(const ChunkResponse& message) {
  rlp::CodedListWriter out{Code::chunk_response,
                           message.bytes.size() + message.proof.size() + kResponseOverhead};
  out.list().write_bytes(message.data_id.view());
  out.list().write_uint(message.index);
  out.list().write_bytes(message.bytes);
  out.list().write_bytes(message.proof);
  return out.take();
}

Result<Code> peek_code(ByteView payload) {
  if (payload.empty()) return fail(DasLiteError::empty_message);
  const auto code = std::to_integer<std::uint8_t>(payload.front());
  if (code > static_cast<std::uint8_t>(Code::chunk_response)) {
    return fail(DasLiteError::unknown_code);
  }
  return static_cast<Code>(code);
}

Result<ChunkName> peek_chunk_name(ByteView payload) {
  rlp::Reader list = TRY(open_list(payload, Code::chunk_response, kMaxChunkResponseBytes));
  ChunkName name;
  name.data_id = TRY(read_data_id(list));
  name.index = TRY(read_index(list));
  return name;
}

Result<AnnounceData> decode_announce_data(ByteView payload) {
  rlp::Reader list = TRY(open_list(payload, Code::announce_data, kMaxControlBytes));
  AnnounceData message;
  message.key.id = TRY(read_data_id(list));
  const std::uint64_t sizes_at = list.offset();
  message.key.shape.total_chunks = TRY(list.read_uint<std::uint32_t>());
  message.key.shape.chunk_size = TRY(list.read_uint<std::uint32_t>());
  message.key.shape.total_bytes = TRY(list.read_uint<std::uint64_t>());
  TRY(list.expect_end());
  if (const auto good = das::check_shape(message.key.shape); !good) {
    return std::unexpected{good.error().shifted(sizes_at)};
  }
  return message;
}

Result<RequestChunk> decode_request_chunk(ByteView payload) {
  rlp::Reader list = TRY(open_list(payload, Code::request_chunk, kMaxControlBytes));
  RequestChunk message;
  message.data_id = TRY(read_data_id(list));
  const std::uint32_t first = TRY(read_index(list));
  message.indices.push_back(first);
  rlp::Reader further = TRY(list.enter_list());
  TRY(list.expect_end());
  while (!further.at_end()) {
    const std::uint64_t at = further.offset();
    if (message.indices.size() == kMaxBatch) return fail(DasLiteError::too_many_indices, at);
    const std::uint32_t index = TRY(read_index(further));
    if (index <= message.indices.back()) return fail(DasLiteError::unordered_indices, at);
    message.indices.push_back(index);
  }
  return message;
}

Result<ChunkResponse> decode_chunk_response(ByteView payload) {
  rlp::Reader list = TRY(open_list(payload, Code::chunk_response, kMaxChunkResponseBytes));
  ChunkResponse message;
  message.data_id = TRY(read_data_id(list));
  message.index = TRY(read_index(list));
  const std::uint64_t bytes_at = list.offset();
  const ByteView bytes = TRY(list.read_bytes());
  if (bytes.size() > das::kMaxChunkBytes) return fail(DasLiteError::chunk_too_large, bytes_at);
  const std::uint64_t proof_at = list.offset();
  const ByteView proof = TRY(list.read_bytes());
  TRY(list.expect_end());
  const bool of_nothing = bytes.empty() && !proof.empty();
  if (proof.size() % sizeof(Hash32) != 0 || proof.size() > das::kMaxProofBytes || of_nothing) {
    return fail(DasLiteError::bad_proof, proof_at);
  }
  message.bytes = to_bytes(bytes);
  message.proof = to_bytes(proof);
  return message;
}

}  // namespace ethnet::das_lite
