// The three messages of das-lite/0.1 and their encoding: one code byte, then one RLP list.
// Specification: docs/spec/das-lite.md. Decoders are strict and bounded; nothing is allocated
// before the limit that covers it was checked. Errors: DasLiteError, DasError or RlpError with the
// offset in the payload.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <das/dataset.hpp>

namespace ethnet::das_lite {

enum class DasLiteError : std::uint16_t {
  empty_message = 1,
  unknown_code,
  message_too_large,
  index_too_large,    // at or above kMaxChunks
  unordered_indices,  // of a batch: not ascending, or one twice
  too_many_indices,
  chunk_too_large,
  bad_proof,  // no whole number of hashes, too many of them, or a proof of nothing
};
[[nodiscard]] const ErrorDomain& error_domain(DasLiteError);

enum class Code : std::uint8_t {
  announce_data = 0,
  request_chunk = 1,
  chunk_response = 2,
};

// "I hold all of this." On the wire: data_id, total_chunks, chunk_size, total_bytes.
struct AnnounceData {
  das::DataKey key;
  friend bool operator==(const AnnounceData&, const AnnounceData&) = default;
};

// One to kMaxBatch chunks of one data set. On the wire: data_id, index, and a list of the further
// indices.
struct RequestChunk {
  das::DataId data_id;
  std::vector<std::uint32_t> indices;  // ascending
  friend bool operator==(const RequestChunk&, const RequestChunk&) = default;
};

// One chunk; `bytes` and `proof` are empty when the sender does not hold it.
struct ChunkResponse {
  das::DataId data_id;
  std::uint32_t index = 0;
  Bytes bytes;
  Bytes proof;
  friend bool operator==(const ChunkResponse&, const ChunkResponse&) = default;
};

// What a response answers: there is no request id, since nobody asks a peer for a chunk twice at a
// time.
struct ChunkName {
  das::DataId data_id;
  std::uint32_t index = 0;
  friend auto operator<=>(const ChunkName&, const ChunkName&) = default;
};

[[nodiscard]] Bytes encode(const AnnounceData& message);
// CHECK: at least one index.
[[nodiscard]] Bytes encode(const RequestChunk& message);
[[nodiscard]] Bytes encode(const ChunkResponse& message);

// The code of a payload. Errors: empty_message, unknown_code.
[[nodiscard]] Result<Code> peek_code(ByteView payload);
// What a ChunkResponse answers, read without looking at the rest.
[[nodiscard]] Result<ChunkName> peek_chunk_name(ByteView payload);

// Each takes the whole payload, code byte included.
[[nodiscard]] Result<AnnounceData> decode_announce_data(ByteView payload);
[[nodiscard]] Result<RequestChunk> decode_request_chunk(ByteView payload);
[[nodiscard]] Result<ChunkResponse> decode_chunk_response(ByteView payload);

}  // namespace ethnet::das_lite
